//! An update is refused only for what it makes worse: repairs, labels, finalizers and deletions always pass.

use serde_json::{Value, json};

use crate::sandbox::eventually;
use crate::support::manifests::{self, secret, tls_secret, virtual_node};
use crate::support::mint::{Authority, Issued};
use crate::world::World;

tests![
    a_fixed_secret_lets_the_same_apply_pass_at_once,
    labels_and_finalizers_of_a_broken_node_pass,
    a_broken_node_is_deleted,
    an_edit_that_makes_nothing_worse_passes_with_a_warning,
    an_edit_that_makes_it_worse_is_refused,
    a_repair_of_one_of_two_problems_passes,
    a_listener_that_moves_in_the_list_is_the_same,
    a_status_write_is_not_judged,
];

fn issued(names: &[&str]) -> Issued {
    Authority::new("Test root").leaf(names).issue()
}

/// A world where a node `web` with a wrong name is there already: created while the webhook didn't look, as one is that was
/// there before meshvet came.
fn broken(namespace: &'static str) -> (World, Value) {
    let world = World::new(namespace);
    let node = virtual_node(namespace, "web", &world.hostname("web"));
    world.has([
        tls_secret(namespace, "web-tls", &issued(&["web.elsewhere.local"])),
        manifests::deployment(namespace, "web", "web-tls:/certs"),
    ]);
    unseen(&world, &node);
    world.knows(&node);
    (world, node)
}

/// Applies a manifest while the namespace is taken out of meshvet's sight.
fn unseen(world: &World, manifest: &Value) {
    let label = |value: &str| {
        let label = format!("meshvet.dev/admission{value}");
        world.kubectl.run(&["label", "namespace", world.namespace, &label], "").succeeds();
    };
    label("=disabled");
    // The API server learns of the label from a watch of its own.
    eventually("the namespace is out of sight", || {
        let outcome = world.kubectl.apply(manifest, &[]);
        if outcome.code == 0 { Ok(()) } else { Err(outcome.to_string()) }
    });
    label("-");
    let mut bad = virtual_node(world.namespace, "is-in-sight", "a.local");
    bad["spec"]["listeners"][0]["tls"]["certificate"] = json!({});
    eventually("the namespace is in sight again", || {
        let outcome = world.kubectl.create(&bad, &["--dry-run=server"]);
        if outcome.speaks_of("MV004") { Ok(()) } else { Err(outcome.to_string()) }
    });
}

fn a_fixed_secret_lets_the_same_apply_pass_at_once() {
    let world = World::new("fixed");
    let node = virtual_node("fixed", "web", &world.hostname("web"));
    world.has([
        tls_secret("fixed", "web-tls", &issued(&["web.elsewhere.local"])),
        manifests::deployment("fixed", "web", "web-tls:/certs"),
    ]);
    world.knows(&node);
    // Several times over: the answer must not depend on who is faster, the watch or the user.
    for round in 0..5 {
        world.apply(&node).refused(&["MV101"]);
        world.has([tls_secret("fixed", "web-tls", &issued(&[&world.hostname("web")]))]);
        let outcome = world.apply(&node).succeeds_silently();
        assert!(outcome.stdout.contains("web created"), "round {round}: {outcome}");
        world.kubectl.run(&["-n", "fixed", "delete", "virtualnode", "web"], "").succeeds();
        world.has([tls_secret("fixed", "web-tls", &issued(&["web.elsewhere.local"]))]);
        world.knows(&node);
        eventually("meshvet hears of the Secret", || {
            let outcome = world.kubectl.apply(&node, &["--dry-run=server"]);
            if outcome.speaks_of("MV101") { Ok(()) } else { Err(outcome.to_string()) }
        });
    }
}

fn labels_and_finalizers_of_a_broken_node_pass() {
    let (world, _) = broken("labels");
    let patch = |patch: Value| {
        let patch = patch.to_string();
        world
            .kubectl
            .run(&["-n", "labels", "patch", "virtualnode", "web", "--type=merge", "-p", &patch], "")
            .succeeds_silently();
    };
    patch(json!({"metadata": {"labels": {"team": "shop"}}}));
    patch(json!({"metadata": {"annotations": {"note": "broken, we know"}}}));
    patch(json!({"metadata": {"finalizers": ["suite.meshvet.dev/hold"]}}));
    patch(json!({"metadata": {"finalizers": null}}));
}

