//! Private keys, reduced to their kind and the digest of their public half.
//!
//! A key is decoded into a buffer that is wiped, inspected, and dropped. Nothing derived from its secret part leaves
//! this module, not even in errors.

use ring::signature::KeyPair;
use zeroize::Zeroizing;

use super::broken_block::{BlockFault, BrokenBlock};
use super::certificate::Certificate;
use super::der::{self, Reader};
use super::key_fault::{KeyFault, UNSUPPORTED};
use super::pem::{Block, Headers};
use super::problem::{PrivateKeyError, key_refused};
use super::public_key::{self, KeyAlgorithm};
use super::rsa::{Disagreement, RsaNumbers};
use crate::text::hex;

/// What is known of a private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateKeyFacts {
    /// Its kind.
    pub algorithm: KeyAlgorithm,
    /// SHA-256 of its SubjectPublicKeyInfo, to be compared with
    /// [`Certificate::spki_sha256`]. `None` if unknown: an EC key on P-521 or P-224 without its
    /// public half.
    pub spki_sha256: Option<[u8; 32]>,
}

/// Whether a private key matches a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFit {
    /// It does.
    Fits,
    /// It doesn't, with this BoringSSL error.
    Other {
        /// `KEY_VALUES_MISMATCH`, or `KEY_TYPE_MISMATCH` if even the kinds differ.
        cause: &'static str,
    },
    /// Kind and curve agree; the rest is unknown.
    Unknown,
}

impl PrivateKeyFacts {
    /// Whether this is the certificate's key.
    pub fn fit(&self, certificate: &Certificate) -> KeyFit {
        if !self.algorithm.same_type(&certificate.key_algorithm) {
            return KeyFit::Other { cause: KEY_TYPE_MISMATCH };
        }
        if self.algorithm != certificate.key_algorithm {
            return KeyFit::Other { cause: KEY_VALUES_MISMATCH };
        }
        match self.spki_sha256 {
            Some(digest) if digest == certificate.spki_sha256 => KeyFit::Fits,
            Some(_) => KeyFit::Other { cause: KEY_VALUES_MISMATCH },
            None => KeyFit::Unknown,
        }
    }
}

impl KeyFit {
    /// What Envoy logs about the key file when it rejects the configuration; `None` if it doesn't.
    pub fn envoy_log(&self, key_path: &str) -> Option<String> {
        match self {
            Self::Other { cause } => Some(key_refused(key_path, cause)),
            Self::Fits | Self::Unknown => None,
        }
    }
}

const KEY_TYPE_MISMATCH: &str = "error:0b000073:X.509 certificate routines:OPENSSL_internal:KEY_TYPE_MISMATCH";
const KEY_VALUES_MISMATCH: &str = "error:0b000074:X.509 certificate routines:OPENSSL_internal:KEY_VALUES_MISMATCH";

