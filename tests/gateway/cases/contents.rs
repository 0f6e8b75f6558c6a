//! Kinds of certificates.

use crate::case::{Case, https};
use crate::cases::{CLIENTS, ENVOY};
use crate::secrets::{self, Pair};
use crate::support::mint::Key;

/// A listener for `*.example.com` with this pair, a route, and a client that requests `a.example.com`.
fn of(name: &str, pair: &Pair) -> Case {
    let route = crate::case::route("HTTPRoute", &["a.example.com"]);
    Case::of(name, &[https("web", "*.example.com")]).with(route).pair(pair).ask("a.example.com")
}

const NAME: &str = "subjectAltName=DNS:*.example.com";
const P256: [&str; 2] = ["EC", "ec_paramgen_curve:P-256"];
const RSA: [&str; 2] = ["RSA", "rsa_keygen_bits:2048"];

pub(crate) fn cases() -> Vec<Case> {
    [keys(), names(), dates(), usages(), chains()].into_iter().flatten().collect()
}

fn keys() -> Vec<Case> {
    vec![
        of("sound", &secrets::sound()),
        of("rsa-2048", &secrets::keyed(Key::Rsa(2048))),
        of("rsa-3072", &secrets::keyed(Key::Rsa(3072))),
        of("rsa-1024", &secrets::of_key("RSA", "rsa_keygen_bits:1024")).stricter(ENVOY),
        of("rsa-2047", &secrets::of_key("RSA", "rsa_keygen_bits:2047")).stricter(ENVOY),
        of("rsa-exponent-3", &secrets::extended(&["RSA", "rsa_keygen_pubexp:3"], &[NAME])),
        of("p-384", &secrets::keyed(Key::P384)),
        of("p-521", &secrets::of_key("EC", "ec_paramgen_curve:P-521")),
        of("p-224", &secrets::of_key("EC", "ec_paramgen_curve:P-224")).stricter(ENVOY),
        of("secp256k1", &secrets::of_key("EC", "ec_paramgen_curve:secp256k1")),
        of("brainpool", &secrets::of_key("EC", "ec_paramgen_curve:brainpoolP256r1")),
        of("ed25519", &secrets::keyed(Key::Ed25519)),
        of("rsa-pss", &secrets::of_key("RSA-PSS", "rsa_keygen_bits:2048")),
        of("key-of-another", &secrets::mismatched()),
        of("key-of-another-kind", &secrets::mismatched_kind()),
    ]
}

fn names() -> Vec<Case> {
    let hundred: Vec<String> = (0..100).map(|number| format!("host{number}.example.com")).collect();
    let hundred: Vec<&str> = hundred.iter().map(String::as_str).chain(["a.example.com"]).collect();
    vec![
        of("nameless", &secrets::nameless()).stricter(ENVOY),
        of("address-alone", &secrets::with_address()),
        of("uri-alone", &secrets::extended_for(&P256, "/O=shop", &["subjectAltName=URI:spiffe://shop/web"])),
        of("mail-alone", &secrets::extended_for(&P256, "/O=shop", &["subjectAltName=email:a@example.com"]))
            .stricter(ENVOY),
        of("organization-alone", &secrets::extended_for(&P256, "/O=shop", &[])).stricter(ENVOY),
        of("common-name-alone", &secrets::common_named("a.example.com")).uncovered(),
        of("without-common-name", &secrets::without_common_name()),
        of("misnamed", &secrets::named("else.example.org")).uncovered(),
        of("named-above", &secrets::named("example.com")).uncovered(),
        of("star-of-another-level", &secrets::named("*.a.example.com")).uncovered(),
        of("partial-star", &secrets::named("a*.example.com")),
        of("of-upper-case", &secrets::named("A.EXAMPLE.COM")),
        of("trailing-dot", &secrets::named("a.example.com.")).uncovered(),
        of("many-names", &secrets::many_named(&hundred)),
        of("one-name-of-many", &secrets::many_named(&["b.example.com", "a.example.com", "c.example.org"])),
    ]
}

fn dates() -> Vec<Case> {
    vec![
        of("ended", &secrets::dated(-30, -1)),
        of("not-begun", &secrets::dated(30, 60)),
        of("ends-tomorrow", &secrets::dated(-30, 1)),
    ]
}

fn usages() -> Vec<Case> {
    let extended = |usage: &str| secrets::extended(&P256, &[NAME, usage]);
    vec![
        of("clients-only", &secrets::for_clients()).stricter(CLIENTS),
        of("for-anything", &secrets::for_anything()),
        of("any-extended-usage", &extended("extendedKeyUsage=anyExtendedKeyUsage")),
        of("code-signing", &extended("extendedKeyUsage=codeSigning")).stricter(CLIENTS),
        of("ec-key-agreement", &extended("keyUsage=keyAgreement")).stricter(ENVOY),
        of("ec-certificate-signing", &extended("keyUsage=keyCertSign")).stricter(ENVOY),
        of("rsa-key-encipherment", &secrets::extended(&RSA, &[NAME, "keyUsage=keyEncipherment"])),
        of("must-staple", &extended("tlsfeature=status_request")).stricter(ENVOY),
        of("unknown-critical-extension", &extended("1.2.3.4.5.6=critical,ASN1:NULL")),
        of("authority-as-leaf", &extended("basicConstraints=critical,CA:TRUE")),
    ]
}

fn chains() -> Vec<Case> {
    vec![
        of("with-its-intermediate", &secrets::below(true)),
        of("without-its-intermediate", &secrets::below(false)),
        of("of-a-stranger", &secrets::of_a_stranger()),
    ]
}
