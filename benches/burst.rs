//! How long reviews wait while very much changes at once: 10,000 nodes, of which 2,000 trust by one bundle.
//!
//! Needs no API server: changes come in steps, as watches apply them. A review is due every two milliseconds, whatever became of those
//! before; what is measured is the time from then to its answer. Reviews, watches and the watcher share one worker, as in a pod with one
//! processor. `MESHVET_BENCH_NODES` sets another number of nodes.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "a benchmark that can't go on fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use meshvet::admission::drain::Drain;
use meshvet::admission::server::{Webhook, router};
use meshvet::admission::service::Admission;
use meshvet::apis::{Entry, decode_object};
use meshvet::mesh::{Fact, World};
use meshvet::operate::metrics::Metrics;
use meshvet::policy::Policy;
use meshvet::sources::{NoReader, SharedWorld};
use meshvet::watch::Watcher;
use rcgen::KeyPair;
use serde_json::{Value, json};
use tower::ServiceExt as _;

#[path = "support/mesh.rs"]
mod mesh;

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<mimalloc::MiMalloc> = zeroizing_alloc::ZeroAlloc(mimalloc::MiMalloc);

/// How many nodes trust by the bundle, how many Secrets change at once, and how many changes a watch applies in a step.
const CLIENTS: usize = 2_000;
const SECRETS: usize = 1_000;
const STEP: usize = 64;
const EVERY: Duration = Duration::from_millis(2);

struct Bed {
    world: SharedWorld,
    policy: Arc<ArcSwap<Policy>>,
    metrics: Arc<Metrics>,
    webhook: Webhook,
}

fn main() {
    // `cargo test` runs benches too, without this argument: nothing to test here.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let nodes = std::env::var("MESHVET_BENCH_NODES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let authority = mesh::Authority::new("bench root");
    let bed = bed(nodes, &authority);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::spawn(measure(bed, nodes, authority)).await.expect("no panic") });
}

fn bed(nodes: usize, authority: &mesh::Authority) -> Bed {
    let world = SharedWorld::with_inventory(World::default());
    let mut all = Vec::new();
    mesh::objects(nodes, authority, |mut object| {
        let index = |name: &Value| name.as_str().and_then(|name| name.strip_prefix("node-")?.parse::<usize>().ok());
        let is_client = index(&object["metadata"]["name"]).is_some_and(|index| index < CLIENTS);
        match object["kind"].as_str() {
            Some("Deployment") if is_client => {
                let annotations = &mut object["spec"]["template"]["metadata"]["annotations"];
                let own = annotations["appmesh.k8s.aws/secretMounts"].as_str().expect("a mount").to_owned();
                annotations["appmesh.k8s.aws/secretMounts"] = format!("{own}, bundle:/trust").into();
            }
            Some("VirtualNode") if is_client => {
                object["spec"]["backendDefaults"]["clientPolicy"]["tls"]["validation"]["trust"]["file"]["certificateChain"] =
                    "/trust/ca.crt".into();
            }
            _ => {}
        }
        all.push(object);
    });
    all.push(bundle(&[authority]));
    learn(&world, all);
    let (policy, metrics) = (Arc::new(ArcSwap::from_pointee(Policy::default())), Arc::new(Metrics::default()));
    let admission = Admission::new(
        world.clone(),
        Arc::new(NoReader),
        Arc::clone(&policy),
        Arc::new(Timestamp::now),
        Arc::clone(&metrics),
    );
    let webhook = router(Arc::new(admission), Drain::default());
    Bed { world, policy, metrics, webhook }
}

fn bundle(authorities: &[&mesh::Authority]) -> Value {
    let pem: String = authorities.iter().map(|authority| authority.pem()).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bundle", "namespace": "shop"}, "stringData": {"ca.crt": pem}})
}

/// Applies objects in one step, as a watch does.
fn learn(world: &SharedWorld, objects: Vec<Value>) {
    let decoded = objects.into_iter().map(|object| decode_object(object, "shop").expect("it can be read"));
    let entries: Vec<(Vec<Fact>, _)> = decoded
        .map(|entry| match entry {
            Entry::Subject(subject) => (subject.facts.clone(), Some(*subject)),
            Entry::Fact(fact) => (vec![fact], None),
            other => panic!("nothing to learn: {other:?}"),
        })
        .collect();
    world.step(
        |step| {
            let mut noted = Vec::new();
            for (facts, subject) in entries {
                let id = facts.first().expect("a fact").id();
                step.replace(&id, facts);
                noted.push((id, subject));
            }
            noted
        },
        |inventory, noted| noted.into_iter().for_each(|(id, subject)| inventory.note(&id, subject)),
    );
}

