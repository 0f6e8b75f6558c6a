//! Fresh reads of Secrets and ConfigMaps, bypassing the watches.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use kube::Client;
use kube::api::Api;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::apis::Entry;
use crate::mesh::{Fact, FreshStores, SecretAccess, SecretScope, StoreKey, StoreKind, StoreState, Unread, Version};
use crate::sources::StoreReader;
use crate::sources::cluster::failure::{forbidden, status_of, told};
use crate::sources::cluster::kinds::{CONFIG_MAPS, SECRETS, WatchedKind};
use crate::sources::cluster::object::{RawObject, decode};
use crate::sources::cluster::place::Place;

/// The most stores read at a time for one review.
const AT_ONCE: usize = 8;
/// The same problem is logged again after this time.
const REMIND: Duration = Duration::from_secs(600);

/// Reads the newest state of Secrets and ConfigMaps from the API server.
///
/// Reads have no deadline of their own: the review has one, and drops the future when it passes.
#[derive(Clone)]
pub struct KubeReader {
    client: Client,
    access: SecretAccess,
    scope: SecretScope,
    /// Whether it reads with a user's rights instead of meshvet's ServiceAccount.
    for_person: bool,
    /// The kinds that may not be read, with the time of the last log line.
    told: Arc<Mutex<BTreeMap<&'static str, Instant>>>,
}

impl KubeReader {
    /// A reader that respects `access`: with [`SecretAccess::Never`] it skips Secrets.
    pub fn new(client: Client, access: SecretAccess) -> Self {
        Self { client, access, scope: SecretScope::Everywhere, for_person: false, told: Arc::default() }
    }

    /// Skips Secrets of other namespaces.
    #[must_use]
    pub fn within(self, scope: SecretScope) -> Self {
        Self { scope, ..self }
    }

    /// Words errors for a user's missing rights.
    #[must_use]
    pub(crate) fn for_person(self) -> Self {
        Self { for_person: true, ..self }
    }

    /// Logs what may not be read, since meshvet's operator has to fix it and doesn't see the user's warning. Rate-limited, since
    /// every review runs into it.
    fn tell(&self, kind: &'static WatchedKind, why: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(kind.kind).is_none_or(|last| last.elapsed() >= REMIND) {
            told.insert(kind.kind, Instant::now());
            tracing::error!(kind = kind.kind, "{why}");
        }
    }

    /// Those of the stores that are read, each once.
    fn wanted(&self, keys: Vec<StoreKey>) -> Vec<(&'static WatchedKind, StoreKey)> {
        let keys: BTreeSet<StoreKey> = keys.into_iter().collect();
        let wanted = keys.into_iter().filter_map(|key| match key.kind {
            StoreKind::Secret if self.access != SecretAccess::Never && self.scope.holds(&key.namespace) => {
                Some((&SECRETS, key))
            }
            StoreKind::ConfigMap => Some((&CONFIG_MAPS, key)),
            StoreKind::Secret | StoreKind::Folder => None,
        });
        wanted.collect()
    }

    /// A store's version, by its metadata: no key leaves the API server for it. The outer None: it couldn't be read.
    async fn version(&self, kind: &'static WatchedKind, key: &StoreKey) -> Option<Option<Version>> {
        if !is_label(&key.namespace) || !is_subdomain(&key.name) {
            return Some(None);
        }
        let api = Api::<RawObject>::namespaced_with(self.client.clone(), &key.namespace, &kind);
        let get = || api.get_metadata(&key.name).with_subscriber(Dispatch::none());
        let found = match get().await {
            // The pooled connection may have died since its last use.
            Err(error) if status_of(&error).is_none() => get().await,
            found => found,
        };
        match found {
            Ok(object) => Some(Some(Version::of(object.metadata.resource_version.as_deref()))),
            Err(error) => status_of(&error).is_some_and(|status| status.code == 404).then_some(None),
        }
    }

    async fn read_one(&self, kind: &'static WatchedKind, key: &StoreKey) -> StoreState {
        // The name becomes part of the request's path, and comes from anyone who can write a pod's annotation.
        if !is_label(&key.namespace) || !is_subdomain(&key.name) {
            return StoreState::Absent;
        }
        let api = Api::<RawObject>::namespaced_with(self.client.clone(), &key.namespace, &kind);
        // The client logs whole responses that it can't parse: silenced, as for the watches.
        let get = || api.get(&key.name).with_subscriber(Dispatch::none());
        let found = match get().await {
            // The pooled connection may have died since its last use. One lost read would admit what should be denied.
            Err(error) if status_of(&error).is_none() => get().await,
            found => found,
        };
        match found {
            Ok(object) => match decode(kind, &object) {
                Ok(Entry::Fact(Fact::Store(_, store))) => StoreState::Present(Arc::clone(&store)),
                Ok(_) => failed(format!("{key} came back as something else")),
                Err(undecodable) => failed(format!("{key} can't be read: {}", undecodable.message)),
            },
            Err(error) => match status_of(&error) {
                Some(status) if status.code == 404 => StoreState::Absent,
                Some(status) if status.is_forbidden() => {
                    if self.for_person {
                        let resource = kind.resource();
                        let instead = if kind.plural == "secrets" { "; --secrets none leaves them out" } else { "" };
                        let why = status.message.trim();
                        return failed(format!(
                            "you may not get {resource} in namespace {}: {why}{instead}",
                            key.namespace
                        ));
                    }
                    let place = Place::of_object(kind, &self.scope, &key.namespace);
                    let why = forbidden(kind, &place, "get", status);
                    self.tell(kind, &why);
                    failed(why)
                }
                _ => failed(format!("{key} could not be read: {}", told(&error))),
            },
        }
    }
}

fn failed(why: String) -> StoreState {
    StoreState::Unread(Unread::Failed(why))
}

impl StoreReader for KubeReader {
    fn read(&self, keys: Vec<StoreKey>) -> BoxFuture<'_, FreshStores> {
        stream::iter(self.wanted(keys))
            .map(move |(kind, key)| async move { (key.clone(), self.read_one(kind, &key).await) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .boxed()
    }

    fn versions(&self, keys: Vec<StoreKey>) -> BoxFuture<'_, HashMap<StoreKey, Option<Version>>> {
        let wanted = self.wanted(keys);
        stream::iter(wanted)
            .map(move |(kind, key)| async move { self.version(kind, &key).await.map(|version| (key, version)) })
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .boxed()
    }
}

/// Whether this is a valid namespace name: a DNS label (RFC 1123).
pub(crate) fn is_label(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Whether this is a valid Secret name: a DNS subdomain (RFC 1123), as defined by Kubernetes.
pub(super) fn is_subdomain(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|part| {
            !part.is_empty()
                && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
                && !part.starts_with('-')
                && !part.ends_with('-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_kubernetes_gives_reach_a_request() {
        for name in ["blue-cert", "a", "0", "tls.apps.local", "x--y"] {
            assert!(is_subdomain(name), "{name}");
        }
        let long = "a".repeat(254);
        for name in ["", ".", "..", "a/b", "../pods/x", "a?b", "A", "-a", "a-", "a..b", "ä", "a b", "a%2fb", &long] {
            assert!(!is_subdomain(name), "{name}");
        }
        for name in ["shop", "kube-system", "0"] {
            assert!(is_label(name), "{name}");
        }
        for name in ["", "a.b", "..", "a/b", "Shop", "-", &"a".repeat(64)] {
            assert!(!is_label(name), "{name}");
        }
    }
}
