//! A denial is final only after the Secrets it rests on were read afresh, and nothing that is read makes it late.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use meshvet::mesh::{Fact, FreshStores, SecretAccess, StoreKey, StoreState, Unread};
use meshvet::sources::StoreReader;
use serde_json::{Value, json};

use crate::bed::{Bed, MISNAMED, SOUND, create, facts, node, post, update};
use crate::support::manifests::{deployment, namespace, secret, tls_secret, virtual_node};
use crate::support::mint::Authority;

/// What a reader finds under a name.
#[derive(Clone)]
enum Found {
    State(StoreState),
    /// No answer, ever.
    Silence,
}

/// A reader of what a test says is there; it remembers what it was asked for.
#[derive(Clone, Default)]
struct Reader {
    found: Arc<HashMap<StoreKey, Found>>,
    asked: Arc<Mutex<Vec<StoreKey>>>,
}

impl Reader {
    fn of(found: impl IntoIterator<Item = (StoreKey, Found)>) -> Self {
        Self { found: Arc::new(found.into_iter().collect()), asked: Arc::default() }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked: Vec<String> = self.asked.lock().expect("a lock").iter().map(ToString::to_string).collect();
        asked.sort_unstable();
        asked
    }
}

impl StoreReader for Reader {
    fn read(&self, keys: Vec<StoreKey>) -> BoxFuture<'_, FreshStores> {
        self.asked.lock().expect("a lock").extend(keys.iter().cloned());
        Box::pin(async move {
            let mut fresh = FreshStores::new();
            for key in keys {
                match self.found.get(&key) {
                    None => drop(fresh.insert(key, StoreState::Absent)),
                    Some(Found::State(state)) => drop(fresh.insert(key, state.clone())),
                    Some(Found::Silence) => std::future::pending().await,
                }
            }
            fresh
        })
    }
}

/// What this Secret is when read.
fn present(object: Value) -> (StoreKey, Found) {
    match facts([object]).pop() {
        Some(Fact::Store(key, store)) => (key, Found::State(StoreState::Present(store))),
        other => panic!("no store: {other:?}"),
    }
}

fn failing() -> (StoreKey, Found) {
    let failed = Unread::Failed("the API server is away".to_owned());
    (StoreKey::secret("shop", "blue-cert"), Found::State(StoreState::Unread(failed)))
}

