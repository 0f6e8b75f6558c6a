//! Hand-made watch events, and the world after them.

use std::sync::Arc;

use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::kinds::{self, WatchedKind};
use super::object::RawObject;
use super::stats::KindStats;
use super::tracker::Tracker;
use crate::mesh::{FactId, SecretAccess, StoreKey, StoreState, World};
use crate::sources::SharedWorld;

struct Watched {
    kind: &'static WatchedKind,
    world: SharedWorld,
    stats: Arc<KindStats>,
    tracker: Tracker,
}

impl Watched {
    #[track_caller]
    fn new(kind: &str) -> Self {
        let kind = kinds::all().find(|known| known.kind == kind).expect("a kind");
        let world = SharedWorld::new(World::new(SecretAccess::Complete));
        let stats: Arc<KindStats> = Arc::default();
        let tracker = Tracker::new(kind, world.clone(), Arc::clone(&stats));
        Self { kind, world, stats, tracker }
    }

    fn list(&mut self, objects: &[Value]) -> bool {
        let items = objects.iter().map(|object| Event::InitApply(raw(object)));
        self.tracker.follow([Event::Init].into_iter().chain(items).chain([Event::InitDone]))
    }

    fn apply(&mut self, object: &Value) {
        self.tracker.follow([Event::Apply(raw(object))]);
    }

    fn delete(&mut self, object: &Value) {
        self.tracker.follow([Event::Delete(raw(object))]);
    }

    /// The names of the known objects of this kind, sorted.
    fn known(&self) -> Vec<String> {
        let mut names: Vec<String> = self.world.read(|world| match self.kind.kind {
            "VirtualNode" => world.members().map(|member| member.object.name.to_string()).collect(),
            "VirtualService" => world.hops().map(|hop| hop.object.name.to_string()).collect(),
            _ => world.workloads().map(|workload| workload.object.name.to_string()).collect(),
        });
        names.sort();
        names
    }

    fn figures(&self) -> (u64, u64) {
        (self.stats.objects(), self.stats.undecodable())
    }
}

/// Like a list's item, without apiVersion and kind.
fn raw(object: &Value) -> RawObject {
    serde_json::from_str(&object.to_string()).expect("any JSON will do")
}

fn named(name: &str, rest: Value) -> Value {
    let mut object = json!({"metadata": {"namespace": "shop", "name": name, "resourceVersion": "7"}});
    object.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
    object
}

