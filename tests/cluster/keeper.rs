//! The keeper of the managed certificate with one of its parts broken: the others go on, and what is broken is told.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::install::{Installation, plain_path, set_bundles};
use crate::managed::{bundles, decoded, secret, shared, trust, verified, world};
use crate::replica::{NAMESPACE, Replica};
use crate::sandbox::eventually;
use crate::stream::{Lost, Stream};
use crate::support::mint::{Authority, openssl};
use crate::world::plane;

tests![
    parts_that_go_one_by_one_fail_no_review,
    a_wrong_bundle_is_put_right_whatever_else_is_broken,
    whoever_has_no_authority_waits_for_those_who_have_it,
    a_replica_that_nobody_trusts_says_so,
    only_the_paths_of_the_configuration_answer,
];

/// A turn takes a second.
const LIVES: [&str; 2] = ["30s", "240h"];

fn path_of(installation: &Installation<'_>) -> String {
    let configuration = plane().kubectl.get(&["validatingwebhookconfiguration", installation.name()]);
    let path = configuration["webhooks"][0]["clientConfig"]["service"]["path"].as_str();
    path.unwrap_or_default().to_owned()
}

#[track_caller]
fn patch(kind: &str, installation: &Installation<'_>, patch: &Value) {
    let patch = patch.to_string();
    let arguments = ["-n", NAMESPACE, "patch", kind, installation.name(), "--type=merge", "-p", &patch];
    plane().kubectl.run(&arguments, "").succeeds();
}

#[track_caller]
fn delete(kind: &str, installation: &Installation<'_>) {
    plane().kubectl.run(&["-n", NAMESPACE, "delete", kind, installation.name()], "").succeeds();
}

/// Waits until a part of the upkeep is told as good or as broken by the replicas that do it.
#[track_caller]
fn is_told(replicas: &[&Replica], part: &str, value: f64) {
    let figure = format!("meshvet_certificate_keeper_ok{{part=\"{part}\"}}");
    eventually("the figure tells it", || {
        let told: Vec<Option<f64>> = replicas.iter().map(|replica| replica.figure(&figure)).collect();
        if told.iter().all(|told| *told == Some(value)) { Ok(()) } else { Err(format!("{figure}: {told:?}")) }
    });
}

fn parts_that_go_one_by_one_fail_no_review() {
    let (_world, node) = world("keeper-parts");
    // With the rights that the chart gives: each by its name.
    let installation = Installation::managed_for(plane(), "keeper-parts", LIVES, false);
    let [first, second] = ["0", "1"].map(|name| installation.start(name));
    installation.route_to(&[&first, &second]);
    installation.wait_until_judging("keeper-parts");
    let authority = shared(&installation, "ca.crt");
    let stream = Stream::start(plane(), &node);
    stream.wait_for(20);

    delete("secret", &installation);
    eventually("the Secret is made again", || {
        let outcome = plane().kubectl.run(&["-n", NAMESPACE, "get", "secret", installation.name(), "-o", "json"], "");
        let found: Value = serde_json::from_str(&outcome.stdout).map_err(|_| outcome.to_string())?;
        let data = &found["data"];
        if data["ca.crt"].is_string() && data["path"].is_string() { Ok(()) } else { Err(outcome.to_string()) }
    });
    assert_eq!(shared(&installation, "ca.crt"), authority);
    stream.wait_for(20);

    delete("lease", &installation);
    eventually("the Lease is made again, and held", || {
        let outcome = plane().kubectl.run(&["-n", NAMESPACE, "get", "lease", installation.name(), "-o", "json"], "");
        let found: Value = serde_json::from_str(&outcome.stdout).map_err(|_| outcome.to_string())?;
        if found["spec"]["holderIdentity"].is_string() { Ok(()) } else { Err(outcome.to_string()) }
    });
    stream.wait_for(20);

    patch("secret", &installation, &json!({"data": {"ca.key": STANDARD.encode("hush")}}));
    is_told(&[&first, &second], "secret", 0.0);
    let log = first.log();
    assert!(log.contains("key ca.key has no private key") && !log.contains("hush"), "{log}");
    stream.wait_for(20);
    patch("secret", &installation, &json!({"data": null}));
    eventually("it is written again", || {
        let now = shared(&installation, "ca.crt");
        if now == authority { Ok(()) } else { Err(now) }
    });
    is_told(&[&first, &second], "secret", 1.0);

    // Without the right to write the Secret, and any to the Lease: nothing that is served depends on it.
    let rules = plane().kubectl.get(&["-n", NAMESPACE, "role", installation.name()])["rules"].clone();
    patch("role", &installation, &json!({"rules": []}));
    is_told(&[&first, &second], "lease", 0.0);
    stream.wait_for(40);
    patch("role", &installation, &json!({"rules": rules}));
    is_told(&[&first, &second], "lease", 1.0);
    stream.end();
    for replica in [&first, &second] {
        verified(&installation, replica);
        assert_eq!(replica.probe("/readyz"), Ok(200));
    }
}

