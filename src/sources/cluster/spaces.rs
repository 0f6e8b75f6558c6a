//! Fresh reads of a namespace's workloads, bypassing the watches.
//!
//! One LIST for each kind in the namespace, without a resourceVersion: it returns what is stored at the time of the request. No
//! selector is sent, since the labels that count are those of the pod templates; they are matched here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Clock};

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use kube::Client;
use kube::api::{Api, ListParams};
use tokio::time::Instant;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::apis::Entry;
use crate::k8s::ObjectRef;
use crate::mesh::{Fact, Service, Sort, Workload};
use crate::sources::cluster::failure::{forbidden, status_of, told};
use crate::sources::cluster::flights::Flights;
use crate::sources::cluster::kinds::{self, Follow, WatchedKind};
use crate::sources::cluster::metadata::{self, Read, Whole};
use crate::sources::cluster::object::{RawObject, decode};
use crate::sources::cluster::pages::{Pages, begun_anew, is_expired};
use crate::sources::cluster::place::Place;
use crate::sources::cluster::read::{is_label, is_subdomain};
use crate::sources::cluster::{ClusterOptions, Pace};
use crate::sources::shared::{FreshObject, FreshWorkloads, Kinds, NamespaceReader};

/// The most kinds listed at a time for one namespace.
const KINDS_AT_ONCE: usize = 8;
/// How long a missing or forbidden kind isn't asked for again: as long as the watches wait.
const GONE: Duration = Duration::from_secs(60);

/// Reads the current state of namespaces from the API server. Simultaneous reviews share reads.
#[derive(Clone)]
pub struct KubeSpaces(Arc<Spaces>);

struct Spaces {
    client: Client,
    pace: Pace,
    /// The kinds that own pods, each with its list client.
    kinds: Vec<(&'static WatchedKind, Client)>,
    /// The versions of kinds that the cluster didn't list, with the time of the request.
    gone: Mutex<HashMap<(&'static str, &'static str), Clock>>,
    flights: Flights<(String, Kinds), FreshWorkloads>,
}

/// Why a version of a kind wasn't listed.
enum Refusal {
    /// The cluster lacks it, or it is optional and forbidden.
    Gone,
    Expired,
    Other(String),
}

impl KubeSpaces {
    /// A reader of the watched workload kinds. Must be called within a tokio runtime.
    pub fn new(client: Client, options: ClusterOptions) -> Self {
        let owners = kinds::watched(options).filter(|kind| kind.sort() == Sort::Workloads);
        let kinds = owners.map(|kind| (kind, metadata::listing(client.clone(), kind))).collect();
        let (gone, flights) = (Mutex::default(), Flights::default());
        Self(Arc::new(Spaces { client, pace: options.pace, kinds, gone, flights }))
    }
}

impl Spaces {
    async fn workloads(&self, namespace: &str, which: Kinds) -> FreshWorkloads {
        let follow = match which {
            Kinds::Owners => Follow::Whole,
            Kinds::MostlyOwned => Follow::ByMetadata,
        };
        let mut lists: Vec<BoxFuture<'_, _>> = Vec::new();
        for (kind, client) in &self.kinds {
            if kind.follow == follow {
                lists.push(self.kind(kind, client, namespace).boxed());
            }
        }
        let mut lists = stream::iter(lists).buffer_unordered(KINDS_AT_ONCE);
        let (mut all, mut failed) = (Vec::new(), None);
        while let Some(list) = lists.next().await {
            match list {
                Ok(found) => all.extend(found),
                Err(why) => failed = failed.or(Some(why)),
            }
        }
        FreshWorkloads { workloads: all.into(), failed }
    }

