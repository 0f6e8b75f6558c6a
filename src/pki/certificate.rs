//! A certificate, parsed once into what the rules need.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use x509_parser::certificate::X509CertificateParser;
use x509_parser::error::X509Error;
use x509_parser::nom::Parser;
use x509_parser::x509::AlgorithmIdentifier;

use super::certificate_error::CertificateError;
use super::der::{self, Reader};
use super::distinguished_name;
use super::extensions::{self, BasicConstraints, ExtendedKeyUsage, KeyUsage, San, Shown};
use super::pool::{Shared, Ticket};
use super::public_key::{self, KeyAlgorithm, dotted, sha256};
use super::structure;
use crate::k8s::Word;

/// An X.509 certificate, as far as Envoy and the rules use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// 1, 2 or 3.
    pub version: u32,
    /// The serial number in lower-case hexadecimal, without leading zeros.
    pub serial: String,
    /// The subject in RFC 4514 notation: `CN=blue,O=Shop`.
    pub subject: String,
    /// The issuer in RFC 4514 notation.
    pub issuer: Word,
    /// The subject in DER.
    pub subject_der: Vec<u8>,
    /// The issuer in DER.
    pub issuer_der: Vec<u8>,
    /// The subject's first common name.
    pub common_name: Option<String>,
    /// The subject alternative names, in order.
    pub sans: Vec<San>,
    /// The start of its validity.
    pub not_before: Timestamp,
    /// The last second of its validity. 31 December 9999, which means "never" in RFC 5280, becomes the last instant that
    /// can be represented.
    pub not_after: Timestamp,
    /// The kind of its key.
    pub key_algorithm: KeyAlgorithm,
    /// SHA-256 of its SubjectPublicKeyInfo, with EC points uncompressed (as nearly all are).
    pub spki_sha256: [u8; 32],
    /// The signature algorithm: `ECDSA with SHA-256`.
    pub signature_algorithm: Word,
    /// The signature's hash; `None` for Ed25519 and unknown algorithms.
    pub signature_hash: Option<HashAlgorithm>,
    /// The key usage; nothing is allowed if it can't be read, `None` without the extension.
    pub key_usage: Option<KeyUsage>,
    /// The extended key usage; nothing is allowed if it can't be read, `None` without the extension.
    pub extended_key_usage: Option<ExtendedKeyUsage>,
    /// The basic constraints.
    pub basic_constraints: Option<BasicConstraints>,
    /// The subject key identifier.
    pub subject_key_id: Option<Vec<u8>>,
    /// The authority key identifier.
    pub authority_key_id: Option<Vec<u8>>,
    /// Whether it has name constraints.
    pub name_constraints: bool,
    /// Whether it has SCTs, which prove that it is in public logs: then a public CA issued it, and these don't issue leaves directly
    /// from a root (CA/Browser Forum, Baseline Requirements, section 6.1.7).
    pub is_logged: bool,
    /// Critical extensions that BoringSSL doesn't handle, as object identifiers.
    pub unhandled_critical: Vec<String>,
    /// Extensions that occur twice or can't be read, as object identifiers. Envoy loads the certificate, but
    /// verification fails.
    pub malformed_extensions: Vec<String>,
    /// Whether a server has to staple an OCSP response to it (RFC 7633, "must-staple").
    pub must_staple: bool,
    /// SHA-256 of the whole certificate.
    pub fingerprint: [u8; 32],
    /// The whole certificate; empty if it is [only described](Certificate::is_described).
    pub der: Arc<[u8]>,
    /// For a certificate that is only described: its issuer's key digest, if known.
    pub(super) described_issuer: Option<[u8; 32]>,
    pub(super) ticket: Ticket<Self>,
}

impl Shared for Certificate {
    fn ticket(&mut self) -> &mut Ticket<Self> {
        &mut self.ticket
    }
}