fn a_wrong_bundle_is_put_right_whatever_else_is_broken() {
    let (_world, node) = world("keeper-bundle");
    let installation = Installation::managed_for(plane(), "keeper-bundle", LIVES, false);
    let [first, second] = ["0", "1"].map(|name| installation.start(name));
    installation.route_to(&[&first, &second]);
    installation.wait_until_judging("keeper-bundle");
    let authority = shared(&installation, "ca.crt");
    let wrong = STANDARD.encode(Authority::new("Somebody else").pem());
    let rules = plane().kubectl.get(&["-n", NAMESPACE, "role", installation.name()])["rules"].clone();
    let stream = Stream::start(plane(), &node);
    stream.wait_for(20);
    let mut broken: Vec<(Instant, Instant)> = Vec::new();
    let mut is_put_right = |what: &str| {
        let begins = Instant::now();
        set_bundles(plane(), installation.name(), Some(&wrong));
        eventually(what, || {
            let found = bundles(&installation);
            let all = found.iter().all(|bundle| bundle.contains(authority.trim_end()));
            if all && path_of(&installation) != "/validate" { Ok(()) } else { Err(format!("{found:?}")) }
        });
        // The API server hears of it a moment later.
        let ends = Instant::now() + Duration::from_secs(3);
        std::thread::sleep(Duration::from_secs(3));
        stream.wait_for(20);
        broken.push((begins, ends));
    };
    is_put_right("nothing else is broken");
    patch("secret", &installation, &json!({"data": {"ca.key": STANDARD.encode("hush")}}));
    is_told(&[&first, &second], "secret", 0.0);
    is_put_right("the Secret can't be read");
    patch("role", &installation, &json!({"rules": []}));
    delete("lease", &installation);
    is_told(&[&first, &second], "lease", 0.0);
    is_put_right("there is no Lease either");
    patch("role", &installation, &json!({"rules": rules}));
    patch("secret", &installation, &json!({"data": null}));
    eventually("all is as before", || trust(&installation, &authority));
    let lost = stream.end_with_losses();
    for Lost { at, error } in &lost {
        let is_then = broken.iter().any(|(begins, ends)| begins <= at && at <= ends);
        assert!(is_then, "not while a wrong bundle was there: {error}");
    }
    for (begins, ends) in broken {
        // A turn takes a second, and the API server is asked a few times.
        assert!(ends - begins < Duration::from_secs(20), "{:?}", ends - begins);
    }
}

fn whoever_has_no_authority_waits_for_those_who_have_it() {
    let (_world, _node) = world("keeper-waits");
    let installation = Installation::managed_for(plane(), "keeper-waits", LIVES, false);
    let [mut first, second] = ["0", "1"].map(|name| installation.start(name));
    let authority = shared(&installation, "ca.crt");
    let mut logs = String::new();
    for round in 0..3 {
        patch("secret", &installation, &json!({"data": null}));
        let mut fresh = installation.start_unready(&format!("fresh-{round}"));
        fresh.wait_until_ready();
        assert_eq!(shared(&installation, "ca.crt"), authority, "{}", fresh.log());
        logs.push_str(&fresh.log());
    }
    // Nor when the holder has gone without a word, while another has it in memory.
    first.kill();
    delete("secret", &installation);
    let mut fresh = installation.start_unready("fresh");
    fresh.wait_until_ready();
    assert_eq!(shared(&installation, "ca.crt"), authority, "{}", fresh.log());
    logs.push_str(&[first.log(), second.log(), fresh.log()].concat());
    assert_eq!(logs.matches("made a certificate authority").count(), 1, "{logs}");
    verified(&installation, &fresh);

    // Nobody has it any more: another is made, and trusted in place of the first.
    drop(second);
    fresh.kill();
    delete("secret", &installation);
    let last = installation.start("last");
    assert_ne!(shared(&installation, "ca.crt"), authority);
    trust(&installation, &shared(&installation, "ca.crt")).expect("trusted");
    verified(&installation, &last);
}

