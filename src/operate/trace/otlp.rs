//! Spans on their way to a collector: OTLP over HTTP, by the client that is in the binary already.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::HeaderMap;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tokio::runtime::Handle;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::{Layer as _, Registry};

use super::TARGET;

/// What listens to spans.
pub(crate) type Layer = Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>;

/// Where OTLP has traces, below the endpoint.
const PATH: &str = "/v1/traces";
/// How long one delivery may take.
const DELIVERY: Duration = Duration::from_secs(10);
/// From one delivery to the next.
const PACE: Duration = Duration::from_secs(1);
/// How long the last delivery may take.
const FAREWELL: Duration = Duration::from_secs(2);
/// The longest answer of a collector that is read, in bytes.
const MOST: usize = 1 << 20;

/// Why there is no way to a collector.
#[derive(Debug, Error)]
pub(crate) enum TraceError {
    /// The endpoint is no URL.
    #[error("{0:?} is not the URL of a collector: expected http://HOST:4318 or https://HOST")]
    Endpoint(String),
    /// The system has no authorities to verify an https endpoint by.
    #[error("the system's certificate authorities can't be read: {0}")]
    Authorities(std::io::Error),
    /// TLS, or the exporter, can't be set up.
    #[error("{0}")]
    SetUp(String),
}

/// The way to a collector, open until it is [ended](Traces::end).
#[derive(Debug)]
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Delivers spans to the collector at `endpoint` (`http://HOST:4318`), in the background and in batches. Whoever makes them never
    /// waits: when the collector is away or too slow, spans are dropped. `OTEL_EXPORTER_OTLP_HEADERS` holds for it as elsewhere.
    ///
    /// # Errors
    /// For an endpoint that can't be one.
    pub(crate) fn start(endpoint: &str, runtime: Handle) -> Result<(Self, Layer), TraceError> {
        let set_up = |error: &dyn fmt::Display| TraceError::SetUp(error.to_string());
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Courier::new(endpoint, runtime)?)
            .with_endpoint(format!("{}{PATH}", endpoint.trim_end_matches('/')))
            .with_timeout(DELIVERY)
            .build()
            .map_err(|error| set_up(&error))?;
        let pace = BatchConfigBuilder::default().with_scheduled_delay(PACE).build();
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(pace).build();
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name("meshvet").with_attribute(version).build();
        let provider = SdkTracerProvider::builder().with_span_processor(processor).with_resource(resource).build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("meshvet"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_target(false)
            .with_level(false)
            .with_filter(Targets::new().with_target(TARGET, LevelFilter::TRACE));
        Ok((Self(provider), layer.boxed()))
    }

    /// Delivers what is left. Blocks for two seconds at most.
    pub(crate) fn end(self) {
        // What could not be delivered was logged by the courier.
        let _ = self.0.shutdown_with_timeout(FAREWELL);
    }
}

/// Makes a span part of the trace that the API server says the request is of (W3C `traceparent`), where it does.
pub(super) fn follow(span: &Span, headers: &HeaderMap) {
    if span.is_disabled() || !headers.contains_key("traceparent") {
        return;
    }
    let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if parent.span().span_context().is_valid() {
        // Without a layer that listens there is nothing to follow.
        let _ = span.set_parent(parent);
    }
}

/// Carries batches to the collector. The exporter calls it from a thread of its own, so requests are made on the runtime.
struct Courier {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
    /// Whether it was logged that deliveries fail.
    told: AtomicBool,
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Courier")
    }
}

impl Courier {
    fn new(endpoint: &str, runtime: Handle) -> Result<Self, TraceError> {
        let no_url = || TraceError::Endpoint(endpoint.to_owned());
        let uri: axum::http::Uri = endpoint.parse().map_err(|_| no_url())?;
        let is_https = match (uri.scheme_str(), uri.host()) {
            (Some("http"), Some(_)) => false,
            (Some("https"), Some(_)) => true,
            _ => return Err(no_url()),
        };
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TraceError::SetUp(error.to_string()))?;
        // An image without any authority is no obstacle to plain HTTP.
        let tls = if is_https {
            tls.with_native_roots().map_err(TraceError::Authorities)?
        } else {
            tls.with_root_certificates(RootCertStore::empty())
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.with_no_client_auth())
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, runtime, told: AtomicBool::new(false) })
    }

    /// Tells once that deliveries fail, and once that they don't any more.
    fn tell(&self, outcome: &Result<Response<Bytes>, HttpError>) {
        let trouble = match outcome {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("the collector answers {}", answer.status())),
            Err(error) => Some(error.to_string()),
        };
        let was_told = self.told.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(error) if !was_told => tracing::warn!(error, "traces can't be delivered; reviews go on without them"),
            None if was_told => tracing::info!("traces are delivered again"),
            _ => {}
        }
    }
}

impl HttpClient for Courier {
    fn send_bytes<'life, 'future>(
        &'life self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'life: 'future,
        Self: 'future,
    {
        let asked = self.client.request(request.map(Full::new));
        let asking = async move {
            let (head, body) = asked.await?.into_parts();
            let body = Limited::new(body, MOST).collect().await?.to_bytes();
            Ok::<_, HttpError>(Response::from_parts(head, body))
        };
        // Made on the runtime too: a timer outside of one panics.
        let task = self.runtime.spawn(async { tokio::time::timeout(DELIVERY, asking).await });
        Box::pin(async move {
            let outcome = match task.await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Err(format!("no answer within {} s", DELIVERY.as_secs()).into()),
                Err(error) => Err(error.into()),
            };
            self.tell(&outcome);
            outcome
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_endpoint_is_a_url_or_is_told() {
        for endpoint in ["http://127.0.0.1:4318", "http://collector:4318/", "http://collector/otlp"] {
            assert!(Courier::new(endpoint, Handle::current()).is_ok(), "{endpoint}");
        }
        for endpoint in ["", "collector", "collector:4318", "grpc://collector:4317", "http://"] {
            let error = Courier::new(endpoint, Handle::current()).expect_err(endpoint).to_string();
            assert!(error.contains("http://HOST:4318"), "{error}");
        }
    }
}
