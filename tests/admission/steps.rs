//! Repairs in steps: what did not work before may go on not working in another way, and what a worse problem hid refuses nothing.

use meshvet::policy::Policy;
use serde_json::{Value, json};

use crate::bed::{AUTHORITY, Bed, MISNAMED, SOUND, node, update};
use crate::support::manifests::{
    calling_node, client_policy, deployment, namespace, secret, tls_secret, virtual_service,
};
use crate::support::mint::Authority;

const TLS: &str = "/spec/listeners/0/tls/certificate/file";

/// A world in which `/certs` has a misnamed certificate, its key, the key of another, and junk; `/sound` has a sound one.
fn bed() -> Bed {
    let mixed = secret(
        "shop",
        "blue-cert",
        &[
            ("tls.crt", &MISNAMED.chain),
            ("tls.key", &MISNAMED.key),
            ("other.key", &SOUND.key),
            ("junk.crt", "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n"),
        ],
    );
    let sound = tls_secret("shop", "blue-sound", &SOUND);
    Bed::of([namespace("shop"), deployment("shop", "blue", "blue-cert:/certs, blue-sound:/sound"), mixed, sound])
}

/// The node with other files.
fn with(chain: &str, key: &str) -> Value {
    let mut node = node();
    let file = node.pointer_mut(TLS).expect("files");
    *file = json!({"certificateChain": chain, "privateKey": key});
    node
}

fn on_port(mut node: Value, port: u16) -> Value {
    node["spec"]["listeners"][0]["portMapping"]["port"] = port.into();
    node
}

/// The node with a second listener, of another port.
fn and(mut node: Value, other: &Value, port: u16) -> Value {
    let listener = on_port(other.clone(), port)["spec"]["listeners"][0].clone();
    node["spec"]["listeners"].as_array_mut().expect("listeners").push(listener);
    node
}

#[tokio::test]
async fn a_step_of_a_repair_passes() {
    let misnamed = || with("/certs/tls.crt", "/certs/tls.key");
    let steps = [
        ("a missing file", with("/certs/none.crt", "/certs/tls.key"), misnamed(), "MV101 (broken before too)"),
        ("a missing key", with("/certs/tls.crt", "/certs/none.key"), misnamed(), "MV101 (as before)"),
        ("a file that isn't mounted", with("/none/tls.crt", "/certs/tls.key"), misnamed(), "MV101 (broken before too)"),
        ("junk", with("/certs/junk.crt", "/certs/tls.key"), misnamed(), "MV101 (broken before too)"),
        ("the key of another", with("/certs/tls.crt", "/certs/other.key"), misnamed(), "MV101 (as before)"),
        ("another port", misnamed(), on_port(misnamed(), 9443), "MV101 (as before)"),
        (
            "one breakage for another",
            with("/certs/junk.crt", "/certs/tls.key"),
            with("/certs/none.crt", "/certs/tls.key"),
            "MV202 (broken before too)",
        ),
    ];
    for (what, old, new, words) in steps {
        let response = bed().ask(&update(old, new)).await;
        assert_eq!(response.0["allowed"], true, "{what}: {}", response.0);
        assert!(response.warnings().iter().any(|line| line.contains(words)), "{what}: {:?}", response.warnings());
    }
}

#[tokio::test]
async fn what_worked_before_is_not_broken() {
    let (sound, misnamed) = (|| with("/sound/tls.crt", "/sound/tls.key"), || with("/certs/tls.crt", "/certs/tls.key"));
    let dead = || with("/certs/none.crt", "/certs/tls.key");
    let breaks = [
        ("a sound listener", sound(), misnamed(), "MV101"),
        ("and its port", sound(), on_port(misnamed(), 9443), "MV101"),
        ("beside a dead one", and(sound(), &dead(), 9443), and(misnamed(), &dead(), 9443), "MV101"),
        ("one more listener", misnamed(), and(misnamed(), &misnamed(), 9443), "MV101"),
        ("a sound one that is taken away for it", sound(), dead(), "MV202"),
    ];
    for (what, old, new, code) in breaks {
        let response = bed().ask(&update(old, new)).await;
        assert_eq!(response.0["allowed"], false, "{what}: {}", response.0);
        assert!(
            response.0["status"]["message"].as_str().is_some_and(|text| text.contains(code)),
            "{what}: {}",
            response.0
        );
    }
}

#[tokio::test]
async fn a_step_of_a_client_s_repair_passes() {
    let bundle = secret("shop", "front-ca", &[("ca.crt", &Authority::new("Other root").pem())]);
    let all = [
        namespace("shop"),
        deployment("shop", "blue", "blue-cert:/certs"),
        tls_secret("shop", "blue-cert", &SOUND),
        node(),
        virtual_service("shop", "blue", "blue"),
        deployment("shop", "front", "front-ca:/certs"),
        bundle,
    ];
    let front = |file: &str| {
        let text = calling_node("shop", "front", "blue", client_policy()).to_string();
        serde_json::from_str::<Value>(&text.replace("/certs/ca.crt", file)).expect("JSON")
    };
    let response = Bed::of(all.clone()).ask(&update(front("/certs/none.crt"), front("/certs/ca.crt"))).await;
    response.warns(&["MV301 (broken before too)", "the client refuses the server's certificate"]);
    // One that trusted it does so no more.
    let trusted =
        secret("shop", "front-ca", &[("ca.crt", &Authority::new("Other root").pem()), ("old.crt", &AUTHORITY.pem())]);
    let bed = Bed::of(all.into_iter().take(6).chain([trusted]));
    bed.ask(&update(front("/certs/old.crt"), front("/certs/ca.crt"))).await.denies(&["MV301"]);
}

#[tokio::test]
async fn a_step_of_a_secret_s_repair_passes() {
    let junk = secret(
        "shop",
        "blue-cert",
        &[("tls.crt", "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n"), ("tls.key", &MISNAMED.key)],
    );
    let bed = Bed::of([namespace("shop"), deployment("shop", "blue", "blue-cert:/certs"), junk.clone(), node()]);
    bed.policy.store(Policy::parse("changes: {secrets: deny}").expect("a policy").into());
    let response = bed.ask(&update(junk, tls_secret("shop", "blue-cert", &MISNAMED))).await;
    response.warns(&["shop/blue MV101 (broken before too)"]);
    let sound = tls_secret("shop", "blue-cert", &SOUND);
    bed.ask(&update(sound, tls_secret("shop", "blue-cert", &MISNAMED))).await.denies(&["MV101"]);
}
