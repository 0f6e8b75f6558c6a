//! Logs: one line an event, on standard error.

use clap::ValueEnum;

use crate::operate::log::{self, Flush, Listener, LogError, LogLevel};

/// How to log.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Logging {
    /// The format of log lines.
    #[arg(long, env = "MESHVET_LOG_FORMAT", value_enum, ignore_case = true, default_value = "text")]
    log_format: Format,

    /// What to log: error, warn, info, debug or trace; or by module, as in `info,kube=debug`. The policy's log.level overrides it.
    #[arg(long, env = "MESHVET_LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    log_level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

impl Logging {
    /// Logs from here on, until the guard is dropped; `listener` hears of everything too.
    ///
    /// # Errors
    /// When the level can't be read, or something logs already.
    pub(super) fn start(&self, listener: Option<Listener>) -> anyhow::Result<(LogLevel, Flush)> {
        let format = match self.log_format {
            Format::Text => log::Format::Text,
            Format::Json => log::Format::Json,
        };
        let level = &self.log_level;
        log::start(format, level, listener).map_err(|error| match error {
            LogError::Level(error) => anyhow::Error::new(error).context(format!("--log-level {level}")),
            other => other.into(),
        })
    }
}
