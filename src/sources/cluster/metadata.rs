//! Kinds of which most objects are of no interest: lists and watches bring their metadata, and only the few others are read whole.
//!
//! Nearly every Pod, ReplicaSet and Job belongs to another workload, whose template says what its proxy gets. Metadata tells that.
//! Whether one of the others is finished stands in its status, so that it is read again whenever it changes.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use axum::http::header::ACCEPT;
use axum::http::{HeaderValue, Request};
use futures::{StreamExt, TryStreamExt, stream};
use kube::Client;
use kube::api::Api;
use kube::client::Body;
use kube::runtime::watcher::Event;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::sources::cluster::failure::status_of;
use crate::sources::cluster::kinds::{Follow, WatchedKind};
use crate::sources::cluster::object::RawObject;
use crate::sources::cluster::read::{is_label, is_subdomain};

/// How many objects are read at once.
const AT_ONCE: usize = 8;
/// What a list of metadata is asked for by.
const LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/// What a watch of metadata is asked for by.
const WATCH: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// The client for lists and watches of a kind: where it is followed by its metadata, they ask for no more. Must be called within a tokio
/// runtime.
///
/// The client library's own metadata watcher would decode all metadata of a page at once, its managed fields too, and fail with the page
/// where one object can't be read.
pub(super) fn listing(client: Client, kind: &WatchedKind) -> Client {
    if kind.follow == Follow::Whole {
        return client;
    }
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |mut request: Request<Body>| {
        let is_watch = request.uri().query().is_some_and(|query| query.split('&').any(|part| part == "watch=true"));
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(if is_watch { WATCH } else { LIST }));
        let client = client.clone();
        async move { client.send(request).await }
    });
    Client::new(service, namespace)
}

/// Reads the objects of a kind that metadata alone doesn't tell enough of.
pub(super) struct Whole {
    /// Not the one for lists: it would bring metadata again.
    pub(super) client: Client,
    pub(super) kind: &'static WatchedKind,
    /// How long one object may take.
    pub(super) answer: Duration,
}

/// What has come of an object that was listed.
pub(super) enum Read {
    /// All of it.
    Whole(RawObject),
    /// It says nothing: another workload owns it, or it has gone meanwhile. Of this one there is no more than was listed.
    Nothing(RawObject),
}

impl Whole {
    /// The same events in their order, with whole objects in place of metadata, and with a deletion in place of an object that says
    /// nothing. An object that several of them are about is read once.
    ///
    /// # Errors
    /// One object could not be read, or not in time.
    pub(super) async fn events(&self, events: Vec<Event<RawObject>>) -> kube::Result<Vec<Event<RawObject>>> {
        if self.kind.follow == Follow::Whole {
            return Ok(events);
        }
        let events = newest(self.kind, events).into_iter().map(|event| self.event(event));
        stream::iter(events).buffered(AT_ONCE).try_collect().await
    }

    /// The objects of a list, in their order.
    ///
    /// # Errors
    /// As [`Self::events`].
    pub(super) async fn objects(&self, listed: Vec<RawObject>) -> kube::Result<Vec<Read>> {
        stream::iter(listed).map(|object| self.read(object)).buffered(AT_ONCE).try_collect().await
    }

    async fn event(&self, event: Event<RawObject>) -> kube::Result<Event<RawObject>> {
        let (object, as_whole): (_, fn(RawObject) -> _) = match event {
            Event::Apply(object) => (object, Event::Apply),
            Event::InitApply(object) => (object, Event::InitApply),
            Event::Delete(_) | Event::Init | Event::InitDone => return Ok(event),
        };
        Ok(match self.read(object).await? {
            Read::Whole(object) => as_whole(object),
            Read::Nothing(object) => Event::Delete(object),
        })
    }

    async fn read(&self, listed: RawObject) -> kube::Result<Read> {
        if self.kind.follow == Follow::Whole {
            return Ok(Read::Whole(listed));
        }
        // A name is part of the request's path. No API server has others.
        if listed.is_idle() || !is_label(listed.namespace()) || !is_subdomain(listed.name()) {
            return Ok(Read::Nothing(listed));
        }
        let found = match self.get(&listed).await {
            // The kept connection may have died since it was last used.
            Err(error) if status_of(&error).is_none() => self.get(&listed).await,
            found => found,
        };
        match found {
            Ok(object) => Ok(Read::Whole(object)),
            Err(error) if status_of(&error).is_some_and(|status| status.code == 404) => Ok(Read::Nothing(listed)),
            Err(error) => Err(error),
        }
    }

    /// The newest state of an object.
    async fn get(&self, listed: &RawObject) -> kube::Result<RawObject> {
        let api = Api::<RawObject>::namespaced_with(self.client.clone(), listed.namespace(), &self.kind);
        // The client logs whole answers that it can't parse: it is silenced.
        let get = api.get(listed.name()).with_subscriber(Dispatch::none());
        tokio::time::timeout(self.answer, get).await.unwrap_or_else(|_| {
            let late = io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {:?}", self.answer));
            Err(kube::Error::Service(late.into()))
        })
    }
}

/// Leaves out what a later event about the same object makes void.
fn newest(kind: &WatchedKind, events: Vec<Event<RawObject>>) -> Vec<Event<RawObject>> {
    let mut later = HashSet::new();
    let mut newest: Vec<_> = events
        .into_iter()
        .rev()
        .filter(|event| match event {
            Event::Apply(object) | Event::InitApply(object) => later.insert(object.id(kind)),
            Event::Delete(object) => {
                later.insert(object.id(kind));
                true
            }
            Event::Init | Event::InitDone => true,
        })
        .collect();
    newest.reverse();
    newest
}
