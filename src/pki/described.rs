//! A certificate that is known only from a description: its keeper (AWS) reports what is in it, but not its bytes.

use std::sync::Arc;

use jiff::Timestamp;

use super::certificate::{Certificate, HashAlgorithm};
use super::der;
use super::extensions::{ExtendedKeyUsage, KeyUsage, San};
use super::pool::Ticket;
use super::public_key::{KeyAlgorithm, sha256};

const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The description of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its unique identity: the ARN.
    pub identity: String,
    /// The serial number in lower-case hexadecimal.
    pub serial: String,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// The DNS names among its subject alternative names.
    pub dns_names: Vec<String>,
    /// The start of its validity.
    pub not_before: Timestamp,
    /// The end of its validity.
    pub not_after: Timestamp,
    /// The kind of its key.
    pub key_algorithm: KeyAlgorithm,
    /// The signature algorithm, as described; empty if unknown.
    pub signature_algorithm: String,
    /// The signature's hash, if known.
    pub signature_hash: Option<HashAlgorithm>,
    /// The key usage, if known.
    pub key_usage: Option<KeyUsage>,
    /// The extended key usage, if known.
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
        // No part contains a line feed.
        let fingerprint = sha256(parts.join("\n").as_bytes());
        let subject = description.common_name.as_ref().map(|name| format!("CN={name}")).unwrap_or_default();
        Self {
            version: 3,
            serial: description.serial.clone(),
            subject,
            issuer: description.issuer.into(),
            subject_der: subject_der(description.common_name.as_deref()),
            issuer_der: Vec::new(),
            common_name: description.common_name,
            sans: description.dns_names.into_iter().map(San::Dns).collect(),
            not_before: description.not_before,
            not_after: description.not_after,
            key_algorithm: description.key_algorithm,
            // Not a key's digest: nothing is compared with it, since a described certificate has no key file.
            spki_sha256: fingerprint,
            signature_algorithm: description.signature_algorithm.into(),
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
            ticket: Ticket::default(),
        }
    }

    /// Whether only its description is known.
    pub(crate) fn is_described(&self) -> bool {
        self.der.is_empty()
    }

    /// The same, issued by this CA, according to its keeper.
    #[must_use]
    pub(crate) fn described_as_issued_by(&self, issuer: &Certificate) -> Self {
        let fingerprint = sha256(&[self.fingerprint, issuer.fingerprint].concat());
        Self {
            issuer: issuer.subject.as_str().into(),
            issuer_der: issuer.subject_der.clone(),
            authority_key_id: issuer.subject_key_id.clone(),
            described_issuer: Some(issuer.spki_sha256),
            fingerprint,
            ..self.clone()
        }
    }
}

/// A subject that consists of this common name.
fn subject_der(common_name: Option<&str>) -> Vec<u8> {
    let attribute = common_name.map(|name| {
        let kind = der::value(der::OBJECT_IDENTIFIER, &[COMMON_NAME]);
        let attribute = der::value(der::SEQUENCE, &[&kind, &der::value(der::UTF8_STRING, &[name.as_bytes()])]);
        der::value(der::SET, &[&attribute])
    });
    der::value(der::SEQUENCE, &[attribute.as_deref().unwrap_or_default()])
}

/// The value of its subject alternative name extension.
pub(super) fn sans_der(certificate: &Certificate) -> Vec<u8> {
    let names: Vec<Vec<u8>> =
        certificate.dns_sans().map(|name| der::value(der::primitive(2), &[name.as_bytes()])).collect();
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    der::value(der::SEQUENCE, &names)
}
