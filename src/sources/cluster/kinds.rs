//! The kinds that are watched.

use std::sync::LazyLock;

use crate::apis::{self, Part, Row, core};
use crate::k8s::ObjectRef;
use crate::mesh::{FactId, SecretAccess, Sort, StoreKey};
use crate::sources::cluster::ClusterOptions;

/// The page size of lists whose objects are a few kilobytes.
const SMALL: u32 = 500;
/// The page size where each object may be a megabyte: a page stays below a hundred megabytes.
const LARGE: u32 = 50;

/// One watched kind.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WatchedKind {
    /// The API group; empty for the core group.
    pub(super) group: &'static str,
    /// The version in the group.
    pub(super) version: &'static str,
    /// Group and version, as `apiVersion` has them.
    pub(super) api_version: &'static str,
    /// Group and version under which its objects are known.
    pub(super) known_as: &'static str,
    /// The kind as manifests have it.
    pub(super) kind: &'static str,
    /// Its name in logs and metrics: the kind, with its group where another API has a kind with the same name.
    pub(super) name: &'static str,
    /// The resource's name in URLs and RBAC.
    pub(super) plural: &'static str,
    /// What its objects are to the model.
    part: Part,
    /// Whether readiness doesn't wait for it where it is missing or may not be listed.
    pub(super) optional: bool,
    /// Another version of the same resource, for a cluster that doesn't serve this one.
    pub(super) next: Option<&'static WatchedKind>,
    /// How many objects a page holds.
    pub(super) page: u32,
    /// A field selector that excludes what no proxy mounts.
    pub(super) fields: Option<&'static str>,
    /// How its objects are followed.
    pub(super) follow: Follow,
}

/// How a kind's objects are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    /// Lists and watches return whole objects.
    Whole,
    /// Lists and watches return metadata, which shows the objects that another workload owns: most of them, and of no interest. The
    /// others are read by name.
    ByMetadata,
}

/// Secrets.
pub(super) static SECRETS: WatchedKind = WatchedKind {
    page: LARGE,
    // Helm keeps each revision of each release in a Secret of up to a megabyte. No proxy mounts them.
    fields: Some("type!=helm.sh/release.v1"),
    ..WatchedKind::of(&core::SECRET)
};

/// ConfigMaps.
pub(super) static CONFIG_MAPS: WatchedKind = WatchedKind { page: LARGE, ..WatchedKind::of(&core::CONFIG_MAP) };

/// ServiceAccounts, for their AWS roles.
static SERVICE_ACCOUNTS: WatchedKind = WatchedKind::of(&core::SERVICE_ACCOUNT);

/// All other kinds, in the order of the rows.
static OTHERS: LazyLock<Vec<WatchedKind>> = LazyLock::new(|| {
    let special = [core::SECRET, core::CONFIG_MAP, core::SERVICE_ACCOUNT];
    let rows = apis::rows().filter(|row| !special.contains(row) && is_watched(row));
    let mut kinds: Vec<Vec<WatchedKind>> = Vec::new();
    for mut kind in rows.map(WatchedKind::of) {
        let is_like = |other: &WatchedKind| other.group == kind.group && other.plural == kind.plural;
        if let Some(versions) = kinds.iter_mut().find(|versions| versions.iter().any(is_like)) {
            // Versions of one resource share their objects: all are followed like the first.
            kind.follow = versions.first().map_or(kind.follow, |first| first.follow);
            versions.push(kind);
            continue;
        }
        if special.iter().any(|row| row.kind.kind == kind.kind) || kinds.iter().flatten().any(|it| it.kind == kind.kind)
        {
            kind.name = kind.resource().leak();
        }
        kinds.push(vec![kind]);
    }
    kinds.into_iter().filter_map(chained).collect()
});

/// Versions of one resource, each linked to the one tried after it. They are leaked: the list is created once.
fn chained(versions: Vec<WatchedKind>) -> Option<WatchedKind> {
    let name = versions.first()?.name;
    versions.into_iter().rev().fold(None, |next, kind| {
        let next = next.map(|next| &*Box::leak(Box::new(next)));
        Some(WatchedKind { name, next, ..kind })
    })
}

