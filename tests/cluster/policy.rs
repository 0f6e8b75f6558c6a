//! A policy that changes while meshvet runs: what the log, the metrics and the cluster's Events say of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::install::Installation;
use crate::replica::{NAMESPACE, Replica};
use crate::sandbox::eventually;
use crate::world::{World, plane};

tests![
    a_broken_policy_is_told_everywhere_and_so_is_its_mending,
    what_is_logged_changes_without_a_restart,
    without_the_right_to_write_events_it_says_so_and_goes_on,
];

/// meshvet for this namespace alone, with one replica.
fn installed(namespace: &'static str) -> (World, Replica) {
    let world = World::new(namespace);
    let replica = Installation::copy_for(plane(), namespace, "Ignore").start("0");
    (world, replica)
}

fn write(replica: &Replica, policy: &str) {
    replica.update_volume("policy", &vec![("config.yaml".to_owned(), policy.into())]);
}

fn logs(replica: &Replica, text: &str) {
    eventually("it is logged", || {
        let log = replica.log();
        if log.contains(text) { Ok(()) } else { Err(format!("{text:?} is not in:\n{log}")) }
    });
}

/// The Event of this reason whose note has these words.
#[track_caller]
fn event(reason: &str, words: &str) -> Value {
    eventually(reason, || {
        let events = plane().kubectl.get(&["-n", NAMESPACE, "events.events.k8s.io"]);
        let found =
            events["items"].as_array().into_iter().flatten().find(|event| {
                event["reason"] == reason && event["note"].as_str().is_some_and(|note| note.contains(words))
            });
        found.cloned().ok_or_else(|| format!("{words:?}: {events}"))
    })
}

fn a_broken_policy_is_told_everywhere_and_so_is_its_mending() {
    let (_world, replica) = installed("policy-events");
    assert_eq!(replica.figure("meshvet_policy_ok"), Some(1.0));
    write(&replica, "severitys: {MV101: warn}\n");
    logs(&replica, "the last good one stays");
    assert_eq!(replica.figure("meshvet_policy_ok"), Some(0.0));
    assert_eq!(replica.figure("meshvet_policy_errors_total"), Some(1.0));
    let rejected = event("PolicyRejected", "meshvet-policy-events-0");
    assert!(rejected["note"].as_str().is_some_and(|note| note.contains("did you mean `severities`?")), "{rejected}");
    assert_eq!((&rejected["type"], &rejected["regarding"]["kind"]), (&"Warning".into(), &"Pod".into()));
    assert_eq!(rejected["reportingController"], "meshvet");
    assert_eq!(replica.probe("/readyz"), Ok(200), "it judges by the last good one");

    write(&replica, "severities: {MV101: warn}\n");
    logs(&replica, "the policy was read again");
    assert_eq!(replica.figure("meshvet_policy_ok"), Some(1.0));
    assert_eq!(replica.figure("meshvet_policy_errors_total"), Some(1.0));
    assert_eq!(event("PolicyAccepted", "meshvet-policy-events-0")["type"], "Normal");
}

fn what_is_logged_changes_without_a_restart() {
    let (_world, replica) = installed("policy-log");
    // What is no TLS is told at level debug.
    let talk_nonsense = || {
        let mut stream = TcpStream::connect((replica.address, 8443)).expect("a connection");
        stream.write_all(b"nonsense\r\n\r\n").expect("it is taken");
        let _ = stream.read_to_end(&mut Vec::new());
    };
    let told = || replica.log().matches("a TLS handshake failed").count();
    talk_nonsense();
    assert_eq!(told(), 0, "{}", replica.log());
    write(&replica, "log: {level: 'info,meshvet=debug'}\n");
    logs(&replica, "the log level has changed");
    talk_nonsense();
    logs(&replica, "a TLS handshake failed");
    // One that is none is told, and the last good one stays.
    write(&replica, "log: {level: debgu}\n");
    logs(&replica, "did you mean `debug`?");
    let before = told();
    talk_nonsense();
    eventually("it goes on telling", || if told() > before { Ok(()) } else { Err(replica.log()) });
    // Without the key it is what the command line says.
    write(&replica, "{}\n");
    eventually("it is back", || match replica.log().matches("the log level has changed").count() {
        2 => Ok(()),
        _ => Err(replica.log()),
    });
    let before = told();
    talk_nonsense();
    assert_eq!(told(), before, "{}", replica.log());
}

fn without_the_right_to_write_events_it_says_so_and_goes_on() {
    let plane = crate::control_plane::ControlPlane::start("eventless");
    crate::world::install_crds(&plane);
    let installation = Installation::of_deploy(&plane);
    let replica = installation.start("0");
    plane.kubectl.run(&["-n", NAMESPACE, "delete", "rolebinding", "meshvet-events"], "").succeeds();
    // Its right to write Events about mesh objects holds for its own namespace too.
    plane.kubectl.run(&["delete", "clusterrolebinding", "meshvet-watcher"], "").succeeds();
    write(&replica, "severitys: {MV101: warn}\n");
    logs(&replica, "a Role must allow create on events.events.k8s.io");
    assert_eq!(replica.probe("/readyz"), Ok(200));
    assert_eq!(replica.figure("meshvet_policy_ok"), Some(0.0));
}
