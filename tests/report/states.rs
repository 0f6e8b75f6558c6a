//! What the map says of each call, against what was put into the mesh, and against the findings of the same run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::process::Command;

use serde_json::Value;

use crate::Report;
use crate::support::mesh::{Matter, Mesh};

/// What becomes of a call to a node with this matter.
fn expected(matter: Matter) -> &'static str {
    match matter {
        Matter::Nothing => "sound",
        Matter::Expiring => "at-risk",
        Matter::Acm => "unknown",
        Matter::PlaintextByChoice => "plaintext",
        Matter::Expired | Matter::Misnamed | Matter::OtherIssuer | Matter::Plaintext => "broken",
    }
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("no list {key}"))
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).expect("a number")
}

#[test]
fn every_call_stands_as_it_was_made() {
    let mesh = Mesh::of(2000);
    let data = Report::of(&mesh).data();
    let name = |node: &Value| format!("{}/{}", node["namespace"].as_str().unwrap(), node["name"].as_str().unwrap());
    let nodes: Vec<String> = list(&data, "nodes").iter().map(name).collect();
    let mut told: BTreeMap<(String, String), String> = BTreeMap::new();
    for call in list(&data, "calls") {
        let ends = (nodes[number(&call["client"])].clone(), nodes[number(&call["server"])].clone());
        assert!(told.insert(ends, call["state"].as_str().unwrap().to_owned()).is_none(), "told twice: {call}");
    }
    let mut seen = HashSet::new();
    for client in 0..mesh.count() {
        for server in mesh.callees(client) {
            let ends = (mesh.full_name(client), mesh.full_name(server));
            let state = told.remove(&ends);
            assert_eq!(state.as_deref(), Some(expected(mesh.matter(server))), "{ends:?}: {:?}", mesh.matter(server));
            seen.insert(expected(mesh.matter(server)));
        }
    }
    assert!(told.is_empty(), "calls that nobody makes: {told:?}");
    assert_eq!(seen.len(), 5, "each state is there");
}

#[test]
fn the_map_and_the_findings_say_the_same() {
    let report = Report::of(&Mesh::of(200));
    let data = report.data();
    let findings = list(&data, "findings");
    let denies = |of: &Value| list(of, "findings").iter().any(|it| findings[number(it)]["severity"] == "deny");
    for call in list(&data, "calls") {
        assert_eq!(call["state"] == "broken", denies(call), "{call}");
        let unknown = !list(call, "unknown").is_empty();
        assert!(!unknown || call["state"] == "unknown" || call["state"] == "broken", "{call}");
    }
    for node in list(&data, "nodes") {
        assert_eq!(node["state"] == "broken", denies(node), "{node}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_meshvet"))
        .args(["check", ".", "-o", "json"])
        .current_dir(report.folder())
        .output()
        .expect("meshvet runs");
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let texts = |all: &[Value]| {
        let mut texts: Vec<String> =
            all.iter().map(|it| format!("{} {} {}", it["code"], it["severity"], it["message"])).collect();
        texts.sort();
        texts
    };
    assert_eq!(texts(findings), texts(list(&json, "findings")), "the page tells what `-o json` tells");
    assert_eq!(data["summary"]["deny"], json["summary"]["deny"]);
}

#[test]
fn what_mends_most_comes_first() {
    let data = Report::of(&Mesh::of(200)).data();
    let mut groups: HashMap<String, HashSet<usize>> = HashMap::new();
    let findings = list(&data, "findings");
    let group = |it: &Value| format!("{} {} {}/{}", it["code"], it["kind"], it["namespace"], it["name"]);
    for (place, call) in list(&data, "calls").iter().enumerate().filter(|(_, call)| call["state"] == "broken") {
        for finding in list(call, "findings").iter().map(|it| &findings[number(it)]) {
            groups.entry(group(finding)).or_default().insert(place);
        }
    }
    let most = groups.values().map(HashSet::len).max().expect("something is broken");
    let mend = list(&data, "mend");
    assert_eq!(list(&mend[0], "calls").len(), most);
    let mut touched = HashSet::new();
    let mut before = usize::MAX;
    for item in mend {
        let calls: HashSet<usize> = list(item, "calls").iter().map(number).collect();
        let first = &findings[number(&list(item, "findings")[0])];
        assert_eq!(Some(&calls), groups.get(&group(first)), "it is the finding's own calls");
        let gain = calls.difference(&touched).count();
        assert!(0 < gain && gain <= before, "each mends less than the one before, and something");
        before = gain;
        touched.extend(calls);
    }
}

#[test]
fn no_byte_of_a_key_is_on_the_page() {
    let report = Report::of(&Mesh::of_three());
    let manifests = std::fs::read_to_string(report.folder().join("mesh.json")).expect("the manifests");
    let (_, key) = manifests.split_once("BEGIN PRIVATE KEY-----\\n").expect("a key");
    let line = key.split("\\n").next().expect("a line of it");
    assert!(line.len() > 40, "{line}");
    let page = std::fs::read_to_string(report.folder().join(crate::PAGE)).expect("the page");
    assert!(!page.contains(line) && !page.contains("PRIVATE KEY"));
}

#[test]
fn a_gateway_is_on_the_map_with_what_it_routes_to() {
    let mut report = Report::of(&Mesh::of_three());
    let own = |kind: &str, name: &str, spec: Value| {
        serde_json::json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": kind,
            "metadata": {"namespace": "shop", "name": name}, "spec": spec})
    };
    let gateway = own(
        "VirtualGateway",
        "ingress",
        serde_json::json!({
            "podSelector": {"matchLabels": {"app": "ingress"}},
            "listeners": [{"portMapping": {"port": 8088, "protocol": "http"}}],
            "backendDefaults": {"clientPolicy": {"tls": {"validation": {"trust": {"file": {"certificateChain": "/certs/ca.crt"}}}}}},
        }),
    );
    let target = |name: &str| serde_json::json!({"virtualService": {"virtualServiceRef": {"name": name}}});
    let route = |name: &str| {
        own(
            "GatewayRoute",
            name,
            serde_json::json!({
                "virtualGatewayRef": {"namespace": "shop", "name": "ingress"},
                "httpRoute": {"match": {"prefix": "/"}, "action": {"target": target(name)}},
            }),
        )
    };
    let deployment = crate::support::manifests::gateway_deployment("shop", "ingress", "front-tls", "/certs");
    let all = crate::support::manifests::list([gateway, route("front"), route("catalog"), deployment]);
    report.add("gateway.json", &all.to_string());

    let mut browser = report.open();
    assert_eq!(browser.text_of("#verdict"), "TLS is broken on 2 of 4 calls");
    browser.click("#find");
    browser.write("ingress");
    browser.key("Enter");
    let panel = browser.text_of("#panel");
    for part in ["shop/ingress", "virtual gateway", "Calls 2", "shop/front", "shop/catalog", "broken"] {
        assert!(panel.contains(part), "{part:?} is not in {panel}");
    }
    browser.picture(&crate::browser::pictures().join("gateway.png"), false);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
