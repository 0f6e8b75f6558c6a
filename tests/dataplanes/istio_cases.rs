//! Gateways of Istio: what their listeners name.

use serde_json::{Value, json};

use crate::case::{Case, Probe, application, gateway_object, route};
use crate::istio::address;
use crate::minted::{self, Pair};
use crate::policies;
use crate::support::mint::Key;

/// The host of most cases.
pub(crate) const HOST: &str = "web.example.com";
/// The host of a sound listener beside it.
const NEXT: &str = "next.example.com";

fn class() -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "istio"},
        "spec": {"controllerName": "istio.io/gateway-controller"}})
}

/// The class, a Gateway with these listeners, and routes of these hosts to the application.
pub(crate) fn world(case: &str, mut spec: Value, hosts: &[&str]) -> Vec<Value> {
    spec["gatewayClassName"] = json!("istio");
    spec["addresses"] = json!([address(case)]);
    let gateway = gateway_object("Gateway", case, "web", spec);
    vec![class(), application(case), gateway, route(case, &json!({"name": "web"}), hosts)]
}

pub(crate) fn listener(name: &str, host: &str, refs: Value) -> Value {
    json!({"name": name, "port": 443, "protocol": "HTTPS", "hostname": host, "tls": {"certificateRefs": refs}})
}

/// A Gateway of one listener with these references.
fn of_refs(case: &'static str, refs: Value, others: Vec<Value>) -> Case {
    let mut objects = world(case, json!({"listeners": [listener("web", HOST, refs)]}), &[HOST]);
    objects.extend(others);
    Case::new(case, objects, vec![Probe::of(HOST)])
}

fn of_secret(case: &'static str, secret: Value) -> Case {
    of_refs(case, json!([{"name": "web"}]), vec![secret])
}

fn of_pair(case: &'static str, pair: &Pair) -> Case {
    of_secret(case, minted::secret(case, "web", pair))
}

/// A listener with this beside a sound one on each of two ports.
fn beside(case: &'static str, secret: Option<Value>) -> Case {
    let other = "other.example.com";
    let mut far = listener("other", other, json!([{"name": "other"}]));
    far["port"] = json!(8443);
    let near = listener("next", NEXT, json!([{"name": "next"}]));
    let listeners = json!([listener("web", HOST, json!([{"name": "web"}])), near, far]);
    let mut objects = world(case, json!({"listeners": listeners}), &[HOST, NEXT, other]);
    objects.push(minted::secret(case, "next", &minted::sound(NEXT)));
    objects.push(minted::secret(case, "other", &minted::sound(other)));
    objects.extend(secret);
    let probes = vec![Probe::of(HOST), Probe::neighbour(NEXT), Probe::neighbour(other).port(8443)];
    Case::new(case, objects, probes)
}

fn beside_pair(case: &'static str, pair: &Pair) -> Case {
    beside(case, Some(minted::secret(case, "web", pair)))
}

pub(crate) fn all() -> Vec<Case> {
    [contents(), types(), references(), neighbours(), policies::all()].into_iter().flatten().collect()
}

fn contents() -> Vec<Case> {
    vec![
        of_pair("sound", &minted::sound(HOST)),
        of_pair("rsa-2048", &minted::of_key(HOST, "RSA-2048", Key::Rsa(2048))),
        of_pair("p-384", &minted::of_key(HOST, "P-384", Key::P384)),
        of_pair("p-521", &minted::of_p521(HOST)),
        of_pair("ed25519", &minted::of_key(HOST, "Ed25519", Key::Ed25519)),
        of_pair("misnamed", &minted::sound("else.example.org")),
        of_pair("ended", &minted::ended(HOST)),
        of_pair("ended-behind", &minted::ended_behind(HOST)),
        of_pair("not-begun", &minted::not_begun(HOST)),
        of_pair("key-of-another", &minted::mismatched(HOST)),
        of_pair("unreadable", &minted::unreadable(HOST)),
        of_pair("encrypted", &minted::encrypted(HOST)),
    ]
}

fn types() -> Vec<Case> {
    let sound = minted::sound(HOST);
    let with = |case, of_type, keys| of_secret(case, minted::secret_with(case, "web", of_type, keys, &sound));
    vec![
        with("opaque", "Opaque", ["tls.crt", "tls.key"]),
        with("cert-and-key", "Opaque", ["cert", "key"]),
        with("another-type", "example.com/tls", ["tls.crt", "tls.key"]),
        with("other-keys", "Opaque", ["server.crt", "server.key"]),
    ]
}

fn references() -> Vec<Case> {
    let sound = minted::sound(HOST);
    let rsa = minted::of_key(HOST, "RSA-2048", Key::Rsa(2048));
    let refs = |names: &[&str]| Value::Array(names.iter().map(|name| json!({"name": name})).collect());
    let several = |case: &'static str, pairs: &[(&str, &Pair)]| {
        let names: Vec<&str> = pairs.iter().map(|(name, _)| *name).collect();
        let secrets = pairs.iter().map(|(name, pair)| minted::secret(case, name, pair)).collect();
        of_refs(case, refs(&names), secrets)
    };
    let misnamed = minted::sound("else.example.org");
    let mut bare = listener("web", HOST, json!([]));
    bare.as_object_mut().unwrap().remove("tls");
    let mut elsewhere = of_refs("elsewhere", json!([{"name": "web", "namespace": "sound"}]), vec![]);
    elsewhere.objects.push(minted::secret("sound", "web", &sound));
    vec![
        of_refs("absent", refs(&["web"]), vec![]),
        Case::new("without-tls", world("without-tls", json!({"listeners": [bare]}), &[HOST]), vec![Probe::of(HOST)]),
        several("two-kinds-of-key", &[("web", &sound), ("rsa", &rsa)]),
        several("second-of-another-name", &[("web", &sound), ("else", &misnamed)]),
        several("first-of-another-name", &[("else", &misnamed), ("web", &sound)]),
        several("third-alone-fits", &[("else", &misnamed), ("else-2", &misnamed), ("web", &sound)]),
        several("second-is-broken", &[("web", &sound), ("rsa", &minted::mismatched(HOST))]),
        several("second-is-refused", &[("web", &sound), ("rsa", &minted::rsa_1024(HOST))]),
        of_refs("second-is-absent", refs(&["web", "rsa"]), vec![minted::secret("second-is-absent", "web", &sound)]),
        of_refs(
            "config-map",
            json!([{"name": "web", "kind": "ConfigMap"}]),
            vec![minted::config_map("config-map", "web", "tls.crt", &sound.chain)],
        ),
        elsewhere,
    ]
}

fn neighbours() -> Vec<Case> {
    vec![
        beside_pair("sound-beside", &minted::sound(HOST)),
        beside_pair("rsa-1024-beside", &minted::rsa_1024(HOST)),
        beside_pair("p-224-beside", &minted::of_p224(HOST)),
        beside_pair("nameless-beside", &minted::nameless()),
        beside_pair("key-of-another-beside", &minted::mismatched(HOST)),
        beside("absent-beside", None),
    ]
}
