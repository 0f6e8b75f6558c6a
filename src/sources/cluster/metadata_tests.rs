//! Kinds followed by metadata, against an API server that records its requests.

use std::time::Duration;

use kube::runtime::watcher::Event;
use serde_json::{Value, json};

use super::kinds::{self, WatchedKind};
use super::metadata::Whole;
use super::object::RawObject;
use super::server_for_tests::{Get, Server, partly};
use super::watch_tests::Cluster;
use super::{ClusterOptions, What, compare, list_all};
use crate::mesh::{SecretAccess, World};
use crate::sources::SharedWorld;

const WAIT: Duration = Duration::from_millis(1);

/// An object with a pod's spec, or a template of it.
fn object(key: &str, owner: Option<(&str, &str)>) -> (String, Value) {
    let name = key.split('/').next_back().expect("a name");
    let pod = json!({"containers": [{"name": "app"}]});
    let spec = if key.starts_with("pods") { pod } else { json!({"replicas": 1, "template": {"spec": pod}}) };
    let metadata = json!({"namespace": "shop", "name": name, "uid": name, "resourceVersion": "7"});
    let mut object = json!({"metadata": metadata, "spec": spec});
    if let Some((api_version, kind)) = owner {
        let owner = json!({"apiVersion": api_version, "kind": kind, "name": "owner", "uid": "o", "controller": true});
        object["metadata"]["ownerReferences"] = json!([owner]);
    }
    (key.to_owned(), object)
}

fn bare(key: &str) -> Value {
    object(key, None).1
}

fn owned(key: &str, api_version: &str, kind: &str) -> Value {
    object(key, Some((api_version, kind))).1
}

fn with(mut object: Value, pointer: [&str; 2], value: Value) -> Value {
    object[pointer[0]][pointer[1]] = value;
    object
}

fn finished(key: &str) -> Value {
    with(bare(key), ["status", "phase"], json!("Succeeded"))
}

/// The names of the known workloads, sorted.
fn known(world: &SharedWorld) -> Vec<String> {
    let mut names: Vec<String> =
        world.read(|world| world.workloads().map(|workload| workload.object.name.to_string()).collect());
    names.sort();
    names
}

async fn watched(server: &Server) -> Cluster {
    let cluster = Cluster::watch(server.client());
    cluster.until("ready", |cluster| cluster.readiness.ready()).await;
    let following = |resource: &&str| server.state().watches.contains_key(*resource);
    cluster.until("followed", |_| ["pods", "replicasets", "jobs"].iter().all(following)).await;
    cluster
}

fn kind(name: &str) -> &'static WatchedKind {
    kinds::all().find(|kind| kind.kind == name).expect("a kind")
}

/// All cases: owned or terminating, standalone, and standalone but finished.
fn mixed() -> Server {
    let complete = json!([{"type": "Complete", "status": "True"}]);
    Server::with([
        ("pods/bare", bare("pods/bare")),
        ("pods/of-a-set", owned("pods/of-a-set", "apps/v1", "ReplicaSet")),
        ("pods/of-a-job", owned("pods/of-a-job", "batch/v1", "Job")),
        ("pods/of-a-node", owned("pods/of-a-node", "v1", "Node")),
        ("pods/going", with(bare("pods/going"), ["metadata", "deletionTimestamp"], json!("2026-11-27T12:00:00Z"))),
        ("pods/finished", finished("pods/finished")),
        ("replicasets/bare-set", bare("replicasets/bare-set")),
        ("replicasets/empty-set", with(bare("replicasets/empty-set"), ["spec", "replicas"], json!(0))),
        ("replicasets/owned-set", owned("replicasets/owned-set", "apps/v1", "Deployment")),
        ("replicasets/fleet-set", owned("replicasets/fleet-set", "example.com/v1", "Fleet")),
        ("jobs/bare-job", bare("jobs/bare-job")),
        ("jobs/done-job", with(bare("jobs/done-job"), ["status", "conditions"], complete)),
        ("jobs/owned-job", owned("jobs/owned-job", "batch/v1", "CronJob")),
    ])
}

