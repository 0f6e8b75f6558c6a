//! Contour's Ingresses, each with a host of its own; and its Gateways.

use serde_json::{Value, json};

use crate::case::{Case, Probe, application};
use crate::gateways::HOST;
use crate::minted::{self, Pair};
use crate::record::Controller::Contour;
use crate::support::forge::Kind;
use crate::support::mint::Key;

/// The class, in each case, since each is checked alone.
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

/// One host, with this `tls` block and these objects in its namespace.
fn of_block(case: &'static str, block: Value, others: Vec<Value>) -> Case {
    let host = host(case);
    let ingress = ingress(case, &[&host], json!([block]));
    let objects = [class(), application(case), ingress].into_iter().chain(others).collect();
    Case::new(case, objects, vec![Probe::of(&host)])
}

/// One host, with a Secret whose certificate names it, or another.
fn of_secret(case: &'static str, secret: impl FnOnce(&str) -> Value) -> Case {
    let host = host(case);
    of_block(case, json!({"hosts": [host], "secretName": "web"}), vec![secret(&host)])
}

/// A host that is in no `tls` block: its owner wants plain HTTP for it.
fn in_no_block() -> Case {
    let case = "in-no-block";
    let (host, other) = (host(case), "beside-no-block.example.com");
    let ingress = ingress(case, &[&host, other], json!([{"hosts": [other], "secretName": "web"}]));
    let secret = minted::secret(case, "web", &minted::sound(other));
    Case::new(
        case,
        vec![class(), application(case), ingress, secret],
        vec![Probe::of(&host).unwelcome(), Probe::of(other)],
    )
}

/// The same, with a Secret of type kubernetes.io/tls.
fn of_pair(case: &'static str, pair: impl FnOnce(&str) -> Pair) -> Case {
    of_secret(case, |host| minted::secret(case, "web", &pair(host)))
}

pub(crate) fn all() -> Vec<Case> {
    [ingresses(), gateways()].into_iter().flatten().collect()
}

fn gateways() -> Vec<Case> {
    let sound = minted::sound(HOST);
    let with = |case, of_type, keys| Contour.of_secret(case, minted::secret_with(case, "web", of_type, keys, &sound));
    let misnamed = minted::sound("else.example.org");
    let mut elsewhere = Contour.of_refs("gateway-elsewhere", json!([{"name": "web", "namespace": "sound"}]), vec![]);
    elsewhere.objects.push(minted::secret("sound", "web", &minted::sound(&host("sound"))));
    let map = minted::config_map("gateway-config-map", "web", "tls.crt", &sound.chain);
    vec![
        Contour.beside_pair("gateway-sound", &sound),
        with("gateway-opaque", "Opaque", ["tls.crt", "tls.key"]),
        with("gateway-another-type", "example.com/tls", ["tls.crt", "tls.key"]),
        with("gateway-cert-and-key", "Opaque", ["cert", "key"]),
        Contour.of_pair("gateway-misnamed", &misnamed),
        Contour.of_pair("gateway-ended", &minted::ended(HOST)),
        Contour.of_pair("gateway-unreadable", &minted::unreadable(HOST)),
        Contour.beside_pair("gateway-key-of-another", &minted::mismatched(HOST)),
        Contour.beside_pair("gateway-rsa-1024", &minted::rsa_1024(HOST)),
        Contour.beside_pair("gateway-nameless", &minted::nameless()),
        Contour.beside("gateway-absent", None),
        Contour.several("gateway-second-of-another-name", &[("web", &sound), ("else", &misnamed)]),
        Contour.several("gateway-first-of-another-name", &[("else", &misnamed), ("web", &sound)]),
        Contour.several("gateway-first-is-broken", &[("rsa", &minted::mismatched(HOST)), ("web", &sound)]),
        Contour.without_tls("gateway-without-tls"),
        Contour.of_refs("gateway-config-map", json!([{"name": "web", "kind": "ConfigMap"}]), vec![map]),
        elsewhere,
    ]
}

fn ingresses() -> Vec<Case> {
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
        of_pair("ec-not-for-signing", |host| minted::not_for_signing(host, Kind::P256)),
        of_pair("rsa-not-for-signing", |host| minted::not_for_signing(host, Kind::Rsa(2048))),
        of_pair("clients-only", minted::for_clients),
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
        in_no_block(),
        of_block(
            "no-hosts",
            json!({"secretName": "web"}),
            vec![minted::secret("no-hosts", "web", &minted::sound("no-hosts.example.com"))],
        ),
    ]
}
