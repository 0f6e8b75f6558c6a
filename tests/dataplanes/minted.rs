//! The contents of the cases' Secrets and ConfigMaps.

use std::sync::LazyLock;

use base64::Engine as _;
use rcgen::ExtendedKeyUsagePurpose;
use serde_json::{Value, json};

use crate::support::forge::{Forge, Forged, KEY_AGREEMENT, KEY_ENCIPHERMENT, Kind};
use crate::support::mint::{Authority, Issued, Key, openssl};

/// The authority that the clients of all cases trust.
pub(crate) static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("the root of all cases"));
pub(crate) static CURVES: LazyLock<Forged> = LazyLock::new(|| Forge::authority("the root of all curves").self_signed());
/// An authority that nobody trusts.
pub(crate) static STRANGER: LazyLock<Authority> = LazyLock::new(|| Authority::new("another root"));

/// A chain and its key, with their description.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) recipe: String,
    pub(crate) chain: String,
    pub(crate) key: String,
}

fn pair(recipe: String, Issued { chain, key, .. }: Issued) -> Pair {
    Pair { recipe, chain, key }
}

pub(crate) fn sound(host: &str) -> Pair {
    pair(format!("a pair for {host}"), AUTHORITY.leaf(&[host]).issue())
}

pub(crate) fn of_stranger(host: &str) -> Pair {
    pair(format!("a stranger's pair for {host}"), STRANGER.leaf(&[host]).issue())
}

pub(crate) fn of_key(host: &str, kind: &str, key: Key) -> Pair {
    pair(format!("a {kind} pair for {host}"), AUTHORITY.leaf(&[host]).key(key).issue())
}

/// With a key of any curve, by openssl's name. They have an authority of their own, which the clients trust too.
fn of_curve(host: &str, kind: &str, curve: &'static str) -> Pair {
    let leaf = Forge::leaf(&[host]).key(Kind::Curve(curve)).issued_by(&CURVES);
    Pair { recipe: format!("a {kind} pair for {host}"), chain: leaf.pem(), key: leaf.key.pem.clone() }
}

pub(crate) fn of_p224(host: &str) -> Pair {
    of_curve(host, "P-224", "secp224r1")
}

pub(crate) fn of_p521(host: &str) -> Pair {
    of_curve(host, "P-521", "secp521r1")
}

/// For servers, without digitalSignature among its key usages.
pub(crate) fn not_for_signing(host: &str, kind: Kind) -> Pair {
    let (noun, usage) = match kind {
        Kind::Rsa(_) => ("RSA", KEY_ENCIPHERMENT),
        _ => ("EC", KEY_AGREEMENT),
    };
    let leaf = Forge::leaf(&[host]).key(kind).key_usage(usage).issued_by(&CURVES);
    Pair {
        recipe: format!("an {noun} pair for {host} that isn't for signing"),
        chain: leaf.pem(),
        key: leaf.key.pem.clone(),
    }
}

pub(crate) fn for_clients(host: &str) -> Pair {
    let leaf = AUTHORITY.leaf(&[host]).extended_usages(&[ExtendedKeyUsagePurpose::ClientAuth]);
    pair(format!("a pair for {host}, for clients only"), leaf.issue())
}

pub(crate) fn rsa_1024(host: &str) -> Pair {
    of_key(host, "RSA-1024", Key::Rsa(1024))
}

pub(crate) fn nameless() -> Pair {
    pair("a nameless pair".to_owned(), AUTHORITY.leaf(&[]).common_name("").issue())
}

pub(crate) fn ended(host: &str) -> Pair {
    pair(format!("an ended pair for {host}"), AUTHORITY.leaf(&[host]).valid(-30, -1).issue())
}

pub(crate) fn not_begun(host: &str) -> Pair {
    pair(format!("a pair for {host} that begins later"), AUTHORITY.leaf(&[host]).valid(30, 60).issue())
}

/// With an expired certificate after the leaf.
pub(crate) fn ended_behind(host: &str) -> Pair {
    let sound = AUTHORITY.leaf(&[host]).issue();
    let behind = AUTHORITY.leaf(&[host]).valid(-30, -1).issue();
    let chain = sound.certificate + &behind.certificate;
    Pair { recipe: format!("a pair for {host}, behind it an ended certificate"), chain, key: sound.key }
}

pub(crate) fn mismatched(host: &str) -> Pair {
    let key = AUTHORITY.leaf(&[host]).issue().key;
    Pair { recipe: format!("a pair for {host} with another's key"), key, ..sound(host) }
}

pub(crate) fn unreadable(host: &str) -> Pair {
    Pair { recipe: "nonsense".to_owned(), chain: "nonsense\n".to_owned(), ..sound(host) }
}

pub(crate) fn encrypted(host: &str) -> Pair {
    let sound = sound(host);
    let key = openssl(&["pkey", "-aes256", "-passout", "pass:secret"], &sound.key);
    Pair { recipe: format!("a pair for {host} with an encrypted key"), key, ..sound }
}

fn encoded(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A Secret of any type, with two keys with any names.
pub(crate) fn secret_with(namespace: &str, name: &str, of_type: &str, keys: [&str; 2], pair: &Pair) -> Value {
    let [chain, key] = keys;
    json!({"apiVersion": "v1", "kind": "Secret", "type": of_type,
        "metadata": {"namespace": namespace, "name": name, "annotations": {"example.com/holds": pair.recipe}},
        "data": {chain: encoded(&pair.chain), key: encoded(&pair.key)}})
}

/// A Secret as `kubectl create secret tls` makes it.
pub(crate) fn secret(namespace: &str, name: &str, pair: &Pair) -> Value {
    secret_with(namespace, name, "kubernetes.io/tls", ["tls.crt", "tls.key"], pair)
}

/// An opaque Secret with one key.
pub(crate) fn opaque(namespace: &str, name: &str, key: &str, text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"namespace": namespace, "name": name},
        "data": {key: encoded(text)}})
}

/// A ConfigMap with one key.
pub(crate) fn config_map(namespace: &str, name: &str, key: &str, text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace, "name": name}, "data": {key: text}})
}