fn a_broken_node_is_deleted() {
    let (world, _) = broken("deletion");
    let finalizers = |list: Value| {
        let patch = json!({"metadata": {"finalizers": list}}).to_string();
        ["-n", "deletion", "patch", "virtualnode", "web", "--type=merge", "-p", &patch].map(str::to_owned)
    };
    let run = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        world.kubectl.run(&arguments, "").succeeds_silently()
    };
    // With a finalizer, as the App Mesh controller sets one: the object lives on, is written to, then goes.
    run(&finalizers(json!(["suite.meshvet.dev/hold"])));
    world.kubectl.run(&["-n", "deletion", "delete", "virtualnode", "web", "--wait=false"], "").succeeds_silently();
    let edit = r#"{"spec":{"listeners":[{"portMapping":{"port":8443,"protocol":"http"},"tls":{"mode":"STRICT","certificate":{}}}]}}"#;
    run(&["-n", "deletion", "patch", "virtualnode", "web", "--type=merge", "-p", edit].map(str::to_owned));
    run(&finalizers(json!(null)));
    let left = world.kubectl.run(&["-n", "deletion", "get", "virtualnodes", "-o", "name"], "");
    assert_eq!(left.succeeds().stdout, "");
}

fn an_edit_that_makes_nothing_worse_passes_with_a_warning() {
    let (world, mut node) = broken("no-worse");
    node["spec"]["listeners"][0]["timeout"] = json!({"http": {"idle": {"unit": "s", "value": 5}}});
    let outcome = world.apply(&node).warns(&["MV101"]);
    assert!(outcome.stdout.contains("web configured"), "{outcome}");
}

fn an_edit_that_makes_it_worse_is_refused() {
    let (world, mut node) = broken("worse");
    node["spec"]["listeners"][0]["tls"]["certificate"]["file"]["privateKey"] = "/certs/other.key".into();
    world.has([secret("worse", "web-tls", &[("other.key", &issued(&["web.elsewhere.local"]).key)])]);
    eventually("meshvet hears of the other key", || {
        let outcome = world.kubectl.apply(&node, &["--dry-run=server"]);
        if outcome.speaks_of("MV206") { Ok(()) } else { Err(outcome.to_string()) }
    });
    world.apply(&node).refused(&["MV206 key-mismatch"]);
}

fn a_repair_of_one_of_two_problems_passes() {
    let world = World::new("repair");
    let mut node = virtual_node("repair", "web", &world.hostname("web"));
    let good = issued(&["web.elsewhere.local"]);
    let other = issued(&["web.elsewhere.local"]);
    world.has([
        secret("repair", "web-tls", &[("tls.crt", &good.chain), ("tls.key", &good.key), ("other.key", &other.key)]),
        manifests::deployment("repair", "web", "web-tls:/certs"),
    ]);
    node["spec"]["listeners"][0]["tls"]["certificate"]["file"]["privateKey"] = "/certs/other.key".into();
    unseen(&world, &node);
    world.knows(&node);
    // The key is put right; the name is as wrong as before.
    node["spec"]["listeners"][0]["tls"]["certificate"]["file"]["privateKey"] = "/certs/tls.key".into();
    world.apply(&node).warns(&["MV101"]).lacks(&["MV206"]);
}

fn a_listener_that_moves_in_the_list_is_the_same() {
    let (world, mut node) = broken("moved");
    let plain = json!({"portMapping": {"port": 8080, "protocol": "http"}});
    let listeners = node["spec"]["listeners"].as_array_mut().expect("listeners");
    listeners.insert(0, plain);
    world.apply(&node).warns(&["MV101"]);
}

fn a_status_write_is_not_judged() {
    let (world, _) = broken("status");
    let patch = r#"{"status":{"virtualNodeARN":"arn:aws:appmesh:eu-west-1:111122223333:mesh/m/virtualNode/web"}}"#;
    let arguments =
        ["-n", "status", "patch", "virtualnode", "web", "--subresource=status", "--type=merge", "-p", patch];
    world.kubectl.run(&arguments, "").succeeds_silently();
}
