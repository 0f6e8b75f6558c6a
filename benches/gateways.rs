//! What one review of a Gateway, a route or a Secret costs, in process: in a cluster with 2,000 Gateways, 10,000 routes and their Secrets,
//! and in one where a single Gateway has all the routes.
//!
//! The cost of a route depends on what it names. The cost of a Gateway and its Secret depends on the Gateway's own routes, since each of
//! them has hosts that the certificate must cover.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "a benchmark that can't go on fails")]

use std::hint::black_box;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use meshvet::admission::drain::Drain;
use meshvet::admission::server::{Webhook, router};
use meshvet::admission::service::Admission;
use meshvet::operate::metrics::Metrics;
use meshvet::policy::Policy;
use meshvet::sources::{NoReader, SharedWorld};
use serde_json::Value;
use tower::ServiceExt as _;

#[path = "support/gateways.rs"]
mod gateways;

use gateways::{Mint, gateway, review, route, world};

fn webhook(world: SharedWorld) -> Webhook {
    let admission = Admission::new(
        world,
        Arc::new(NoReader),
        Arc::new(ArcSwap::from_pointee(Policy::default())),
        Arc::new(Timestamp::now),
        Arc::new(Metrics::default()),
    );
    router(Arc::new(admission), Drain::default())
}

async fn ask(router: &Webhook, path: &str, review: &Bytes) -> Bytes {
    let request = Request::post(path).body(Body::from(review.clone())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    response.into_body().collect().await.expect("a body").to_bytes()
}

/// The same object, with a label that has no effect.
fn labelled(mut object: Value) -> Value {
    object["metadata"]["labels"]["team"] = "edge".into();
    object
}

fn reviews(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mint = Mint::new();
    for (name, gateways, listeners, routes) in [
        ("10 gateways, 50 routes", 10, 1, 50),
        ("2,000 gateways, 10,000 routes", 2_000, 1, 10_000),
        ("one gateway of 64 listeners, 10,000 routes", 1, 64, 10_000),
    ] {
        let router = webhook(world(&mint, gateways, listeners, routes));
        let edge = || gateway(0, listeners);
        let mut group = criterion.benchmark_group(name);
        for (what, path, body) in [
            ("route, new", "/validate", review(route(routes, 0, 0), None)),
            ("route, changed", "/validate", review(labelled(route(0, 0, 0)), Some(route(0, 0, 0)))),
            ("gateway, changed", "/validate", review(labelled(edge()), Some(edge()))),
            ("secret, renewed", "/secrets", review(mint.secret(0, 0), Some(mint.secret(0, 0)))),
        ] {
            let path = format!("{path}?timeout=10s");
            let answer = runtime.block_on(ask(&router, &path, &body));
            assert!(answer.windows(14).any(|window| window == b"\"allowed\":true"), "{what}: {answer:?}");
            assert!(!answer.windows(8).any(|window| window == b"warnings"), "{what}: {answer:?}");
            group.bench_function(what, |bencher| {
                bencher.iter(|| runtime.block_on(ask(&router, &path, black_box(&body))));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, reviews);
criterion_main!(benches);
