//! A certificate that is known by description alone: whoever keeps it says what is in it, and doesn't show it.

use std::sync::Arc;

use jiff::Timestamp;

use super::certificate::{Certificate, HashAlgorithm};
use super::der;
use super::extensions::{ExtendedKeyUsage, KeyUsage, San};
use super::public_key::{KeyAlgorithm, sha256};

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// What is said of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// What tells it from all others: its ARN.
    pub identity: String,
    /// The serial number in lower-case hexadecimal.
    pub serial: String,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// The DNS names among its subject alternative names.
    pub dns_names: Vec<String>,
    /// From when on it holds.
    pub not_before: Timestamp,
    /// Until when it holds.
    pub not_after: Timestamp,
    /// The kind of its key.
    pub key_algorithm: KeyAlgorithm,
    /// What it is signed with, in the words of whoever describes it; empty where that isn't known.
    pub signature_algorithm: String,
    /// The hash of its signature, where that is known.
    pub signature_hash: Option<HashAlgorithm>,
    /// The key usage, where that is known.
    pub key_usage: Option<KeyUsage>,
    /// The extended key usage, where that is known.
    pub extended_key_usage: Option<ExtendedKeyUsage>,
    /// The issuer's name.
    pub issuer: String,
}

impl Certificate {
    /// A certificate as described. Its bytes are unknown, and so are its issuer's name in DER (until
    /// [`described_as_issued_by`](Self::described_as_issued_by)) and its key's digest.
    pub fn described(description: Description) -> Self {
        let mut parts = vec![description.identity.as_str(), &description.serial];
        parts.extend(description.common_name.as_deref());
        parts.extend(description.dns_names.iter().map(String::as_str));
        let (from, to) = (description.not_before.to_string(), description.not_after.to_string());
        parts.extend([from.as_str(), &to]);
        // No part holds a line feed.
        let fingerprint = sha256(parts.join("\n").as_bytes());
        let subject = description.common_name.as_ref().map(|name| format!("CN={name}")).unwrap_or_default();
        Self {
            version: 3,
            serial: description.serial.clone(),
            subject,
            issuer: description.issuer,
            subject_der: subject_der(description.common_name.as_deref()),
            issuer_der: Vec::new(),
            common_name: description.common_name,
            sans: description.dns_names.into_iter().map(San::Dns).collect(),
            not_before: description.not_before,
            not_after: description.not_after,
            key_algorithm: description.key_algorithm,
            // Of no key: nothing is compared with it, since a described certificate comes without a key file.
            spki_sha256: fingerprint,
            signature_algorithm: description.signature_algorithm,
            signature_hash: description.signature_hash,
            key_usage: description.key_usage,
            extended_key_usage: description.extended_key_usage,
            basic_constraints: None,
            subject_key_id: None,
            authority_key_id: None,
            name_constraints: false,
            is_logged: false,
            unhandled_critical: Vec::new(),
            must_staple: false,
            malformed_extensions: Vec::new(),
            fingerprint,
            der: Arc::new([]),
            described_issuer: None,
        }
    }

    /// Whether it is known by description alone.
    pub(crate) fn is_described(&self) -> bool {
        self.der.is_empty()
    }

    /// The same, issued by this authority: whoever describes it vouches for that.
    #[must_use]
    pub(crate) fn described_as_issued_by(&self, issuer: &Certificate) -> Self {
        let fingerprint = sha256(&[self.fingerprint, issuer.fingerprint].concat());
        Self {
            issuer: issuer.subject.clone(),
            issuer_der: issuer.subject_der.clone(),
            authority_key_id: issuer.subject_key_id.clone(),
            described_issuer: Some(issuer.spki_sha256),
            fingerprint,
            ..self.clone()
        }
    }
}

/// A subject that is this common name alone.
fn subject_der(common_name: Option<&str>) -> Vec<u8> {
    let attribute = common_name.map(|name| {
        let kind = der::value(der::OBJECT_IDENTIFIER, &[COMMON_NAME]);
        let attribute = der::value(der::SEQUENCE, &[&kind, &der::value(der::UTF8_STRING, &[name.as_bytes()])]);
        der::value(der::SET, &[&attribute])
    });
    der::value(der::SEQUENCE, &[attribute.as_deref().unwrap_or_default()])
}

/// The value that the extension of the subject alternative names would have.
pub(super) fn sans_der(certificate: &Certificate) -> Vec<u8> {
    let names: Vec<Vec<u8>> =
        certificate.dns_sans().map(|name| der::value(der::primitive(2), &[name.as_bytes()])).collect();
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    der::value(der::SEQUENCE, &names)
}
