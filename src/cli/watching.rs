//! The arguments of the watcher of `meshvet serve`.

use super::managed::namespaced;
use crate::watch::TellingOptions;

// No doc comment: clap would make it the command's own.
#[allow(missing_docs, reason = "clap shows the fields' comments, and would show this one instead of the command's")]
#[derive(Clone, Debug, clap::Args)]
pub(super) struct WatchArgs {
    /// Report problems of mesh objects by Events on them, for as long as they last.
    ///
    /// Needs create and patch on events.events.k8s.io in all namespaces, and get and update on the Lease.
    #[arg(long, env = "MESHVET_EVENTS")]
    events: bool,

    /// Keep a Report (openreports.io) for each virtual node and gateway, where the cluster has that kind.
    ///
    /// Needs create and patch on reports.openreports.io in all namespaces, and get and update on the Lease.
    #[arg(long, env = "MESHVET_OPEN_REPORTS")]
    open_reports: bool,

    /// The Lease whose holder reports. Created if it doesn't exist, where create is allowed.
    #[arg(
        long,
        env = "MESHVET_WATCHER_LEASE",
        value_name = "NAMESPACE/NAME",
        default_value = "meshvet-system/meshvet-watcher",
        value_parser = namespaced
    )]
    watcher_lease: (String, String),
}

impl WatchArgs {
    /// How to report; None where that isn't asked for.
    pub(super) fn options(&self) -> Option<TellingOptions> {
        let (namespace, lease) = self.watcher_lease.clone();
        let (events, reports) = (self.events, self.open_reports);
        (events || reports).then_some(TellingOptions { namespace, lease, events, reports })
    }
}
