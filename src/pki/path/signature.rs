//! Whether one certificate's key made another's signature, with the algorithms that BoringSSL accepts.

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use ring::digest::{self, digest};
use ring::signature::{self as of, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::asn1_rs::BitString;
use x509_parser::certificate::X509CertificateParser;
use x509_parser::nom::Parser;
use x509_parser::parse_x509_crl;
use x509_parser::x509::AlgorithmIdentifier;

use super::super::certificate::{self, Certificate, HashAlgorithm};
use super::super::public_key::KeyAlgorithm;
use super::super::revocation::RevocationList;

/// The result of verifying a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    Good,
    Bad,
    /// BoringSSL rejects the algorithm, for example MD5.
    Refused,
    /// The algorithm isn't supported here.
    Unknown,
}

/// A signed structure.
struct Signed<'a> {
    message: &'a [u8],
    /// The algorithm named outside the signed part.
    algorithm: &'a AlgorithmIdentifier<'a>,
    hash: Option<HashAlgorithm>,
    made: &'a BitString<'a>,
}

/// Whether `issuer`'s key made a revocation list's signature.
pub(super) fn verify_list(list: &RevocationList, issuer: &Certificate) -> Signature {
    if issuer.is_described() {
        return Signature::Unknown;
    }
    let Ok((_, parsed)) = parse_x509_crl(&list.der) else { return Signature::Bad };
    if parsed.signature_algorithm != parsed.tbs_cert_list.signature {
        return Signature::Bad;
    }
    let signed = Signed {
        message: parsed.tbs_cert_list.as_ref(),
        algorithm: &parsed.signature_algorithm,
        hash: certificate::signature(&parsed.signature_algorithm).1,
        made: &parsed.signature_value,
    };
    verify_signed(&signed, issuer)
}

/// Whether `issuer`'s key made `issued`'s signature.
pub(super) fn verify(issued: &Certificate, issuer: &Certificate) -> Signature {
    // The description says whose key signed the certificate; there is no signature to verify.
    if issued.is_described() {
        let by_this = issued.described_issuer == Some(issuer.spki_sha256);
        return if by_this { Signature::Good } else { Signature::Bad };
    }
    let parsed = X509CertificateParser::new().with_deep_parse_extensions(false).parse(&issued.der);
    let Ok((_, child)) = parsed else { return Signature::Bad };
    if child.signature_algorithm != child.tbs_certificate.signature {
        return Signature::Bad;
    }
    let signed = Signed {
        message: child.tbs_certificate.as_ref(),
        algorithm: &child.signature_algorithm,
        hash: issued.signature_hash,
        made: &child.signature_value,
    };
    verify_signed(&signed, issuer)
}

fn verify_signed(signed: &Signed<'_>, issuer: &Certificate) -> Signature {
    let parsed = X509CertificateParser::new().with_deep_parse_extensions(false).parse(&issuer.der);
    let Ok((_, parent)) = parsed else { return Signature::Bad };
    if signed.hash == Some(HashAlgorithm::Md5) {
        return Signature::Refused;
    }
    if !belong_together(signed.algorithm, &issuer.key_algorithm) || signed.made.unused_bits != 0 {
        return Signature::Bad;
    }
    let (message, made) = (signed.message, &*signed.made.data);
    let key = &*parent.tbs_certificate.subject_pki.subject_public_key.data;
    // ring accepts uncompressed points only.
    let compressed = matches!(key, [2 | 3, ..]) && !matches!(issuer.key_algorithm, KeyAlgorithm::Ed25519);
    let good = match algorithm(signed, issuer) {
        Some(algorithm) if !compressed => Some(UnparsedPublicKey::new(algorithm, key).verify(message, made).is_ok()),
        _ => signed.hash.and_then(|hash| ecdsa(&issuer.key_algorithm, key, hash, message, made)),
    };
    match good {
        Some(true) => Signature::Good,
        Some(false) => Signature::Bad,
        None => Signature::Unknown,
    }
}

