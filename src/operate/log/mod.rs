//! What is logged, which may change while meshvet runs, and how it is written.

mod json;
mod lines;

use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;

use thiserror::Error;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload::Handle;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use self::json::JsonLines;
use self::lines::Lines;
pub use self::lines::{Dropped, Flush};

/// What listens besides the log.
pub type Listener = Box<dyn Layer<Registry> + Send + Sync>;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// Why nothing is logged.
#[derive(Debug, Error)]
pub enum LogError {
    /// The level can't be read.
    #[error("the level can't be read")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// There is no standard error, or no thread to write to it.
    #[error("the standard error can't be written")]
    Output(#[from] io::Error),
    /// Something logs already.
    #[error("could not start logging")]
    Twice(#[from] TryInitError),
}

/// Logs to the standard error from here on, until the guard is dropped; `listener` hears of everything too.
///
/// # Errors
/// [`LogError`].
pub fn start(format: Format, level: &str, listener: Option<Listener>) -> Result<(LogLevel, Flush), LogError> {
    let filter = EnvFilter::try_new(level)?;
    let (filter, handle) = reload::Layer::new(filter);
    // A copy, not to share the lock of the standard error: whoever panics takes that, and may not wait for who reads the log.
    let (lines, flush) = Lines::to(std::fs::File::from(io::stderr().as_fd().try_clone_to_owned()?))?;
    let dropped = lines.dropped();
    let layer = fmt::layer().with_writer(lines);
    let layer = match format {
        Format::Text => layer.with_target(false).with_ansi(io::stderr().is_terminal()).boxed(),
        Format::Json => layer.json().event_format(JsonLines::new()).boxed(),
    };
    let mut layers: Vec<Listener> = vec![layer.with_filter(filter).boxed()];
    layers.extend(listener);
    tracing_subscriber::registry().with(layers).try_init()?;
    Ok((LogLevel { filter: handle, given: level.to_owned(), current: level.to_owned(), dropped }, flush))
}

/// What is logged: what the policy says, else what the process was started with.
#[derive(Debug)]
pub struct LogLevel {
    filter: Handle<EnvFilter, Registry>,
    /// What the process was started with.
    given: String,
    current: String,
    dropped: Dropped,
}

impl LogLevel {
    /// A level that nothing is logged by.
    #[cfg(test)]
    pub(crate) fn unused() -> Self {
        let (_, filter) = reload::Layer::new(EnvFilter::new("info"));
        let level = || "info".to_owned();
        Self { filter, given: level(), current: level(), dropped: Dropped::default() }
    }

    /// What counts the lines that were dropped.
    pub(crate) fn dropped(&self) -> Dropped {
        self.dropped.clone()
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
