//! meshvet stops, starts, drains, and changes its certificate: what the API server's callers see of it.

use serde_json::Value;

use crate::install::{Installation, tls_files};
use crate::replica::Replica;
use crate::sandbox::eventually;
use crate::stream::Stream;
use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::{Authority, openssl};
use crate::world::{World, plane};

tests![
    stopped_under_fail_refuses_with_a_clear_cause,
    stopped_under_fail_lets_pass_what_needs_no_verdict,
    stopped_under_ignore_lets_pass,
    a_replica_that_ends_loses_no_review,
    a_renewed_certificate_is_served_without_a_failed_review,
    a_broken_certificate_leaves_the_good_one_in_service,
    a_changed_policy_holds_without_a_restart,
];

/// A world with a sound node's Secret and workload.
fn world(namespace: &'static str, name: &str) -> (World, Value) {
    let world = World::new(namespace);
    let issued = Authority::new("Test root").leaf(&[name]).issue();
    world.has([tls_secret(namespace, "web-tls", &issued), manifests::deployment(namespace, "web", "web-tls:/certs")]);
    let node = virtual_node(namespace, "web", &world.hostname("web"));
    (world, node)
}

/// meshvet for this namespace alone, with one replica.
fn installed(namespace: &str, failure_policy: &str) -> (Installation<'static>, Replica) {
    let installation = Installation::copy_for(plane(), namespace, failure_policy);
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging(namespace);
    (installation, replica)
}

/// The same, stopped after it has judged: the addresses are still there, nobody answers.
fn stopped(namespace: &str, failure_policy: &str) {
    let (_, replica) = installed(namespace, failure_policy);
    drop(replica);
}

fn stopped_under_fail_refuses_with_a_clear_cause() {
    let (world, node) = world("stopped-fail", "web.elsewhere.local");
    stopped("stopped-fail", "Fail");
    let outcome = world.apply(&node);
    assert!(outcome.code != 0, "{outcome}");
    for text in ["failed calling webhook \"virtualnodes.meshvet.dev\"", "connect: connection refused"] {
        assert!(outcome.stderr.contains(text), "{text}\n{outcome}");
    }
}

fn stopped_under_fail_lets_pass_what_needs_no_verdict() {
    let (world, node) = world("stopped-pass", "web.stopped-pass.svc.cluster.local");
    let (_, replica) = installed("stopped-pass", "Fail");
    world.apply(&node).succeeds();
    drop(replica);
    let run = |arguments: &[&str]| {
        let arguments = [&["-n", "stopped-pass"], arguments].concat();
        world.kubectl.run(&arguments, "").succeeds_silently();
    };
    run(&["label", "virtualnode", "web", "team=shop"]);
    let finalizers = |list: &str| format!(r#"{{"metadata":{{"finalizers":{list}}}}}"#);
    run(&["patch", "virtualnode", "web", "--type=merge", "-p", &finalizers(r#"["suite.meshvet.dev/hold"]"#)]);
    run(&["delete", "virtualnode", "web", "--wait=false"]);
    run(&["patch", "virtualnode", "web", "--type=merge", "-p", &finalizers("null")]);
}

fn stopped_under_ignore_lets_pass() {
    let (world, node) = world("stopped-ignore", "web.elsewhere.local");
    stopped("stopped-ignore", "Ignore");
    world.apply(&node).succeeds();
}

fn a_replica_that_ends_loses_no_review() {
    let (_world, node) = world("drain", "web.drain.svc.cluster.local");
    let (installation, mut first) = installed("drain", "Fail");
    let stream = Stream::start(plane(), &node);
    stream.wait_for(20);
    let second = installation.start("1");
    installation.route_to(&[&first, &second]);
    stream.wait_for(20);
    // The signal comes first: word of it reaches the API server later.
    first.terminate();
    eventually("it is no longer ready", || match first.probe("/readyz") {
        Ok(503) | Err(_) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    installation.route_to(&[&second]);
    stream.wait_for(20);
    let status = first.wait_until_ended();
    assert!(status.success(), "{status}\n{}", first.log());
    stream.wait_for(20);
    stream.end();
}

/// The leaf that a replica serves, as PEM.
fn served(replica: &Replica) -> String {
    let address = format!("{}:8443", replica.address);
    let seen = openssl(&["s_client", "-connect", &address, "-servername", "meshvet"], "");
    openssl(&["x509"], &seen)
}

fn a_renewed_certificate_is_served_without_a_failed_review() {
    let (_world, node) = world("renewal", "web.renewal.svc.cluster.local");
    let (installation, replica) = installed("renewal", "Fail");
    let stream = Stream::start(plane(), &node);
    let before = served(&replica);
    for _ in 0..2 {
        let renewed = installation.certificate().expect("a copy's certificate");
        let expected = openssl(&["x509"], &renewed.certificate);
        assert_ne!(before, expected);
        replica.update_volume("tls", &tls_files(&renewed));
        eventually("the renewed certificate is served", || {
            let seen = served(&replica);
            if seen == expected { Ok(()) } else { Err(seen) }
        });
        stream.wait_for(20);
    }
    stream.end();
}

fn a_broken_certificate_leaves_the_good_one_in_service() {
    let (_world, node) = world("broken-renewal", "web.broken-renewal.svc.cluster.local");
    let (installation, replica) = installed("broken-renewal", "Fail");
    let stream = Stream::start(plane(), &node);
    let before = served(&replica);
    let mut renewed = installation.certificate().expect("a copy's certificate");
    renewed.key = installation.certificate().expect("another").key;
    replica.update_volume("tls", &tls_files(&renewed));
    eventually("the broken certificate is noticed", || {
        let log = replica.log();
        let noticed = log.contains("the last good one stays");
        if noticed { Ok(()) } else { Err(log) }
    });
    assert_eq!(served(&replica), before);
    assert_eq!(replica.probe("/readyz"), Ok(200));
    stream.wait_for(20);
    stream.end();
}

fn a_changed_policy_holds_without_a_restart() {
    let (world, node) = world("policy", "web.elsewhere.local");
    let (_installation, replica) = installed("policy", "Fail");
    world.knows(&node);
    world.apply(&node).refused(&["MV101"]);
    let policy = |text: &str| replica.update_volume("policy", &vec![("config.yaml".to_owned(), text.into())]);
    policy("severities: {hostname-mismatch: warn}\n");
    let dry_run = || world.kubectl.apply(&node, &["--dry-run=server"]);
    eventually("the policy holds", || {
        let outcome = dry_run();
        if outcome.code == 0 { Ok(()) } else { Err(outcome.to_string()) }
    });
    dry_run().warns(&["MV101"]);
    // A policy that can't be read is said to be so, and the last good one stays.
    policy("severities: {hostname-missmatch: deny}\n");
    eventually("the broken policy is noticed", || {
        let log = replica.log();
        if log.contains("hostname-missmatch") { Ok(()) } else { Err(log) }
    });
    dry_run().warns(&["MV101"]);
}
