//! Public keys: their kind, and the digest by which a certificate and a private key are matched.

use std::fmt;

use p256::elliptic_curve::sec1::ToSec1Point;
use ring::digest::{SHA256, digest};

use super::der::{self, Reader};

/// The kind of a key, with what decides whether Envoy accepts it. Displays as `RSA 2048`, `EC P-256`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyAlgorithm {
    /// RSA with the given modulus length.
    Rsa {
        /// Length of the modulus in bits.
        bits: usize,
    },
    /// NIST P-224 (secp224r1).
    EcP224,
    /// NIST P-256 (secp256r1, prime256v1).
    EcP256,
    /// NIST P-384 (secp384r1).
    EcP384,
    /// NIST P-521 (secp521r1).
    EcP521,
    /// secp256k1.
    EcSecp256k1,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Anything else, by name or object identifier, and damaged keys.
    Other(String),
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::EcP224 => f.write_str("EC P-224"),
            Self::EcP256 => f.write_str("EC P-256"),
            Self::EcP384 => f.write_str("EC P-384"),
            Self::EcP521 => f.write_str("EC P-521"),
            Self::EcSecp256k1 => f.write_str("EC secp256k1"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl KeyAlgorithm {
    /// Whether both belong to one family, so that BoringSSL compares their values.
    pub(super) fn same_type(&self, other: &Self) -> bool {
        let family = |algorithm: &Self| match algorithm {
            Self::Rsa { .. } => 0,
            Self::EcP224 | Self::EcP256 | Self::EcP384 | Self::EcP521 | Self::EcSecp256k1 => 1,
            Self::Ed25519 => 2,
            Self::Other(_) => 3,
        };
        family(self) == family(other)
    }
}

pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
pub(super) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
pub(super) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
pub(super) const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
pub(super) const X25519: &[u8] = &[0x2b, 0x65, 0x6e];
const NULL: &[u8] = &[0x05, 0x00];

/// The named curves allowed in certificates: object identifier, algorithm, bytes of a coordinate.
const CURVES: [(&[u8], KeyAlgorithm, usize); 5] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], KeyAlgorithm::EcP256, 32),
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], KeyAlgorithm::EcP384, 48),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], KeyAlgorithm::EcP521, 66),
    (&[0x2b, 0x81, 0x04, 0x00, 0x21], KeyAlgorithm::EcP224, 28),
    (&[0x2b, 0x81, 0x04, 0x00, 0x0a], KeyAlgorithm::EcSecp256k1, 32),
];

/// The curve that an object identifier names.
pub(super) fn curve(oid: &[u8]) -> Option<KeyAlgorithm> {
    CURVES.iter().find(|(known, ..)| *known == oid).map(|(_, algorithm, _)| algorithm.clone())
}

/// Kind and digest of a public key.
pub(super) struct PublicKey {
    pub(super) algorithm: KeyAlgorithm,
    /// SHA-256 of the SubjectPublicKeyInfo, with EC points uncompressed.
    pub(super) spki_sha256: [u8; 32],
}

/// Reads a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7). What BoringSSL doesn't accept as a key is
/// [`KeyAlgorithm::Other`]; the certificate is still a certificate.
pub(super) fn read(spki: &[u8]) -> PublicKey {
    known(spki).unwrap_or_else(|| PublicKey { algorithm: KeyAlgorithm::Other(name(spki)), spki_sha256: sha256(spki) })
}

fn known(spki: &[u8]) -> Option<PublicKey> {
    let mut reader = Reader::new(spki).enter(der::SEQUENCE)?;
    let mut algorithm = reader.enter(der::SEQUENCE)?;
    let key = reader.bytes_of_bit_string()?;
    let oid = algorithm.expect(der::OBJECT_IDENTIFIER)?;
    if oid == RSA {
        // Envoy rejects a certificate whose RSA key lacks the NULL.
        (algorithm.next()? == (0x05, &[])).then_some(())?;
        let mut numbers = Reader::new(key).enter(der::SEQUENCE)?;
        let (modulus, exponent) = (numbers.unsigned()?, numbers.unsigned()?);
        // BoringSSL's limits: both odd, and an exponent from 3 up to 33 bits.
        let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        (odd(modulus) && odd(exponent) && (2..=33).contains(&bits(exponent))).then_some(())?;
        Some(PublicKey { algorithm: KeyAlgorithm::Rsa { bits: bits(modulus) }, spki_sha256: sha256(spki) })
    } else if oid == EC {
        let curve = curve(algorithm.expect(der::OBJECT_IDENTIFIER)?)?;
        let point = uncompressed(&curve, key)?;
        Some(PublicKey { spki_sha256: ec_digest(&curve, &point), algorithm: curve })
    } else if oid == ED25519 {
        (key.len() == 32 && algorithm.is_empty()).then_some(())?;
        Some(PublicKey { algorithm: KeyAlgorithm::Ed25519, spki_sha256: sha256(spki) })
    } else {
        None
    }
}

