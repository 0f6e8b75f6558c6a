//! What the watches have not told of yet is read afresh before it is called absent; and before they have told of anything, nothing is
//! judged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use meshvet::mesh::{Fact, FreshStores, SecretAccess, Service, StoreKey, StoreState, Unread, Workload};
use meshvet::policy::Policy;
use meshvet::sources::cluster::Readiness;
use meshvet::sources::{FreshWorkloads, Kinds, NamespaceReader, StoreReader};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::bed::{AUTHORITY, Answer, Bed, MISNAMED, Response, SOUND, create, facts, node, post, review};
use crate::support::manifests::{deployment, namespace, tls_secret, virtual_node};

/// A cluster of which the watches have told nothing yet; it remembers what it was asked for.
#[derive(Clone, Default)]
struct Cluster(Arc<State>);

#[derive(Default)]
struct State {
    workloads: Vec<Arc<Workload>>,
    others: Vec<Arc<Workload>>,
    stores: FreshStores,
    labels: Option<BTreeMap<String, String>>,
    services: Vec<Arc<Service>>,
    /// Why not all workloads can be listed.
    failed: Option<String>,
    hangs: bool,
    asked: Mutex<Vec<String>>,
}

impl Cluster {
    fn of(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut state = State::default();
        for fact in facts(objects) {
            match fact {
                Fact::Workload(workload) if workload.object.kind == "Pod" => state.others.push(workload),
                Fact::Workload(workload) => state.workloads.push(workload),
                Fact::Store(key, store) => drop(state.stores.insert(key, StoreState::Present(store))),
                Fact::Namespace(_, labels) => state.labels = Some(labels),
                Fact::Service(service) => state.services.push(service),
                other => panic!("{other:?}"),
            }
        }
        Self(Arc::new(state))
    }

    fn like(self, change: impl FnOnce(&mut State)) -> Self {
        let mut state = Arc::into_inner(self.0).expect("not shared yet");
        change(&mut state);
        Self(Arc::new(state))
    }

    fn note(&self, what: String) {
        self.0.asked.lock().expect("a lock").push(what);
    }

    /// What was read since the last time.
    fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.0.asked.lock().expect("a lock"));
        asked.sort_unstable();
        asked
    }
}

impl StoreReader for Cluster {
    fn read(&self, keys: Vec<StoreKey>) -> BoxFuture<'_, FreshStores> {
        keys.iter().for_each(|key| self.note(key.to_string()));
        let found = keys.into_iter().map(|key| {
            let state = self.0.stores.get(&key).cloned().unwrap_or(StoreState::Absent);
            (key, state)
        });
        let found = found.collect();
        async move { found }.boxed()
    }
}

impl NamespaceReader for Cluster {
    fn workloads(&self, namespace: &str, kinds: Kinds, _: Instant) -> BoxFuture<'_, Option<FreshWorkloads>> {
        self.note(format!("{kinds:?} of {namespace}"));
        if self.0.hangs {
            return std::future::pending().boxed();
        }
        let workloads = match kinds {
            Kinds::Owners => &self.0.workloads,
            Kinds::MostlyOwned => &self.0.others,
        };
        let found = FreshWorkloads { workloads: workloads.clone().into(), failed: self.0.failed.clone() };
        async { Some(found) }.boxed()
    }

    fn labels(&self, namespace: &str) -> BoxFuture<'_, Option<BTreeMap<String, String>>> {
        self.note(format!("labels of {namespace}"));
        let labels = self.0.labels.clone();
        async { labels }.boxed()
    }

    fn service(&self, namespace: &str, name: &str) -> BoxFuture<'_, Option<Arc<Service>>> {
        self.note(format!("Service {namespace}/{name}"));
        if self.0.hangs {
            return std::future::pending().boxed();
        }
        let is_it = |service: &&Arc<Service>| service.object.namespace() == namespace && service.object.name == name;
        let found = self.0.services.iter().find(is_it).cloned();
        async { found }.boxed()
    }
}