/// ECDSA with the curves and hashes that ring lacks; `None` for others.
fn ecdsa(curve: &KeyAlgorithm, key: &[u8], hash: HashAlgorithm, message: &[u8], made: &[u8]) -> Option<bool> {
    let length: usize = match curve {
        KeyAlgorithm::EcP256 => 32,
        KeyAlgorithm::EcP384 => 48,
        KeyAlgorithm::EcP521 => 66,
        _ => return None,
    };
    let algorithm = match hash {
        HashAlgorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha384 => &digest::SHA384,
        HashAlgorithm::Sha512 => &digest::SHA512,
        HashAlgorithm::Md5 | HashAlgorithm::Sha224 => return None,
    };
    let hashed = digest(algorithm, message);
    // Padded to the curve's length: the crates reject a much shorter hash, BoringSSL doesn't.
    let zeros = length.saturating_sub(hashed.as_ref().len());
    let number = [vec![0; zeros].as_slice(), hashed.as_ref()].concat();
    Some(match curve {
        KeyAlgorithm::EcP256 => {
            let parts = (p256::ecdsa::VerifyingKey::from_sec1_bytes(key), p256::ecdsa::DerSignature::try_from(made));
            matches!(parts, (Ok(key), Ok(made)) if key.verify_prehash(&number, &made).is_ok())
        }
        KeyAlgorithm::EcP384 => {
            let parts = (p384::ecdsa::VerifyingKey::from_sec1_bytes(key), p384::ecdsa::DerSignature::try_from(made));
            matches!(parts, (Ok(key), Ok(made)) if key.verify_prehash(&number, &made).is_ok())
        }
        _ => {
            let parts = (p521::ecdsa::VerifyingKey::from_sec1_bytes(key), p521::ecdsa::DerSignature::try_from(made));
            matches!(parts, (Ok(key), Ok(made)) if key.verify_prehash(&number, &made).is_ok())
        }
    })
}

const RSA_PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];

const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// Whether a key of this kind can make signatures with this algorithm; unknown kinds pass.
fn belong_together(algorithm: &AlgorithmIdentifier<'_>, key: &KeyAlgorithm) -> bool {
    use KeyAlgorithm::{EcP224, EcP256, EcP384, EcP521, EcSecp256k1, Ed25519, Other, Rsa};
    let oid = algorithm.algorithm.as_bytes();
    match key {
        Other(_) => true,
        Rsa { .. } => !oid.starts_with(ECDSA) && oid != ED25519,
        EcP224 | EcP256 | EcP384 | EcP521 | EcSecp256k1 => !oid.starts_with(RSA_PKCS1) && oid != ED25519,
        Ed25519 => !oid.starts_with(RSA_PKCS1) && !oid.starts_with(ECDSA),
    }
}

fn algorithm(signed: &Signed<'_>, issuer: &Certificate) -> Option<&'static dyn VerificationAlgorithm> {
    use HashAlgorithm::{Sha1, Sha256, Sha384, Sha512};
    let oid = signed.algorithm.algorithm.as_bytes();
    let is_pss = oid == [RSA_PKCS1, &[0x0a]].concat();
    Some(match (&issuer.key_algorithm, signed.hash) {
        (KeyAlgorithm::Rsa { bits: 2048.. }, Some(Sha256)) if is_pss => &of::RSA_PSS_2048_8192_SHA256,
        (KeyAlgorithm::Rsa { bits: 2048.. }, Some(Sha384)) if is_pss => &of::RSA_PSS_2048_8192_SHA384,
        (KeyAlgorithm::Rsa { bits: 2048.. }, Some(Sha512)) if is_pss => &of::RSA_PSS_2048_8192_SHA512,
        _ if is_pss => return None,
        (KeyAlgorithm::Rsa { bits: 1024..=8192 }, Some(hash)) if oid.starts_with(RSA_PKCS1) => match (hash, issuer) {
            (Sha1, _) => &of::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            (Sha256, _) => &of::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            (Sha512, _) => &of::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
            (Sha384, Certificate { key_algorithm: KeyAlgorithm::Rsa { bits: 2048.. }, .. }) => {
                &of::RSA_PKCS1_2048_8192_SHA384
            }
            _ => return None,
        },
        (KeyAlgorithm::EcP256, Some(hash)) if oid.starts_with(ECDSA) => match hash {
            Sha256 => &of::ECDSA_P256_SHA256_ASN1,
            Sha384 => &of::ECDSA_P256_SHA384_ASN1,
            _ => return None,
        },
        (KeyAlgorithm::EcP384, Some(hash)) if oid.starts_with(ECDSA) => match hash {
            Sha256 => &of::ECDSA_P384_SHA256_ASN1,
            Sha384 => &of::ECDSA_P384_SHA384_ASN1,
            _ => return None,
        },
        (KeyAlgorithm::Ed25519, None) if oid == ED25519 => &of::ED25519,
        _ => return None,
    })
}
