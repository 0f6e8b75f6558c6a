//! The argument that says how often `meshvet serve` compares its caches with the cluster.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;

use super::serve::duration;
use crate::operate::self_check::SelfCheck;

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
    /// Starts to compare. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the signal can't be listened for.
    pub(super) fn start(self, check: SelfCheck) -> std::io::Result<JoinHandle<()>> {
        let asked = signal(SignalKind::user_defined1())?;
        let every = (!self.self_check.is_zero()).then_some(self.self_check);
        Ok(tokio::spawn(check.run(every, asked)))
    }
}