/// Why a key's DER can't be reduced to facts.
pub(super) enum Refusal {
    Fault(KeyFault),
    Version2,
    Unsupported { algorithm: String, cause: &'static str },
}

impl From<KeyFault> for Refusal {
    fn from(fault: KeyFault) -> Self {
        Self::Fault(fault)
    }
}

impl Refusal {
    fn unsupported(oid: &[u8]) -> Self {
        // They can be read, but no certificate that Envoy loads can match them.
        let cause = if [public_key::DSA, public_key::X25519].contains(&oid) { KEY_TYPE_MISMATCH } else { UNSUPPORTED };
        Self::Unsupported { algorithm: public_key::algorithm_name(oid), cause }
    }
}

/// Whether BoringSSL looks for a private key in a block with this label.
pub(super) fn is_key_label(label: &str) -> bool {
    matches!(label, "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY") || is_traditional_label(label)
}

/// Whether the label is one of those older than PKCS#8.
pub(super) fn is_traditional_label(label: &str) -> bool {
    matches!(label, "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "DSA PRIVATE KEY")
}

/// Reads the block that decides a key file.
pub(super) fn read(block: &Block) -> Result<PrivateKeyFacts, PrivateKeyError> {
    let line = block.line;
    let broken = |fault| {
        let label = block.label.clone();
        PrivateKeyError::Corrupt(BrokenBlock { number: block.number, line, label, fault })
    };
    match block.headers {
        Headers::Bad(cause) => return Err(broken(BlockFault::Headers { cause })),
        Headers::Encrypted => {
            return Err(PrivateKeyError::Encrypted { label: block.label.clone(), line });
        }
        Headers::None => {}
    }
    if block.label == "ENCRYPTED PRIVATE KEY" {
        return Err(match Reader::new(&block.der).enter(der::SEQUENCE) {
            Some(_) => PrivateKeyError::Encrypted { label: block.label.clone(), line },
            None => broken(BlockFault::PrivateKey(KeyFault::NOT_PKCS8)),
        });
    }
    parse(&block.label, &block.der).map_err(|refusal| match refusal {
        Refusal::Fault(fault) => broken(BlockFault::PrivateKey(fault)),
        Refusal::Version2 => PrivateKeyError::Pkcs8Version2 { line },
        Refusal::Unsupported { algorithm, cause } => PrivateKeyError::UnsupportedAlgorithm { algorithm, line, cause },
    })
}

/// Checks an old-style key in a trust bundle: BoringSSL ignores it only if it can
/// read it, which fails for damaged keys and for unsupported curves.
pub(super) fn check_in_bundle(block: &Block) -> Result<(), BrokenBlock> {
    match read(block) {
        Err(PrivateKeyError::Corrupt(fault)) => Err(fault),
        Err(PrivateKeyError::UnsupportedAlgorithm { cause: UNSUPPORTED, .. }) => Err(BrokenBlock {
            number: block.number,
            line: block.line,
            label: block.label.clone(),
            fault: BlockFault::PrivateKey(KeyFault::NO_SUCH_KIND),
        }),
        _ => Ok(()),
    }
}

/// Reads the DER of an unencrypted key. Bytes after the key are ignored, and a PKCS#8 key may be under the label
/// of its older form.
pub(super) fn parse(label: &str, key: &[u8]) -> Result<PrivateKeyFacts, Refusal> {
    match label {
        "RSA PRIVATE KEY" => rsa(key).or_else(|refusal| relabelled(key, public_key::RSA, refusal)),
        "EC PRIVATE KEY" => ec(key, None).or_else(|refusal| relabelled(key, public_key::EC, refusal)),
        "DSA PRIVATE KEY" => dsa(key),
        _ => pkcs8(key),
    }
}

/// Tries a key under an old label as PKCS#8; if it isn't, BoringSSL reports the same error for all faults.
fn relabelled(key: &[u8], wanted: &[u8], refusal: Refusal) -> Result<PrivateKeyFacts, Refusal> {
    match (pkcs8_parts(key), refusal) {
        (Ok((oid, ..)), _) if oid == wanted => pkcs8(key),
        (_, Refusal::Fault(fault)) => Err(fault.under_an_old_label().into()),
        (_, refusal) => Err(refusal),
    }
}

/// The algorithm of a `PrivateKeyInfo`, its parameters, and the key inside (RFC 5208, section 5).
fn pkcs8_parts(key: &[u8]) -> Result<(&[u8], Reader<'_>, &[u8]), Refusal> {
    let mut reader = Reader::new(key).enter(der::SEQUENCE).ok_or(KeyFault::NOT_PKCS8)?;
    let version = reader.small().ok_or(KeyFault::NOT_PKCS8)?;
    let mut algorithm = reader.enter(der::SEQUENCE).ok_or(KeyFault::NOT_PKCS8)?;
    let oid = algorithm.expect(der::OBJECT_IDENTIFIER).ok_or(KeyFault::NOT_PKCS8)?;
    let inside = reader.expect(der::OCTET_STRING).ok_or(KeyFault::NOT_PKCS8)?;
    let _attributes = reader.expect(der::constructed(0));
    if !reader.is_empty() {
        return Err(Refusal::Version2);
    }
    if version != 0 {
        return Err(KeyFault::UNKNOWN_VERSION.into());
    }
    Ok((oid, algorithm, inside))
}

fn pkcs8(key: &[u8]) -> Result<PrivateKeyFacts, Refusal> {
    let (oid, mut parameters, inside) = pkcs8_parts(key)?;
    if oid == public_key::RSA {
        match parameters.next() {
            Some((0x05, [])) => rsa(inside),
            _ => Err(KeyFault::NOT_RSA.into()),
        }
    } else if oid == public_key::EC {
        let curve = curve(&mut parameters)?;
        ec(inside, Some(curve))
    } else if oid == public_key::ED25519 {
        ed25519(inside)
    } else {
        Err(Refusal::unsupported(oid))
    }
}

/// An `RSAPrivateKey` (RFC 8017, appendix A.1.2).
fn rsa(key: &[u8]) -> Result<PrivateKeyFacts, Refusal> {
    let numbers = rsa_numbers(key).ok_or(KeyFault::NOT_RSA)?;
    numbers.check().map_err(|disagreement| match disagreement {
        Disagreement::Modulus => KeyFault::RSA_MODULUS,
        Disagreement::Exponent => KeyFault::RSA_EXPONENT,
        Disagreement::Remainders => KeyFault::RSA_REMAINDERS,
    })?;
    Ok(PrivateKeyFacts {
        algorithm: KeyAlgorithm::Rsa { bits: public_key::bits(numbers.modulus) },
        spki_sha256: Some(public_key::rsa_digest(numbers.modulus, numbers.public_exponent)),
    })
}

fn rsa_numbers(key: &[u8]) -> Option<RsaNumbers<'_>> {
    let mut reader = Reader::new(key).enter(der::SEQUENCE)?;
    (reader.small()? == 0).then_some(())?;
    let mut next = || reader.unsigned();
    let numbers = RsaNumbers {
        modulus: next()?,
        public_exponent: next()?,
        private_exponent: next()?,
        primes: [next()?, next()?],
        exponents: [next()?, next()?],
        coefficient: next()?,
    };
    reader.is_empty().then_some(numbers)
}

/// An `ECPrivateKey` (RFC 5915, section 3); the curve may be named outside it.
fn ec(key: &[u8], outside: Option<KeyAlgorithm>) -> Result<PrivateKeyFacts, Refusal> {
    let mut reader = Reader::new(key).enter(der::SEQUENCE).ok_or(KeyFault::NOT_EC)?;
    if reader.small() != Some(1) {
        return Err(KeyFault::NOT_EC.into());
    }
    let scalar = reader.expect(der::OCTET_STRING).ok_or(KeyFault::NOT_EC)?;
    let inside = match reader.enter(der::constructed(0)) {
        Some(mut parameters) => {
            let curve = curve(&mut parameters)?;
            if !parameters.is_empty() {
                return Err(KeyFault::NOT_EC.into());
            }
            Some(curve)
        }
        None => None,
    };
    let public = match reader.enter(der::constructed(1)) {
        Some(mut public) => Some(public.bytes_of_bit_string().filter(|_| public.is_empty()).ok_or(KeyFault::NOT_EC)?),
        None => None,
    };
    if !reader.is_empty() {
        return Err(KeyFault::NOT_EC.into());
    }
    let algorithm = match (outside, inside) {
        (Some(outside), Some(inside)) if outside != inside => return Err(KeyFault::EC_OTHER_CURVE.into()),
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => return Err(KeyFault::NOT_EC.into()),
    };
    if algorithm == KeyAlgorithm::EcSecp256k1 {
        return Err(Refusal::Unsupported { algorithm: algorithm.to_string(), cause: UNSUPPORTED });
    }
    let public = match public {
        Some(public) => Some(public_key::uncompressed(&algorithm, public).ok_or(KeyFault::EC_NO_POINT)?),
        None => None,
    };
    let derived = match &public {
        Some(public) if agree(&algorithm, scalar, public) => Some(public.clone()),
        _ => derived(&algorithm, scalar)?,
    };
    if derived.is_some() && public.is_some() && derived != public {
        return Err(KeyFault::EC_DISAGREES.into());
    }
    // Only an uncompressed point has the form used in certificates.
    let point = derived.or(public).filter(|point| point.first() == Some(&4));
    let spki_sha256 = point.map(|point| public_key::ec_digest(&algorithm, &point));
    Ok(PrivateKeyFacts { algorithm, spki_sha256 })
}

/// Whether a public point is known to be a scalar's. ring, which can't say what the point is, sees that in a tenth of the time: of a key without
/// fault, which has its public half with it, that is all there is to know.
fn agree(curve: &KeyAlgorithm, scalar: &[u8], public: &[u8]) -> bool {
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair};

