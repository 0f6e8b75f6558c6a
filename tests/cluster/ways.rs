//! The ways that kubectl has to write an object, each judged alike.

use serde_json::{Value, json};

use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::Authority;
use crate::world::World;

tests![
    a_dry_run_answers_the_same,
    a_diff_answers_the_same,
    create_is_judged,
    a_generated_name_is_judged,
    server_side_apply_is_judged,
    a_misspelt_field_warns_with_what_was_meant,
    apply_by_force_leaves_the_live_object_untouched,
    replace_edit_and_patch_are_judged,
];

/// A world with a sound node `web` at its place, and with a Secret `bad-tls` of a wrong name mounted at /bad.
fn world(namespace: &'static str) -> (World, Value, Value) {
    let world = World::new(namespace);
    let hostname = world.hostname("web");
    let authority = Authority::new("Test root");
    let good = virtual_node(namespace, "web", &hostname);
    let mut bad = good.clone();
    bad["spec"]["listeners"][0]["tls"]["certificate"]["file"] =
        json!({"certificateChain": "/bad/tls.crt", "privateKey": "/bad/tls.key"});
    world.has([
        tls_secret(namespace, "web-tls", &authority.leaf(&[&hostname]).issue()),
        tls_secret(namespace, "bad-tls", &authority.leaf(&["web.elsewhere.local"]).issue()),
        manifests::deployment(namespace, "web", "web-tls:/certs,bad-tls:/bad"),
    ]);
    world.knows(&good);
    world.knows(&bad);
    (world, good, bad)
}

/// Its uid and its generation: neither changes unless the object does.
fn identity(world: &World) -> (Value, Value) {
    let node = world.kubectl.get(&["-n", world.namespace, "virtualnode", "web"]);
    (node["metadata"]["uid"].clone(), node["metadata"]["generation"].clone())
}

fn a_dry_run_answers_the_same() {
    let (world, good, bad) = world("dry-run");
    let dry = &["--dry-run=server"];
    let refused = world.kubectl.apply(&bad, dry).refused(&["MV101 hostname-mismatch"]);
    let really = world.apply(&bad);
    assert_eq!(refused.stderr, really.stderr, "word for word");
    world.kubectl.apply(&good, dry).succeeds_silently();
}

fn a_diff_answers_the_same() {
    let (world, good, bad) = world("diff");
    world.apply(&good).succeeds_silently();
    let outcome = world.kubectl.run(&["diff", "-f", "-"], &bad.to_string());
    outcome.refused(&["MV101 hostname-mismatch"]);
}

fn create_is_judged() {
    let (world, good, bad) = world("create");
    world.kubectl.create(&bad, &[]).refused(&["MV101 hostname-mismatch"]);
    world.kubectl.create(&good, &[]).succeeds_silently();
}

fn a_generated_name_is_judged() {
    let (world, mut good, mut bad) = world("generated");
    for node in [&mut good, &mut bad] {
        node["metadata"] = json!({"namespace": "generated", "generateName": "web-"});
    }
    world.kubectl.create(&bad, &[]).refused(&["MV101 hostname-mismatch"]);
    let outcome = world.kubectl.create(&good, &[]).succeeds_silently();
    assert!(outcome.stdout.contains("/web-"), "{outcome}");
}

fn server_side_apply_is_judged() {
    let (world, good, bad) = world("server-side");
    let options = &["--server-side"];
    world.kubectl.apply(&bad, options).refused(&["MV101 hostname-mismatch"]);
    world.kubectl.apply(&good, options).succeeds_silently();
    world.kubectl.apply(&bad, options).refused(&["MV101 hostname-mismatch"]);
}

fn a_misspelt_field_warns_with_what_was_meant() {
    let (world, mut node, _) = world("misspelt");
    let listener = node["spec"]["listeners"][0].as_object_mut().expect("a listener");
    let tls = listener.remove("tls").expect("tls");
    listener.insert("tlss".to_owned(), tls);
    let outcome = world.kubectl.apply(&node, &["--server-side"]);
    outcome.warns(&["MV001", "no field \"tlss\"", "did you mean \"tls\"?"]);
}

/// With any code but 403, kubectl would delete the live object and try to create the bad one in its place.
fn apply_by_force_leaves_the_live_object_untouched() {
    let (world, good, bad) = world("force");
    world.apply(&good).succeeds_silently();
    let before = identity(&world);
    world.kubectl.apply(&bad, &["--force"]).refused(&["MV101 hostname-mismatch"]);
    assert_eq!(identity(&world), before);
}

fn replace_edit_and_patch_are_judged() {
    let (world, good, bad) = world("replace");
    world.apply(&good).succeeds_silently();
    let before = identity(&world);
    let outcome = world.kubectl.run(&["replace", "-f", "-"], &bad.to_string());
    outcome.refused(&["MV101 hostname-mismatch"]);
    let patch = json!([{
        "op": "replace",
        "path": "/spec/listeners/0/tls/certificate/file",
        "value": bad["spec"]["listeners"][0]["tls"]["certificate"]["file"],
    }]);
    let outcome = world
        .kubectl
        .run(&["-n", "replace", "patch", "virtualnode", "web", "--type=json", "-p", &patch.to_string()], "");
    outcome.refused(&["MV101 hostname-mismatch"]);
    assert_eq!(identity(&world), before);
}