/// A webhook whose watches have told of these objects, in this cluster.
fn bed(told: impl IntoIterator<Item = Value>, cluster: &Cluster) -> Bed {
    let spaces = Arc::new(cluster.clone());
    Bed::reading(told, SecretAccess::Complete, cluster.clone()).with(|admission| admission.reading(spaces))
}

fn broken() -> [Value; 2] {
    [deployment("shop", "blue", "blue-cert:/certs"), tls_secret("shop", "blue-cert", &MISNAMED)]
}

#[tokio::test]
async fn a_broken_node_is_refused_though_the_watches_told_of_nothing() {
    let cluster = Cluster::of(broken().into_iter().chain([namespace("shop")]));
    bed([], &cluster).ask(&create(node())).await.denies(&["MV101"]);
    assert_eq!(cluster.asked(), ["Owners of shop", "Secret shop/blue-cert", "labels of shop"], "each once");
}

#[tokio::test]
async fn a_secret_alone_may_be_what_the_watches_have_not_told_of() {
    let cluster = Cluster::of(broken());
    let told = [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs")];
    bed(told, &cluster).ask(&create(node())).await.denies(&["MV101"]);
    assert_eq!(cluster.asked(), ["Secret shop/blue-cert"]);
}

#[tokio::test]
async fn a_workload_alone_may_be_what_the_watches_have_not_told_of() {
    let cluster = Cluster::of(broken());
    let told = [namespace("shop"), tls_secret("shop", "blue-cert", &MISNAMED)];
    bed(told, &cluster).ask(&create(node())).await.denies(&["MV101"]);
    assert_eq!(cluster.asked(), ["Owners of shop", "Secret shop/blue-cert"], "the denial's Secret too is read once");
}

#[tokio::test]
async fn a_sound_node_passes_by_what_was_read_and_reads_nothing_once_it_is_told() {
    let sound =
        || [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs"), tls_secret("shop", "blue-cert", &SOUND)];
    let cluster = Cluster::of(sound());
    bed([], &cluster).ask(&create(node())).await.passes_silently();
    assert_eq!(cluster.asked().len(), 3);
    bed(sound(), &cluster).ask(&create(node())).await.passes_silently();
    assert_eq!(cluster.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_pod_of_its_own_is_looked_for_where_nothing_else_has_the_labels() {
    let mut pod = deployment("shop", "blue", "blue-cert:/certs")["spec"]["template"].clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["namespace"] = "shop".into();
    pod["metadata"]["name"] = "blue-0".into();
    let cluster = Cluster::of([pod, tls_secret("shop", "blue-cert", &MISNAMED), namespace("shop")]);
    bed([], &cluster).ask(&create(node())).await.denies(&["MV101"]);
    let asked = ["MostlyOwned of shop", "Owners of shop", "Secret shop/blue-cert", "labels of shop"];
    assert_eq!(cluster.asked(), asked);
}

#[tokio::test]
async fn what_is_not_there_is_told_at_once() {
    let cluster = Cluster::of([deployment("shop", "green", "")]);
    let bed = bed([namespace("shop")], &cluster);
    bed.ask(&create(node())).await.warns(&["MV203", "so its certificate files aren't checked"]);
    assert_eq!(cluster.asked(), ["MostlyOwned of shop", "Owners of shop"]);
    bed.policy.store(Policy::parse("unknown: deny").expect("a policy").into());
    bed.ask(&create(node())).await.denies(&["MV203"]);
}

#[tokio::test]
async fn what_could_not_be_read_is_no_reason_to_refuse() {
    let policy = || Policy::parse("unknown: deny").expect("a policy").into();
    let cluster = Cluster::of([]).like(|state| state.failed = Some("the API server is away".to_owned()));
    let failing = bed([namespace("shop")], &cluster);
    failing.policy.store(policy());
    failing.ask(&create(node())).await.warns(&["MV203", "not confirmed", "the API server is away"]);

    let hangs = bed([namespace("shop")], &Cluster::of([]).like(|state| state.hangs = true));
    hangs.policy.store(policy());
    let answer = hangs.send(post("/validate?timeout=1s", create(node()).to_string())).await;
    Response(answer.json["response"].clone()).warns(&["MV203", "not confirmed", "took too long"]);
}

#[tokio::test]
async fn a_secret_that_can_not_be_read_stays_absent() {
    let told = [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs")];
    let failed = StoreState::Unread(Unread::Failed("the API server is away".to_owned()));
    let key = StoreKey::secret("shop", "blue-cert");
    let cluster = Cluster::of([]).like(|state| drop(state.stores.insert(key, failed)));
    bed(told, &cluster).ask(&create(node())).await.warns(&["MV202", "doesn't exist"]);
}

#[tokio::test]
async fn where_secrets_are_not_read_none_is_asked_for() {
    let cluster = Cluster::of(broken());
    let spaces = Arc::new(cluster.clone());
    let bed = Bed::reading([namespace("shop")], SecretAccess::Never, cluster.clone());
    bed.with(|admission| admission.reading(spaces)).ask(&create(node())).await.passes_silently();
    assert_eq!(cluster.asked(), ["Owners of shop"]);
}

#[tokio::test]
async fn a_namespace_that_nobody_told_of_has_the_policy_of_its_labels() {
    let policy = "scopes: [{namespaceSelector: {matchLabels: {team: calm}}, enforcement: warn}]";
    let mut calm = namespace("shop");
    calm["metadata"]["labels"]["team"] = "calm".into();
    let bed = bed(broken(), &Cluster::of(broken().into_iter().chain([calm])));
    bed.policy.store(Policy::parse(policy).expect("a policy").into());
    bed.ask(&create(node())).await.warns(&["MV101", "would be refused"]);
}

fn service(name: &str, target: u16) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 8443, "targetPort": target}]}})
}