/// Whether a kind is watched where it is served. A cluster that still serves `extensions` has the same objects in `apps`.
fn is_watched(row: &Row) -> bool {
    row.group != "extensions"
}

/// Every kind that meshvet may watch.
pub(super) fn all() -> impl Iterator<Item = &'static WatchedKind> {
    OTHERS.iter().chain([&CONFIG_MAPS, &SECRETS, &SERVICE_ACCOUNTS])
}

/// The kinds to watch.
pub(super) fn watched(options: ClusterOptions) -> impl Iterator<Item = &'static WatchedKind> {
    all()
        .filter(move |kind| options.access == SecretAccess::Complete || **kind != SECRETS)
        .filter(move |kind| options.service_accounts || **kind != SERVICE_ACCOUNTS)
        .filter(move |kind| options.apis.takes(kind.group))
}

impl WatchedKind {
    const fn of(row: &Row) -> Self {
        Self {
            group: row.group,
            version: row.version,
            api_version: row.kind.api_version,
            known_as: row.known_as,
            kind: row.kind.kind,
            name: row.kind.kind,
            plural: row.plural,
            part: row.part,
            optional: row.optional,
            next: None,
            page: SMALL,
            fields: None,
            follow: if row.mostly_owned { Follow::ByMetadata } else { Follow::Whole },
        }
    }

    /// The RBAC verbs needed to follow it.
    pub(super) fn verbs(&self) -> &'static [&'static str] {
        match self.follow {
            Follow::Whole => &["list", "watch"],
            Follow::ByMetadata => &["get", "list", "watch"],
        }
    }

    /// Whether its objects are vetted, or decide how others are: when its CRD is installed it should be found soon.
    pub(super) fn is_of_a_mesh(&self) -> bool {
        matches!(self.part, Part::Member | Part::Hop | Part::Class | Part::Policy | Part::Grant)
    }

    /// The sort of facts that is missing if it can't be listed.
    pub(super) fn sort(&self) -> Sort {
        match self.part {
            // No mesh member is called by them, or belongs to them.
            Part::Member | Part::Hop | Part::Class if self.optional => Sort::Entrances,
            Part::Policy => Sort::Entrances,
            Part::Member => Sort::Members,
            Part::Hop => Sort::Hops,
            Part::Grant => Sort::Grants,
            Part::Class => Sort::Classes,
            Part::Settings => Sort::Settings,
            Part::Workload(_) => Sort::Workloads,
            Part::Store if self.plural == "secrets" => Sort::Secrets,
            Part::Store => Sort::ConfigMaps,
            Part::Promise => Sort::Promises,
            Part::Service => Sort::Services,
            Part::Place if self.plural == "namespaces" => Sort::Namespaces,
            Part::Place => Sort::ServiceAccounts,
        }
    }

    /// This version of the resource, and those tried after it.
    pub(super) fn versions(&'static self) -> impl Iterator<Item = &'static WatchedKind> {
        std::iter::successors(Some(self), |kind| kind.next)
    }

    /// The name under which the world knows an object of this kind.
    pub(super) fn id(&self, namespace: &str, name: &str) -> FactId {
        match self.kind {
            "Namespace" if self.group.is_empty() => FactId::Namespace(name.to_owned()),
            "Secret" if self.group.is_empty() => FactId::Store(StoreKey::secret(namespace, name)),
            "ConfigMap" if self.group.is_empty() => FactId::Store(StoreKey::config_map(namespace, name)),
            kind if namespace.is_empty() => FactId::Object(ObjectRef::cluster_scoped(self.known_as, kind, name)),
            kind => FactId::Object(ObjectRef::new(self.known_as, kind, namespace, name)),
        }
    }

    /// The resource as RBAC and `kubectl auth can-i` name it: `virtualnodes.appmesh.k8s.aws`, `pods`.
    pub(super) fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }
}
