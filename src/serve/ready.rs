//! Telling what a replica waits for, so that a log says why a pod never gets ready.

use std::time::Duration;

use crate::admission::probes::Probes;

/// How often to look.
const LOOK: Duration = Duration::from_millis(250);
/// How many looks go by before what is missing is reported, where it has changed: ten seconds.
const QUIET: u32 = 40;

/// Tells what is missing now and then, and when nothing is any more.
pub(super) async fn tell_when_ready(probes: Probes) {
    let mut told = Vec::new();
    let mut tick = tokio::time::interval(LOOK);
    let mut quiet = 0_u32;
    loop {
        tick.tick().await;
        let missing = probes.missing();
        if missing.is_empty() {
            tracing::info!("ready");
            return;
        }
        quiet += 1;
        if missing != told && quiet.is_multiple_of(QUIET) {
            tracing::info!(missing = missing.join("; "), "not ready yet");
            told = missing;
        }
    }
}