    let made = |algorithm, scalar: Option<&[u8]>| {
        let random = ring::rand::SystemRandom::new();
        scalar.is_some_and(|scalar| {
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar, public, &random).is_ok()
        })
    };
    let digits = digits(scalar);
    match curve {
        KeyAlgorithm::EcP256 => made(&ECDSA_P256_SHA256_ASN1_SIGNING, pad::<32>(digits).as_ref().map(|it| &it[..])),
        KeyAlgorithm::EcP384 => made(&ECDSA_P384_SHA384_ASN1_SIGNING, pad::<48>(digits).as_ref().map(|it| &it[..])),
        _ => false,
    }
}

/// A number without the zeros in front of it.
fn digits(scalar: &[u8]) -> &[u8] {
    scalar.iter().position(|&byte| byte != 0).and_then(|at| scalar.get(at..)).unwrap_or_default()
}

/// The public point of a scalar, on supported curves.
fn derived(curve: &KeyAlgorithm, scalar: &[u8]) -> Result<Option<Vec<u8>>, KeyFault> {
    use p256::elliptic_curve::sec1::ToSec1Point;

    let digits = digits(scalar);
    if digits.is_empty() {
        return Err(KeyFault::EC_ZERO);
    }
    match curve {
        KeyAlgorithm::EcP256 => {
            let padded = pad::<32>(digits).ok_or(KeyFault::EC_OUT_OF_RANGE)?;
            let key = p256::SecretKey::from_slice(&*padded).map_err(|_| KeyFault::EC_OUT_OF_RANGE)?;
            Ok(Some(key.public_key().to_sec1_point(false).as_bytes().to_vec()))
        }
        KeyAlgorithm::EcP384 => {
            let padded = pad::<48>(digits).ok_or(KeyFault::EC_OUT_OF_RANGE)?;
            let key = p384::SecretKey::from_slice(&*padded).map_err(|_| KeyFault::EC_OUT_OF_RANGE)?;
            Ok(Some(key.public_key().to_sec1_point(false).as_bytes().to_vec()))
        }
        _ => Ok(None),
    }
}

