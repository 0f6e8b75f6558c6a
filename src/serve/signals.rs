//! The signals that end a server, and how it goes.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::admission::drain::{Drain, Phase};
use crate::sources::cluster::Watches;

/// The signals that end a server: SIGTERM and SIGINT.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from here on. Must be called within a tokio runtime.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one.
    pub(super) async fn ended(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => tracing::info!("SIGTERM: draining"),
            _ = self.interrupt.recv() => tracing::info!("SIGINT: draining"),
        }
    }
}

/// Serves on while it spreads that this replica goes; a second signal cuts that short.
pub(super) async fn go_out(
    drain: &Drain,
    grace: Duration,
    signals: &mut Signals,
    serving: JoinHandle<()>,
    watches: &mut Watches,
) {
    tokio::select! {
        () = drain.run(grace) => {}
        () = signals.ended() => drain.advance(Phase::Stopping),
        // Answers go on from what is known.
        () = watches.broken() => drain.advance(Phase::Stopping),
    }
    tokio::select! {
        _ = serving => {}
        () = signals.ended() => tracing::warn!("stopped with requests in flight"),
    }
}
