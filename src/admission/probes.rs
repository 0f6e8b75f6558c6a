//! Probes and metrics, over plain HTTP on a port of their own.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::admission::certificate::serving::ServingCertificate;
use crate::admission::drain::{Drain, Phase};
use crate::admission::report_page::{self, ReportPage};
use crate::aws::CallStats;
use crate::operate::Clock;
use crate::operate::log::Dropped;
use crate::operate::metrics::Metrics;
use crate::operate::skew::Skew;
use crate::sources::SharedWorld;
use crate::sources::cluster::{Readiness, WatchStats};

/// What the probes look at.
#[derive(Clone)]
pub(crate) struct Probes {
    /// Which caches are filled.
    pub readiness: Readiness,
    /// The serving certificate.
    pub certificate: Arc<ServingCertificate>,
    /// Whether the server is on its way out.
    pub drain: Drain,
    /// The time.
    pub clock: Clock,
    /// How far that is from the API server's.
    pub skew: Skew,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is known of the cluster.
    pub world: SharedWorld,
    /// What the watches have counted.
    pub watches: WatchStats,
    /// What was counted of calls to AWS.
    pub calls: CallStats,
    /// What counts the log lines that were dropped.
    pub dropped: Dropped,
    /// The report to look at, where it is wanted.
    pub report: Option<ReportPage>,
}

impl Probes {
    /// What keeps meshvet from being ready, one line each. Empty: it is ready.
    pub(crate) fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if self.drain.phase() != Phase::Serving {
            missing.push("shutting down".to_owned());
        }
        match self.certificate.ends() {
            None => missing.push("there is no serving certificate yet".to_owned()),
            Some(ends) if (self.clock)() >= ends => missing.push(format!("the serving certificate expired at {ends}")),
            Some(_) => {}
        }
        missing.extend(self.certificate.distrusted().map(str::to_owned));
        missing.extend(self.skew.told());
        missing.extend(self.readiness.told());
        missing
    }

    /// `/livez`, `/readyz` and `/metrics`; `/` where the report is wanted.
    pub(crate) fn router(self) -> Router {
        let report = self.report.clone().map(|page| Router::new().route("/", get(report_page::get)).with_state(page));
        Router::new()
            .route("/livez", get(async || "alive\n"))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(Arc::new(self))
            .merge(report.unwrap_or_default())
    }
}

async fn ready(State(probes): State<Arc<Probes>>) -> (StatusCode, String) {
    let missing = probes.missing();
    if missing.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready\n{}\n", missing.join("\n")))
}

async fn metrics(State(probes): State<Arc<Probes>>) -> impl IntoResponse {
    let counts = probes.world.read(|world| world.counts());
    probes.metrics.knows(&counts);
    probes.metrics.watches(&probes.watches);
    probes.metrics.calls(&probes.calls);
    probes.metrics.lines_dropped(probes.dropped.count());
    if let Some(ends) = probes.certificate.ends() {
        probes.metrics.certificate_ends(ends, (probes.clock)());
    }
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], probes.metrics.encode())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use jiff::{Timestamp, ToSpan as _};
    use tower::ServiceExt as _;

    use super::*;
    use crate::admission::certificate::self_issued::self_issue;
    use crate::admission::report_page::Pace;
    use crate::mesh::World;

    fn probes(now: Timestamp) -> Probes {
        let issued = self_issue(&["meshvet.local".to_owned()]).expect("a certificate");
        Probes {
            readiness: Readiness::default(),
            certificate: Arc::new(issued.certificate),
            drain: Drain::default(),
            clock: Arc::new(move || now),
            skew: Skew::default(),
            metrics: Arc::default(),
            world: SharedWorld::default(),
            watches: WatchStats::default(),
            calls: CallStats::default(),
            dropped: Dropped::default(),
            report: None,
        }
    }

    async fn get(probes: &Probes, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = probes.clone().router().oneshot(request).await.expect("an answer");
        let code = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (code, String::from_utf8(body.into()).expect("text"))
    }

    #[tokio::test]
    async fn it_is_ready_when_all_is_read_the_certificate_holds_and_it_stays() {
        let now = Timestamp::now();
        let probes = probes(now);
        probes.readiness.register("Secret");
        let (code, body) = get(&probes, "/readyz").await;
        assert_eq!(code, 503);
        assert!(body.contains("not every Secret"), "{body}");

        probes.readiness.filled("Secret");
        assert_eq!(get(&probes, "/readyz").await, (200, "ready\n".to_owned()));

        let later = now + (24 * 365 * 11).hours();
        let old = Probes { clock: Arc::new(move || later), ..probes.clone() };
        let (code, body) = get(&old, "/readyz").await;
        assert_eq!(code, 503);
        assert!(body.contains("certificate expired at"), "{body}");

        let without = Probes { certificate: Arc::default(), ..probes.clone() };
        let (code, body) = get(&without, "/readyz").await;
        assert_eq!(code, 503);
        assert!(body.contains("no serving certificate yet"), "{body}");

        probes.drain.advance(Phase::Draining);
        let (code, body) = get(&probes, "/readyz").await;
        assert_eq!(code, 503);
        assert!(body.contains("shutting down"), "{body}");
        assert_eq!(get(&probes, "/livez").await.0, 200, "it lives until it ends");
    }

    #[tokio::test]
    async fn the_report_is_there_only_where_it_is_wanted() {
        let mut probes = probes(Timestamp::now());
        assert_eq!(get(&probes, "/").await.0, 404);
        let world = SharedWorld::with_inventory(World::default());
        let page = ReportPage::new(world, Arc::default(), Arc::clone(&probes.clock), Pace::default());
        let task = tokio::spawn(page.clone().run());
        probes.report = Some(page);
        let (code, body) = get(&probes, "/").await;
        assert_eq!(code, 200);
        assert!(body.starts_with("<!doctype html>"), "{body}");
        assert_eq!(get(&probes, "/livez").await.0, 200);
        task.abort();
    }

    #[tokio::test]
    async fn metrics_tell_what_is_known_and_when_the_certificate_ends() {
        let mut probes = probes(Timestamp::now());
        let ends = probes.certificate.ends().expect("a certificate");
        probes.clock = Arc::new(move || ends - 90.seconds());
        let (code, body) = get(&probes, "/metrics").await;
        assert_eq!(code, 200);
        let expiry = format!("meshvet_certificate_expiry_timestamp_seconds {}", ends.as_second());
        for line in ["meshvet_known{what=\"members\"} 0", &expiry, "meshvet_certificate_remaining_seconds 90", "# EOF"]
        {
            assert!(body.contains(line), "{body}");
        }
    }
}
