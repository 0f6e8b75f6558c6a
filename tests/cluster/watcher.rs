//! What is told of the mesh as it is: Events and figures, whoever was warned when a problem came about.

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::install::Installation;
use crate::kubectl::Kubectl;
use crate::release::Release;
use crate::replica::Replica;
use crate::sandbox::eventually;
use crate::support::manifests::{deployment, tls_secret, virtual_node};
use crate::support::mint::{Authority, Issued};
use crate::world::{World, install_crds, meshvet};

tests![
    a_rotated_secret_is_told_on_the_node_until_it_is_repaired,
    an_expired_certificate_is_told_whoever_replaced_it,
    one_replica_tells_and_the_next_repeats_nothing,
    a_report_belongs_to_its_node_and_says_how_it_is,
];

/// The Events about objects of a namespace, in the order in which they came.
fn events(kubectl: &Kubectl, namespace: &str) -> Vec<Value> {
    let list = kubectl.get(&["-n", namespace, "events.events.k8s.io"]);
    let is_ours = |event: &&Value| event["reportingController"] == "meshvet.dev/watcher";
    let mut events: Vec<Value> = list["items"].as_array().expect("items").iter().filter(is_ours).cloned().collect();
    events.sort_by_key(|event| event["eventTime"].to_string());
    events
}

/// The type and the reason of each.
fn told(kubectl: &Kubectl, namespace: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    events(kubectl, namespace).iter().map(|it| format!("{} {}", text(&it["type"]), text(&it["reason"]))).collect()
}

#[track_caller]
fn tells(kubectl: &Kubectl, namespace: &str, expected: &[&str]) {
    eventually("it is told by Events", || {
        // Those of one turn come in no order.
        let (mut told, mut expected) = (told(kubectl, namespace), expected.to_vec());
        told.sort();
        expected.sort_unstable();
        if told == expected { Ok(()) } else { Err(format!("{told:?}, not {expected:?}")) }
    });
}

/// The sum of a namespace's figures for a rule; None without any.
fn problems(replica: &Replica, namespace: &str, rule: &str) -> Option<f64> {
    let text = replica.get("/metrics").expect("figures");
    let begins = format!("meshvet_problems{{namespace=\"{namespace}\",kind=\"VirtualNode\",rule=\"{rule}\"");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(&begins)).collect();
    let values = lines.iter().filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    (!lines.is_empty()).then(|| values.sum())
}

#[track_caller]
fn counts(replica: &Replica, namespace: &str, rule: &str, expected: f64) {
    eventually("the figure tells it", || match problems(replica, namespace, rule) {
        Some(count) if count == expected => Ok(()),
        other => Err(format!("{rule}: {other:?}, not {expected}")),
    });
}

/// A sound node, and the Secret that it is sound by.
fn sound(world: &World, authority: &Authority) -> Issued {
    let namespace = world.namespace;
    let issued = authority.leaf(&[&world.hostname("web")]).issue();
    world.has([tls_secret(namespace, "web-tls", &issued), deployment(namespace, "web", "web-tls:/certs")]);
    let node = virtual_node(namespace, "web", &world.hostname("web"));
    world.knows(&node);
    world.apply(&node).succeeds();
    issued
}

fn a_rotated_secret_is_told_on_the_node_until_it_is_repaired() {
    let (namespace, authority) = ("watch-rotated", Authority::new("Test root"));
    let world = World::new(namespace);
    let issued = sound(&world, &authority);
    // Nobody applies the node: only its Secret is written.
    let other = authority.leaf(&["else.local"]).issue();
    world.has([tls_secret(namespace, "web-tls", &other)]);
    tells(&world.kubectl, namespace, &["Warning HostnameMismatch"]);
    counts(meshvet(), namespace, "MV101", 1.0);
    let event = events(&world.kubectl, namespace).remove(0);
    let node = world.kubectl.get(&["-n", namespace, "virtualnode", "web"]);
    assert_eq!(event["regarding"]["uid"], node["metadata"]["uid"], "{event}");
    assert!(event["note"].as_str().is_some_and(|note| note.contains("else.local")), "{event}");
    let described = world.kubectl.run(&["-n", namespace, "describe", "virtualnode", "web"], "").succeeds();
    assert!(described.stdout.contains("HostnameMismatch"), "{described}");
    let key = other.key.lines().nth(1).expect("a key");
    assert!(!event.to_string().contains(key) && !meshvet().log().contains(key));

    world.has([tls_secret(namespace, "web-tls", &issued)]);
    tells(&world.kubectl, namespace, &["Warning HostnameMismatch", "Normal HostnameMismatchResolved"]);
    counts(meshvet(), namespace, "MV101", 0.0);
}

fn an_expired_certificate_is_told_whoever_replaced_it() {
    let (namespace, authority) = ("watch-expired", Authority::new("Test root"));
    let world = World::new(namespace);
    let issued = sound(&world, &authority);
    let expired = authority.leaf(&[&world.hostname("web")]).valid(-9, -1).issue();
    world.has([tls_secret(namespace, "web-tls", &expired)]);
    tells(&world.kubectl, namespace, &["Warning CertificateExpired"]);
    counts(meshvet(), namespace, "MV207", 1.0);
    // The node goes with its problem: nothing has been repaired.
    world.kubectl.run(&["-n", namespace, "delete", "virtualnode", "web"], "").succeeds();
    counts(meshvet(), namespace, "MV207", 0.0);
    world.has([tls_secret(namespace, "web-tls", &issued)]);
    assert_eq!(told(&world.kubectl, namespace), ["Warning CertificateExpired"]);
}