    /// The workloads of one kind, in the first of its versions that is served.
    async fn kind(
        &self,
        first: &'static WatchedKind,
        client: &Client,
        namespace: &str,
    ) -> Result<Vec<Arc<Workload>>, String> {
        for kind in first.versions().filter(|kind| !self.is_gone(kind)) {
            let once = || self.version(kind, client, namespace);
            match begun_anew(once, |refusal| matches!(refusal, Refusal::Expired)).await {
                Ok(found) => return Ok(found),
                Err(Refusal::Gone) => self.note_gone(kind),
                Err(Refusal::Expired) => {
                    return Err(format!("could not list {}: it changed too often", kind.resource()));
                }
                Err(Refusal::Other(why)) => return Err(why),
            }
        }
        Ok(Vec::new())
    }

    async fn version(
        &self,
        kind: &'static WatchedKind,
        client: &Client,
        namespace: &str,
    ) -> Result<Vec<Arc<Workload>>, Refusal> {
        let api = Api::<RawObject>::namespaced_with(client.clone(), namespace, &kind);
        let whole = Whole { client: self.client.clone(), kind, answer: self.pace.answer };
        let (mut pages, mut found) = (Pages::of(kind), Vec::new());
        loop {
            let page = match pages.next(&api).await {
                // The pooled connection may have died since its last use.
                Err(error) if status_of(&error).is_none() => pages.next(&api).await,
                page => page,
            };
            let Some(page) = page.map_err(|error| refusal(kind, "list", &error))? else { return Ok(found) };
            let objects = whole.objects(page).await.map_err(|error| refusal(kind, "get", &error))?;
            found.extend(objects.iter().filter_map(|read| match read {
                Read::Whole(object) => workload_of(kind, object),
                Read::Nothing(_) => None,
            }));
            tokio::task::yield_now().await;
        }
    }

    async fn labels(&self, namespace: &str) -> Option<BTreeMap<String, String>> {
        let kind = kinds::all().find(|kind| kind.sort() == Sort::Namespaces)?;
        // A list, since meshvet has no right to get namespaces.
        let params = ListParams::default().fields(&format!("metadata.name={namespace}"));
        let api = Api::<RawObject>::all_with(self.client.clone(), &kind);
        let list = api.list(&params).with_subscriber(Dispatch::none()).await.ok()?;
        list.items.iter().find_map(|object| match decode(kind, object) {
            Ok(Entry::Fact(Fact::Namespace(name, labels))) if name == namespace => Some(labels),
            _ => None,
        })
    }

    async fn service(&self, namespace: &str, name: &str) -> Option<Arc<Service>> {
        let kind = kinds::all().find(|kind| kind.sort() == Sort::Services)?;
        let api = Api::<RawObject>::namespaced_with(self.client.clone(), namespace, &kind);
        let get = || api.get(name).with_subscriber(Dispatch::none());
        let object = match get().await {
            // The pooled connection may have died since its last use.
            Err(error) if status_of(&error).is_none() => get().await,
            object => object,
        };
        match decode(kind, &object.ok()?) {
            Ok(Entry::Fact(Fact::Service(service))) => Some(service),
            _ => None,
        }
    }

    /// An object by a list of its name: of most kinds meshvet has no right to get one.
    async fn object(&self, object: &ObjectRef) -> Option<FreshObject> {
        let is_it = |kind: &&WatchedKind| kind.known_as == object.api_version && kind.kind == object.kind;
        let first = kinds::all().find(|first| first.versions().any(|kind| is_it(&kind)))?;
        for kind in first.versions().filter(is_it) {
            let api = match object.namespace() {
                "" => Api::<RawObject>::all_with(self.client.clone(), &kind),
                namespace => Api::<RawObject>::namespaced_with(self.client.clone(), namespace, &kind),
            };
            let params = ListParams::default().fields(&format!("metadata.name={}", object.name));
            let list = || api.list(&params).with_subscriber(Dispatch::none());
            let listed = match list().await {
                // The pooled connection may have died since its last use.
                Err(error) if status_of(&error).is_none() => list().await,
                listed => listed,
            };
            let listed = match listed {
                Ok(listed) => listed,
                Err(error) if status_of(&error).is_some_and(|status| status.code == 404) => continue,
                Err(error) => {
                    let why = match status_of(&error) {
                        Some(status) if status.is_forbidden() => forbidden(kind, &Place::Everywhere, "list", status),
                        _ => format!("could not list {}: {}", kind.resource(), told(&error)),
                    };
                    return Some(FreshObject::Failed(why));
                }
            };
            let Some(found) = listed.items.iter().find(|found| *found.name() == *object.name) else {
                return Some(FreshObject::Gone);
            };
            return Some(match decode(kind, found) {
                Ok(Entry::Subject(subject)) => FreshObject::There(subject.facts),
                Ok(Entry::Fact(fact)) => FreshObject::There(vec![fact]),
                Ok(Entry::Nothing(_) | Entry::Other) | Err(_) => FreshObject::Gone,
            });
        }
        Some(FreshObject::Gone)
    }

