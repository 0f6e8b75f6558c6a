//! A serving certificate that meshvet issues to itself: to try it out, and for a single replica.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use crate::admission::certificate::serving::{CertificateFiles, ServingCertificate, ServingCertificateError};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Longer than any process runs.
const LIFETIME: Duration = DAY.saturating_mul(3650);

/// A certificate of meshvet's own, and the authority that a caller verifies it by.
#[derive(Debug)]
pub struct SelfIssued {
    /// To serve with.
    pub certificate: ServingCertificate,
    /// The authority, as PEM: what `caBundle` holds, before base64.
    pub authority_pem: String,
    #[cfg(test)]
    pub(super) chain_pem: String,
    #[cfg(test)]
    pub(super) key_pem: String,
}

/// Issues a certificate for these DNS names and IP addresses, by an authority made for it alone. The authority's key is dropped:
/// nothing else can ever be issued by it.
///
/// # Errors
/// [`ServingCertificateError::Issue`] for a name that is not ASCII.
pub fn self_issue(names: &[String]) -> Result<SelfIssued, ServingCertificateError> {
    let now = SystemTime::now();
    let dated = |mut params: CertificateParams, common_name: &str| {
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        // Clocks differ a little.
        params.not_before = (now - DAY).into();
        params.not_after = (now + LIFETIME).into();
        params
    };
    let mut params = dated(CertificateParams::default(), "meshvet self-issued authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let mut params = dated(CertificateParams::new(names)?, "meshvet");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let leaf = params.signed_by(&key, &authority)?;

    let chain = vec![leaf.der().clone(), authority.der().clone()];
    let private_key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = rustls::crypto::ring::default_provider();
    let pair = CertifiedKey::from_der(chain, private_key, &provider).map_err(|error| {
        let files = CertificateFiles { chain: "self-issued".into(), key: "self-issued".into() };
        ServingCertificateError::Unusable { files, error }
    })?;
    Ok(SelfIssued {
        certificate: ServingCertificate::of(pair),
        authority_pem: authority.pem(),
        #[cfg(test)]
        chain_pem: leaf.pem(),
        #[cfg(test)]
        key_pem: key.serialize_pem(),
    })
}
