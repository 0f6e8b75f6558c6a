//! What one admission review costs, in process, against meshes of 10 to 10,000 virtual nodes: decode, look up, judge, answer.
//!
//! A judgement costs what its node touches, so the figures are to stay flat while the mesh grows.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "a benchmark that can't go on fails")]

use std::hint::black_box;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use meshvet::admission::drain::Drain;
use meshvet::admission::server::{Webhook, router};
use meshvet::admission::service::Admission;
use meshvet::operate::metrics::Metrics;
use meshvet::policy::Policy;
use meshvet::sources::{NoReader, SharedWorld};
use tower::ServiceExt as _;

#[path = "support/mesh.rs"]
mod mesh;

fn webhook(nodes: usize) -> Webhook {
    let admission = Admission::new(
        SharedWorld::new(mesh::world(nodes)),
        Arc::new(NoReader),
        Arc::new(ArcSwap::from_pointee(Policy::default())),
        Arc::new(Timestamp::now),
        Arc::new(Metrics::default()),
    );
    router(Arc::new(admission), Drain::default())
}

async fn ask(router: &Webhook, review: &Bytes) -> Bytes {
    let request = Request::post("/validate?timeout=10s").body(Body::from(review.clone())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    response.into_body().collect().await.expect("a body").to_bytes()
}

fn requests(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let cases = [
        ("create", mesh::review(mesh::node(3), None)),
        ("update", mesh::review(mesh::node(3), Some(mesh::node(3)))),
        ("denied", mesh::review(mesh::misnamed_node(3), None)),
        ("route", mesh::review(mesh::service(3), None)),
    ];
    for (name, review) in cases {
        let mut group = criterion.benchmark_group(format!("request/{name}"));
        for nodes in [10, 1_000, 10_000] {
            let router = webhook(nodes);
            let answer = runtime.block_on(ask(&router, &review));
            let allowed = answer.windows(14).any(|window| window == b"\"allowed\":true");
            assert_eq!(allowed, name != "denied", "{answer:?}");
            group.bench_function(BenchmarkId::from_parameter(nodes), |bencher| {
                bencher.iter(|| runtime.block_on(ask(&router, black_box(&review))));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, requests);
criterion_main!(benches);
