//! Ingresses of Contour, each of a host of its own.

use serde_json::{Value, json};

use crate::case::{Case, Probe, application};
use crate::minted::{self, Pair};
use crate::support::mint::Key;

/// The class, in each case, as each is checked alone.
fn class() -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "contour"},
        "spec": {"controller": "projectcontour.io/ingress-controller"}})
}

fn host(case: &str) -> String {
    format!("{case}.example.com")
}

/// An Ingress for hosts with these `tls` blocks.
fn ingress(case: &str, hosts: &[&str], tls: Value) -> Value {
    let paths = json!({"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "app", "port": {"name": "web"}}}}]});
    let rules: Vec<Value> = hosts.iter().map(|host| json!({"host": host, "http": paths})).collect();
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"namespace": case, "name": "web"},
        "spec": {"ingressClassName": "contour", "rules": rules, "tls": tls}})
}

/// One host, with what its block and its namespace have.
fn of_block(case: &'static str, block: Value, others: Vec<Value>) -> Case {
    let host = host(case);
    let ingress = ingress(case, &[&host], json!([block]));
    let objects = [class(), application(case), ingress].into_iter().chain(others).collect();
    Case::new(case, objects, vec![Probe::of(&host)])
}

/// One host, with a Secret that names it, or another.
fn of_secret(case: &'static str, secret: impl FnOnce(&str) -> Value) -> Case {
    let host = host(case);
    of_block(case, json!({"hosts": [host], "secretName": "web"}), vec![secret(&host)])
}

/// The same, with a Secret of kubernetes.io/tls.
fn of_pair(case: &'static str, pair: impl FnOnce(&str) -> Pair) -> Case {
    of_secret(case, |host| minted::secret(case, "web", &pair(host)))
}

pub(crate) fn all() -> Vec<Case> {
    let web = |case: &str| json!({"hosts": [host(case)], "secretName": "web"});
    let opaque = |case: &'static str| {
        move |host: &str| minted::secret_with(case, "web", "Opaque", ["tls.crt", "tls.key"], &minted::sound(host))
    };
    vec![
        of_pair("sound", minted::sound),
        of_pair("rsa-2048", |host| minted::of_key(host, "RSA-2048", Key::Rsa(2048))),
        of_pair("rsa-1024", minted::rsa_1024),
        of_pair("p-224", minted::of_p224),
        of_pair("p-384", |host| minted::of_key(host, "P-384", Key::P384)),
        of_pair("p-521", minted::of_p521),
        of_pair("ed25519", |host| minted::of_key(host, "Ed25519", Key::Ed25519)),
        of_pair("nameless", |_| minted::nameless()),
        of_pair("misnamed", |_| minted::sound("else.example.org")),
        of_pair("ended", minted::ended),
        of_pair("ended-behind", minted::ended_behind),
        of_pair("not-begun", minted::not_begun),
        of_pair("key-of-another", minted::mismatched),
        of_pair("unreadable", minted::unreadable),
        of_pair("encrypted", minted::encrypted),
        of_block("absent", web("absent"), vec![]),
        of_secret("opaque", opaque("opaque")),
        of_secret("cert-and-key", |host| {
            minted::secret_with("cert-and-key", "web", "Opaque", ["cert", "key"], &minted::sound(host))
        }),
        of_secret("another-type", |host| {
            minted::secret_with("another-type", "web", "example.com/tls", ["tls.crt", "tls.key"], &minted::sound(host))
        }),
        of_block("without-secret-name", json!({"hosts": [host("without-secret-name")]}), vec![]),
        of_block(
            "in-no-block",
            json!({"hosts": ["elsewhere.example.com"], "secretName": "web"}),
            vec![minted::secret("in-no-block", "web", &minted::sound("in-no-block.example.com"))],
        ),
        of_block(
            "no-hosts",
            json!({"secretName": "web"}),
            vec![minted::secret("no-hosts", "web", &minted::sound("no-hosts.example.com"))],
        ),
    ]
}
