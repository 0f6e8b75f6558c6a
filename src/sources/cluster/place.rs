//! Where a kind is watched: in all namespaces, or in one.

use kube::Client;
use kube::api::Api;

use crate::mesh::SecretScope;
use crate::sources::cluster::kinds::{SECRETS, WatchedKind};
use crate::sources::cluster::object::RawObject;

/// Where a kind is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In all namespaces; also for cluster-scoped kinds.
    Everywhere,
    /// In one namespace.
    Namespace(String),
}

impl Place {
    /// Every place in which `kind` is watched: only Secrets may be limited to namespaces.
    pub(super) fn all(kind: &WatchedKind, secrets: &SecretScope) -> impl Iterator<Item = Self> + use<> {
        let places = match secrets {
            SecretScope::Only(namespaces) if *kind == SECRETS => {
                namespaces.iter().cloned().map(Self::Namespace).collect()
            }
            _ => vec![Self::Everywhere],
        };
        places.into_iter()
    }

    /// The place that covers an object in `namespace`.
    pub(super) fn of_object(kind: &WatchedKind, secrets: &SecretScope, namespace: &str) -> Self {
        match secrets {
            SecretScope::Only(_) if *kind == SECRETS => Self::Namespace(namespace.to_owned()),
            _ => Self::Everywhere,
        }
    }

    /// The kind with the place, as readiness reports it: `Secret`, `Secret of namespace shop`.
    pub(super) fn of(&self, kind: &WatchedKind) -> String {
        match self {
            Self::Everywhere => kind.name.to_owned(),
            Self::Namespace(namespace) => format!("{} of namespace {namespace}", kind.name),
        }
    }

    /// The kind of role that has to grant rights here.
    pub(super) fn role(&self) -> String {
        match self {
            Self::Everywhere => "a ClusterRole".to_owned(),
            Self::Namespace(namespace) => format!("a Role in namespace {namespace}"),
        }
    }

    /// The kind's objects here.
    pub(super) fn api(&self, client: Client, kind: &'static WatchedKind) -> Api<RawObject> {
        match self {
            Self::Everywhere => Api::all_with(client, &kind),
            Self::Namespace(namespace) => Api::namespaced_with(client, namespace, &kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::cluster::kinds::CONFIG_MAPS;

    #[test]
    fn only_secrets_are_bound_to_namespaces() {
        let scope = SecretScope::of(["till", "shop"].map(str::to_owned));
        let places =
            |kind, scope: &SecretScope| Place::all(kind, scope).map(|place| place.of(kind)).collect::<Vec<_>>();
        assert_eq!(places(&SECRETS, &scope), ["Secret of namespace shop", "Secret of namespace till"]);
        assert_eq!(places(&CONFIG_MAPS, &scope), ["ConfigMap"]);
        assert_eq!(places(&SECRETS, &SecretScope::Everywhere), ["Secret"]);
        assert_eq!(Place::of_object(&SECRETS, &scope, "shop").role(), "a Role in namespace shop");
        assert_eq!(Place::of_object(&CONFIG_MAPS, &scope, "shop").role(), "a ClusterRole");
    }
}
