//! What is logged, which may change while meshvet runs.

use tracing_subscriber::reload::Handle;
use tracing_subscriber::{EnvFilter, Registry};

/// What is logged: what the policy says, else what the process was started with.
#[derive(Debug)]
pub(crate) struct LogLevel {
    filter: Handle<EnvFilter, Registry>,
    /// What the process was started with.
    given: String,
    current: String,
}

impl LogLevel {
    /// The level `given`, by which `filter` logs already.
    pub(crate) fn new(filter: Handle<EnvFilter, Registry>, given: &str) -> Self {
        Self { filter, given: given.to_owned(), current: given.to_owned() }
    }

    /// Logs what the policy says from here on; where it says nothing, what the process was started with.
    pub(crate) fn follow(&mut self, policy: Option<&str>) {
        let wanted = policy.unwrap_or(&self.given);
        if wanted == self.current {
            return;
        }
        // The policy has been looked at: nothing else can be wrong with it.
        let Ok(filter) = EnvFilter::try_new(wanted) else { return };
        self.current = wanted.to_owned();
        if self.filter.reload(filter).is_ok() {
            tracing::info!(level = self.current.as_str(), "the log level has changed");
        }
    }
}
