//! What a judgement costs, against meshes of 10, 1,000 and 10,000 virtual nodes in one namespace: it should cost what the
//! node touches, and not what the mesh holds.

#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that can't go on stops")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use meshvet::apis::{Entry, Row, decode_object, decode_subject, row};
use meshvet::mesh::{View, World};
use meshvet::policy::Policy;
use meshvet::rules::{Surface, judge};
use serde_json::{Value, json};

#[path = "support/mesh.rs"]
mod mesh;

fn node_row() -> &'static Row {
    row("appmesh.k8s.aws/v1beta2", "VirtualNode").expect("a kind that is read")
}

fn node(name: &str) -> Value {
    json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {
            "podSelector": {"matchLabels": {"mesh": "apps", "app": name}},
            "listeners": [{
                "portMapping": {"port": 8443, "protocol": "http"},
                "tls": {"mode": "STRICT", "certificate": {"file": {
                    "certificateChain": "/certs/tls.crt", "privateKey": "/certs/tls.key"}}},
            }],
            "serviceDiscovery": {"dns": {"hostname": format!("{name}.apps.local")}},
        },
    })
}

fn objects(name: &str, chain: &str, key: &str) -> [Value; 3] {
    [
        node(name),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop", "name": name},
            "spec": {"template": {
                "metadata": {"labels": {"mesh": "apps", "app": name},
                    "annotations": {"appmesh.k8s.aws/secretMounts": format!("{name}:/certs")}},
                "spec": {"containers": [{"name": "app"}]},
            }},
        }),
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "shop", "name": name},
            "stringData": {"tls.crt": chain, "tls.key": key},
        }),
    ]
}

/// A mesh of so many nodes, each with its Deployment and Secret; one certificate for all.
fn world(nodes: usize) -> World {
    let issued = rcgen::generate_simple_self_signed(["*.apps.local".to_owned()]).expect("a certificate");
    let (chain, key) = (issued.cert.pem(), issued.signing_key.serialize_pem());
    let mut world = World::default();
    for index in 0..nodes {
        for object in objects(&format!("node-{index}"), &chain, &key) {
            match decode_object(object, "shop").expect("an object") {
                Entry::Subject(reviewed) => world.extend(reviewed.facts.iter().cloned()),
                Entry::Fact(fact) => world.learn(fact),
                other => panic!("no fact: {other:?}"),
            }
        }
    }
    world
}

fn judging(criterion: &mut Criterion) {
    let policy = Policy::default();
    let text = node("node-3").to_string();
    let mut group = criterion.benchmark_group("judge");
    for nodes in [10, 1_000, 10_000] {
        let world = world(nodes);
        let reviewed = decode_subject(node_row(), text.as_bytes(), "shop").expect("a node");
        let now = Timestamp::now();
        assert!(judge(&reviewed, View::new(&world), &policy, now, Surface::Admission).findings.is_empty());
        group.bench_with_input(BenchmarkId::new("sound", nodes), &nodes, |bencher, _| {
            bencher.iter(|| judge(black_box(&reviewed), View::new(&world), &policy, now, Surface::Admission));
        });
        group.bench_with_input(BenchmarkId::new("decode and judge", nodes), &nodes, |bencher, _| {
            bencher.iter(|| {
                let reviewed = decode_subject(node_row(), black_box(text.as_bytes()), "shop").expect("a node");
                judge(&reviewed, View::new(&world), &policy, now, Surface::Admission)
            });
        });
    }
    group.finish();
}

/// A node that fifty others of 10,000 call: what its judgement costs when all paths are known, and when one client's bundle has
/// changed, so that one path has to be found anew.
fn judging_pairs(criterion: &mut Criterion) {
    const CLIENTS: usize = 50;
    let policy = Policy::default();
    let authority = mesh::Authority::new("bench root");
    let mut world = mesh::hub(10_000, CLIENTS, &authority);
    let text = mesh::node(0).to_string();
    let reviewed = decode_subject(node_row(), text.as_bytes(), "shop").expect("a node");
    let now = Timestamp::now();
    let judged = judge(&reviewed, View::new(&world), &policy, now, Surface::Admission);
    assert!(judged.findings.is_empty(), "{:?}", judged.findings);
    let mut group = criterion.benchmark_group("fifty clients of 10,000 nodes");
    group.bench_function("all paths known", |bencher| {
        bencher.iter(|| judge(black_box(&reviewed), View::new(&world), &policy, now, Surface::Admission));
    });
    group.bench_function("one bundle changed", |bencher| {
        bencher.iter_custom(|rounds| {
            let mut spent = std::time::Duration::ZERO;
            for round in 0..rounds {
                let client = 1 + usize::try_from(round).unwrap_or_default() % CLIENTS;
                mesh::learn(&mut world, mesh::trust(client, &authority));
                let started = std::time::Instant::now();
                black_box(judge(&reviewed, View::new(&world), &policy, now, Surface::Admission));
                spent += started.elapsed();
            }
            spent
        });
    });
    group.finish();
}

criterion_group!(benches, judging, judging_pairs);
criterion_main!(benches);
