//! How a server goes away without an error: it stops being ready, serves on while that spreads, then ends what is left.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Where a server is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It serves.
    Serving,
    /// It serves what still arrives, is no longer ready, and asks each client to connect elsewhere.
    Draining,
    /// It accepts nothing new and ends what is under way.
    Stopping,
}

/// The phase, shared by everything that has to know. Clones share it.
#[derive(Clone, Debug)]
pub struct Drain(Arc<watch::Sender<Phase>>);

impl Default for Drain {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Phase::Serving)))
    }
}

impl Drain {
    /// Where the server is.
    pub fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Follows the phase from here on.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Phase> {
        self.0.subscribe()
    }

    /// Goes on to a phase, never back.
    pub fn advance(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let later = phase > *now;
            if later {
                *now = phase;
            }
            later
        });
    }

    /// The whole way out: not ready at once, no longer accepting after `grace`.
    pub async fn run(&self, grace: Duration) {
        self.advance(Phase::Draining);
        tokio::time::sleep(grace).await;
        self.advance(Phase::Stopping);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_goes_out_in_order_and_never_back() {
        let drain = Drain::default();
        let mut phase = drain.subscribe();
        assert_eq!(drain.phase(), Phase::Serving);
        drain.advance(Phase::Draining);
        phase.changed().await.expect("a change");
        assert_eq!(*phase.borrow(), Phase::Draining);
        drain.clone().run(Duration::ZERO).await;
        assert_eq!(drain.phase(), Phase::Stopping);
        drain.advance(Phase::Draining);
        assert_eq!(drain.phase(), Phase::Stopping);
    }
}
