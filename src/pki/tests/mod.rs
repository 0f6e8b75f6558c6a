//! ENVOY.md, sentence by sentence: this module must agree with the real proxy's observed behaviour.

mod certificates;
mod files;
mod keys;
mod names;
mod pool;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

use super::*;

/// A file of `tests/fixtures/pki`.
#[track_caller]
fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/pki/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A self-signed certificate and its key, both in PEM.
struct Minted {
    pem: String,
    key: String,
    certificate: Certificate,
}

/// Mints a certificate on P-256 with a common name and the changes of `edit`.
fn mint_with(common_name: &str, edit: impl FnOnce(&mut CertificateParams)) -> Minted {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    if !common_name.is_empty() {
        params.distinguished_name.push(DnType::CommonName, common_name);
    }
    edit(&mut params);
    let minted = params.self_signed(&key).unwrap();
    let certificate = Certificate::parse_der(minted.der()).unwrap();
    Minted { pem: minted.pem(), key: key.serialize_pem(), certificate }
}

/// Mints a certificate with DNS names.
fn mint(common_name: &str, dns: &[&str]) -> Minted {
    mint_with(common_name, |params| params.subject_alt_names = dns.iter().map(|name| dns_name(name)).collect())
}

fn dns_name(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

/// The common names of certificates, in order.
fn names_of(certificates: &[std::sync::Arc<Certificate>]) -> Vec<&str> {
    certificates.iter().map(|certificate| certificate.common_name.as_deref().unwrap_or("")).collect()
}

/// A PEM block with any contents.
fn block(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The DER of the only block of a PEM file.
fn unblock(pem: &[u8]) -> Vec<u8> {
    let mut scan = super::pem::scan(pem);
    assert_eq!(scan.blocks.len(), 1, "one block");
    scan.blocks.remove(0).der.to_vec()
}
