//! What is said of both ends of a connection: sound, or broken in each of the ways that App Mesh's users break it.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::envoy::{self, Envoy};
use crate::proxies::{NAME, OTHER, Pair, ROOT, Server, start_server};
use crate::support::mint::Authority;

/// Runs meshvet.
pub(crate) fn verify(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meshvet"))
        .arg("verify")
        .args(arguments)
        .env_remove("KUBECONFIG")
        .env_remove("MESHVET_KUBECONFIG")
        .env("HOME", "/nonexistent")
        .output()
        .expect("meshvet runs")
}

/// What it says as text, with this exit code.
#[track_caller]
pub(crate) fn says(arguments: &[&str], code: i32, expected: &[&str]) {
    let output = verify(arguments);
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{text}{errors}");
    for expected in expected {
        assert!(text.contains(expected), "{expected:?} is not in:\n{text}{errors}");
    }
}

/// What it says as JSON of the first proxy, with this exit code.
#[track_caller]
fn tells(envoy: &Envoy, code: i32) -> Value {
    let output = verify(&["--url", &envoy.url(), "-o", "json"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["version"], 1);
    assert_eq!(document["errors"], json!([]));
    document["proxies"][0].clone()
}

/// Each finding as severity, end, counter and first rule.
fn findings(proxy: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    proxy["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|it| {
            let end = if it["cluster"].is_string() { "cluster" } else { "listener" };
            let name = if it[end].is_string() { format!("{end} {}", text(&it[end])) } else { "proxy".to_owned() };
            format!("{} {name} {} {}", text(&it["severity"]), text(&it["counter"]), text(&it["rules"][0]))
        })
        .collect()
}

/// A pair that fails: what is said of the client, and of the server.
#[track_caller]
fn fails(server: &Server<'_>, trust: &Authority, name: &str, of_client: &[&str], of_server: (i32, &[&str])) {
    let pair = Pair::new(server, trust, name, 503);
    assert_eq!(findings(&tells(&pair.client, 1)), of_client, "the client");
    assert_eq!(findings(&tells(&pair.server, of_server.0)), of_server.1, "the server");
}

#[test]
fn a_sound_pair_is_told_as_in_use_and_sound() {
    let pair = Pair::sound();
    let (server, client) = (pair.server.url(), pair.client.url());
    says(
        &["--url", &server, "--url", &client],
        0,
        &[
            "listener ingress: 1 TLS handshake in 1 connection, TLSv1.2, ECDHE-",
            "cluster blue: 1 TLS handshake in 1 connection, TLSv1.2, ECDHE-",
            "without TLS: 1 listener",
            "presents tls.crt (blue.shop.svc), ",
            "trusts ca.pem, 36",
            "2 proxies read: TLS is in use and sound\n",
        ],
    );
    let told = tells(&pair.client, 0);
    assert_eq!(told["tls"], "in-use");
    assert_eq!(told["clusters"][0]["name"], "blue");
    assert_eq!(told["clusters"][0]["handshakes"], 1);
    assert_eq!(told["clusters"][0]["versions"], json!({"TLSv1.2": 1}));
    assert_eq!(told["certificates"][0]["role"], "trust");
    assert_eq!(told["findings"], json!([]));
}

#[test]
fn counters_of_a_span_are_those_of_that_span() {
    let pair = Pair::sound();
    says(&["--url", &pair.client.url(), "--over", "10ms"], 0, &["0 TLS handshakes in 0 connections", "unused"]);
}

#[test]
fn a_name_that_does_not_match_is_told_by_the_client() {
    let certificate = ROOT.leaf(&["green.shop.svc"]).issue();
    let server = Server { certificate: Some(&certificate), client_trust: None };
    let of_server = (1, &["deny listener ingress connection_error MV301"][..]);
    fails(&server, &ROOT, NAME, &["deny cluster blue fail_verify_san MV104"], of_server);
}

#[test]
fn another_authority_is_told_by_the_client() {
    let certificate = OTHER.leaf(&[NAME]).issue();
    let server = Server { certificate: Some(&certificate), client_trust: None };
    let of_server = (1, &["deny listener ingress connection_error MV301"][..]);
    fails(&server, &ROOT, NAME, &["deny cluster blue fail_verify_error MV301"], of_server);
}

#[test]
fn a_plaintext_server_is_told_by_the_client() {
    let server = Server { certificate: None, client_trust: None };
    let of_server = (0, &["warn proxy - MV307"][..]);
    fails(&server, &ROOT, NAME, &["deny cluster blue connection_error MV305"], of_server);
}

#[test]
fn a_missing_client_certificate_is_told_by_the_server() {
    let certificate = ROOT.leaf(&[NAME]).issue();
    let server = Server { certificate: Some(&certificate), client_trust: Some(&ROOT) };
    let of_server = (1, &["deny listener ingress fail_verify_no_cert MV304"][..]);
    fails(&server, &ROOT, NAME, &["deny cluster blue connection_error MV305"], of_server);
}

#[test]
fn an_expired_certificate_is_told_by_both() {
    let certificate = ROOT.leaf(&[NAME]).valid(-20, -1).issue();
    let server = Server { certificate: Some(&certificate), client_trust: None };
    let of_server = (1, &["deny listener ingress connection_error MV301", "deny proxy - MV207"][..]);
    fails(&server, &ROOT, NAME, &["deny cluster blue fail_verify_error MV301"], of_server);
}

#[test]
fn warnings_count_when_asked_to() {
    let certificate = ROOT.leaf(&[NAME]).valid(-20, 9).issue();
    let server = start_server(&envoy::loopback(0), &Server { certificate: Some(&certificate), client_trust: None });
    let url = server.url();
    let unused = ["TLS configured, unused", "warn (MV209)", "send a request", "1 proxy read: 2 warnings"];
    says(&["--url", &url], 0, &unused);
    says(&["--url", &url, "--fail-on", "warn"], 1, &unused);
    says(&["--url", &url, "--expiring-days", "5"], 0, &["1 proxy read: 1 warning"]);
}
