//! What stands in the Secrets of the cases.

use std::sync::LazyLock;

use rcgen::ExtendedKeyUsagePurpose;
use serde_json::{Value, json};

use crate::support::mint::{Authority, Issued, Key, openssl};

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("gateway root"));
static SOUND: LazyLock<Issued> = LazyLock::new(|| AUTHORITY.leaf(&["*.example.com"]).issue());

/// The two files of a Secret.
#[derive(Clone)]
pub(crate) struct Pair {
    /// `tls.crt`.
    pub(crate) chain: String,
    /// `tls.key`.
    pub(crate) key: String,
    /// The leaf alone.
    pub(crate) certificate: String,
    /// Its issuer.
    pub(crate) authority: String,
}

fn pair(issued: &Issued) -> Pair {
    let Issued { chain, key, certificate } = issued.clone();
    Pair { chain, key, certificate, authority: AUTHORITY.pem() }
}

pub(crate) fn secret(namespace: &str, name: &str, of_type: &str, pair: &Pair) -> Value {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": namespace, "name": name}, "type": of_type,
        "data": {"tls.crt": encode(&pair.chain), "tls.key": encode(&pair.key)}})
}

pub(crate) fn sound() -> Pair {
    pair(&SOUND)
}

pub(crate) fn named(name: &str) -> Pair {
    pair(&AUTHORITY.leaf(&[name]).issue())
}

pub(crate) fn nameless() -> Pair {
    pair(&AUTHORITY.leaf(&[]).common_name("").issue())
}

pub(crate) fn dated(from: i64, to: i64) -> Pair {
    pair(&AUTHORITY.leaf(&["*.example.com"]).valid(from, to).issue())
}

pub(crate) fn for_clients() -> Pair {
    pair(&AUTHORITY.leaf(&["*.example.com"]).extended_usages(&[ExtendedKeyUsagePurpose::ClientAuth]).issue())
}

/// A certificate that signs itself, with a key of any kind.
pub(crate) fn of_key(algorithm: &str, option: &str) -> Pair {
    let key = openssl(&["genpkey", "-algorithm", algorithm, "-pkeyopt", option], "");
    let subject = ["-subj", "/CN=web", "-addext", "subjectAltName=DNS:*.example.com", "-days", "90"];
    let arguments = [&["req", "-x509", "-new", "-key", "/dev/stdin"][..], &subject].concat();
    let certificate = openssl(&arguments, &key);
    Pair { chain: certificate.clone(), key, certificate, authority: AUTHORITY.pem() }
}

pub(crate) fn mismatched() -> Pair {
    Pair { key: named("other.example.com").key, ..sound() }
}

pub(crate) fn mismatched_kind() -> Pair {
    Pair { key: AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(2048)).issue().key, ..sound() }
}

pub(crate) fn encrypted() -> Pair {
    let sound = sound();
    Pair { key: openssl(&["pkey", "-aes256", "-passout", "pass:secret"], &sound.key), ..sound }
}

pub(crate) fn public() -> Pair {
    let sound = sound();
    Pair { key: openssl(&["pkey", "-pubout"], &sound.key), ..sound }
}

/// With a character in it that no base64 has.
pub(crate) fn corrupt(pem: &str) -> String {
    let mut lines: Vec<String> = pem.lines().map(str::to_owned).collect();
    if let Some(line) = lines.get_mut(2) {
        line.replace_range(4..5, "!");
    }
    lines.join("\n") + "\n"
}
