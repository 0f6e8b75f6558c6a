//! The commands of docs/break-glass.md, as they stand there.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use crate::control_plane::ControlPlane;
use crate::install::{Installation, reader};
use crate::kubectl::Outcome;
use crate::sandbox::eventually;
use crate::support::manifests::{namespace, virtual_node};
use crate::world::install_crds;

tests![
    a_dead_webhook_that_blocks_is_passed_by_one_command_and_the_way_back_is_as_written,
    the_way_back_covers_only_the_namespaces_that_were_excluded_in_the_emergency,
];

/// The block of commands that docs/break-glass.md calls `name`.
fn block(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/break-glass.md");
    let text = std::fs::read_to_string(path).unwrap();
    let fence = format!("```sh {name}");
    let lines = text.lines().skip_while(|line| *line != fence).skip(1).take_while(|line| *line != "```");
    let block: Vec<&str> = lines.collect();
    assert!(!block.is_empty(), "docs/break-glass.md has no block {fence}");
    block.join("\n")
}

/// Gives the entries what the chart gives them with `webhook.failurePolicy: Fail`.
fn may_fail(plane: &ControlPlane) {
    let configuration = plane.kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
    let hooks = configuration["webhooks"].as_array().expect("webhooks");
    let places = hooks.iter().enumerate().filter(|(_, hook)| {
        ["virtualnodes.meshvet.dev", "gateways.meshvet.dev"].iter().any(|name| hook["name"] == *name)
    });
    let patch: Vec<_> = places
        .map(|(at, _)| json!({"op": "replace", "path": format!("/webhooks/{at}/failurePolicy"), "value": "Fail"}))
        .collect();
    let patch = json!(patch).to_string();
    let arguments = ["patch", "validatingwebhookconfiguration", "meshvet", "--type=json", "-p", &patch];
    plane.kubectl.run(&arguments, "").succeeds();
}

/// The entries that fail closed.
fn failing(plane: &ControlPlane) -> Vec<String> {
    let configuration = plane.kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
    let hooks = configuration["webhooks"].as_array().expect("webhooks");
    let closed = hooks.iter().filter(|hook| hook["failurePolicy"] == "Fail");
    closed.map(|hook| hook["name"].as_str().unwrap_or_default().to_owned()).collect()
}

fn a_dead_webhook_that_blocks_is_passed_by_one_command_and_the_way_back_is_as_written() {
    let plane = ControlPlane::start("break-glass");
    install_crds(&plane);
    plane.kubectl.create(&namespace("shop"), &[]).succeeds();
    let follow = |name: &str| plane.kubectl.script(&block(name), &reader(&plane)).succeeds();
    let mut node = virtual_node("shop", "web", "web.local");
    node["spec"]["listeners"][0]["tls"]["certificate"] = json!({});
    let apply = || plane.kubectl.create(&node, &["--dry-run=server"]);
    // The API server hears of a changed configuration a moment later.
    let until = |what: &str, is_so: &dyn Fn(&Outcome) -> bool| {
        eventually(what, || {
            let outcome = apply();
            if is_so(&outcome) { Ok(()) } else { Err(outcome.to_string()) }
        });
    };
    let passes = |outcome: &Outcome| outcome.code == 0;
    let is_judged = |outcome: &Outcome| outcome.stderr.contains("denied the request") && outcome.speaks_of("MV004");
    let is_blocked = |outcome: &Outcome| outcome.stderr.contains("failed calling webhook \"virtualnodes.meshvet.dev\"");

    let installation = Installation::of_deploy(&plane);
    may_fail(&plane);
    let policies = |wanted: &[&str]| {
        assert_eq!(failing(&plane), wanted, "the entries with failurePolicy: Fail");
    };
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    policies(&["virtualnodes.meshvet.dev", "gateways.meshvet.dev"]);
    until("meshvet judges", &is_judged);
    drop(replica);
    until("nothing can be changed", &is_blocked);

    follow("open");
    policies(&[]);
    until("it passes", &passes);
    // Once more does no harm.
    follow("open");
    let replica = installation.start("1");
    installation.route_to(&[&replica]);
    until("a replica that answers judges", &is_judged);

    follow("namespace");
    until("the namespace is left alone", &passes);
    follow("close");
    follow("include");
    policies(&["virtualnodes.meshvet.dev", "gateways.meshvet.dev"]);
    until("meshvet judges again", &is_judged);
    drop(replica);
    until("Fail is back", &is_blocked);

    follow("delete");
    until("nothing is vetted", &passes);
}

/// The labels of meshvet on a namespace.
fn labels(plane: &ControlPlane, name: &str) -> BTreeMap<String, String> {
    let namespace = plane.kubectl.get(&["namespace", name]);
    let labels = namespace["metadata"]["labels"].as_object().expect("labels").clone().into_iter();
    let own = labels.filter(|(key, _)| key.starts_with("meshvet.dev/"));
    own.map(|(key, value)| (key, value.as_str().unwrap_or_default().to_owned())).collect()
}

fn the_way_back_covers_only_the_namespaces_that_were_excluded_in_the_emergency() {
    let plane = ControlPlane::start("way-back");
    let within = reader(&plane);
    for name in ["shop", "till", "legacy"] {
        plane.kubectl.create(&namespace(name), &[]).succeeds();
    }
    for (name, value) in [("legacy", "disabled"), ("till", "enabled")] {
        let label = format!("meshvet.dev/admission={value}");
        plane.kubectl.run(&["label", "namespace", name, &label], "").succeeds();
    }
    let on_purpose = |value: &str| BTreeMap::from([("meshvet.dev/admission".to_owned(), value.to_owned())]);
    let exclude = |name: &str| {
        let command = block("namespace").replace("name=shop,", &format!("name={name},"));
        plane.kubectl.script(&command, &within).succeeds()
    };

    let said = exclude("shop");
    let found = labels(&plane, "shop");
    assert_eq!(found.get("meshvet.dev/admission").map(String::as_str), Some("disabled"), "{said}");
    assert!(found.contains_key("meshvet.dev/break-glass"), "{said}");
    for (name, value) in [("legacy", "disabled"), ("till", "enabled")] {
        let said = exclude(name);
        assert_eq!(said.stdout, "", "{said}");
        assert_eq!(labels(&plane, name), on_purpose(value), "{name} has the label already");
    }

    plane.kubectl.script(&block("include"), &within).succeeds();
    assert_eq!(labels(&plane, "shop"), BTreeMap::new(), "it is covered again");
    assert_eq!(labels(&plane, "legacy"), on_purpose("disabled"), "it stays excluded");
    // There may be nothing to cover again.
    plane.kubectl.script(&block("include"), &within).succeeds();
}
