//! Whether one certificate's key made another's signature, by the algorithms that BoringSSL takes.

use ring::signature::{self as of, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::certificate::X509CertificateParser;
use x509_parser::nom::Parser;
use x509_parser::x509::AlgorithmIdentifier;

use super::super::certificate::{Certificate, HashAlgorithm};
use super::super::public_key::{KeyAlgorithm, uncompressed};

/// What verifying a signature shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    Good,
    Bad,
    /// BoringSSL refuses the algorithm, as it does MD5.
    Refused,
    /// The algorithm isn't calculated with here.
    Unknown,
}

/// Whether `issuer`'s key made `issued`'s signature.
pub(super) fn verify(issued: &Certificate, issuer: &Certificate) -> Signature {
    let parse = |der| X509CertificateParser::new().with_deep_parse_extensions(false).parse(der);
    let (Ok((_, child)), Ok((_, parent))) = (parse(&issued.der), parse(&issuer.der)) else { return Signature::Bad };
    if child.signature_algorithm != child.tbs_certificate.signature {
        return Signature::Bad;
    }
    if issued.signature_hash == Some(HashAlgorithm::Md5) {
        return Signature::Refused;
    }
    if !belong_together(&child.signature_algorithm, &issuer.key_algorithm) {
        return Signature::Bad;
    }
    let key = &parent.tbs_certificate.subject_pki.subject_public_key.data;
    let (Some(algorithm), Some(key)) = (algorithm(issued, &child.signature_algorithm, issuer), usable(issuer, key))
    else {
        return Signature::Unknown;
    };
    let signature = &child.signature_value;
    if signature.unused_bits != 0 {
        return Signature::Bad;
    }
    match UnparsedPublicKey::new(algorithm, key).verify(child.tbs_certificate.as_ref(), &signature.data) {
        Ok(()) => Signature::Good,
        Err(_) => Signature::Bad,
    }
}

/// The key in the form that is calculated with.
fn usable(issuer: &Certificate, key: &[u8]) -> Option<Vec<u8>> {
    match &issuer.key_algorithm {
        curve @ (KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384) => uncompressed(curve, key),
        _ => Some(key.to_vec()),
    }
}

const RSA_PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];

const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// Whether a key of this kind makes signatures of this algorithm at all; what isn't known is let pass.
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

fn algorithm(
    issued: &Certificate,
    algorithm: &AlgorithmIdentifier<'_>,
    issuer: &Certificate,
) -> Option<&'static dyn VerificationAlgorithm> {
    use HashAlgorithm::{Sha1, Sha256, Sha384, Sha512};
    let oid = algorithm.algorithm.as_bytes();
    let is_pss = oid == [RSA_PKCS1, &[0x0a]].concat();
    Some(match (&issuer.key_algorithm, issued.signature_hash) {
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