    fn is_gone(&self, kind: &WatchedKind) -> bool {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        gone.get(&(kind.api_version, kind.plural)).is_some_and(|asked| asked.elapsed() < GONE)
    }

    fn note_gone(&self, kind: &WatchedKind) {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        gone.insert((kind.api_version, kind.plural), Clock::now());
    }
}

/// The workload in an object. One that can't be read is skipped, as by the watches.
fn workload_of(kind: &WatchedKind, object: &RawObject) -> Option<Arc<Workload>> {
    let facts = match decode(kind, object).ok()? {
        Entry::Subject(subject) => subject.facts,
        Entry::Fact(fact) => vec![fact],
        Entry::Nothing(_) | Entry::Other => return None,
    };
    facts.into_iter().find_map(|fact| match fact {
        Fact::Workload(workload) => Some(workload),
        _ => None,
    })
}

fn refusal(kind: &WatchedKind, verb: &str, error: &kube::Error) -> Refusal {
    match status_of(error) {
        Some(status) if status.code == 404 => Refusal::Gone,
        // The watch has noted the gap in the world, so it isn't taken for absent.
        Some(status) if status.is_forbidden() && kind.optional => Refusal::Gone,
        Some(status) if status.is_forbidden() => Refusal::Other(forbidden(kind, &Place::Everywhere, verb, status)),
        _ if is_expired(error) => Refusal::Expired,
        _ => Refusal::Other(format!("could not {verb} {}: {}", kind.resource(), told(error))),
    }
}

impl NamespaceReader for KubeSpaces {
    fn workloads(&self, namespace: &str, which: Kinds, since: Instant) -> BoxFuture<'_, Option<FreshWorkloads>> {
        // The name becomes part of the request's path.
        if !is_label(namespace) {
            return futures::future::ready(Some(FreshWorkloads::default())).boxed();
        }
        let place = (namespace.to_owned(), which);
        let flight = self.0.flights.join(place, since, || {
            let (spaces, namespace) = (Arc::clone(&self.0), namespace.to_owned());
            async move { spaces.workloads(&namespace, which).await }.boxed()
        });
        flight.map(Some).boxed()
    }

    fn labels(&self, namespace: &str) -> BoxFuture<'_, Option<BTreeMap<String, String>>> {
        if !is_label(namespace) {
            return futures::future::ready(None).boxed();
        }
        let namespace = namespace.to_owned();
        async move { self.0.labels(&namespace).await }.boxed()
    }

    fn service(&self, namespace: &str, name: &str) -> BoxFuture<'_, Option<Arc<Service>>> {
        // Both become part of the request's path, and come from a hostname that anyone may write.
        if !is_label(namespace) || !is_label(name) {
            return futures::future::ready(None).boxed();
        }
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        async move { self.0.service(&namespace, &name).await }.boxed()
    }

    fn object(&self, object: &ObjectRef) -> BoxFuture<'_, Option<FreshObject>> {
        // Both become part of the request, and come from manifests that anyone may write.
        let namespace = object.namespace();
        if !(namespace.is_empty() || is_label(namespace)) || !is_subdomain(&object.name) {
            return futures::future::ready(Some(FreshObject::Gone)).boxed();
        }
        let object = object.clone();
        async move { self.0.object(&object).await }.boxed()
    }
}