fn one_replica_tells_and_the_next_repeats_nothing() {
    let plane = ControlPlane::start("watchers");
    install_crds(&plane);
    let installation = Installation::of_deploy(&plane);
    let mut replicas = ["0", "1"].map(|name| installation.start(name));
    let [first, second] = &replicas;
    installation.route_to(&[first, second]);
    installation.wait_until_judging("default");
    let (namespace, authority) = ("watched", Authority::new("Test root"));
    let world = World::on(&plane, namespace);
    let issued = sound(&world, &authority);
    let other = authority.leaf(&["else.local"]).issue();
    world.has([tls_secret(namespace, "web-tls", &other)]);
    tells(&plane.kubectl, namespace, &["Warning HostnameMismatch"]);
    replicas.iter().for_each(|replica| counts(replica, namespace, "MV101", 1.0));
    let tells_now = |replica: &Replica| replica.log().contains("this replica reports problems of the mesh");
    let leads = replicas.each_ref().map(tells_now);
    assert_eq!(leads.iter().filter(|leads| **leads).count(), 1, "one of two");

    let leader = usize::from(leads[1]);
    replicas[leader].kill();
    let other = &replicas[1 - leader];
    eventually("the other one takes over", || if tells_now(other) { Ok(()) } else { Err(other.log()) });
    // It has told all that there is to tell by the time that it tells of something new.
    let more = authority.leaf(&[&world.hostname("web")]).valid(-9, -1).issue();
    world.has([tls_secret(namespace, "web-tls", &more)]);
    tells(
        &plane.kubectl,
        namespace,
        &["Warning HostnameMismatch", "Warning CertificateExpired", "Normal HostnameMismatchResolved"],
    );
    for event in events(&plane.kubectl, namespace) {
        assert!(event["series"].is_null(), "told twice: {event}");
    }
    world.has([tls_secret(namespace, "web-tls", &issued)]);
    counts(other, namespace, "MV207", 0.0);
}

/// The kind, with the types and values that reports-api 0.2.1 has it take; what else a Report holds is dropped.
pub(crate) fn report_kind() -> Value {
    let of = |kind: &str, fields: &[&str]| -> serde_json::Map<String, Value> {
        fields.iter().map(|field| ((*field).to_owned(), json!({"type": kind}))).collect()
    };
    let mut result = of("string", &["category", "message", "policy", "rule", "source"]);
    result.insert("scored".to_owned(), json!({"type": "boolean"}));
    result.insert("result".to_owned(), json!({"type": "string", "enum": ["pass", "fail", "warn", "error", "skip"]}));
    let severities = ["critical", "high", "low", "medium", "info"];
    result.insert("severity".to_owned(), json!({"type": "string", "enum": severities}));
    let subject = of("string", &["apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"]);
    let mut fields = of("string", &["apiVersion", "kind", "source"]);
    fields.insert("metadata".to_owned(), json!({"type": "object"}));
    fields.insert("scope".to_owned(), json!({"type": "object", "properties": subject}));
    let counts = of("integer", &["error", "fail", "pass", "skip", "warn"]);
    fields.insert("summary".to_owned(), json!({"type": "object", "properties": counts}));
    let result = json!({"type": "object", "properties": result, "required": ["policy"]});
    fields.insert("results".to_owned(), json!({"type": "array", "items": result}));
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": fields}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "reports.openreports.io"},
        "spec": {
            "group": "openreports.io",
            "names": {"kind": "Report", "plural": "reports", "singular": "report", "listKind": "ReportList"},
            "scope": "Namespaced",
            "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": schema}],
        },
    })
}

fn a_report_belongs_to_its_node_and_says_how_it_is() {
    let plane = ControlPlane::start("reports");
    plane.kubectl.apply(&report_kind(), &[]).succeeds();
    install_crds(&plane);
    let release = Release::install(&plane, ("reports", "reports"), &["reports.enabled=true"]);
    let installation = release.installation();
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("default");
    let (namespace, authority) = ("reported", Authority::new("Test root"));
    let world = World::on(&plane, namespace);
    let issued = sound(&world, &authority);
    let node = plane.kubectl.get(&["-n", namespace, "virtualnode", "web"]);
    let shows = |count: usize| {
        eventually("the Report shows it", || {
            let list = plane.kubectl.get(&["-n", namespace, "reports.openreports.io"]);
            let found = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            let [report] = found else { return Err(list.to_string()) };
            assert_eq!(report["metadata"]["ownerReferences"][0]["uid"], node["metadata"]["uid"]);
            let results = report["results"].as_array().map_or(0, Vec::len);
            if results == count { Ok(report.clone()) } else { Err(report.to_string()) }
        })
    };
    shows(0);
    let other = authority.leaf(&["else.local"]).issue();
    world.has([tls_secret(namespace, "web-tls", &other)]);
    let report = shows(1);
    let result = report["results"][0].as_object().expect("a result");
    let fields: Vec<&str> = result.keys().map(String::as_str).collect();
    assert_eq!(fields, ["category", "message", "policy", "result", "rule", "scored", "severity"], "nothing is dropped");
    assert_eq!((&result["rule"], &result["result"]), (&json!("MV101"), &json!("fail")), "{report}");
    assert_eq!(report["summary"], json!({"pass": 0, "fail": 1, "warn": 0, "error": 0, "skip": 0}));
    assert_eq!((&report["scope"]["name"], &report["source"]), (&json!("web"), &json!("meshvet")));
    world.has([tls_secret(namespace, "web-tls", &issued)]);
    shows(0);
}
