//! Kinds most of whose objects are of no interest: lists and watches return their metadata, and only the few others are read whole.
//!
//! Nearly every Pod, ReplicaSet and Job belongs to another workload, whose template decides what its proxy gets. The metadata shows
//! that. Whether one of the others has finished is in its status, so it is read again whenever it changes.

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

/// The most objects read at a time.
const AT_ONCE: usize = 8;
/// The Accept header of a metadata list.
const LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/// The Accept header of a metadata watch.
const WATCH: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// The client for lists and watches of a kind; metadata only, for a kind followed by metadata. Must be called within a tokio
/// runtime.
///
/// The client library's own metadata watcher would decode all metadata of a page at once, managed fields included, and fail the page
/// if one object can't be read.
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

/// Reads the objects of a kind for which metadata isn't enough.
pub(super) struct Whole {
    /// Not the client for lists, which would return metadata again.
    pub(super) client: Client,
    pub(super) kind: &'static WatchedKind,
    /// The longest time for one object.
    pub(super) answer: Duration,
}

/// What was read of a listed object.
pub(super) enum Read {
    /// The whole object.
    Whole(RawObject),
    /// Nothing of interest: another workload owns it, or it is gone. Holds what was listed.
    Nothing(RawObject),
}

impl Whole {
    /// The same events in order, with whole objects instead of metadata, and a deletion instead of an object of no
    /// interest. An object with several events is read once.
    ///
    /// # Errors
    /// An object couldn't be read, or not in time.
    pub(super) async fn events(&self, events: Vec<Event<RawObject>>) -> kube::Result<Vec<Event<RawObject>>> {
        if self.kind.follow == Follow::Whole {
            return Ok(events);
        }
        let events = newest(self.kind, events).into_iter().map(|event| self.event(event));
        stream::iter(events).buffered(AT_ONCE).try_collect().await
    }

    /// The objects of a list, in order.
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
        // The name becomes part of the request's path. The API server has no other names.
        if listed.is_idle() || !is_label(listed.namespace()) || !is_subdomain(listed.name()) {
            return Ok(Read::Nothing(listed));
        }
        let found = match self.get(&listed).await {
            // The pooled connection may have died since its last use.
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

/// Drops events that a later event about the same object supersedes.
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