fn a_replica_that_nobody_trusts_says_so() {
    let (_world, _node) = world("keeper-trust");
    let installation = Installation::managed_for(plane(), "keeper-trust", LIVES, false);
    let replica = installation.start("0");
    assert_eq!(replica.figure("meshvet_certificate_trusted"), Some(1.0));
    let may = |verbs: &[&str]| {
        let patch = json!([{"op": "replace", "path": "/rules/0/verbs", "value": verbs}]).to_string();
        plane().kubectl.run(&["patch", "clusterrole", installation.name(), "--type=json", "-p", &patch], "").succeeds();
    };
    may(&["get"]);
    let wrong = STANDARD.encode(Authority::new("Somebody else").pem());
    set_bundles(plane(), installation.name(), Some(&wrong));
    eventually("it isn't ready", || match replica.get("/readyz") {
        Ok(answer) if answer.contains("doesn't trust the serving certificate") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(replica.figure("meshvet_certificate_trusted"), Some(0.0));
    assert!(replica.log().contains("reviews don't reach this replica"), "{}", replica.log());
    let good = STANDARD.encode(shared(&installation, "ca.crt"));
    set_bundles(plane(), installation.name(), Some(&good));
    eventually("the path isn't its own", || match replica.get("/readyz") {
        Ok(answer) if answer.contains("sends reviews to paths that aren't served") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    may(&["get", "update"]);
    eventually("it is ready", || match replica.probe("/readyz") {
        Ok(200) => Ok(()),
        other => Err(format!("{other:?}\n{}", replica.log())),
    });
    assert!(replica.log().contains("reviews reach this replica again"), "{}", replica.log());
}

/// The answer to a request of anybody who reaches the port: status and body.
fn asks(replica: &Replica, installation: &Installation<'_>, method: &str, path: &str, body: &str) -> (String, String) {
    let address = format!("{}:8443", replica.address);
    let name = format!("{}.{NAMESPACE}.svc", installation.name());
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let answer = openssl(&["s_client", "-quiet", "-connect", &address, "-servername", &name], &request);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.split(' ').nth(1).unwrap_or_default().to_owned(), body.to_owned())
}

fn only_the_paths_of_the_configuration_answer() {
    let (_world, mut node) = world("keeper-paths");
    let installation = Installation::managed_for(plane(), "keeper-paths", ["24h", "240h"], false);
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("keeper-paths");
    // Made up: it would be told about every pod of the namespace.
    node["spec"]["podSelector"] = json!({"matchLabels": {}});
    let kind = json!({"group": "appmesh.k8s.aws", "version": "v1beta2", "kind": "VirtualNode"});
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"uid": "7f0c", "kind": kind, "operation": "CREATE", "namespace": "keeper-paths", "name": "web", "object": node},
    });
    let review = review.to_string();
    let ask = |method: &str, path: &str| asks(&replica, &installation, method, path, &review);
    let nowhere = ask("POST", "/");
    assert_eq!(nowhere.0, "404", "{nowhere:?}");
    let right = path_of(&installation);
    let near = format!("{}0", &right[..right.len() - 1]);
    let other = right.replace("/validate", "/validate/ignore");
    for path in ["/validate", "/validate/ignore", "/secrets", "/validate/", "/elsewhere", &near, &other] {
        for method in ["POST", "GET"] {
            if path != right {
                assert_eq!(ask(method, path), nowhere, "{method} {path}");
            }
        }
    }
    let (code, answer) = ask("POST", &right);
    assert!(code == "200" && answer.contains("7f0c"), "{code} {answer}");

    // Each entry has a component of its own, and what kind of entry it is stands before it.
    let configuration = plane().kubectl.get(&["validatingwebhookconfiguration", installation.name()]);
    for hook in configuration["webhooks"].as_array().expect("webhooks") {
        let path = hook["clientConfig"]["service"]["path"].as_str().expect("a path");
        let component = path.strip_prefix(plain_path(hook)).and_then(|rest| rest.strip_prefix('/'));
        assert!(component.is_some_and(|component| component.len() == 32), "{path}");
    }
    assert!(!replica.log().contains(right.rsplit('/').next().expect("a component")), "{}", replica.log());

    // Replaced as the authority is when somebody asks for that: the old one is served until nobody is sent there.
    let annotation = format!("{}=now", meshvet::admission::certificate::managed::REPLACE);
    let arguments = ["-n", NAMESPACE, "annotate", "secret", installation.name(), &annotation];
    plane().kubectl.run(&arguments, "").succeeds();
    eventually("the next paths are known", || {
        let data = secret(&installation)["data"].clone();
        if data["next.path"].is_string() { Ok(()) } else { Err(decoded(&data["ca.crt"])) }
    });
    assert_eq!(path_of(&installation), right, "not at once");
    assert_eq!(ask("POST", &right).0, "200");
}
