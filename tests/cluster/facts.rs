//! Where meshvet's knowledge comes from, and how little of it it can do with.

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::install::{Installation, follow_readme};
use crate::sandbox::eventually;
use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::Authority;
use crate::world::{self, World, plane};

tests![
    its_roles_can_read_and_write_nothing_but_its_own,
    secrets_are_read_when_needed_where_they_may_not_be_watched,
    without_secrets_it_judges_what_it_can,
    an_absent_crd_is_noticed_when_it_appears,
    an_undecodable_object_is_skipped,
    a_verdict_is_one_line_of_json_without_a_byte_of_a_key,
];

const ACCOUNT: &str = "system:serviceaccount:meshvet-system:meshvet";

fn its_roles_can_read_and_write_nothing_but_its_own() {
    let mut rules = 0;
    let own = ["-n", "meshvet-system", "role", "meshvet-authority"];
    for role in [&["clusterrole", "meshvet"][..], &["clusterrole", "meshvet-secrets"], &own] {
        let role = plane().kubectl.get(role);
        for rule in role["rules"].as_array().expect("rules") {
            rules += 1;
            for verb in rule["verbs"].as_array().expect("verbs") {
                let reads = ["get", "list", "watch"].iter().any(|read| verb == read);
                // By its name alone; to make that one again, where it was deleted, takes create and patch.
                let writes = ["create", "patch", "update"].iter().any(|write| verb == write);
                let own = ["meshvet", "meshvet-authority"].iter().any(|name| rule["resourceNames"] == json!([name]));
                assert!(reads || writes && own, "{rule}");
            }
            for field in ["apiGroups", "resources"] {
                let wide = rule[field].as_array().is_some_and(|names| names.iter().any(|name| name == "*"));
                assert!(!wide, "{rule}");
            }
        }
    }
    assert!(rules > 3);
}

/// Whether meshvet's ServiceAccount may do this.
fn may(plane: &ControlPlane, verb: &str, resource: &str) -> bool {
    let outcome = plane.kubectl.run(&["auth", "can-i", verb, resource, "-A", "--as", ACCOUNT], "");
    outcome.stdout.trim() == "yes"
}

/// Leaves the webhooks that the chart has where Secrets aren't watched.
#[track_caller]
fn without_entries(plane: &ControlPlane) {
    follow_readme(plane, "entries").succeeds_silently();
    let configuration = plane.kubectl.get(&["validatingwebhookconfiguration", "meshvet"]);
    let names = configuration["webhooks"].as_array().expect("webhooks").iter().map(|hook| hook["name"].clone());
    let left = ["virtualnodes", "routes", "gateways", "gateway-routes", "ingresses", "deletions"];
    assert_eq!(names.collect::<Value>(), json!(left.map(|name| format!("{name}.meshvet.dev"))));
}

fn secrets_are_read_when_needed_where_they_may_not_be_watched() {
    let plane = ControlPlane::start("secrets-get");
    world::install_crds(&plane);
    let installation = Installation::of_deploy(&plane);
    follow_readme(&plane, "secrets-get").succeeds_silently();
    without_entries(&plane);
    assert!(may(&plane, "get", "secrets") && !may(&plane, "list", "secrets") && !may(&plane, "watch", "secrets"));
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("default");

    let world = World::on(&plane, "shop");
    let authority = Authority::new("Test root");
    let node = virtual_node("shop", "web", &world.hostname("web"));
    world.has([
        tls_secret("shop", "web-tls", &authority.leaf(&["web.elsewhere.local"]).issue()),
        manifests::deployment("shop", "web", "web-tls:/certs"),
    ]);
    world.knows(&node);
    world.apply(&node).refused(&["MV101 hostname-mismatch", "web.elsewhere.local"]);
    world.has([tls_secret("shop", "web-tls", &authority.leaf(&[&world.hostname("web")]).issue())]);
    world.apply(&node).succeeds_silently();
}

fn without_secrets_it_judges_what_it_can() {
    let plane = ControlPlane::start("secrets-none");
    world::install_crds(&plane);
    let installation = Installation::of_deploy(&plane);
    follow_readme(&plane, "secrets-none").succeeds_silently();
    without_entries(&plane);
    assert!(!may(&plane, "get", "secrets"));
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    // A node that is wrong by itself is refused.
    installation.wait_until_judging("default");

    let world = World::on(&plane, "shop");
    let node = virtual_node("shop", "web", &world.hostname("web"));
    let issued = Authority::new("Test root").leaf(&["web.elsewhere.local"]).issue();
    world.has([tls_secret("shop", "web-tls", &issued), manifests::deployment("shop", "web", "web-tls:/certs")]);
    eventually("meshvet hears of the workload", || {
        let outcome = world.kubectl.apply(&node, &["--dry-run=server"]);
        if outcome.speaks_of("MV203") { Err(outcome.to_string()) } else { Ok(()) }
    });
    // What is in the Secret can't be known: the name that is in its certificate is not told, and nothing is refused for it.
    world.apply(&node).succeeds().lacks(&["MV101", "elsewhere"]);
}

