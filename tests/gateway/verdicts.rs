//! What Envoy Gateway reports for a case: the conditions that its translator gives listeners, Gateways, routes and policies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::case::Case;

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Is {
    Taken,
    /// Part of it is refused, but it is still served.
    Partial,
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) is: Is,
    /// The first condition that has the wrong status: its reason and its message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// How many routes are attached to a listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) routes: Option<u64>,
}

/// For each case, by `Kind namespace/name`, for a listener followed by its name, for a route and a policy by the parent.
pub(crate) type Verdicts = BTreeMap<String, BTreeMap<String, Verdict>>;

/// The subject of a verdict on objects that the translator can't read, since their CustomResourceDefinitions refuse them.
pub(crate) const UNREAD: &str = "manifests";

/// The manifests of a case, in a file of a folder of its own.
pub(crate) fn written(case: &Case) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("case.yaml");
    write(&path, case.objects());
    (folder, path)
}

pub(crate) fn write(path: &Path, objects: &[Value]) {
    let documents: Vec<String> = objects.iter().map(Value::to_string).collect();
    std::fs::write(path, documents.join("\n---\n")).expect("a file");
}

/// The objects of a case that Envoy Gateway can read: it fails on those of cert-manager.
pub(crate) fn known(case: &Case) -> Vec<Value> {
    let is_known =
        |object: &&Value| !object["apiVersion"].as_str().is_some_and(|it| it.starts_with("cert-manager.io/"));
    case.objects().iter().filter(is_known).cloned().collect()
}

/// What Envoy Gateway reports for everything in a case.
pub(crate) fn translated(egctl: &Path, case: &Case) -> BTreeMap<String, Verdict> {
    let (_folder, path) = written(case);
    write(&path, &known(case));
    let ran = Command::new(egctl)
        .args(["x", "translate", "--from", "gateway-api", "--to", "gateway-api", "--add-missing-resources"])
        .args(["-o", "json", "-f"])
        .arg(&path)
        .output()
        .expect("egctl starts");
    match serde_json::from_slice::<Value>(&ran.stdout) {
        Ok(answer) => read(&answer),
        Err(_) => {
            let why = String::from_utf8_lossy(&ran.stderr).lines().next().unwrap_or_default().to_owned();
            BTreeMap::from([(UNREAD.to_owned(), Verdict { is: Is::Refused, why: Some(why), routes: None })])
        }
    }
}

/// The verdicts on objects that have a status, by Envoy Gateway's names for the lists of them.
pub(crate) fn read(answer: &Value) -> BTreeMap<String, Verdict> {
    let mut verdicts = BTreeMap::new();
    let list = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
    for (name, kind) in [("gateways", "Gateway"), ("listenerSets", "ListenerSet")] {
        for object in list(name) {
            listeners(&object, kind, &mut verdicts);
        }
    }
    for (name, kind) in [("httpRoutes", "HTTPRoute"), ("grpcRoutes", "GRPCRoute"), ("tlsRoutes", "TLSRoute")] {
        for object in list(name) {
            for parent in object["status"]["parents"].as_array().into_iter().flatten() {
                let key = format!("{} → {}", subject(kind, &object), reference(&parent["parentRef"]));
                verdicts.insert(key, verdict(&parent["conditions"]));
            }
        }
    }
    for object in list("backendTLSPolicies") {
        for ancestor in object["status"]["ancestors"].as_array().into_iter().flatten() {
            // The first is enough: nothing depends on which Gateway leads to the Service.
            let key = subject("BackendTLSPolicy", &object);
            verdicts.entry(key).or_insert_with(|| verdict(&ancestor["conditions"]));
        }
    }
    verdicts
}

fn listeners(object: &Value, kind: &str, verdicts: &mut BTreeMap<String, Verdict>) {
    let own = subject(kind, object);
    for listener in object["status"]["listeners"].as_array().into_iter().flatten() {
        let routes = listener["attachedRoutes"].as_u64();
        let verdict = Verdict { routes, ..verdict(&listener["conditions"]) };
        verdicts.insert(format!("{own} {}", listener["name"].as_str().unwrap_or_default()), verdict);
    }
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    // Whether there is an address doesn't depend on the manifests.
    let told: Vec<&Value> = conditions
        .filter(|condition| matches!(condition["type"].as_str(), Some("ResolvedRefs" | "Accepted")))
        .filter(|condition| kind == "ListenerSet" || condition["type"] == "ResolvedRefs")
        .collect();
    if !told.is_empty() {
        verdicts.insert(own, verdict(&serde_json::to_value(told).expect("JSON")));
    }
}

fn subject(kind: &str, object: &Value) -> String {
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or("default").to_owned();
    format!("{kind} {}/{}", text("namespace"), text("name"))
}

/// A parent, with the rest of its reference.
fn reference(parent: &Value) -> String {
    let text = |key: &str| parent[key].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    let port = parent["port"].as_u64().map(|port| format!(" {port}")).unwrap_or_default();
    let kind = parent["kind"].as_str().unwrap_or("Gateway");
    format!("{kind}{}{}{}{port}", text("namespace"), text("name"), text("sectionName"))
}

/// Refused: not programmed or not accepted. Partial: has references that aren't resolved.
fn verdict(conditions: &Value) -> Verdict {
    let conditions: Vec<&Value> = conditions.as_array().into_iter().flatten().collect();
    let of =
        |kind: &str, status: &str| conditions.iter().find(|it| it["type"] == kind && it["status"] == status).copied();
    let conflict = of("Conflicted", "True");
    let dead = conflict.or_else(|| of("Accepted", "False")).or_else(|| of("Programmed", "False"));
    let unresolved = of("ResolvedRefs", "False");
    // If only the references have a condition, nothing says that the rest is served.
    let alone = of("Accepted", "True").is_none() && of("Programmed", "True").is_none();
    let is = match (dead, unresolved) {
        (Some(_), _) => Is::Refused,
        (None, Some(_)) if alone => Is::Refused,
        (None, Some(_)) => Is::Partial,
        (None, None) => Is::Taken,
    };
    let why = unresolved.or(dead).map(|condition| {
        let part = |key: &str| condition[key].as_str().unwrap_or_default().to_owned();
        stable(&format!("{}: {}", part("reason"), part("message")))
    });
    Verdict { is, why, routes: None }
}

/// Without what is different in each run: the dates of certificates.
fn stable(text: &str) -> String {
    let cut = [" has expired since ", " will be valid after "]
        .into_iter()
        .find_map(|words| Some((text.split_once(words)?.0, words)));
    cut.map_or_else(|| text.to_owned(), |(before, words)| format!("{before}{words}…"))
}