/// The objects that are read by name.
const UNOWNED: [&str; 8] = [
    "jobs/bare-job",
    "jobs/done-job",
    "pods/bare",
    "pods/finished",
    "pods/of-a-node",
    "replicasets/bare-set",
    "replicasets/empty-set",
    "replicasets/fleet-set",
];
/// The objects that are known.
const KNOWN: [&str; 5] = ["bare", "bare-job", "bare-set", "fleet-set", "of-a-node"];

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[tokio::test]
async fn only_what_no_workload_owns_is_read() {
    let server = mixed();
    let cluster = watched(&server).await;
    assert_eq!(known(&cluster.world), KNOWN);
    assert_eq!(sorted(server.read()), UNOWNED);
    let figures = ["Pod", "ReplicaSet", "Job"].map(|kind| cluster.stats.kind(kind).expect("a kind").objects());
    assert_eq!(figures, [2, 3, 1], "a set without replicas is kept, for a workload that takes its template");

    server.put(&[("pods/of-a-set", &owned("pods/of-a-set", "apps/v1", "ReplicaSet")), ("pods/new", &bare("pods/new"))]);
    cluster.until("the new one", |cluster| known(&cluster.world).contains(&"new".to_owned())).await;
    assert_eq!(server.read().last().map(String::as_str), Some("pods/new"));
    assert_eq!(server.read().len(), UNOWNED.len() + 1, "{:?}", server.read());
}

#[tokio::test]
async fn lists_and_watches_ask_for_metadata() {
    let server = Server::with([]);
    let _cluster = watched(&server).await;
    let asked = server.state().asked.clone();
    let accepts = |resource: &str, verb: &str| {
        let of = asked.iter().filter(|(of, how, _)| of == resource && *how == verb);
        of.map(|(_, _, accept)| accept.clone()).collect::<Vec<_>>()
    };
    for resource in ["pods", "replicasets", "jobs"] {
        let list = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        assert_eq!(accepts(resource, "list"), [list], "{resource}");
        let watch = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        assert_eq!(accepts(resource, "watch"), [watch], "{resource}");
    }
    for resource in ["deployments", "virtualnodes", "secrets"] {
        assert_eq!(accepts(resource, "list"), [""], "{resource}");
    }
}

#[tokio::test]
async fn an_object_is_read_again_when_it_changes() {
    let server = Server::with([("pods/bare", bare("pods/bare")), ("jobs/bare-job", bare("jobs/bare-job"))]);
    let cluster = watched(&server).await;
    assert_eq!(known(&cluster.world), ["bare", "bare-job"]);
    server.put(&[("pods/bare", &finished("pods/bare"))]);
    cluster.until("finished", |cluster| known(&cluster.world) == ["bare-job"]).await;
    let failed = json!([{"type": "Failed", "status": "True"}]);
    server.put(&[("jobs/bare-job", &with(bare("jobs/bare-job"), ["status", "conditions"], failed))]);
    cluster.until("failed", |cluster| known(&cluster.world).is_empty()).await;
    // An object that a workload adopts is owned from then on, and a released one stands alone.
    server.put(&[("pods/bare", &bare("pods/bare"))]);
    cluster.until("released", |cluster| known(&cluster.world) == ["bare"]).await;
    server.put(&[("pods/bare", &owned("pods/bare", "apps/v1", "ReplicaSet"))]);
    cluster.until("adopted", |cluster| known(&cluster.world).is_empty()).await;
    assert_eq!(cluster.stats.kind("Pod").expect("a kind").objects(), 0);
}

#[tokio::test]
async fn a_kind_is_ready_only_when_its_objects_have_been_read() {
    let server = Server::with([("pods/bare", bare("pods/bare"))]);
    server.state().closed = true;
    let cluster = Cluster::watch(server.client());
    cluster.until("all else is ready", |cluster| cluster.readiness.missing() == ["Pod"]).await;
    cluster.until("asked for", |_| !server.read().is_empty()).await;
    assert_eq!(cluster.readiness.missing(), ["Pod"]);
    server.state().closed = false;
    cluster.until("ready", |cluster| cluster.readiness.ready()).await;
    assert_eq!(known(&cluster.world), ["bare"]);
}

