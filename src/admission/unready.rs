//! Reviews that come before the caches are filled: nothing could be judged by them.
//!
//! Such a review waits for as long as it may. Then the failurePolicy of its entry decides. The API server doesn't send it, so each
//! entry has a path that says which it is.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::{Instant, timeout_at};

use crate::admission::answer::{Answer, Reason};
use crate::admission::entries::VALIDATE;
use crate::admission::review::Request;
use crate::admission::timeout::before;
use crate::sources::cluster::Readiness;

/// What the API server does with an object that gets no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    /// It refuses it.
    Fail,
    /// It lets it pass.
    Ignore,
}

impl FailurePolicy {
    /// That of the entries whose own path this is.
    pub(crate) fn of_path(path: &str) -> Self {
        if path == VALIDATE { Self::Fail } else { Self::Ignore }
    }
}

/// Keeps reviews until everything that verdicts rest on has been read once. The default waits for nothing.
#[derive(Debug, Default)]
pub(super) struct Unready {
    readiness: Readiness,
    told: AtomicBool,
}

impl Unready {
    pub(super) fn until(readiness: Readiness) -> Self {
        Self { readiness, told: AtomicBool::new(false) }
    }

    /// Waits until everything is there, but not so long that there is no time for an answer.
    pub(super) async fn wait(&self, deadline: Instant) {
        if !self.is_over() {
            let _ = timeout_at(before(deadline), self.readiness.wait()).await;
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.readiness.ready()
    }

    /// The answer to a review that has waited long enough.
    pub(super) fn answer(&self, request: &Request, policy: FailurePolicy) -> Answer {
        let why = self.readiness.told().join("; ");
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(missing = why, "not ready: reviews get no verdict at their deadline");
        }
        match policy {
            FailurePolicy::Fail => {
                let message = format!("meshvet isn't ready, and judged nothing: {why}. Apply again later");
                Answer::failure(Reason::ServiceUnavailable, &message)
            }
            FailurePolicy::Ignore => Answer::not_ready(request, &self.readiness.missing()),
        }
    }
}