fn node(name: &str) -> Value {
    named(name, json!({"spec": {"listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}]}}))
}

/// A node whose port isn't a number.
fn broken_node(name: &str) -> Value {
    named(name, json!({"spec": {"listeners": [{"portMapping": {"port": {}, "protocol": "http"}}]}}))
}

fn deployment(name: &str, replicas: u32) -> Value {
    let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app"}]}});
    named(name, json!({"spec": {"replicas": replicas, "template": template}}))
}

#[test]
fn a_list_fills_the_world() {
    let mut nodes = Watched::new("VirtualNode");
    assert!(nodes.list(&[node("blue"), node("green")]));
    assert_eq!(nodes.known(), ["blue", "green"]);
    assert_eq!(nodes.figures(), (2, 0));
}

#[test]
fn objects_come_and_go() {
    let mut nodes = Watched::new("VirtualNode");
    nodes.list(&[node("blue")]);
    nodes.apply(&node("green"));
    assert_eq!(nodes.known(), ["blue", "green"]);
    nodes.delete(&node("blue"));
    nodes.delete(&node("never-seen"));
    assert_eq!(nodes.known(), ["green"]);
    assert_eq!(nodes.figures(), (1, 0));
}

#[test]
fn another_list_forgets_what_is_gone_and_only_at_its_end() {
    let mut nodes = Watched::new("VirtualNode");
    nodes.list(&[node("blue"), node("green")]);
    assert!(!nodes.tracker.follow([Event::Init, Event::InitApply(raw(&node("green")))]));
    assert_eq!(nodes.known(), ["blue", "green"], "the list is not complete");
    assert!(nodes.tracker.follow([Event::InitApply(raw(&node("red"))), Event::InitDone]));
    assert_eq!(nodes.known(), ["green", "red"]);
}

#[test]
fn a_list_that_breaks_off_forgets_nothing() {
    let mut nodes = Watched::new("VirtualNode");
    nodes.list(&[node("blue"), node("green")]);
    nodes.tracker.follow([Event::Init, Event::InitApply(raw(&node("red"))), Event::Init]);
    assert_eq!(nodes.known(), ["blue", "green", "red"]);
    nodes.tracker.follow([Event::InitApply(raw(&node("green"))), Event::InitDone]);
    assert_eq!(nodes.known(), ["green"], "what only the broken list named is gone too");
}

#[test]
fn an_object_that_cannot_be_read_is_skipped_alone() {
    let mut nodes = Watched::new("VirtualNode");
    assert!(nodes.list(&[node("blue"), broken_node("bad"), node("green")]));
    assert_eq!(nodes.known(), ["blue", "green"]);
    assert_eq!(nodes.figures(), (2, 1));
    nodes.apply(&node("bad"));
    assert_eq!(nodes.known(), ["bad", "blue", "green"]);
    assert_eq!(nodes.figures(), (3, 0));
}

#[test]
fn what_an_object_said_before_it_broke_is_forgotten() {
    let mut nodes = Watched::new("VirtualNode");
    nodes.list(&[node("blue")]);
    nodes.apply(&broken_node("blue"));
    nodes.apply(&broken_node("blue"));
    assert_eq!(nodes.known(), Vec::<String>::new());
    assert_eq!(nodes.figures(), (0, 1));
    nodes.delete(&broken_node("blue"));
    assert_eq!(nodes.figures(), (0, 0));
}

#[test]
fn a_broken_object_that_is_gone_is_not_counted_any_more() {
    let mut nodes = Watched::new("VirtualNode");
    nodes.list(&[broken_node("bad"), node("blue")]);
    nodes.list(&[node("blue")]);
    assert_eq!(nodes.figures(), (1, 0));
}

#[test]
fn an_absent_kind_leaves_nothing_behind() {
    let mut nodes = Watched::new("VirtualNode");
    nodes.list(&[node("blue"), broken_node("bad")]);
    nodes.tracker.clear();
    assert_eq!(nodes.known(), Vec::<String>::new());
    assert_eq!(nodes.figures(), (0, 0));
}

#[test]
fn a_workload_without_replicas_is_kept_for_those_that_take_its_template() {
    let mut deployments = Watched::new("Deployment");
    deployments.list(&[deployment("web", 1), deployment("idle", 0)]);
    assert_eq!(deployments.known(), ["web"]);
    deployments.apply(&deployment("web", 0));
    assert_eq!(deployments.known(), Vec::<String>::new());
    assert_eq!(deployments.figures(), (2, 0), "it has no pods, and is there");
}

#[test]
fn a_deeply_nested_object_costs_no_other() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for kind in ["VirtualNode", "Deployment"] {
        let mut watched = Watched::new(kind);
        let text = format!(r#"{{"metadata":{{"namespace":"shop","name":"deep"}},"spec":{deep}}}"#);
        let object = serde_json::from_str(&text).expect("it is not looked into");
        let sound = if kind == "Deployment" { deployment("web", 1) } else { node("web") };
        watched.tracker.follow([Event::Init, Event::InitApply(object), Event::InitApply(raw(&sound)), Event::InitDone]);
        assert_eq!((watched.known(), watched.figures()), (vec!["web".to_owned()], (1, 1)), "{kind}");
    }
}

#[test]
fn an_object_larger_than_any_is_skipped() {
    let mut nodes = Watched::new("VirtualNode");
    nodes.list(&[named("large", json!({"status": "x".repeat(5 << 20)})), node("blue")]);
    assert_eq!((nodes.known(), nodes.figures()), (vec!["blue".to_owned()], (1, 1)));
}

#[test]
fn a_secret_becomes_facts_and_its_change_is_seen() {
    let mut secrets = Watched::new("Secret");
    let key = StoreKey::secret("shop", "cert");
    let names = |secrets: &Watched| match secrets.world.read(|world| world.store(&key)) {
        StoreState::Present(store) => store.files.keys().map(str::to_owned).collect::<Vec<_>>(),
        other => vec![format!("{other:?}")],
    };
    secrets.list(&[named("cert", json!({"data": {"tls.crt": "aGVsbG8="}}))]);
    assert_eq!(names(&secrets), ["tls.crt"]);
    secrets.apply(&named("cert", json!({"data": {"tls.crt": "aGVsbG8=", "tls.key": null}})));
    assert_eq!(names(&secrets), ["tls.crt", "tls.key"]);
    secrets.apply(&named("cert", json!({"type": "Opaque"})));
    assert_eq!(names(&secrets), Vec::<String>::new());
    secrets.delete(&named("cert", json!({})));
    assert_eq!(names(&secrets), ["Absent"]);
}

#[test]
fn a_secret_that_cannot_be_read_is_never_quoted() {
    for data in [json!({"key": "hush!"}), json!({"key": {"hush": 1}}), json!("hush"), json!({"key": "aHVzaA"})] {
        let object = raw(&named("cert", json!({"data": data})));
        let error = super::object::decode(&kinds::SECRETS, &object).expect_err("no Secret");
        let shown = format!("{error:?} {object:?}");
        assert!(!shown.contains("hush") && !shown.contains("aHVz"), "{shown}");
        assert!(shown.contains("cert"), "{shown}");
    }
}

#[test]
fn each_kind_is_forgotten_under_the_name_it_was_learnt_by() {
    for kind in kinds::all() {
        let mut watched = Watched::new(kind.kind);
        let object = match kind.kind {
            "Mesh" | "Namespace" => json!({"metadata": {"name": "it", "labels": {"a": "b"}}}),
            "VirtualNode" | "VirtualGateway" => node("it"),
            "Pod" => named("it", json!({"spec": {"containers": [{"name": "app"}]}})),
            "CronJob" => {
                let job = deployment("it", 1)["spec"].clone();
                named("it", json!({"spec": {"jobTemplate": {"spec": job}}}))
            }
            "ReplicaSet" | "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => deployment("it", 1),
            "Certificate" => named("it", json!({"spec": {"secretName": "cert"}})),
            "SecretProviderClass" => named("it", json!({"spec": {"secretObjects": [{"secretName": "cert"}]}})),
            "GatewayClass" | "IngressClass" => json!({"metadata": {"name": "it"}}),
            "Bundle" => json!({"metadata": {"name": "it"}, "spec": {"target": {"configMap": {"key": "ca.pem"}}}}),
            "ClusterExternalSecret" => json!({"metadata": {"name": "it"}, "spec": {"externalSecretSpec": {}}}),
            _ => named("it", json!({"spec": {}, "data": {}})),
        };
        // `learn` asserts that the fact has the name under which the object is deleted.
        watched.list(std::slice::from_ref(&object));
        assert_eq!(watched.figures(), (1, 0), "{}", kind.kind);
        watched.delete(&object);
        assert_eq!(watched.figures(), (0, 0), "{}", kind.kind);
        let sum: usize = watched.world.read(|world| world.counts().iter().map(|(_, count)| count).sum());
        assert_eq!(sum, 0, "{}", kind.kind);
    }
}

#[test]
fn a_cluster_scoped_object_has_no_namespace() {
    let mesh = kinds::all().find(|kind| kind.kind == "Mesh").unwrap();
    let FactId::Object(object) = mesh.id("", "apps") else { panic!("an object") };
    assert_eq!(object.to_string(), "Mesh apps");
}
