//! The certificate that meshvet keeps by itself: its authority in a Secret that the replicas share, and the `caBundle`.

use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::install::{Installation, set_bundles};
use crate::replica::{NAMESPACE, Replica};
use crate::sandbox::{self, eventually};
use crate::stream::{Lost, Stream};
use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::{Authority, openssl};
use crate::world::{World, plane};

tests![
    two_replicas_starting_at_once_make_one_authority,
    renewals_and_a_replaced_authority_fail_no_review,
    replicas_that_end_at_random_moments_of_a_replacement_fail_no_review,
    a_killed_replica_fails_only_what_was_on_its_way_to_it,
    whoever_is_left_keeps_the_bundle_and_the_secret,
    a_missing_right_is_named,
];

/// Lives in which nothing is renewed while a test runs.
const LONG: [&str; 2] = ["24h", "240h"];

/// A namespace of its own, with a sound node.
pub(crate) fn world(namespace: &'static str) -> (World, Value) {
    let world = World::new(namespace);
    let issued = Authority::new("Test root").leaf(&[&world.hostname("web")]).issue();
    world.has([tls_secret(namespace, "web-tls", &issued), manifests::deployment(namespace, "web", "web-tls:/certs")]);
    let node = virtual_node(namespace, "web", &world.hostname("web"));
    (world, node)
}

/// What the replicas share.
pub(crate) fn secret(installation: &Installation<'_>) -> Value {
    plane().kubectl.get(&["-n", NAMESPACE, "secret", installation.name()])
}

/// A certificate of the Secret, as PEM.
pub(crate) fn shared(installation: &Installation<'_>, key: &str) -> String {
    decoded(&secret(installation)["data"][key])
}

pub(crate) fn decoded(value: &Value) -> String {
    let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).expect("base64");
    String::from_utf8(bytes).expect("PEM")
}

/// What each webhook trusts, as PEM.
pub(crate) fn bundles(installation: &Installation<'_>) -> Vec<String> {
    let configuration = plane().kubectl.get(&["validatingwebhookconfiguration", installation.name()]);
    let webhooks = configuration["webhooks"].as_array().expect("webhooks");
    webhooks.iter().map(|webhook| decoded(&webhook["clientConfig"]["caBundle"])).collect()
}

/// Every webhook trusts this certificate alone: those of the mesh's own objects and the entries for all else.
pub(crate) fn trust(installation: &Installation<'_>, authority: &str) -> Result<(), String> {
    let found = bundles(installation);
    let all = found.iter().all(|bundle| bundle == authority) && found.len() > 2;
    if all { Ok(()) } else { Err(format!("{found:?}")) }
}

/// The leaf that a replica serves, as PEM: verified as of that moment, by the bundle that the webhooks have afterwards.
#[track_caller]
pub(crate) fn verified(installation: &Installation<'_>, replica: &Replica) -> String {
    verified_at(installation, replica.address)
}

#[track_caller]
fn verified_at(installation: &Installation<'_>, address: Ipv4Addr) -> String {
    let address = format!("{address}:8443");
    let name = format!("{}.{NAMESPACE}.svc", installation.name());
    // A leaf lives for seconds here, and what follows takes its time.
    let then = jiff::Timestamp::now().as_second().to_string();
    let leaf = openssl(&["x509"], &openssl(&["s_client", "-connect", &address, "-servername", &name], ""));
    for (place, bundle) in bundles(installation).iter().enumerate() {
        let file = sandbox::work().join(format!("{}-{place}.pem", installation.name()));
        std::fs::write(&file, bundle).unwrap();
        let file = file.display().to_string();
        let verify = ["verify", "-attime", &then, "-purpose", "sslserver", "-verify_hostname", &name, "-CAfile", &file];
        let told = openssl(&verify, &leaf);
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
    assert_eq!(keys, ["ca.crt", "ca.key", "path"]);
    trust(&installation, &shared(&installation, "ca.crt")).expect("trusted");
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
    let path = || {
        let configuration = plane().kubectl.get(&["validatingwebhookconfiguration", installation.name()]);
        configuration["webhooks"][0]["clientConfig"]["service"]["path"].clone()
    };
    let first_path = path();
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
    assert_ne!(path(), first_path, "reviews come by other paths by now");
    stream.end();
    for replica in [&first, &second] {
        assert!(!replica.log().contains("PRIVATE KEY"), "{}", replica.log());
    }
}

/// Moments that look like chance, the same in every run.
fn moments(seed: u32) -> impl FnMut(u32) -> u32 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    }
}