#[tokio::test]
async fn a_read_that_ends_after_a_deletion_brings_nothing_back() {
    let server = Server::with([]);
    let cluster = watched(&server).await;
    server.state().closed = true;
    server.put(&[("pods/late", &bare("pods/late"))]);
    cluster.until("asked for", |_| server.read() == ["pods/late"]).await;
    server.delete("pods/late");
    server.put(&[("pods/after", &bare("pods/after"))]);
    server.state().closed = false;
    cluster.until("the one after it", |cluster| known(&cluster.world).contains(&"after".to_owned())).await;
    assert_eq!(known(&cluster.world), ["after"]);
}

#[tokio::test]
async fn an_object_that_has_gone_meanwhile_is_none() {
    let server = Server::with([("pods/there", bare("pods/there"))]);
    let cluster = watched(&server).await;
    // It is listed, but gone when it is read.
    server.tell(&[("pods/gone", "ADDED", &bare("pods/gone"))]);
    server.put(&[("pods/after", &bare("pods/after"))]);
    cluster.until("the one after it", |cluster| known(&cluster.world).contains(&"after".to_owned())).await;
    assert_eq!(known(&cluster.world), ["after", "there"]);
    assert_eq!(cluster.stats.kind("Pod").expect("a kind").errors(), 0);
}

#[tokio::test]
async fn a_read_that_fails_is_tried_again() {
    for (get, errors) in [(Get::Fails(500, 3), 3), (Get::Hangs(2), 1), (Get::Breaks(2), 1), (Get::Breaks(1), 0)] {
        let server = Server::with([("pods/bare", bare("pods/bare"))]).getting(get);
        let cluster = watched(&server).await;
        assert_eq!(known(&cluster.world), ["bare"], "{get:?}");
        assert_eq!(cluster.stats.kind("Pod").expect("a kind").errors(), errors, "{get:?}");
    }
}

#[tokio::test]
async fn what_happened_during_a_failure_is_not_lost() {
    let server = Server::with([("pods/old", bare("pods/old"))]);
    let cluster = watched(&server).await;
    server.state().get = Get::Fails(500, 1);
    let going = bare("pods/old");
    server.state().objects.remove("pods/old");
    let new = bare("pods/new");
    server.state().objects.insert("pods/new".to_owned(), new.clone());
    server.tell(&[("pods/new", "ADDED", &new), ("pods/old", "DELETED", &going)]);
    cluster.until("listed afresh", |cluster| known(&cluster.world) == ["new"]).await;
    assert_eq!(cluster.stats.kind("Pod").expect("a kind").errors(), 1);
}

#[tokio::test]
async fn a_read_that_is_not_allowed_is_told_and_awaited() {
    let server = Server::with([("pods/bare", bare("pods/bare"))]).getting(Get::Fails(403, usize::MAX));
    let cluster = Cluster::watch(server.client());
    cluster.until("refused often", |cluster| cluster.stats.kind("Pod").expect("a kind").errors() > 3).await;
    cluster.until("all else is ready", |cluster| cluster.readiness.missing() == ["Pod"]).await;
    let told = cluster.readiness.told().concat();
    for words in ["may not get pods: no", "must allow get on pods to the ServiceAccount"] {
        assert!(told.contains(words), "{told}");
    }
    server.state().get = Get::Sound;
    cluster.until("granted", |cluster| cluster.readiness.ready()).await;
    assert_eq!(known(&cluster.world), ["bare"]);
}

fn whole(server: &Server, name: &str) -> Whole {
    Whole { client: server.client(), kind: kind(name), answer: Duration::from_secs(30) }
}

fn raw(object: &Value) -> RawObject {
    serde_json::from_str(&partly(object, "PartialObjectMetadata").to_string()).expect("any JSON will do")
}