/// The node, found by the name of Service `blue`.
fn found_by_service() -> Value {
    virtual_node("shop", "blue", "blue.shop.svc.cluster.local")
}

/// All that the node rests on but its Service, and another Service.
fn but_its_service() -> [Value; 4] {
    let sound = AUTHORITY.leaf(&["blue.shop.svc.cluster.local"]).issue();
    let [workload, _] = broken();
    [namespace("shop"), workload, tls_secret("shop", "blue-cert", &sound), service("green", 8443)]
}

#[tokio::test]
async fn a_service_is_read_before_it_is_called_missing() {
    let cluster = Cluster::of([service("blue", 8443)]);
    bed(but_its_service(), &cluster).ask(&create(found_by_service())).await.passes_silently();
    assert_eq!(cluster.asked(), ["Service shop/blue"]);
    let cluster = Cluster::of([service("blue", 80)]);
    bed(but_its_service(), &cluster)
        .ask(&create(found_by_service()))
        .await
        .warns(&["MV220", "sends port 8443 to port 80"]);
    let cluster = Cluster::of([]);
    bed(but_its_service(), &cluster)
        .ask(&create(found_by_service()))
        .await
        .warns(&["MV220", "there is no Service shop/blue"]);
    assert_eq!(cluster.asked(), ["Service shop/blue"], "once");
}

#[tokio::test]
async fn a_workload_that_comes_last_is_not_told_of_a_service_that_is_there() {
    let [namespace, workload, secret, other] = but_its_service();
    let told = || [namespace.clone(), secret.clone(), other.clone(), found_by_service()];
    let cluster = Cluster::of([service("blue", 8443)]);
    bed(told(), &cluster).ask(&create(workload.clone())).await.passes_silently();
    assert_eq!(cluster.asked(), ["Service shop/blue"]);
    let cluster = Cluster::of([]);
    bed(told(), &cluster)
        .ask(&create(workload.clone()))
        .await
        .warns(&["shop/blue MV220", "there is no Service shop/blue"]);
    // Of what goes by this very review nobody else is asked.
    let all = but_its_service().into_iter().chain([found_by_service(), service("blue", 8443)]);
    let cluster = Cluster::of([service("blue", 8443)]);
    let gone = crate::bed::review("DELETE", Value::Null, service("blue", 8443));
    bed(all, &cluster).ask(&gone).await.warns(&["shop/blue MV220", "there is no Service shop/blue"]);
    assert_eq!(cluster.asked(), [""; 0]);
}