fn replicas_that_end_at_random_moments_of_a_replacement_fail_no_review() {
    let (_world, node) = world("managed-moments");
    let installation = Installation::managed_for(plane(), "managed-moments", ["9s", "45s"], true);
    let mut replicas = ["0", "1"].map(|name| installation.start(name));
    installation.route_to(&replicas.each_ref());
    installation.wait_until_judging("managed-moments");
    let authority = shared(&installation, "ca.crt");
    let stream = Stream::start(plane(), &node);
    // Looked at all the while: who is asked serves by what the webhooks trust.
    let asked = Mutex::new(replicas.each_ref().map(|replica| replica.address).to_vec());
    let over = AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut looks = 0;
            while !over.load(Ordering::Relaxed) {
                // Who leaves the list serves on for longer than a look takes.
                let asked = asked.lock().expect("no panic").clone();
                for address in asked {
                    verified_at(&installation, address);
                    looks += 1;
                }
            }
            looks
        });
        let mut moment = moments(6);
        let mut number = 2;
        let replaced = || {
            let certificate = shared(&installation, "ca.crt");
            certificate != authority && !watcher.is_finished()
        };
        // Until the replacement has run its course, and once more.
        let mut rounds_after = 0;
        while rounds_after < 2 && !watcher.is_finished() {
            rounds_after += usize::from(replaced());
            std::thread::sleep(Duration::from_millis(u64::from(moment(3_000))));
            let which = usize::from(moment(2) == 1);
            let stays = replicas[1 - which].address;
            *asked.lock().expect("no panic") = vec![stays];
            replicas[which].terminate();
            installation.route_to(&[&replicas[1 - which]]);
            let ended = replicas[which].wait_until_ended();
            assert!(ended.success(), "{}", replicas[which].log());
            replicas[which] = installation.start(&number.to_string());
            number += 1;
            installation.route_to(&replicas.each_ref());
            *asked.lock().expect("no panic") = replicas.each_ref().map(|replica| replica.address).to_vec();
            stream.wait_for(10);
        }
        over.store(true, Ordering::Relaxed);
        watcher.join().expect("what is served is always trusted")
    });
    assert!(looks > 20, "{looks}");
    stream.end();
}

fn a_killed_replica_fails_only_what_was_on_its_way_to_it() {
    let (_world, node) = world("managed-killed");
    let installation = Installation::managed_for(plane(), "managed-killed", ["9s", "240h"], true);
    let [mut first, second] = ["0", "1"].map(|name| installation.start(name));
    installation.route_to(&[&first, &second]);
    installation.wait_until_judging("managed-killed");
    let stream = Stream::start(plane(), &node);
    stream.wait_for(40);
    let killed = Instant::now();
    first.kill();
    installation.route_to(&[&second]);
    stream.wait_for(40);
    let settled = Instant::now();
    let third = installation.start("2");
    installation.route_to(&[&second, &third]);
    stream.wait_for(100);
    let lost = stream.end_with_losses();
    for Lost { at, error } in &lost {
        assert!(killed <= *at && *at <= settled, "only while the API server still counted on it: {error}");
        let broke = ["connection refused", "connection reset", "EOF", "broken pipe"];
        let is_its_own = error.contains("failed calling webhook") && broke.iter().any(|word| error.contains(word));
        assert!(is_its_own, "{error}");
    }
    verified(&installation, &third);
}

fn whoever_is_left_keeps_the_bundle_and_the_secret() {
    let (_world, _node) = world("managed-left");
    let installation = Installation::managed_for(plane(), "managed-left", ["30s", "240h"], true);
    let kubectl = &plane().kubectl;
    let [mut first, second] = ["0", "1"].map(|name| installation.start(name));
    let authority = shared(&installation, "ca.crt");
    let lose_the_bundles = || set_bundles(plane(), installation.name(), None);
    let are_mended = || eventually("the bundles are back", || trust(&installation, &authority));
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
    let annotation = format!("{}=now", meshvet::admission::certificate::managed::REPLACE);
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
