//! `--otlp-endpoint`: whether reviews are sent to a collector, and where.

use tokio::runtime::Handle;

use crate::operate::log::Listener;

/// Whether reviews are sent to a collector.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct TraceArgs {
    /// Send a span for each review to an OpenTelemetry collector, by OTLP over HTTP. The path /v1/traces is added.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,
}

/// What has to be ended so that the last spans arrive.
#[derive(Debug, Default)]
pub(super) struct Open(#[cfg(feature = "otlp")] Option<crate::operate::trace::Traces>);

impl Open {
    pub(super) fn end(self) {
        #[cfg(feature = "otlp")]
        if let Some(traces) = self.0 {
            traces.end();
        }
    }
}

impl TraceArgs {
    /// Opens the way to the collector, where one is named.
    ///
    /// # Errors
    /// For an endpoint that can't be one.
    #[cfg(feature = "otlp")]
    pub(super) fn start(&self, runtime: &Handle) -> anyhow::Result<(Open, Option<Listener>)> {
        use anyhow::Context as _;

        let Some(endpoint) = self.otlp_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty()) else {
            return Ok((Open::default(), None));
        };
        let started = crate::operate::trace::Traces::start(endpoint, runtime.clone());
        let (traces, listener) = started.with_context(|| format!("--otlp-endpoint {endpoint}"))?;
        Ok((Open(Some(traces)), Some(listener)))
    }

    /// There is no way to a collector in this build.
    ///
    /// # Errors
    /// Where one is named.
    #[cfg(not(feature = "otlp"))]
    pub(super) fn start(&self, _: &Handle) -> anyhow::Result<(Open, Option<Listener>)> {
        if self.otlp_endpoint.is_some() {
            anyhow::bail!(
                "--otlp-endpoint: this meshvet was built without traces. Releases and the image have them; build it with `cargo build --release --features otlp`"
            );
        }
        Ok((Open::default(), None))
    }
}