/// A world whose watch still has the misnamed certificate, with this reader.
fn stale(reader: &Reader) -> Bed {
    let world =
        [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs"), tls_secret("shop", "blue-cert", &MISNAMED)];
    Bed::reading(world, SecretAccess::Complete, reader.clone())
}

/// A world without Secrets, which are read when a review needs them.
fn on_demand(reader: &Reader) -> Bed {
    let world = [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs")];
    Bed::reading(world, SecretAccess::OnDemand, reader.clone())
}

#[tokio::test]
async fn a_secret_that_was_mended_a_moment_ago_passes() {
    let reader = Reader::of([present(tls_secret("shop", "blue-cert", &SOUND))]);
    stale(&reader).ask(&create(node())).await.passes_silently();
    assert_eq!(reader.asked(), ["Secret shop/blue-cert"]);
}

#[tokio::test]
async fn a_denial_that_a_fresh_read_confirms_is_final() {
    let reader = Reader::of([present(tls_secret("shop", "blue-cert", &MISNAMED))]);
    stale(&reader).ask(&create(node())).await.denies(&["MV101"]);
    assert_eq!(reader.asked(), ["Secret shop/blue-cert"], "read once");
}

#[tokio::test]
async fn what_passes_reads_nothing() {
    let reader = Reader::default();
    let bed = Bed::reading(
        [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs"), tls_secret("shop", "blue-cert", &SOUND)],
        SecretAccess::Complete,
        reader.clone(),
    );
    bed.ask(&create(node())).await.passes_silently();
    assert_eq!(reader.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_fresh_read_may_find_another_problem() {
    let mended = secret("shop", "blue-cert", &[("tls.crt", &SOUND.chain), ("tls.key", &MISNAMED.key)]);
    let reader = Reader::of([present(mended)]);
    let response = stale(&reader).ask(&create(node())).await;
    response.denies(&["MV206"]);
    assert!(!response.message().contains("MV101"), "{}", response.message());
}

#[tokio::test]
async fn a_secret_that_is_gone_is_no_reason_to_refuse() {
    stale(&Reader::default()).ask(&create(node())).await.warns(&["MV202"]);
}

#[tokio::test]
async fn a_denial_that_could_not_be_confirmed_is_a_warning_that_says_so() {
    let response = stale(&Reader::of([failing()])).ask(&create(node())).await;
    response.warns(&["MV101", "not confirmed", "the API server is away"]);
    response.warns(&["MV202"]);
}

#[tokio::test]
async fn a_read_that_never_ends_leaves_the_verdict_in_time() {
    let reader = Reader::of([(StoreKey::secret("shop", "blue-cert"), Found::Silence)]);
    let bed = stale(&reader);
    for timeout in ["1s", "2s"] {
        // The answer comes at all: the test's own patience is a minute.
        let asked = post(&format!("/validate?timeout={timeout}"), create(node()).to_string());
        let answer = bed.send(asked).await;
        assert_eq!(answer.code, 200, "{}", answer.json);
        let response = crate::bed::Response(answer.json["response"].clone());
        response.warns(&["MV101", "not confirmed", "took too long"]);
    }
}

#[tokio::test]
async fn a_slow_secret_takes_no_other_along() {
    // Two listeners, two Secrets: one is confirmed wrong, the other never answers.
    let mut both = node();
    let listeners = both["spec"]["listeners"].as_array_mut().expect("listeners");
    let mut second = listeners[0].clone();
    second["portMapping"]["port"] = 9443.into();
    second["tls"]["certificate"]["file"] = json!({"certificateChain": "/slow/tls.crt", "privateKey": "/slow/tls.key"});
    listeners.push(second);
    let world = [
        namespace("shop"),
        deployment("shop", "blue", "blue-cert:/certs,slow-cert:/slow"),
        tls_secret("shop", "blue-cert", &MISNAMED),
        tls_secret("shop", "slow-cert", &MISNAMED),
    ];
    let reader = Reader::of([
        present(tls_secret("shop", "blue-cert", &MISNAMED)),
        (StoreKey::secret("shop", "slow-cert"), Found::Silence),
    ]);
    let bed = Bed::reading(world, SecretAccess::Complete, reader);
    let answer = bed.send(post("/validate?timeout=1s", create(both).to_string())).await;
    let response = crate::bed::Response(answer.json["response"].clone());
    response.denies(&["1 problem", "spec.listeners[0]"]);
    assert!(response.warnings().iter().any(|line| line.contains("MV101") && line.contains("not confirmed")));
}

/// A cert-manager Certificate that fills Secret `shop/blue-cert`, with this name.
fn certificate(name: &str) -> Value {
    json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"namespace": "shop", "name": "blue"},
        "spec": {"secretName": "blue-cert", "dnsNames": [name]}})
}

#[tokio::test]
async fn a_secret_that_is_promised_is_not_missing() {
    for access in [SecretAccess::Complete, SecretAccess::OnDemand] {
        let of = |name: &str| {
            let world = [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs"), certificate(name)];
            Bed::reading(world, access, Reader::default())
        };
        of("blue.apps.local").ask(&create(node())).await.passes_silently();
        let response = of("green.apps.local").ask(&create(node())).await;
        response.warns(&["MV101", "hostname"]);
        assert!(!response.warnings().iter().any(|line| line.contains("MV202")), "{:?}", response.warnings());
    }
}

#[tokio::test]
async fn a_secret_that_was_removed_is_what_is_promised_again() {
    let world = [
        namespace("shop"),
        deployment("shop", "blue", "blue-cert:/certs"),
        tls_secret("shop", "blue-cert", &MISNAMED),
        certificate("blue.apps.local"),
    ];
    let bed = Bed::reading(world, SecretAccess::Complete, Reader::default());
    bed.ask(&create(node())).await.passes_silently();
}

#[tokio::test]
async fn where_no_secret_is_read_nothing_is_said_of_one_that_is_promised() {
    let world = [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs"), certificate("green.apps.local")];
    Bed::reading(world, SecretAccess::Never, Reader::default()).ask(&create(node())).await.passes_silently();
    // What can't be read may be there, with another certificate in it.
    let world = [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs"), certificate("green.apps.local")];
    let response = Bed::reading(world, SecretAccess::OnDemand, Reader::of([failing()])).ask(&create(node())).await;
    response.warns(&["MV202", "could not be read"]);
    assert!(!response.warnings().iter().any(|line| line.contains("MV101")), "{:?}", response.warnings());
}

#[tokio::test]
async fn secrets_on_demand_are_read_before_judging() {
    let reader = Reader::of([present(tls_secret("shop", "blue-cert", &MISNAMED))]);
    let bed = on_demand(&reader);
    bed.ask(&create(node())).await.denies(&["MV101"]);
    assert_eq!(reader.asked(), ["Secret shop/blue-cert"], "read once, and fresh enough to refuse by");

    let reader = Reader::of([present(tls_secret("shop", "blue-cert", &SOUND))]);
    on_demand(&reader).ask(&create(node())).await.passes_silently();

    on_demand(&Reader::of([failing()])).ask(&create(node())).await.warns(&["MV202", "could not be read"]);
}

#[tokio::test]
async fn secrets_on_demand_excuse_what_was_there_before() {
    let reader = Reader::of([present(tls_secret("shop", "blue-cert", &MISNAMED))]);
    on_demand(&reader).ask(&update(node(), node())).await.warns(&["MV101", "as before"]);

    // The old object's files are read too, where they are others.
    let mut old = node();
    old["spec"]["listeners"][0]["tls"]["certificate"]["file"] =
        json!({"certificateChain": "/old/tls.crt", "privateKey": "/old/tls.key"});
    let reader = Reader::of([
        present(tls_secret("shop", "blue-cert", &MISNAMED)),
        present(tls_secret("shop", "old-cert", &MISNAMED)),
    ]);
    let world = [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs,old-cert:/old")];
    let bed = Bed::reading(world, SecretAccess::OnDemand, reader.clone());
    bed.ask(&update(old, node())).await.warns(&["MV101", "as before"]);
    assert_eq!(reader.asked(), ["Secret shop/blue-cert", "Secret shop/old-cert"]);
}

#[tokio::test]
async fn where_no_secret_may_be_read_nothing_is_claimed_and_nothing_tried() {
    let world = [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs")];
    let reader = Reader::default();
    let bed = Bed::reading(world, SecretAccess::Never, reader.clone());
    bed.ask(&create(node())).await.passes_silently();
    assert_eq!(reader.asked(), Vec::<String>::new());
}

/// A reader with a bug.
struct Panicking;

impl StoreReader for Panicking {
    fn read(&self, _: Vec<StoreKey>) -> BoxFuture<'_, FreshStores> {
        panic!("a bug")
    }
}

#[tokio::test]
async fn a_bug_answers_with_a_status_and_the_server_lives_on() {
    let world =
        [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs"), tls_secret("shop", "blue-cert", &MISNAMED)];
    let bed = Bed::reading(world, SecretAccess::Complete, Panicking);
    bed.post(create(node()).to_string()).await.is_status(500, &["bug of meshvet"]);
    let mut plain = node();
    plain["spec"]["listeners"][0]["tls"]["mode"] = "DISABLED".into();
    assert_eq!(bed.ask(&create(plain)).await.0["allowed"], true);
}

#[tokio::test]
async fn secrets_on_demand_of_those_who_call_are_read_too() {
    // The node's certificate is right; its caller trusts another authority.
    let other = Authority::new("Another root");
    let mut caller = virtual_node("shop", "green", "green.apps.local");
    caller["spec"]["listeners"] = json!([]);
    caller["spec"]["backends"] = json!([{"virtualService": {
        "virtualServiceRef": {"name": "blue"},
        "clientPolicy": {"tls": {"validation": {"trust": {"file": {"certificateChain": "/trust/ca.crt"}}}}},
    }}]);
    let service = json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualService", "metadata": {"namespace": "shop", "name": "blue"},
        "spec": {"provider": {"virtualNode": {"virtualNodeRef": {"name": "blue"}}}},
    });
    let mut shop = namespace("shop");
    shop["metadata"]["labels"]["mesh"] = "apps".into();
    let mesh = json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "Mesh", "metadata": {"name": "apps"},
        "spec": {"namespaceSelector": {"matchLabels": {"mesh": "apps"}}},
    });
    let world = [
        shop,
        mesh,
        deployment("shop", "blue", "blue-cert:/certs"),
        deployment("shop", "green", "green-trust:/trust"),
        service,
        caller,
        node(),
    ];
    let reader = Reader::of([
        present(tls_secret("shop", "blue-cert", &SOUND)),
        present(secret("shop", "green-trust", &[("ca.crt", &other.pem())])),
    ]);
    let bed = Bed::reading(world, SecretAccess::OnDemand, reader.clone());
    bed.ask(&create(node())).await.denies(&["MV301"]);
    assert_eq!(reader.asked(), ["Secret shop/blue-cert", "Secret shop/green-trust"]);
}

/// A node that is there, and a Secret that no watch has told of as it is.
fn behind(known: Option<Value>, reader: &Reader) -> Bed {
    let world = [namespace("shop"), node()].into_iter().chain(known);
    Bed::reading(world, SecretAccess::Complete, reader.clone())
}

#[tokio::test]
async fn a_workload_that_comes_right_after_its_secret_isn_t_warned_that_it_is_missing() {
    let workload = || create(deployment("shop", "blue", "blue-cert:/certs"));
    let reader = Reader::of([present(tls_secret("shop", "blue-cert", &SOUND))]);
    behind(None, &reader).ask(&workload()).await.passes_silently();
    assert_eq!(reader.asked(), ["Secret shop/blue-cert"]);
    // Nor of what was wrong with it a moment ago.
    let misnamed = || Some(tls_secret("shop", "blue-cert", &MISNAMED));
    behind(misnamed(), &reader).ask(&workload()).await.passes_silently();
    // What is so still is said, and what can't be read too.
    let same = Reader::of([present(tls_secret("shop", "blue-cert", &MISNAMED))]);
    behind(misnamed(), &same).ask(&workload()).await.warns(&["shop/blue MV101"]);
    behind(None, &same).ask(&workload()).await.warns(&["shop/blue MV101"]);
    behind(None, &Reader::default()).ask(&workload()).await.warns(&["shop/blue MV202", "doesn't exist"]);
    behind(misnamed(), &Reader::of([failing()])).ask(&workload()).await.warns(&["shop/blue MV101"]);
}

#[tokio::test]
async fn a_secret_that_goes_is_not_read() {
    let reader = Reader::of([present(tls_secret("shop", "blue-cert", &SOUND))]);
    let sound = tls_secret("shop", "blue-cert", &SOUND);
    let world = [namespace("shop"), node(), deployment("shop", "blue", "blue-cert:/certs"), sound.clone()];
    let bed = Bed::reading(world, SecretAccess::Complete, reader.clone());
    bed.ask(&crate::bed::review("DELETE", Value::Null, sound)).await.warns(&["shop/blue MV202", "doesn't exist"]);
    assert_eq!(reader.asked(), Vec::<String>::new());
}
