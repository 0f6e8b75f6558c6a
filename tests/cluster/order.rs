//! A node and what it rests on in one `kubectl apply`, milliseconds apart: no watch has told of the one when the other is reviewed.

use serde_json::Value;

use crate::kubectl::Outcome;
use crate::support::manifests::{self, secret, tls_secret, virtual_node};
use crate::support::mint::Authority;
use crate::world::World;

tests![
    of_broken_nodes_none_is_created_unseen_after_its_secret_and_its_deployment,
    of_broken_nodes_none_is_created_unseen_after_its_deployment_and_its_secret,
    of_broken_nodes_none_is_created_unseen_after_everything_else,
    of_broken_nodes_none_is_created_unseen_where_the_namespace_is_as_new,
    sound_nodes_pass_without_a_word,
    a_node_before_its_workload_is_told_that_there_is_none,
];

/// Nodes in one apply.
const MANY: usize = 100;

/// A node of a namespace, with what it rests on: Secret, Deployment, node.
type Parts = [Value; 3];

/// Nodes whose certificates have a wrong name, and nodes whose keys are others than their certificates', by turns.
fn broken(namespace: &str) -> Vec<Parts> {
    let authority = Authority::new("Test root");
    let all = format!("*.{namespace}.svc.cluster.local");
    let (misnamed, one, other) = (
        authority.leaf(&["elsewhere.local"]).issue(),
        authority.leaf(&[&all]).issue(),
        authority.leaf(&[&all]).issue(),
    );
    parts(namespace, |number, name| match number % 2 {
        0 => tls_secret(namespace, name, &misnamed),
        _ => secret(namespace, name, &[("tls.crt", &one.chain), ("tls.key", &other.key)]),
    })
}

fn sound(namespace: &str) -> Vec<Parts> {
    let issued = Authority::new("Test root").leaf(&[&format!("*.{namespace}.svc.cluster.local")]).issue();
    parts(namespace, |_, name| tls_secret(namespace, name, &issued))
}

fn parts(namespace: &str, secret: impl Fn(usize, &str) -> Value) -> Vec<Parts> {
    let of = |number: usize| {
        let (name, tls) = (format!("node-{number}"), format!("node-{number}-tls"));
        let deployment = manifests::deployment(namespace, &name, &format!("{tls}:/certs"));
        let node = virtual_node(namespace, &name, &format!("{name}.{namespace}.svc.cluster.local"));
        [secret(number, &tls), deployment, node]
    };
    (0..MANY).map(of).collect()
}

fn nodes(world: &World) -> usize {
    let nodes = world.kubectl.get(&["-n", world.namespace, "virtualnodes"]);
    nodes["items"].as_array().expect("items").len()
}

/// All were refused, each for what is wrong with it.
#[track_caller]
fn all_refused(world: &World, outcome: &Outcome) {
    let count = |word: &str| outcome.stderr.matches(word).count();
    assert_eq!(nodes(world), 0, "created unseen:\n{outcome}");
    assert_eq!(count("denied the request"), MANY, "{outcome}");
    assert!(count("MV101 hostname-mismatch") >= MANY / 2 && count("MV206 key-mismatch") >= MANY / 2, "{outcome}");
}

#[track_caller]
fn refused_in_order(namespace: &'static str, order: [usize; 3]) {
    let world = World::new(namespace);
    let objects = broken(namespace).into_iter().flat_map(|parts| order.map(|part| parts[part].clone()));
    all_refused(&world, &world.apply(&manifests::list(objects)));
}

fn of_broken_nodes_none_is_created_unseen_after_its_secret_and_its_deployment() {
    refused_in_order("order-secret-first", [0, 1, 2]);
}

fn of_broken_nodes_none_is_created_unseen_after_its_deployment_and_its_secret() {
    refused_in_order("order-deployment-first", [1, 0, 2]);
}

fn of_broken_nodes_none_is_created_unseen_after_everything_else() {
    let world = World::new("order-by-kind");
    let all = broken("order-by-kind");
    let of = |part: usize| all.iter().map(move |parts| parts[part].clone());
    all_refused(&world, &world.apply(&manifests::list(of(0).chain(of(1)).chain(of(2)))));
}

/// The namespace comes by the same apply.
fn of_broken_nodes_none_is_created_unseen_where_the_namespace_is_as_new() {
    let kubectl = crate::world::plane().kubectl.clone();
    let world = World { namespace: "order-all-at-once", kubectl };
    let objects = broken(world.namespace).into_iter().flatten();
    let objects = [manifests::namespace(world.namespace)].into_iter().chain(objects);
    all_refused(&world, &world.apply(&manifests::list(objects)));
}

fn sound_nodes_pass_without_a_word() {
    let world = World::new("order-sound");
    let objects = sound(world.namespace).into_iter().flatten();
    world.apply(&manifests::list(objects)).succeeds_silently();
    assert_eq!(nodes(&world), MANY);
}

fn a_node_before_its_workload_is_told_that_there_is_none() {
    let world = World::new("order-node-first");
    let objects = broken(world.namespace).into_iter().flat_map(|[secret, deployment, node]| [node, deployment, secret]);
    let outcome = world.apply(&manifests::list(objects)).succeeds();
    let told = outcome
        .warnings()
        .filter(|line| line.contains("MV203") && line.contains("so its certificate files aren't checked"));
    assert_eq!(told.count(), MANY, "{outcome}");
    assert_eq!(nodes(&world), MANY);
}
