//! Reviews go on, with `failurePolicy: Fail`, while pods are replaced: by an upgrade, a rollback, a drain. None fails.

use crate::bed::{Bed, NAMESPACE, NODES, Pod, VALUES, bed, patiently};
use crate::kubectl::Outcome;
use crate::stream::Stream;

tests![
    an_upgrade_fails_no_review,
    a_rollback_fails_no_review,
    a_drained_node_gives_its_replica_to_the_other,
    a_drain_of_both_replicas_waits_for_the_budget,
    a_restart_spreads_them_again,
    a_replica_deleted_by_force_is_replaced,
];

fn an_upgrade_fails_no_review() {
    let bed = bed();
    let before = names(&bed.two_ready());
    let stream = Stream::start(&bed.plane, &bed.sound);
    stream.wait_for(20);
    // A label that pods carry too: each is replaced.
    let values = [VALUES, &["labels.team=platform"]].concat();
    let options = [&bed.chart(), "--reset-values", "--wait", "--timeout", "100s"];
    bed.helm("upgrade", &options, &values).succeeds();
    stream.wait_for(20);
    stream.end();
    replaced(&bed, &before);
}

fn a_rollback_fails_no_review() {
    let bed = bed();
    let before = names(&bed.two_ready());
    let stream = Stream::start(&bed.plane, &bed.sound);
    stream.wait_for(20);
    bed.helm("rollback", &["1", "--wait", "--timeout", "100s"], &[]).succeeds();
    stream.wait_for(20);
    stream.end();
    replaced(&bed, &before);
    bed.try_broken().refused(&["MV101"]);
}

fn names(pods: &[Pod]) -> Vec<String> {
    pods.iter().map(|pod| pod.field("name")).collect()
}

/// Waits until two others are there.
#[track_caller]
fn replaced(bed: &Bed, before: &[String]) {
    let now = bed.two_ready();
    assert!(now.iter().all(|pod| !before.contains(&pod.field("name"))), "{before:?}, then {:?}", names(&now));
}

fn drain(bed: &Bed, node: &str) -> Outcome {
    bed.kubectl.run(&["drain", node, "--ignore-daemonsets", "--timeout=110s"], "")
}

fn uncordon(bed: &Bed, node: &str) {
    bed.kubectl.run(&["uncordon", node], "").succeeds();
}

fn a_drained_node_gives_its_replica_to_the_other() {
    let bed = bed();
    let stream = Stream::start(&bed.plane, &bed.sound);
    stream.wait_for(20);
    let outcome = drain(&bed, NODES[0]);
    assert!(outcome.code == 0, "{outcome}\n{}", bed.picture());
    // A cordoned node doesn't count: both may be on the one that is left.
    let pods = bed.two_ready();
    stream.wait_for(20);
    stream.end();
    assert!(pods.iter().all(|pod| pod.node() == NODES[1]), "{}", bed.picture());
    uncordon(&bed, NODES[0]);
}

/// Both are on one node, from the test before: the second may go only when the first is replaced.
fn a_drain_of_both_replicas_waits_for_the_budget() {
    let bed = bed();
    let pods = bed.two_ready();
    assert!(pods.iter().all(|pod| pod.node() == NODES[1]), "{}", bed.picture());
    let stream = Stream::start(&bed.plane, &bed.sound);
    stream.wait_for(20);
    let outcome = drain(&bed, NODES[1]);
    assert!(outcome.code == 0, "{outcome}\n{}", bed.picture());
    assert!(outcome.stderr.contains("would violate the pod's disruption budget"), "{outcome}");
    let pods = bed.two_ready();
    stream.wait_for(20);
    stream.end();
    assert!(pods.iter().all(|pod| pod.node() == NODES[0]), "{}", bed.picture());
    uncordon(&bed, NODES[1]);
}

fn a_restart_spreads_them_again() {
    let bed = bed();
    let stream = Stream::start(&bed.plane, &bed.sound);
    stream.wait_for(20);
    bed.kubectl.run(&["-n", NAMESPACE, "rollout", "restart", "deployment/meshvet"], "").succeeds();
    bed.kubectl.run(&["-n", NAMESPACE, "rollout", "status", "deployment/meshvet", "--timeout=100s"], "").succeeds();
    let mut nodes: Vec<String> = bed.two_ready().iter().map(Pod::node).collect();
    stream.end();
    nodes.sort();
    assert_eq!(nodes, NODES, "{}", bed.picture());
}

/// Nothing announces it: what was under way at that replica may be lost, and nothing after it is gone.
fn a_replica_deleted_by_force_is_replaced() {
    let bed = bed();
    let before = bed.two_ready();
    let stream = Stream::start(&bed.plane, &bed.sound);
    stream.wait_for(20);
    let name = before[0].field("name");
    bed.kubectl.run(&["-n", NAMESPACE, "delete", "pod", &name, "--force", "--grace-period=0"], "").succeeds();
    patiently("another takes its place", || {
        let pods = bed.pods();
        let other = pods.len() == 2 && pods.iter().all(|pod| pod.is_ready() && pod.field("name") != name);
        if other { Ok(()) } else { Err(bed.picture()) }
    });
    stream.wait_for(100);
    let lost = stream.end_with_losses();
    println!("{} reviews lost when a replica was deleted by force", lost.len());
    for one in lost.iter().take(3) {
        println!("   {}", one.error);
    }
    bed.try_broken().refused(&["MV101"]);
}
