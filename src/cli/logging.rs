//! Logs: one line an event, on standard error.

use anyhow::Context as _;
use clap::ValueEnum;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::operate::log::LogLevel;

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

/// What listens besides the log.
pub(super) type Listener = Box<dyn Layer<Registry> + Send + Sync>;

impl Logging {
    /// Logs from here on; `listener` hears of everything too.
    ///
    /// # Errors
    /// When the level can't be read, or something logs already.
    pub(super) fn start(&self, listener: Option<Listener>) -> anyhow::Result<LogLevel> {
        let level = &self.log_level;
        let filter = EnvFilter::try_new(level).with_context(|| format!("--log-level {level}"))?;
        let (filter, handle) = reload::Layer::new(filter);
        let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
        let lines = match self.log_format {
            Format::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
            Format::Json => lines.json().flatten_event(true).boxed(),
        };
        let mut layers: Vec<Listener> = vec![lines.with_filter(filter).boxed()];
        layers.extend(listener);
        let started = tracing_subscriber::registry().with(layers).try_init();
        started.map_err(|error| anyhow::anyhow!("could not start logging: {error}"))?;
        Ok(LogLevel::new(handle, level))
    }
}