/// A number padded with zeros to its curve's length.
fn pad<const LENGTH: usize>(digits: &[u8]) -> Option<Zeroizing<[u8; LENGTH]>> {
    let mut padded = Zeroizing::new([0; LENGTH]);
    let start = LENGTH.checked_sub(digits.len())?;
    padded.get_mut(start..)?.copy_from_slice(digits);
    Some(padded)
}

/// The primes of the curves that may be given by explicit parameters.
const PRIMES: [(KeyAlgorithm, &str); 4] = [
    (KeyAlgorithm::EcP256, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"),
    (
        KeyAlgorithm::EcP384,
        "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    ),
    (
        KeyAlgorithm::EcP521,
        "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
         ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ),
    (KeyAlgorithm::EcP224, "ffffffffffffffffffffffffffffffff000000000000000000000001"),
];

/// The curve of `ECParameters` (RFC 5480, section 2.1.1): named, or with explicit parameters, which OpenSSL can write
/// and BoringSSL reads in private keys (not in certificates). The prime identifies the curve.
fn curve(parameters: &mut Reader<'_>) -> Result<KeyAlgorithm, Refusal> {
    if let Some(oid) = parameters.expect(der::OBJECT_IDENTIFIER) {
        return public_key::curve(oid).ok_or_else(|| Refusal::Unsupported {
            algorithm: format!("EC {}", public_key::algorithm_name(oid)),
            cause: UNSUPPORTED,
        });
    }
    let mut described = parameters.enter(der::SEQUENCE).ok_or(KeyFault::NOT_EC)?;
    let prime = (|| {
        described.small()?;
        let mut field = described.enter(der::SEQUENCE)?;
        field.expect(der::OBJECT_IDENTIFIER)?;
        field.unsigned()
    })();
    let prime = hex(prime.ok_or(KeyFault::NOT_EC)?);
    let known = PRIMES.iter().find(|(_, known)| *known == prime).map(|(curve, _)| curve.clone());
    known.ok_or_else(|| Refusal::Unsupported {
        algorithm: "EC with parameters of its own".to_owned(),
        cause: UNSUPPORTED,
    })
}

/// A `CurvePrivateKey` (RFC 8410, section 7).
fn ed25519(key: &[u8]) -> Result<PrivateKeyFacts, Refusal> {
    let mut reader = Reader::new(key);
    let seed = reader.expect(der::OCTET_STRING).filter(|_| reader.is_empty()).ok_or(KeyFault::NOT_ED25519)?;
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyFault::NOT_ED25519)?;
    Ok(PrivateKeyFacts {
        algorithm: KeyAlgorithm::Ed25519,
        spki_sha256: Some(public_key::ed25519_digest(pair.public_key().as_ref())),
    })
}

/// OpenSSL's old form of a DSA key: BoringSSL reads it, but no certificate that Envoy loads matches it.
fn dsa(key: &[u8]) -> Result<PrivateKeyFacts, Refusal> {
    let mut reader = Reader::new(key).enter(der::SEQUENCE).ok_or(KeyFault::NOT_DSA)?;
    let numbers = std::iter::from_fn(|| reader.unsigned()).count();
    if numbers == 6 && reader.is_empty() {
        Err(Refusal::unsupported(public_key::DSA))
    } else {
        Err(KeyFault::NOT_DSA.into())
    }
}
