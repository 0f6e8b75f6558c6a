//! A span for each review, for OpenTelemetry: which object, what came of it, and as part of the API server's own trace where that has
//! one.
//!
//! While nothing listens to [`TARGET`], as is so without `--otlp-endpoint`, a span costs a look at a flag.

#[cfg(feature = "otlp")]
mod otlp;

use axum::http::HeaderMap;
use tracing::Span;
use tracing::field::Empty;

use crate::admission::review::Request;

#[cfg(feature = "otlp")]
pub use otlp::{Layer, TraceError, Traces};

/// What the spans of reviews go by.
pub const TARGET: &str = "meshvet::review";

/// The span of a request, to be entered for as long as that takes.
pub(crate) fn request(headers: &HeaderMap) -> Span {
    let span = tracing::trace_span!(
        target: "meshvet::review",
        "review",
        otel.kind = "server",
        uid = Empty,
        kind = Empty,
        namespace = Empty,
        name = Empty,
        operation = Empty,
        dry_run = Empty,
        verdict = Empty,
        rules = Empty,
    );
    #[cfg(feature = "otlp")]
    otlp::follow(&span, headers);
    #[cfg(not(feature = "otlp"))]
    let _ = headers;
    span
}

/// Says on the span that is entered which object was reviewed, and what came of it. Never more of the object than its name.
pub(crate) fn verdict(request: &Request, verdict: &str, rules: &str) {
    let span = Span::current();
    if span.is_disabled() || span.metadata().is_none_or(|metadata| metadata.target() != TARGET) {
        return;
    }
    span.record("uid", request.uid.as_str());
    span.record("kind", request.kind.as_str());
    span.record("namespace", request.namespace.as_str());
    span.record("name", request.name.as_str());
    span.record("operation", request.operation.as_str());
    span.record("dry_run", request.dry_run);
    span.record("verdict", verdict);
    span.record("rules", rules);
}
