//! The contents of the cases' Secrets.

use std::sync::LazyLock;

use rcgen::ExtendedKeyUsagePurpose;
use serde_json::{Value, json};

use crate::support::mint::{Authority, Issued, Key, openssl};

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("gateway root"));
static SOUND: LazyLock<Issued> = LazyLock::new(|| AUTHORITY.leaf(&["*.example.com"]).issue());
static INTERMEDIATE: LazyLock<Authority> = LazyLock::new(|| AUTHORITY.intermediate("gateway intermediate", -10, 900));

/// The two files of a Secret.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// `tls.crt`.
    pub(crate) chain: String,
    /// `tls.key`.
    pub(crate) key: String,
    /// Only the leaf.
    pub(crate) certificate: String,
    /// Its issuer.
    pub(crate) authority: String,
}

fn pair(issued: &Issued) -> Pair {
    let Issued { chain, key, certificate } = issued.clone();
    Pair { chain, key, certificate, authority: AUTHORITY.pem() }
}

/// The authority of all certificates that aren't self-signed.
pub(crate) fn authority() -> String {
    AUTHORITY.pem()
}

pub(crate) fn secret(namespace: &str, name: &str, of_type: &str, pair: &Pair) -> Value {
    filled(namespace, name, of_type, &[("tls.crt", &pair.chain), ("tls.key", &pair.key)])
}

/// A Secret with these keys.
pub(crate) fn filled(namespace: &str, name: &str, of_type: &str, data: &[(&str, &str)]) -> Value {
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let data: serde_json::Map<String, Value> =
        data.iter().map(|(key, text)| ((*key).to_owned(), encode(text).into())).collect();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": namespace, "name": name}, "type": of_type,
        "data": data})
}

pub(crate) fn sound() -> Pair {
    pair(&SOUND)
}

pub(crate) fn named(name: &str) -> Pair {
    many_named(&[name])
}

pub(crate) fn many_named(names: &[&str]) -> Pair {
    pair(&AUTHORITY.leaf(names).issue())
}

/// With only a common name.
pub(crate) fn common_named(name: &str) -> Pair {
    pair(&AUTHORITY.leaf(&[]).common_name(name).issue())
}

/// With names, and without a common name.
pub(crate) fn without_common_name() -> Pair {
    pair(&AUTHORITY.leaf(&["*.example.com"]).common_name("").issue())
}

pub(crate) fn with_address() -> Pair {
    let address = std::net::IpAddr::from([127, 0, 0, 1]);
    pair(&AUTHORITY.leaf(&[]).common_name("").address(address).issue())
}

pub(crate) fn nameless() -> Pair {
    common_named("")
}

pub(crate) fn dated(from: i64, to: i64) -> Pair {
    pair(&AUTHORITY.leaf(&["*.example.com"]).valid(from, to).issue())
}

pub(crate) fn for_clients() -> Pair {
    pair(&AUTHORITY.leaf(&["*.example.com"]).extended_usages(&[ExtendedKeyUsagePurpose::ClientAuth]).issue())
}

pub(crate) fn for_anything() -> Pair {
    pair(&AUTHORITY.leaf(&["*.example.com"]).extended_usages(&[]).issue())
}

/// Issued by the authority, with a key of this kind.
pub(crate) fn keyed(key: Key) -> Pair {
    pair(&AUTHORITY.leaf(&["*.example.com"]).key(key).issue())
}

/// Issued by an authority that nobody trusts.
pub(crate) fn of_a_stranger() -> Pair {
    pair(&Authority::new("stranger").leaf(&["*.example.com"]).issue())
}

/// Issued by an intermediate, with it in the chain or without.
pub(crate) fn below(with: bool) -> Pair {
    let Issued { certificate, key, .. } = INTERMEDIATE.leaf(&["*.example.com"]).issue();
    let rest = if with { INTERMEDIATE.pem() } else { String::new() };
    Pair { chain: certificate.clone() + &rest, key, certificate, authority: AUTHORITY.pem() }
}

pub(crate) fn intermediate() -> String {
    INTERMEDIATE.pem()
}

/// For `*.example.com`, with a key of any kind.
pub(crate) fn of_key(algorithm: &str, option: &str) -> Pair {
    extended(&[algorithm, option], &["subjectAltName=DNS:*.example.com"])
}

/// With these extensions. `of`: the key's algorithm, and an option of it if there is one.
pub(crate) fn extended(of: &[&str], extensions: &[&str]) -> Pair {
    extended_for(of, "/CN=web", extensions)
}

/// The same, for this subject.
pub(crate) fn extended_for(of: &[&str], subject: &str, extensions: &[&str]) -> Pair {
    let mut making = vec!["genpkey", "-algorithm"];
    making.extend(of.first());
    if let Some(option) = of.get(1).filter(|option| !option.is_empty()) {
        making.extend(["-pkeyopt", option]);
    }
    let key = openssl(&making, "");
    let mut arguments = vec!["req", "-new", "-key", "/dev/stdin", "-subj", subject];
    for extension in extensions {
        arguments.extend(["-addext", extension]);
    }
    let request = openssl(&arguments, &key);
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("a path").to_owned()
    };
    let (authority, signer) = (file("ca.crt", &AUTHORITY.pem()), file("ca.key", &AUTHORITY.key_pem()));
    let issuing = ["x509", "-req", "-days", "90", "-copy_extensions", "copyall", "-CA", &authority, "-CAkey", &signer];
    let certificate = openssl(&issuing, &request);
    Pair { chain: certificate.clone(), key, certificate, authority: AUTHORITY.pem() }
}

pub(crate) fn mismatched() -> Pair {
    Pair { key: named("other.example.com").key, ..sound() }
}

pub(crate) fn mismatched_kind() -> Pair {
    Pair { key: keyed(Key::Rsa(2048)).key, ..sound() }
}

pub(crate) fn encrypted() -> Pair {
    let sound = sound();
    Pair { key: openssl(&["pkey", "-aes256", "-passout", "pass:secret"], &sound.key), ..sound }
}

pub(crate) fn public() -> Pair {
    let sound = sound();
    Pair { key: openssl(&["pkey", "-pubout"], &sound.key), ..sound }
}

/// With the key in the format of older openssl versions.
pub(crate) fn traditional(pair: Pair) -> Pair {
    Pair { key: openssl(&["pkey", "-traditional"], &pair.key), ..pair }
}

/// With a character that isn't base64.
pub(crate) fn corrupt(pem: &str) -> String {
    let mut lines: Vec<String> = pem.lines().map(str::to_owned).collect();
    if let Some(line) = lines.get_mut(2) {
        line.replace_range(4..5, "!");
    }
    lines.join("\n") + "\n"
}