/// A key's point on this curve in uncompressed form; `None` if it isn't one. Points of unsupported curves
/// aren't checked, and stay compressed if they are.
pub(super) fn uncompressed(curve: &KeyAlgorithm, point: &[u8]) -> Option<Vec<u8>> {
    match curve {
        KeyAlgorithm::EcP256 => {
            let key = p256::PublicKey::from_sec1_bytes(point).ok()?;
            Some(key.to_sec1_point(false).as_bytes().to_vec())
        }
        KeyAlgorithm::EcP384 => {
            let key = p384::PublicKey::from_sec1_bytes(point).ok()?;
            Some(key.to_sec1_point(false).as_bytes().to_vec())
        }
        _ => is_point(curve, point).then(|| point.to_vec()),
    }
}

/// Whether these bytes have the form of a point on this curve.
fn is_point(curve: &KeyAlgorithm, point: &[u8]) -> bool {
    let Some((_, _, length)) = CURVES.iter().find(|(_, algorithm, _)| algorithm == curve) else {
        return false;
    };
    match point.first() {
        Some(4) => point.len() == 1 + 2 * length,
        Some(2 | 3) => point.len() == 1 + length,
        _ => false,
    }
}

/// The name of a key that isn't of a known kind.
fn name(spki: &[u8]) -> String {
    let algorithm = Reader::new(spki).enter(der::SEQUENCE).and_then(|mut reader| reader.enter(der::SEQUENCE));
    let Some(mut algorithm) = algorithm else {
        return "an unreadable key".to_owned();
    };
    let Some(oid) = algorithm.expect(der::OBJECT_IDENTIFIER) else {
        return "an unreadable key".to_owned();
    };
    let parameter = algorithm.expect(der::OBJECT_IDENTIFIER);
    match (oid, parameter) {
        (RSA, _) => "a damaged RSA key".to_owned(),
        (ED25519, _) => "a damaged Ed25519 key".to_owned(),
        (EC, Some(oid)) => match curve(oid) {
            Some(curve) => format!("a damaged {curve} key"),
            None => format!("EC {}", algorithm_name(oid)),
        },
        (EC, None) => "EC with explicit parameters".to_owned(),
        _ => algorithm_name(oid),
    }
}

/// The usual name of a key algorithm or curve that Envoy doesn't support, else its object identifier.
pub(super) fn algorithm_name(oid: &[u8]) -> String {
    match oid {
        DSA => "DSA".to_owned(),
        X25519 => "X25519".to_owned(),
        [0x2b, 0x65, 0x6f] => "X448".to_owned(),
        [0x2b, 0x65, 0x71] => "Ed448".to_owned(),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a] => "RSA-PSS".to_owned(),
        [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07] => "brainpoolP256r1".to_owned(),
        [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b] => "brainpoolP384r1".to_owned(),
        [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d] => "brainpoolP512r1".to_owned(),
        oid => dotted(oid),
    }
}

/// An object identifier as `1.2.840.113549`.
pub(super) fn dotted(oid: &[u8]) -> String {
    x509_parser::oid_registry::Oid::new(oid.into()).to_id_string()
}

/// The digest of a certificate with this RSA key; both numbers without leading zeros.
pub(super) fn rsa_digest(modulus: &[u8], exponent: &[u8]) -> [u8; 32] {
    let mut numbers = Vec::new();
    for number in [modulus, exponent] {
        let sign: &[u8] = if number.first().is_some_and(|&first| first >= 0x80) { &[0] } else { &[] };
        der::write(&mut numbers, der::INTEGER, &[sign, number]);
    }
    spki_digest(&[&der::value(der::OBJECT_IDENTIFIER, &[RSA]), NULL], &der::value(der::SEQUENCE, &[&numbers]))
}

/// The digest of a certificate with this EC key.
pub(super) fn ec_digest(curve: &KeyAlgorithm, point: &[u8]) -> [u8; 32] {
    let oid = CURVES.iter().find(|(_, algorithm, _)| algorithm == curve).map_or(&[][..], |(oid, ..)| oid);
    let (key, curve) = (der::value(der::OBJECT_IDENTIFIER, &[EC]), der::value(der::OBJECT_IDENTIFIER, &[oid]));
    spki_digest(&[&key, &curve], point)
}

/// The digest of a certificate with this Ed25519 key.
pub(super) fn ed25519_digest(key: &[u8]) -> [u8; 32] {
    spki_digest(&[&der::value(der::OBJECT_IDENTIFIER, &[ED25519])], key)
}

fn spki_digest(algorithm: &[&[u8]], key: &[u8]) -> [u8; 32] {
    let algorithm = der::value(der::SEQUENCE, algorithm);
    let key = der::value(der::BIT_STRING, &[&[0], key]);
    sha256(&der::value(der::SEQUENCE, &[&algorithm, &key]))
}

/// The length in bits of a number without leading zero bytes.
pub(super) fn bits(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |first| first.leading_zeros() as usize);
    (number.len() * 8).saturating_sub(leading)
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
