//! A span for each review, for OpenTelemetry: which object, what came of it, and as part of the API server's own trace where that has
//! one.
//!
//! While nothing listens to [`TARGET`], as is so without `--otlp-endpoint`, a span costs a look at a flag.

#[cfg(feature = "otlp")]
mod otlp;

use axum::http::HeaderMap;
use tracing::Span;
use tracing::field::Empty;

#[cfg(feature = "otlp")]
pub(crate) use otlp::Traces;

/// What the spans of reviews go by.
pub(crate) const TARGET: &str = "meshvet::review";

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

/// Which object was reviewed, and what came of it. Never more of the object than its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reviewed<'a> {
    /// The request's uid.
    pub(crate) uid: &'a str,
    /// The object's kind.
    pub(crate) kind: &'a str,
    /// The object's namespace; empty for one of the cluster.
    pub(crate) namespace: &'a str,
    /// The object's name.
    pub(crate) name: &'a str,
    /// What is done to it.
    pub(crate) operation: &'a str,
    /// Whether nothing will be stored.
    pub(crate) dry_run: bool,
    /// The verdict in a word.
    pub(crate) verdict: &'a str,
    /// The codes of the rules that found something, with commas between.
    pub(crate) rules: &'a str,
}

/// Says on the span that is entered which object was reviewed, and what came of it.
pub(crate) fn verdict(reviewed: Reviewed<'_>) {
    let span = Span::current();
    if span.is_disabled() || span.metadata().is_none_or(|metadata| metadata.target() != TARGET) {
        return;
    }
    span.record("uid", reviewed.uid);
    span.record("kind", reviewed.kind);
    span.record("namespace", reviewed.namespace);
    span.record("name", reviewed.name);
    span.record("operation", reviewed.operation);
    span.record("dry_run", reviewed.dry_run);
    span.record("verdict", reviewed.verdict);
    span.record("rules", reviewed.rules);
}