/// The hash of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum HashAlgorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Certificate {
    /// Parses exactly one certificate.
    ///
    /// # Errors
    /// When BoringSSL would not read it.
    pub fn parse_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (certificate, rest) = Self::parse_first(der)?;
        if rest.is_empty() { Ok(certificate) } else { Err(CertificateError::Trailing) }
    }

    /// Parses the certificate at the beginning; also returns the rest.
    pub(super) fn parse_first(der: &[u8]) -> Result<(Self, &[u8]), CertificateError> {
        let (rest, x509) =
            X509CertificateParser::new().with_deep_parse_extensions(false).parse(der).map_err(|error| {
                match X509Error::from(error) {
                    X509Error::InvalidDate => CertificateError::Date,
                    // These carry numbers and the parser's own types, which don't help a reader.
                    X509Error::Der(_) | X509Error::NomError(_) => CertificateError::not_x509(),
                    error => CertificateError::Structure(error.to_string()),
                }
            })?;
        let tbs = &x509.tbs_certificate;
        let version = tbs.version.0.saturating_add(1);
        let has_extensions = !tbs.extensions().is_empty();
        if version > 3 || (version < 3 && has_extensions) {
            return Err(CertificateError::Version { version, extensions: has_extensions });
        }
        let whole = x509.as_raw();
        let [not_before, not_after] = structure::check(whole)?.map(time);
        let (not_before, not_after) =
            (not_before.ok_or(CertificateError::Date)?, not_after.ok_or(CertificateError::Date)?);
        let key = public_key::read(tbs.subject_pki.raw);
        let extensions = extensions::read(tbs.extensions());
        let (signature_algorithm, signature_hash) = signature(&x509.signature_algorithm);
        let certificate = Self {
            version,
            serial: format!("{:x}", tbs.serial),
            subject: distinguished_name::text(&tbs.subject),
            issuer: Word::shared(&distinguished_name::text(&tbs.issuer)),
            subject_der: tbs.subject.as_raw().to_vec(),
            issuer_der: tbs.issuer.as_raw().to_vec(),
            common_name: distinguished_name::common_name(&tbs.subject),
            sans: extensions.sans,
            not_before,
            not_after,
            key_algorithm: key.algorithm,
            spki_sha256: key.spki_sha256,
            signature_algorithm: Word::shared(&signature_algorithm),
            signature_hash,
            key_usage: extensions.key_usage,
            extended_key_usage: extensions.extended_key_usage,
            basic_constraints: extensions.basic_constraints,
            subject_key_id: extensions.subject_key_id,
            authority_key_id: extensions.authority_key_id,
            name_constraints: extensions.name_constraints,
            is_logged: extensions.logged,
            unhandled_critical: extensions.unhandled_critical,
            malformed_extensions: extensions.malformed,
            must_staple: extensions.must_staple,
            fingerprint: sha256(whole),
            der: whole.into(),
            described_issuer: None,
            ticket: Ticket::default(),
        };
        Ok((certificate, rest))
    }

    /// Whether its basic constraints make it a CA.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Whether subject and issuer are the same name, as in a root. The signature isn't checked.
    pub(crate) fn is_self_issued(&self) -> bool {
        self.subject_der == self.issuer_der
    }

    /// Its total validity; zero if it ends before it begins.
    pub fn lifetime(&self) -> Duration {
        self.not_after.duration_since(self.not_before).try_into().unwrap_or(Duration::ZERO)
    }

    /// The DNS names among its subject alternative names.
    pub(crate) fn dns_sans(&self) -> impl Iterator<Item = &str> {
        self.sans.iter().filter_map(|san| match san {
            San::Dns(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// All its names on one line, for a message: `DNS:a, DNS:b; CN=c`. Alternative names after the eighth are only counted.
    pub fn names_text(&self) -> String {
        const SHOWN: usize = 8;
        let mut out = self.sans.iter().take(SHOWN).map(San::to_string).collect::<Vec<_>>().join(", ");
        if let Some(more) = self.sans.len().checked_sub(SHOWN).filter(|&more| more > 0) {
            out += &format!(" and {more} more");
        }
        if let Some(name) = &self.common_name {
            let separator = if out.is_empty() { "" } else { "; " };
            out += &format!("{separator}CN={}", Shown(name));
        }
        if out.is_empty() { "no name".to_owned() } else { out }
    }
}

/// A time in the exact form of RFC 5280, section 4.1.2.5, which BoringSSL requires: with seconds and in UTC.
fn time((tag, content): (u8, &[u8])) -> Option<Timestamp> {
    let digits = content.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (year, rest) = match (tag, digits.len()) {
        (der::UTC_TIME, 12) => (None, digits),
        (der::GENERALIZED_TIME, 14) => digits.split_at_checked(2).map(|(century, rest)| (Some(century), rest))?,
        _ => return None,
    };
    let pairs: Vec<i8> = rest
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |number, digit| number * 10 + (digit - b'0') as i8))
        .collect();
    let &[in_century, month, day, hour, minute, second] = pairs.as_slice() else {
        return None;
    };
    let century = match year {
        Some(digits) => digits.iter().fold(0, |number, digit| number * 10 + i16::from(digit - b'0')),
        // RFC 5280, section 4.1.2.5.1: two-digit years from 50 on are in the twentieth century.
        None if in_century >= 50 => 19,
        None => 20,
    };
    let at = DateTime::new(century * 100 + i16::from(in_century), month, day, hour, minute, second, 0).ok()?;
    // Only the last days of 9999 can't be represented.
    Some(TimeZone::UTC.to_timestamp(at).unwrap_or(Timestamp::MAX))
}

/// A signature algorithm's name and hash.
pub(super) fn signature(algorithm: &AlgorithmIdentifier<'_>) -> (String, Option<HashAlgorithm>) {
    use HashAlgorithm::{Md5, Sha1, Sha224, Sha256, Sha384, Sha512};
    let (name, hash) = match algorithm.algorithm.as_bytes() {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04] => ("RSA with MD5", Some(Md5)),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05] => ("RSA with SHA-1", Some(Sha1)),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0e] => ("RSA with SHA-224", Some(Sha224)),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b] => ("RSA with SHA-256", Some(Sha256)),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c] => ("RSA with SHA-384", Some(Sha384)),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d] => ("RSA with SHA-512", Some(Sha512)),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a] => return pss(algorithm),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01] => ("ECDSA with SHA-1", Some(Sha1)),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x01] => ("ECDSA with SHA-224", Some(Sha224)),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02] => ("ECDSA with SHA-256", Some(Sha256)),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03] => ("ECDSA with SHA-384", Some(Sha384)),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04] => ("ECDSA with SHA-512", Some(Sha512)),
        [0x2b, 0x65, 0x70] => ("Ed25519", None),
        other => return (dotted(other), None),
    };
    (name.to_owned(), hash)
}

/// RSASSA-PSS names its hash in its parameters (RFC 4055, section 3.1); the default is SHA-1.
fn pss(algorithm: &AlgorithmIdentifier<'_>) -> (String, Option<HashAlgorithm>) {
    let parameters = algorithm.parameters.as_ref().map_or(&[][..], |parameters| parameters.data);
    let hash = Reader::new(parameters)
        .enter(der::constructed(0))
        .and_then(|mut hash| hash.enter(der::SEQUENCE)?.expect(der::OBJECT_IDENTIFIER));
    let (name, hash) = match hash {
        None => ("SHA-1", HashAlgorithm::Sha1),
        Some([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]) => ("SHA-256", HashAlgorithm::Sha256),
        Some([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02]) => ("SHA-384", HashAlgorithm::Sha384),
        Some([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03]) => ("SHA-512", HashAlgorithm::Sha512),
        Some(_) => return ("RSASSA-PSS".to_owned(), None),
    };
    (format!("RSASSA-PSS with {name}"), Some(hash))
}
