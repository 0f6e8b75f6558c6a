//! The certificate that meshvet keeps by itself: its authority in a Secret that the replicas share, and the `caBundle`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::install::Installation;
use crate::replica::{NAMESPACE, Replica};
use crate::sandbox::{self, eventually};
use crate::stream::Stream;
use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::{Authority, openssl};
use crate::world::{World, plane};

tests![
    two_replicas_starting_at_once_make_one_authority,
    renewals_and_a_replaced_authority_fail_no_review,
    whoever_is_left_keeps_the_bundle_and_the_secret,
    a_missing_right_is_named,
];

/// Lives in which nothing is renewed while a test runs.
const LONG: [&str; 2] = ["24h", "240h"];

/// A namespace of its own, with a sound node.
fn world(namespace: &'static str) -> (World, Value) {
    let world = World::new(namespace);
    let issued = Authority::new("Test root").leaf(&[&world.hostname("web")]).issue();
    world.has([tls_secret(namespace, "web-tls", &issued), manifests::deployment(namespace, "web", "web-tls:/certs")]);
    let node = virtual_node(namespace, "web", &world.hostname("web"));
    (world, node)
}

/// What the replicas share.
fn secret(installation: &Installation<'_>) -> Value {
    plane().kubectl.get(&["-n", NAMESPACE, "secret", installation.name()])
}

/// A certificate of the Secret, as PEM.
fn shared(installation: &Installation<'_>, key: &str) -> String {
    decoded(&secret(installation)["data"][key])
}

fn decoded(value: &Value) -> String {
    let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).expect("base64");
    String::from_utf8(bytes).expect("PEM")
}

/// What each webhook trusts, as PEM.
fn bundles(installation: &Installation<'_>) -> Vec<String> {
    let configuration = plane().kubectl.get(&["validatingwebhookconfiguration", installation.name()]);
    let webhooks = configuration["webhooks"].as_array().expect("webhooks");
    webhooks.iter().map(|webhook| decoded(&webhook["clientConfig"]["caBundle"])).collect()
}

/// The leaf that a replica serves, as PEM: verified by the bundle that the webhooks have afterwards.
#[track_caller]
fn verified(installation: &Installation<'_>, replica: &Replica) -> String {
    let address = format!("{}:8443", replica.address);
    let name = format!("{}.{NAMESPACE}.svc", installation.name());
    let leaf = openssl(&["x509"], &openssl(&["s_client", "-connect", &address, "-servername", &name], ""));
    for (place, bundle) in bundles(installation).iter().enumerate() {
        let file = sandbox::work().join(format!("{}-{place}.pem", installation.name()));
        std::fs::write(&file, bundle).unwrap();
        let file = file.display().to_string();
        let told = openssl(&["verify", "-purpose", "sslserver", "-verify_hostname", &name, "-CAfile", &file], &leaf);
        assert!(told.contains("OK"), "{told}");
    }
    leaf
}

fn two_replicas_starting_at_once_make_one_authority() {
    let (world, node) = world("managed-two");
    let installation = Installation::managed_for(plane(), "managed-two", LONG, true);
    let mut replicas = ["0", "1"].map(|name| installation.start_unready(name));
    for replica in &mut replicas {
        replica.wait_until_ready();
    }
    let keys: Vec<String> = secret(&installation)["data"].as_object().expect("data").keys().cloned().collect();
    assert_eq!(keys, ["ca.crt", "ca.key"]);
    assert_eq!(bundles(&installation), [(); 2].map(|()| shared(&installation, "ca.crt")));
    let [first, second] = replicas.each_ref().map(|replica| verified(&installation, replica));
    assert_ne!(first, second, "each has a leaf of its own");
    let logs = replicas.each_ref().map(Replica::log);
    assert_eq!(logs.concat().matches("made a certificate authority").count(), 1, "{}", logs.concat());
    assert!(!logs.concat().contains("PRIVATE KEY"), "{}", logs.concat());

    let [first, second] = &replicas;
    installation.route_to(&[first, second]);
    installation.wait_until_judging("managed-two");
    world.apply(&node).succeeds();
    let mut broken = node;
    broken["metadata"]["name"] = "broken".into();
    broken["spec"]["listeners"][0]["tls"]["certificate"] = json!({});
    world.apply(&broken).refused(&["MV004"]);
}

