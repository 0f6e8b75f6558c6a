//! Outages of the API server, as all watches see them: they end together.
//!
//! Each watch waits longer after each failure. Were it left at that, one whose pause has just begun when the API server is back would be
//! half a minute behind the others. So while connections fail somebody asks once a second whether it is ready, and then all try at once.

use std::time::{Duration, Instant};

use kube::Client;
use tokio::sync::watch;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::sources::cluster::failure::status_of;

/// Between two questions whether it is ready.
const ASK: Duration = Duration::from_secs(1);
/// The longest from one end of an outage to the next.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// The longest that such a question may take.
const ANSWER: Duration = Duration::from_secs(2);
/// How long an API server without a word on its own state counts as starting after connections to it failed.
const SETTLING: Duration = Duration::from_secs(10);

/// What all watches of one API server know of its outages.
#[derive(Clone, Debug)]
pub(super) struct Outages {
    lost: watch::Sender<Lost>,
    /// How often it has come back.
    back: watch::Sender<u64>,
}

/// What is known of connections that failed.
#[derive(Clone, Copy, Debug, Default)]
struct Lost {
    /// When one last failed.
    last: Option<Instant>,
    /// Whether the API server was ready since.
    over: bool,
}

/// One watch's ear for the end of an outage.
#[derive(Debug)]
pub(super) struct Back(watch::Receiver<u64>);

/// What the API server says of its own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    NotReady,
    /// It may not be asked.
    Untold,
}

impl Default for Outages {
    fn default() -> Self {
        Self { lost: watch::Sender::default(), back: watch::Sender::new(0) }
    }
}

impl Outages {
    /// Notes that a connection failed, or that none came about.
    pub(super) fn lost(&self) {
        self.lost.send_replace(Lost { last: Some(Instant::now()), over: false });
    }

    pub(super) fn back(&self) -> Back {
        Back(self.back.subscribe())
    }

    /// Whether a refusal may come of the API server's own start, before it has read who may do what.
    pub(super) async fn is_starting(&self, client: &Client) -> bool {
        match state(client).await {
            State::Ready => false,
            State::NotReady => true,
            State::Untold => self.lost.borrow().last.is_some_and(|last| last.elapsed() < SETTLING),
        }
    }

    /// Asks for as long as there are outages: for ever.
    pub(super) async fn follow(self, client: Client) {
        let (mut lost, mut rest) = (self.lost.subscribe(), ASK);
        while lost.wait_for(|lost| lost.last.is_some() && !lost.over).await.is_ok() {
            // What one request alone runs into, time and again, is no outage: it brings the others back ever more rarely.
            rest = (2 * rest).min(LONGEST_REST);
            while state(&client).await == State::NotReady {
                tokio::time::sleep(ASK).await;
                rest = ASK;
            }
            // What fails from now on is another outage.
            self.lost.send_modify(|lost| lost.over = true);
            self.back.send_modify(|times| *times += 1);
            tokio::time::sleep(rest).await;
        }
    }
}

impl Back {
    /// Waits so long, or until the API server has come back.
    pub(super) async fn pause(&mut self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Ok(()) = self.0.changed() => {}
        }
    }
}

/// Asks the API server whether it is ready, which everybody may, unless that was taken away.
async fn state(client: &Client) -> State {
    let Ok(request) = axum::http::Request::get("/readyz").body(Vec::new()) else { return State::Untold };
    let asked = client.request_text(request).with_subscriber(Dispatch::none());
    match tokio::time::timeout(ANSWER, asked).await {
        Ok(Ok(_)) => State::Ready,
        Ok(Err(error)) if status_of(&error).is_some_and(|status| matches!(status.code, 401 | 403 | 404)) => {
            State::Untold
        }
        Ok(Err(_)) | Err(_) => State::NotReady,
    }
}
