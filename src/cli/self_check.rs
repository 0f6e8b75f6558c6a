//! The argument that says how often `meshvet serve` compares its caches with the cluster.

use std::time::Duration;

use super::duration::duration;

/// How often caches are compared.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct SelfCheckArgs {
    /// How often to list the cluster afresh and compare what is known with it; 0 for never. SIGUSR1 does it at once.
    ///
    /// The log tells the outcome, and the metric meshvet_cache_differences how many objects differ.
    #[arg(long, env = "MESHVET_SELF_CHECK", value_name = "DURATION", default_value = "1h", value_parser = duration)]
    self_check: Duration,
}

impl SelfCheckArgs {
    /// From one comparison to the next; None for never.
    pub(super) fn every(self) -> Option<Duration> {
        (!self.self_check.is_zero()).then_some(self.self_check)
    }
}
