//! Logs: one line an event, on standard error.

use anyhow::Context as _;
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How to log.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Logging {
    /// How log lines look.
    #[arg(long, env = "MESHVET_LOG_FORMAT", value_enum, default_value = "text")]
    log_format: Format,

    /// What to log: error, warn, info, debug or trace; or by module, as in `info,kube=debug`.
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
    /// Logs from here on.
    ///
    /// # Errors
    /// When the level can't be read, or something logs already.
    pub(super) fn start(&self) -> anyhow::Result<()> {
        let level = &self.log_level;
        let filter = EnvFilter::try_new(level).with_context(|| format!("--log-level {level}"))?;
        let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
        let started = match self.log_format {
            Format::Text => logs.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
            Format::Json => logs.json().flatten_event(true).try_init(),
        };
        started.map_err(|error| anyhow::anyhow!("could not start to log: {error}"))
    }
}
