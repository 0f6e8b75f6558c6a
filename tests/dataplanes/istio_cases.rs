//! Istio's Gateways.

use serde_json::{Value, json};

use crate::case::Case;
use crate::gateways::HOST;
use crate::minted::{self, Pair};
use crate::policies;
use crate::record::Controller::Istio;
use crate::support::forge::Kind;
use crate::support::mint::Key;

pub(crate) fn all() -> Vec<Case> {
    [contents(), types(), references(), neighbours(), policies::all()].into_iter().flatten().collect()
}

fn contents() -> Vec<Case> {
    let of = |case, pair: Pair| Istio.of_pair(case, &pair);
    vec![
        of("sound", minted::sound(HOST)),
        of("rsa-2048", minted::of_key(HOST, "RSA-2048", Key::Rsa(2048))),
        of("p-384", minted::of_key(HOST, "P-384", Key::P384)),
        of("p-521", minted::of_p521(HOST)),
        of("ed25519", minted::of_key(HOST, "Ed25519", Key::Ed25519)),
        of("ec-not-for-signing", minted::not_for_signing(HOST, Kind::P256)),
        of("rsa-not-for-signing", minted::not_for_signing(HOST, Kind::Rsa(2048))),
        of("clients-only", minted::for_clients(HOST)),
        of("misnamed", minted::sound("else.example.org")),
        of("ended", minted::ended(HOST)),
        of("ended-behind", minted::ended_behind(HOST)),
        of("not-begun", minted::not_begun(HOST)),
        of("key-of-another", minted::mismatched(HOST)),
        of("unreadable", minted::unreadable(HOST)),
        of("encrypted", minted::encrypted(HOST)),
    ]
}

fn types() -> Vec<Case> {
    let sound = minted::sound(HOST);
    let with = |case, of_type, keys| Istio.of_secret(case, minted::secret_with(case, "web", of_type, keys, &sound));
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
    let misnamed = minted::sound("else.example.org");
    let refs = |names: &[&str]| Value::Array(names.iter().map(|name| json!({"name": name})).collect());
    let mut elsewhere = Istio.of_refs("elsewhere", json!([{"name": "web", "namespace": "sound"}]), vec![]);
    elsewhere.objects.push(minted::secret("sound", "web", &sound));
    let map = minted::config_map("config-map", "web", "tls.crt", &sound.chain);
    vec![
        Istio.of_refs("absent", refs(&["web"]), vec![]),
        Istio.without_tls("without-tls"),
        Istio.several("two-kinds-of-key", &[("web", &sound), ("rsa", &rsa)]),
        Istio.several("second-of-another-name", &[("web", &sound), ("else", &misnamed)]),
        Istio.several("first-of-another-name", &[("else", &misnamed), ("web", &sound)]),
        Istio.several("third-alone-fits", &[("else", &misnamed), ("else-2", &misnamed), ("web", &sound)]),
        Istio.several("first-is-broken", &[("rsa", &minted::mismatched(HOST)), ("web", &sound)]),
        Istio.several("first-is-refused", &[("rsa", &minted::rsa_1024(HOST)), ("web", &sound)]),
        Istio.several("second-is-broken", &[("web", &sound), ("rsa", &minted::mismatched(HOST))]),
        Istio.several("second-is-refused", &[("web", &sound), ("rsa", &minted::rsa_1024(HOST))]),
        Istio.of_refs(
            "second-is-absent",
            refs(&["web", "rsa"]),
            vec![minted::secret("second-is-absent", "web", &sound)],
        ),
        Istio.of_refs("config-map", json!([{"name": "web", "kind": "ConfigMap"}]), vec![map]),
        elsewhere,
    ]
}

fn neighbours() -> Vec<Case> {
    vec![
        Istio.beside_pair("sound-beside", &minted::sound(HOST)),
        Istio.beside_pair("rsa-1024-beside", &minted::rsa_1024(HOST)),
        Istio.beside_pair("p-224-beside", &minted::of_p224(HOST)),
        Istio.beside_pair("nameless-beside", &minted::nameless()),
        Istio.beside_pair("key-of-another-beside", &minted::mismatched(HOST)),
        Istio.beside("absent-beside", None),
    ]
}
