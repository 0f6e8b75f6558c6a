//! Whether the caches are what the cluster is: looked at now and then, and when asked.
//!
//! Verdicts rest on what watches have written. This finds out whether a watch has lost something, which nothing else would show.

use std::time::Duration;

use kube::Client;
use tokio::signal::unix::Signal;

use crate::operate::metrics::Metrics;
use crate::sources::SharedWorld;
use crate::sources::cluster::{ClusterOptions, Readiness, compare};

/// What differs is looked at again after this long: watches are a moment behind, and more after a failure.
const PAUSE: Duration = Duration::from_secs(10);
/// How many differences are named in the log.
const NAMED: usize = 5;

/// What a comparison needs.
#[derive(Clone)]
pub(crate) struct SelfCheck {
    /// Who lists.
    pub client: Client,
    /// How the cluster is watched.
    pub options: ClusterOptions,
    /// What the watches have written.
    pub world: SharedWorld,
    /// Whether all of it has been written once.
    pub readiness: Readiness,
    /// Where the outcome goes.
    pub metrics: std::sync::Arc<Metrics>,
}

impl SelfCheck {
    /// Compares each time that so long has gone by, and whenever `asked` says so. Ends only by being dropped.
    pub(crate) async fn run(self, every: Option<Duration>, mut asked: Signal) {
        loop {
            let time = async {
                match every {
                    Some(every) => tokio::time::sleep(every).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = time => {}
                Some(()) = asked.recv() => {}
            }
            self.check().await;
        }
    }

    async fn check(&self) {
        if !self.readiness.ready() {
            let missing = self.readiness.missing().join(", ");
            tracing::info!(missing, "the caches were not compared with the cluster: not everything has been read yet");
            return;
        }
        let found = compare(&self.client, self.options, &self.world, PAUSE).await;
        let (objects, differences) = (found.objects, found.differences.len());
        self.metrics.compared(differences, found.problems.is_empty());
        for problem in &found.problems {
            tracing::warn!(problem, "part of the caches was not compared with the cluster");
        }
        if differences == 0 && found.problems.is_empty() {
            tracing::info!(objects, "the caches match the cluster");
        } else if differences > 0 {
            let named: Vec<String> = found.differences.iter().take(NAMED).map(ToString::to_string).collect();
            tracing::error!(
                objects,
                differences,
                named = named.join("; "),
                "the caches differ from the cluster: restart this replica and report it; this is a bug of meshvet"
            );
        }
    }
}