fn renewals_and_a_replaced_authority_fail_no_review() {
    let (_world, node) = world("managed-lives");
    let installation = Installation::managed_for(plane(), "managed-lives", ["9s", "45s"], true);
    let [first, second] = ["0", "1"].map(|name| installation.start(name));
    installation.route_to(&[&first, &second]);
    installation.wait_until_judging("managed-lives");
    let stream = Stream::start(plane(), &node);
    let authority = shared(&installation, "ca.crt");
    let mut leaves = [vec![], vec![]];
    // Every look asserts that what is served is what the webhooks trust.
    let look = |leaves: &mut [Vec<String>; 2]| {
        for (seen, replica) in leaves.iter_mut().zip([&first, &second]) {
            let leaf = verified(&installation, replica);
            if seen.last() != Some(&leaf) {
                seen.push(leaf);
            }
        }
    };
    eventually("each replica renews its leaf twice", || {
        look(&mut leaves);
        if leaves.iter().all(|seen| seen.len() > 2) {
            Ok(())
        } else {
            Err(format!("{:?}", leaves.each_ref().map(Vec::len)))
        }
    });
    stream.wait_for(20);
    eventually("another authority issues", || {
        look(&mut leaves);
        let now = shared(&installation, "ca.crt");
        if now == authority { Err("the first one".to_owned()) } else { Ok(()) }
    });
    assert_eq!(shared(&installation, "previous.crt"), authority, "the first one stays trusted");
    let renewed = leaves.each_ref().map(Vec::len);
    eventually("both serve by the other authority", || {
        look(&mut leaves);
        let more = leaves.iter().zip(renewed).all(|(seen, before)| seen.len() > before);
        if more { Ok(()) } else { Err(format!("{renewed:?}")) }
    });
    stream.wait_for(20);
    stream.end();
    for replica in [&first, &second] {
        assert!(!replica.log().contains("PRIVATE KEY"), "{}", replica.log());
    }
}

fn whoever_is_left_keeps_the_bundle_and_the_secret() {
    let (_world, _node) = world("managed-left");
    let installation = Installation::managed_for(plane(), "managed-left", ["30s", "240h"], true);
    let kubectl = &plane().kubectl;
    let [mut first, second] = ["0", "1"].map(|name| installation.start(name));
    let authority = shared(&installation, "ca.crt");
    let lose_the_bundles = || {
        let empty =
            [0, 1].map(|hook| json!({"op": "remove", "path": format!("/webhooks/{hook}/clientConfig/caBundle")}));
        let patch = json!(empty).to_string();
        let patch = ["patch", "validatingwebhookconfiguration", installation.name(), "--type=json", "-p", &patch];
        kubectl.run(&patch, "").succeeds();
    };
    let are_mended = || {
        eventually("the bundles are back", || {
            let found = bundles(&installation);
            if found == [(); 2].map(|()| authority.clone()) { Ok(()) } else { Err(format!("{found:?}")) }
        });
    };
    lose_the_bundles();
    are_mended();
    // One goes as the kubelet ends it, another without a word: the Lease passes on either way.
    first.terminate();
    assert!(first.wait_until_ended().success(), "{}", first.log());
    lose_the_bundles();
    are_mended();
    let third = installation.start("2");
    drop(second);
    lose_the_bundles();
    are_mended();
    verified(&installation, &third);

    kubectl.run(&["-n", NAMESPACE, "delete", "secret", installation.name()], "").succeeds();
    eventually("the Secret is written again", || {
        let outcome = kubectl.run(&["-n", NAMESPACE, "get", "secret", installation.name()], "");
        if outcome.code == 0 { Ok(()) } else { Err(outcome.to_string()) }
    });
    assert_eq!(shared(&installation, "ca.crt"), authority, "what is served stays good");

    // Asked for by hand, an authority is replaced with the same overlap.
    let annotation = format!("{}=now", meshvet::admission::managed::REPLACE);
    kubectl.run(&["-n", NAMESPACE, "annotate", "secret", installation.name(), &annotation], "").succeeds();
    eventually("another authority is announced", || {
        let both = bundles(&installation).iter().all(|bundle| bundle.matches("BEGIN").count() == 2);
        if both { Ok(()) } else { Err(format!("{:?}", bundles(&installation))) }
    });
    assert!(bundles(&installation).iter().all(|bundle| bundle.contains(&authority)), "the first one stays trusted");
    assert_eq!(secret(&installation)["metadata"]["annotations"], Value::Null, "it is asked for once");
}

fn a_missing_right_is_named() {
    let (_world, _node) = world("managed-less");
    let installation = Installation::managed_for(plane(), "managed-less", LONG, false);
    let name = installation.name().to_owned();
    let allow = |verbs: &[&str]| {
        let patch = json!([{"op": "replace", "path": "/rules/0/verbs", "value": verbs}]).to_string();
        plane().kubectl.run(&["patch", "clusterrole", &name, "--type=json", "-p", &patch], "").succeeds();
    };
    allow(&["get"]);
    let replica = installation.start_unready("0");
    eventually("the log names it", || {
        let log = replica.log();
        let named = log.contains(&format!("could not update ValidatingWebhookConfiguration {name}"));
        if named && log.contains("a Role for the ServiceAccount") { Ok(()) } else { Err(log) }
    });
    assert_eq!(replica.probe("/readyz"), Ok(503), "{}", replica.log());
    allow(&["get", "update"]);
    eventually("it is ready", || match replica.probe("/readyz") {
        Ok(200) => Ok(()),
        other => Err(format!("{other:?}\n{}", replica.log())),
    });
    verified(&installation, &replica);
}