#[tokio::test]
async fn an_object_of_several_events_is_read_once_and_their_order_holds() {
    let server = Server::with([("pods/a", bare("pods/a")), ("pods/b", bare("pods/b"))]);
    let [a, b, gone] = ["pods/a", "pods/b", "pods/gone"].map(|key| raw(&bare(key)));
    let events = vec![
        Event::InitApply(a.clone()),
        Event::InitDone,
        Event::Apply(gone.clone()),
        Event::Apply(b.clone()),
        Event::Apply(a.clone()),
        Event::Delete(gone),
        Event::Apply(a),
    ];
    let told = whole(&server, "Pod").events(events).await.expect("all are read");
    let told: Vec<String> = told.iter().map(|event| format!("{event:?}")).collect();
    let expected = ["InitDone", "Apply(RawObject(shop/b))", "Delete(RawObject(shop/gone))", "Apply(RawObject(shop/a))"];
    assert_eq!(told, expected);
    assert_eq!(sorted(server.read()), ["pods/a", "pods/b"]);
}

#[tokio::test]
async fn a_name_that_no_api_server_gives_reaches_no_request() {
    let server = Server::with([]);
    let odd = [json!({"metadata": {"namespace": "shop", "name": "../secrets/it"}}), json!({"metadata": 1}), json!({})];
    let events = odd.iter().map(|object| Event::Apply(raw(object))).collect();
    let told = whole(&server, "Pod").events(events).await.expect("nothing fails");
    assert!(told.iter().all(|event| matches!(event, Event::Delete(_))), "{told:?}");
    assert_eq!(server.read(), Vec::<String>::new());
}

async fn listed(server: &Server) -> SharedWorld {
    let world = SharedWorld::new(World::new(SecretAccess::Complete));
    let gaps = list_all(&server.client(), ClusterOptions::default(), None, &world, &|_| {}).await;
    assert_eq!(gaps.problems, Vec::<String>::new());
    world
}

#[tokio::test]
async fn an_audit_reads_only_what_no_workload_owns() {
    let server = mixed();
    assert_eq!(known(&listed(&server).await), KNOWN);
    assert_eq!(sorted(server.read()), UNOWNED);
}

#[tokio::test]
async fn an_audit_that_may_list_and_not_get_reads_all_in_full() {
    let server = mixed().getting(Get::Fails(403, usize::MAX));
    assert_eq!(known(&listed(&server).await), KNOWN);
    let lists = server.state().asked.iter().filter(|(of, _, _)| of == "pods").count();
    assert_eq!(lists, 2, "once for metadata, once in full");
}

#[tokio::test]
async fn a_comparison_reads_only_what_no_workload_owns() {
    let server = mixed();
    let world = listed(&server).await;
    server.state().read.clear();
    let options = ClusterOptions::default();
    let compared = compare(&server.client(), options, &world, WAIT).await;
    assert_eq!((compared.objects, compared.differences, compared.problems), (13, Vec::new(), Vec::new()));
    assert_eq!(sorted(server.read()), UNOWNED);

    let changed = [
        ("pods/bare", finished("pods/bare")),
        ("pods/of-a-set", bare("pods/of-a-set")),
        ("jobs/bare-job", owned("jobs/bare-job", "batch/v1", "CronJob")),
        (
            "replicasets/bare-set",
            with(bare("replicasets/bare-set"), ["spec", "template"], json!({"spec": {"serviceAccountName": "it"}})),
        ),
    ];
    server.state().objects.extend(changed.map(|(key, object)| (key.to_owned(), object)));
    let compared = compare(&server.client(), options, &world, WAIT).await;
    let different: Vec<(String, What)> = compared.differences.iter().map(|it| (it.to_string(), it.what)).collect();
    let expected = [
        ("Job shop/bare-job is known though it is gone", What::Outlived),
        ("Pod shop/bare is known though it is gone", What::Outlived),
        ("Pod shop/of-a-set is not known", What::Unknown),
        ("ReplicaSet shop/bare-set is known as it isn't", What::Other),
    ];
    assert_eq!(different, expected.map(|(text, what)| (text.to_owned(), what)));
    server.state().get = Get::Fails(500, usize::MAX);
    let compared = compare(&server.client(), options, &world, WAIT).await;
    let told = "could not get Pod: the API server answered 500: no";
    assert!(compared.problems.contains(&told.to_owned()), "{:?}", compared.problems);
}
