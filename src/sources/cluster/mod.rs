//! Facts from a live cluster: watches that write a [`SharedWorld`], and fresh reads that bypass them.
//!
//! ```text
//! API server ──list, watch──► Watch (one per kind) ──► Tracker ──facts──► SharedWorld
//!            ──get──────────► KubeReader ──► FreshStores of one review
//!            ──list─────────► KubeSpaces ──► FreshWorkloads of the reviews that wait for them
//! ```
//!
//! Of Pods, ReplicaSets and Jobs only metadata is listed and watched. Those without an owning workload are read by name.
//!
//! An object is decoded when it arrives, and only what the rules read is kept. Its text is wiped, and so are a Secret's
//! values; the buffers of the HTTP and TLS libraries below are out of reach.

mod compare;
mod connect;
mod failure;
mod flights;
mod heard;
mod kinds;
mod lacking;
mod metadata;
#[cfg(test)]
mod metadata_tests;
mod object;
#[cfg(test)]
mod optional_tests;
mod outage;
mod pages;
#[cfg(test)]
mod pages_tests;
mod paging;
mod place;
mod pod;
mod read;
mod readiness;
mod served;
#[cfg(test)]
mod server_for_tests;
mod snapshot;
mod spaces;
#[cfg(test)]
mod spaces_tests;
mod stats;
mod tracker;
#[cfg(test)]
mod tracker_tests;
mod watch;
#[cfg(test)]
mod watch_tests;
mod watchable;
mod weight;

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::task::JoinSet;

use crate::apis::Vetted;
use crate::mesh::SecretAccess;
use crate::sources::SharedWorld;
use crate::sources::cluster::kinds::WatchedKind;
use crate::sources::cluster::place::Place;

pub use compare::{Comparison, Difference, What, compare};
pub(crate) use connect::connect_told;
pub use connect::{ConnectError, ConnectOptions, connect};
pub(crate) use failure::{Trouble, told};
pub(crate) use lacking::{Lacking, TO_APPLY};
pub(crate) use pages::{Pages, begun_anew, is_expired};
pub(crate) use pod::{Container, Pod};
pub use read::KubeReader;
pub(crate) use read::is_label;
pub use readiness::Readiness;
pub(crate) use snapshot::list_all;
pub use snapshot::{Gaps, Listed};
pub use spaces::KubeSpaces;
pub use stats::{KindStats, WatchStats};
pub(crate) use watchable::lacking_to_watch;

/// How long the API server may keep one watch open, in seconds. A silently dead connection is noticed a few seconds later.
const WATCH_SECONDS: u32 = 120;

/// How a cluster is watched.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClusterOptions {
    /// How Secrets are read: watched only when [`SecretAccess::Complete`]. The world must be created with the same value.
    pub access: SecretAccess,
    /// The retry intervals.
    pub pace: Pace,
    /// Whether ServiceAccounts are watched, for their AWS roles.
    pub service_accounts: bool,
    /// The APIs whose kinds are watched; kinds that all APIs need are always watched.
    pub apis: Vetted,
}

/// The retry intervals and timeouts.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often to look for a missing CRD.
    pub absent: Duration,
    /// The first pause after a failure; each one after it is about twice as long.
    pub retry_least: Duration,
    /// The longest pause after a failure.
    pub retry_most: Duration,
    /// The longest time for the API server to return one object.
    pub answer: Duration,
}

impl Default for Pace {
    /// Ten seconds for CRDs and for an object, 0.8 to 30 seconds after failures (as client-go's).
    fn default() -> Self {
        Self {
            absent: Duration::from_secs(10),
            retry_least: Duration::from_millis(800),
            retry_most: Duration::from_secs(30),
            answer: Duration::from_secs(10),
        }
    }
}

/// A watched resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource {
    /// Its API group, empty for the core group.
    pub(crate) group: &'static str,
    /// Its name in URLs and RBAC.
    pub(crate) plural: &'static str,
    /// The RBAC verbs needed to watch it.
    pub(crate) verbs: &'static [&'static str],
    /// Whether meshvet works without it.
    pub(crate) optional: bool,
    kind: &'static WatchedKind,
}

impl Resource {
    /// Whether the cluster serves it; None where that isn't answered.
    pub(crate) async fn is_served(&self, client: &Client) -> Option<bool> {
        served::is_served(client, self.kind).await
    }
}

/// The watched resources.
pub(crate) fn watched_resources(options: ClusterOptions) -> impl Iterator<Item = Resource> {
    kinds::watched(options).map(|kind| Resource {
        group: kind.group,
        plural: kind.plural,
        verbs: kind.verbs(),
        optional: kind.optional,
        kind,
    })
}

/// The running watches; dropping this stops them.
#[derive(Debug)]
pub struct Watches(JoinSet<()>);

impl Watches {
    /// Waits until a watch ends, which only a bug in meshvet causes. The world is no longer kept up to date
    /// then, so the process should end.
    pub async fn broken(&mut self) {
        while self.0.join_next().await.is_some_and(|ended| ended.is_err_and(|error| error.is_cancelled())) {}
    }

    /// Stops all watches and waits for them.
    pub async fn stop(mut self) {
        self.0.shutdown().await;
    }
}

/// Watches everything that verdicts depend on, and keeps `world` in sync with the cluster.
///
/// Secrets are watched in the namespaces of the world's [scope](crate::mesh::SecretScope), with one watch each.
///
/// Each kind is registered with `readiness` before this returns, and marked filled when it has been listed in full. A kind without
/// its CRD counts as filled, and is looked for again. One that may not be listed stays missing and is retried, except for
/// [optional](crate::apis::Row::optional) kinds: the world notes that they are unknown, and readiness doesn't wait for them.
///
/// Must be called within a tokio runtime.
pub fn spawn(
    client: Client,
    options: ClusterOptions,
    world: SharedWorld,
    readiness: Readiness,
    stats: &WatchStats,
) -> Watches {
    let mut tasks = JoinSet::new();
    let scope = world.read(|world| world.secret_scope().clone());
    let watched: Vec<(&WatchedKind, Place)> =
        kinds::watched(options).flat_map(|kind| Place::all(kind, &scope).map(move |place| (kind, place))).collect();
    for (kind, place) in &watched {
        readiness.register(&place.of(kind));
    }
    let outages = outage::Outages::default();
    tasks.spawn(outages.clone().follow(client.clone()));
    for (kind, place) in watched {
        let counts = stats.shared(kind.name);
        let ear = counts.listen();
        let watch = watch::Watch {
            client: paging::sized(metadata::listing(heard::told_of(client.clone(), Arc::clone(&ear)), kind), kind.page),
            whole: metadata::Whole { client: client.clone(), kind, answer: options.pace.answer },
            world: world.clone(),
            kind,
            first: kind,
            unlisted: false,
            place,
            pace: options.pace,
            tracker: tracker::Tracker::new(kind, world.clone(), counts.clone()),
            readiness: readiness.clone(),
            stats: counts,
            ear,
            back: outages.back(),
            outages: outages.clone(),
        };
        tasks.spawn(watch.run());
    }
    Watches(tasks)
}