async fn measure(bed: Bed, nodes: usize, authority: mesh::Authority) {
    let clock: meshvet::operate::Clock = Arc::new(Timestamp::now);
    let watcher = Watcher::of(bed.world.clone(), Arc::clone(&bed.policy), clock, Arc::clone(&bed.metrics));
    let watcher = tokio::spawn(watcher.run());
    println!(
        "{nodes} nodes, {CLIENTS} of them with one bundle; a review every {} ms; milliseconds\n",
        EVERY.as_millis()
    );
    println!("| meanwhile | judged again | until done | p50 | p99 | max |\n|---|---:|---:|---:|---:|---:|");
    row(&bed, "a first judgement of everything", true, async || {}).await;
    row(&bed, "nothing", false, async || tokio::time::sleep(Duration::from_secs(3)).await).await;
    let other = mesh::Authority::new("other root");
    row(&bed, "the bundle changes", true, async || learn(&bed.world, vec![bundle(&[&authority, &other])])).await;
    let key = KeyPair::generate().expect("a key");
    let secrets: Vec<Value> = (0..SECRETS.min(nodes)).map(|index| mesh::secret(index, &key, &authority)).collect();
    row(&bed, "1,000 Secrets change", true, async || {
        for some in secrets.chunks(STEP) {
            learn(&bed.world, some.to_vec());
            tokio::task::yield_now().await;
        }
    })
    .await;
    row(&bed, "another policy", true, async || bed.policy.store(Arc::default())).await;
    row(&bed, "the bundle breaks all of them", true, async || learn(&bed.world, vec![bundle(&[&other])])).await;
    row(&bed, "reviews of the bundle, ten a second", false, async || {
        let review = mesh::review_of_secret(bundle(&[&authority]), bundle(&[&other]));
        for _ in 0..20 {
            ask(&bed.webhook, &review).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    watcher.abort();
}

async fn row(bed: &Bed, what: &str, waits: bool, change: impl AsyncFnOnce()) {
    let over = Arc::new(AtomicBool::new(false));
    let probe = tokio::spawn(probe(bed.webhook.clone(), Arc::clone(&over)));
    let (before, began) = (judged(&bed.metrics), Instant::now());
    change().await;
    let (mut last, mut done) = (before, began);
    // It waits for a second of quiet, and at most five.
    while done.elapsed() < Duration::from_secs(7) || (waits && last == before) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = judged(&bed.metrics);
        if now > last {
            (last, done) = (now, Instant::now());
        }
    }
    over.store(true, Ordering::Relaxed);
    let mut took = probe.await.expect("no panic");
    took.sort_unstable();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_secs_f64() * 1000.0;
    let until = (done - began).as_secs_f64();
    println!("| {what} | {} | {until:.1} s | {:.2} | {:.2} | {:.2} |", last - before, at(0.5), at(0.99), at(1.0));
}

/// Asks, one after the other, each when it is due or as soon as the one before is answered; how late the answers were.
async fn probe(webhook: Webhook, over: Arc<AtomicBool>) -> Vec<Duration> {
    let review = mesh::review(mesh::node(3_000), None);
    let (mut due, mut took) = (Instant::now(), Vec::new());
    while !over.load(Ordering::Relaxed) {
        due += EVERY;
        tokio::time::sleep_until(due.into()).await;
        ask(&webhook, &review).await;
        took.push(due.elapsed());
    }
    took
}

async fn ask(webhook: &Webhook, review: &Bytes) {
    let request = Request::post("/validate?timeout=10s").body(Body::from(review.clone())).expect("a request");
    let response = webhook.clone().oneshot(request).await.expect("an answer");
    assert_eq!(response.status(), 200);
    response.into_body().collect().await.expect("a body");
}

fn judged(metrics: &Metrics) -> u64 {
    let text = metrics.encode();
    let line = text.lines().find_map(|line| line.strip_prefix("meshvet_mesh_objects_judged_total "));
    line.and_then(|count| count.parse().ok()).expect("a count")
}