fn an_absent_crd_is_noticed_when_it_appears() {
    let plane = ControlPlane::start("no-crds");
    let installation = Installation::of_deploy(&plane);
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    let log = replica.log();
    assert!(log.contains("VirtualNode"), "no word of the absent CRD:\n{log}");

    world::install_crds(&plane);
    installation.wait_until_judging("default");
    let world = World::on(&plane, "shop");
    let issued = Authority::new("Test root").leaf(&[&world.hostname("web")]).issue();
    let node = virtual_node("shop", "web", &world.hostname("web"));
    world.has([tls_secret("shop", "web-tls", &issued), manifests::deployment("shop", "web", "web-tls:/certs")]);
    world.knows(&node);
    world.apply(&node).succeeds_silently();
    // Another node that selects the same workload: to say so, meshvet must have heard of the first.
    let mut twin = node;
    twin["metadata"]["name"] = "twin".into();
    eventually("meshvet hears of the first node", || {
        let outcome = world.kubectl.apply(&twin, &["--dry-run=server"]);
        if outcome.speaks_of("MV003") { Ok(()) } else { Err(outcome.to_string()) }
    });
    assert_eq!(replica.probe("/readyz"), Ok(200));
}

fn an_undecodable_object_is_skipped() {
    let world = World::new("undecodable");
    // No API server would take it today; an older CRD may have.
    let mangled = json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": "VirtualNode",
        "metadata": {
            "namespace": "undecodable",
            "name": "mangled",
            "uid": "6f1c1a7e-0000-4000-8000-000000000001",
            "creationTimestamp": "2020-01-01T00:00:00Z",
            "generation": 1,
        },
        "spec": {"listeners": "none", "podSelector": 7},
    });
    plane().write_raw("/registry/appmesh.k8s.aws/virtualnodes/undecodable/mangled", &mangled.to_string());
    world.kubectl.run(&["-n", "undecodable", "get", "virtualnode", "mangled"], "").succeeds();
    eventually("it is told in the log", || {
        let log = world::meshvet().log();
        let told = log.lines().any(|line| line.contains("undecodable/mangled") && line.contains("skipped"));
        if told { Ok(()) } else { Err("no word of it".to_owned()) }
    });

    // The watch that met it lives on, and one that starts with it does too.
    let issued = Authority::new("Test root").leaf(&[&world.hostname("web")]).issue();
    let node = virtual_node("undecodable", "web", &world.hostname("web"));
    world.has([
        tls_secret("undecodable", "web-tls", &issued),
        manifests::deployment("undecodable", "web", "web-tls:/certs"),
    ]);
    world.knows(&node);
    world.apply(&node).succeeds_silently();
    let mut twin = node;
    twin["metadata"]["name"] = "twin".into();
    let hears_of_the_first = || {
        eventually("meshvet hears of the node", || {
            let outcome = world.kubectl.apply(&twin, &["--dry-run=server"]);
            if outcome.speaks_of("MV003") { Ok(()) } else { Err(outcome.to_string()) }
        });
    };
    hears_of_the_first();
    let installation = Installation::copy_for(plane(), "undecodable", "Fail");
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("undecodable");
    hears_of_the_first();
}

fn a_verdict_is_one_line_of_json_without_a_byte_of_a_key() {
    let world = World::new("one-line");
    let authority = Authority::new("Test root");
    let mut issued = authority.leaf(&[&world.hostname("web")]).issue();
    issued.key = authority.leaf(&["other"]).issue().key;
    world.has([tls_secret("one-line", "web-tls", &issued), manifests::deployment("one-line", "web", "web-tls:/certs")]);
    let node = virtual_node("one-line", "web", &world.hostname("web"));
    world.knows(&node);
    world.apply(&node).refused(&["MV206"]);

    let is_logged = |log: &str| {
        log.lines()
            .any(|line| line.contains("one-line") && line.contains("VirtualNode") && line.contains("\"dry_run\":false"))
    };
    eventually("the verdict is in the log", || {
        let log = world::meshvet().log();
        if is_logged(&log) { Ok(()) } else { Err(log) }
    });
    let log = world::meshvet().log();
    let lines =
        log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
    let verdicts: Vec<Value> =
        lines.filter(|line| line["namespace"] == "one-line" && line["dry_run"] == false).collect();
    // What the node rests on has one each, too.
    let (verdicts, rests): (Vec<Value>, Vec<Value>) =
        verdicts.into_iter().partition(|line| line["kind"] == "VirtualNode");
    let kinds: Vec<&str> = rests.iter().filter_map(|line| line["kind"].as_str()).collect();
    assert_eq!(kinds, ["Secret", "Deployment"], "{rests:?}");
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
    for (field, expected) in [("kind", "VirtualNode"), ("name", "web"), ("operation", "CREATE"), ("rules", "MV206")] {
        assert_eq!(verdicts[0][field], expected, "{}", verdicts[0]);
    }
    assert_eq!(verdicts[0]["allowed"], false);
    for line in issued.key.lines().filter(|line| !line.starts_with("-----")) {
        assert!(!log.contains(line), "a line of the key is in the log");
    }
}