/// A webhook that waits for this kind.
fn waiting_for(kinds: &[&str]) -> (Bed, Readiness) {
    let readiness = Readiness::default();
    kinds.iter().for_each(|kind| readiness.register(kind));
    let waits = readiness.clone();
    (Bed::serving(&MISNAMED).with(|admission| admission.once(waits)), readiness)
}

async fn send(bed: &Bed, path: &str) -> Answer {
    bed.send(post(&format!("{path}?timeout=1s"), create(node()).to_string())).await
}

#[tokio::test]
async fn before_the_caches_are_filled_nothing_passes_an_entry_that_fails() {
    let (bed, readiness) = waiting_for(&["Secret", "Pod"]);
    readiness.filled("Pod");
    send(&bed, "/validate").await.is_status(503, &["isn't ready", "not every Secret has been read yet"]);
    assert!(bed.metrics.encode().contains("meshvet_failures_total{cause=\"not-ready\"} 1"));
    readiness.filled("Secret");
    let answer = send(&bed, "/validate").await;
    Response(answer.json["response"].clone()).denies(&["MV101"]);
}

#[tokio::test]
async fn before_the_caches_are_filled_an_entry_that_ignores_is_told_that_nothing_was_judged() {
    let (bed, readiness) = waiting_for(&["Secret"]);
    let answer = send(&bed, "/validate/ignore").await;
    assert_eq!(answer.json["response"]["auditAnnotations"], json!({"verdict": "not-ready"}));
    let response = Response(answer.json["response"].clone());
    response.warns(&["shop/blue was not judged", "meshvet isn't ready", "every Secret"]);
    assert!(bed.metrics.encode().contains("meshvet_failures_total{cause=\"not-ready\"} 1"));
    readiness.filled("Secret");
    let answer = send(&bed, "/validate/ignore").await;
    Response(answer.json["response"].clone()).denies(&["MV101"]);
}

#[tokio::test]
async fn a_review_waits_for_the_caches() {
    let (bed, readiness) = waiting_for(&["Secret"]);
    let fills = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        readiness.filled("Secret");
    };
    let (answer, ()) = tokio::join!(bed.post(create(node()).to_string()), fills);
    Response(answer.json["response"].clone()).denies(&["MV101"]);
}

/// A Secret goes right after the Deployment that mounted it, as a release is uninstalled: no watch has told of that yet.
#[tokio::test]
async fn a_secret_that_goes_after_its_workload_breaks_nobody() {
    let secret = || tls_secret("shop", "blue-cert", &SOUND);
    let known = || [namespace("shop"), node(), deployment("shop", "blue", "blue-cert:/certs"), secret()];
    let gone = || review("DELETE", Value::Null, secret());
    let cluster = Cluster::of([secret()]);
    bed(known(), &cluster).ask(&gone()).await.passes_silently();
    // One that is mounted no more, and one that still is.
    let moved = Cluster::of([secret(), deployment("shop", "blue", "other-cert:/certs")]);
    bed(known(), &moved).ask(&gone()).await.passes_silently();
    let there = Cluster::of([secret(), deployment("shop", "blue", "blue-cert:/certs")]);
    bed(known(), &there).ask(&gone()).await.warns(&["shop/blue MV202", "doesn't exist"]);
    // Where not every kind can be listed, it may be there.
    let hidden = Cluster::of([secret()]).like(|state| state.failed = Some("may not list".to_owned()));
    bed(known(), &hidden).ask(&gone()).await.warns(&["shop/blue MV202"]);
}
