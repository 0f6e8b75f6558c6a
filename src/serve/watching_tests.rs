//! The watcher beside reviews, on a runtime of one worker.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::admission::drain::Drain;
use crate::admission::server::router;
use crate::admission::service::Admission;
use crate::apis::{Entry, decode_object};
use crate::mesh::World;
use crate::operate::Clock;
use crate::operate::metrics::Metrics;
use crate::policy::Policy;
use crate::sources::{NoReader, SharedWorld};
use crate::watch::{Pause, Watcher, sleep};

/// How many trust by one bundle, and how many don't.
const CLIENTS: usize = 2_000;
const OTHERS: usize = 50;

const PATIENCE: Duration = Duration::from_secs(120);

fn node(name: &str) -> Value {
    json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode", "metadata": {"name": name, "namespace": "shop"}, "spec": {
        "podSelector": {"matchLabels": {"app": name}},
        "backendDefaults": {"clientPolicy": {"tls": {"validation": {"trust": {"file": {"certificateChain": "/trust/ca.crt"}}}}}}}})
}

fn deployment(name: &str, secret: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"}, "spec": {"template": {
        "metadata": {"labels": {"app": name}, "annotations": {"appmesh.k8s.aws/secretMounts": format!("{secret}:/trust")}},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]}}}})
}

fn bundle(name: &str, pem: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "shop"}, "stringData": {"ca.crt": pem}})
}

fn root() -> String {
    rcgen::generate_simple_self_signed(["root".to_owned()]).expect("a certificate").cert.pem()
}

/// Applies an object, as a watch does.
fn learn(world: &SharedWorld, object: Value) {
    let (facts, subject) = match decode_object(object, "shop").expect("it can be read") {
        Entry::Subject(subject) => (subject.facts.clone(), Some(*subject)),
        Entry::Fact(fact) => (vec![fact], None),
        other => panic!("nothing to learn: {other:?}"),
    };
    let id = facts.first().expect("a fact").id();
    world.step(|step| step.replace(&id, facts), |inventory, ()| inventory.note(&id, subject));
}

fn world(clients: usize, others: usize) -> SharedWorld {
    let world = SharedWorld::with_inventory(World::default());
    let root = root();
    learn(&world, bundle("bundle", &root));
    learn(&world, bundle("other", &root));
    for number in 0..clients + others {
        let name = format!("node-{number}");
        learn(&world, deployment(&name, if number < clients { "bundle" } else { "other" }));
        learn(&world, node(&name));
    }
    world
}

/// A watcher, and what tells of each of its judgements.
fn watcher(
    world: &SharedWorld,
    metrics: &Arc<Metrics>,
    pause: Pause,
) -> (Watcher, watch::Receiver<Arc<crate::watch::News>>) {
    let clock: Clock = Arc::new(Timestamp::now);
    let watcher = Watcher::of(world.clone(), Arc::default(), clock, Arc::clone(metrics));
    let found = watcher.found.subscribe();
    (Watcher { pause, ..watcher }, found)
}

fn judged(metrics: &Metrics) -> usize {
    let text = metrics.encode();
    let line = text.lines().find_map(|line| line.strip_prefix("meshvet_mesh_objects_judged_total "));
    line.and_then(|count| count.parse().ok()).expect("a count")
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_bundle_that_changes_has_each_of_its_readers_judged_once() {
    let (world, metrics) = (world(CLIENTS, OTHERS), Arc::default());
    let (watcher, mut found) = watcher(&world, &metrics, sleep());
    let watching = tokio::spawn(watcher.run());
    soon(found.changed()).await.expect("judged");
    // Nodes and Deployments.
    let everything = 2 * (CLIENTS + OTHERS);
    assert_eq!(judged(&metrics), everything, "everything, once");
    learn(&world, bundle("bundle", &root()));
    soon(found.changed()).await.expect("judged");
    assert_eq!(judged(&metrics), everything + CLIENTS, "the nodes that read it, once");
    watching.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_review_is_answered_while_everything_is_judged_again() {
    // The test itself runs beside the worker.
    tokio::spawn(async {
        let (world, metrics) = (world(200, 0), Arc::<Metrics>::default());
        let (enters, mut entered) = unbounded_channel();
        let (go_on, goes_on) = mpsc::channel::<()>();
        let goes_on = Mutex::new(goes_on);
        let pause: Pause = Arc::new(move || {
            let _ = enters.send(());
            // Until it may, and for good when nobody holds it any more.
            let _ = goes_on.lock().expect("no panic").recv();
        });
        let (watcher, mut found) = watcher(&world, &metrics, pause);
        let watching = tokio::spawn(watcher.run());
        soon(entered.recv()).await.expect("a pause: it is cut into slices");

        let policy = Arc::new(ArcSwap::from_pointee(Policy::default()));
        let admission = Admission::new(world, Arc::new(NoReader), policy, Arc::new(Timestamp::now), Arc::clone(&metrics));
        let webhook = router(Arc::new(admission), Drain::default());
        let review = json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
            "uid": "u-1", "kind": {"group": "appmesh.k8s.aws", "version": "v1beta2", "kind": "VirtualNode"}, "name": "node-1",
            "namespace": "shop", "operation": "CREATE", "userInfo": {"username": "somebody"}, "object": node("node-1")}});
        let request = Request::post("/validate").body(Body::from(review.to_string())).expect("a request");
        let answer = soon(webhook.oneshot(request)).await.expect("an answer");
        let answer = answer.into_body().collect().await.expect("a body").to_bytes();
        assert!(answer.windows(14).any(|window| window == b"\"allowed\":true"), "{answer:?}");
        assert_eq!((judged(&metrics), found.has_changed().expect("it runs")), (0, false), "it isn't done");

        drop(go_on);
        soon(found.changed()).await.expect("judged");
        assert_eq!(judged(&metrics), 2 * 200, "nodes and Deployments");
        watching.abort();
    })
    .await
    .expect("no panic");
}
