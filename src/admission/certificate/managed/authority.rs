//! A certificate authority of meshvet's own, and the leaves that it issues.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use crate::admission::certificate::serving::end;

/// Clocks differ a little, so validity starts this long ago.
const BACKDATED: Duration = Duration::from_secs(60 * 60);

/// A certificate alone, as callers trust it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trusted {
    /// As PEM, one block.
    pub(super) pem: String,
    /// The same in DER: what two are compared by.
    pub(super) der: CertificateDer<'static>,
}

impl Trusted {
    /// Reads the first certificate of a PEM text.
    pub(super) fn from_pem(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem).ok()?;
        Some(Self { pem: String::from_utf8(pem.to_vec()).ok()?, der })
    }

    /// The same of a certificate in DER.
    pub(super) fn from_der(der: CertificateDer<'static>) -> Self {
        let text = STANDARD.encode(&der);
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        Self { pem, der }
    }

    /// Its notAfter.
    pub(super) fn ends(&self) -> Timestamp {
        end(std::slice::from_ref(&self.der))
    }
}

/// An authority that can issue.
pub(super) struct Authority {
    /// What callers verify its leaves by.
    pub(super) certificate: Trusted,
    /// Its notAfter.
    pub(super) ends: Timestamp,
    key_pem: Zeroizing<String>,
    issuer: Issuer<'static, KeyPair>,
}

/// Never shows the key.
impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("ends", &self.ends).finish_non_exhaustive()
    }
}

/// Why there is no authority. Never quotes what was read.
#[derive(Debug, thiserror::Error)]
pub(super) enum AuthorityError {
    /// The certificate isn't one.
    #[error("has no certificate in PEM")]
    NoCertificate,
    /// The key isn't one.
    #[error("has no private key in PEM")]
    NoKey,
    /// What is to be a path's secret isn't one.
    #[error("has no secret of paths")]
    NoPath,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// The two don't go together.
    #[error("has a certificate that belongs to another key")]
    OtherKey,
    /// It could not be made.
    #[error("could not issue a certificate: {0}")]
    Issue(#[from] rcgen::Error),
    /// What was issued can't be served.
    #[error("could not serve the issued certificate: {0}")]
    Serve(#[from] rustls::Error),
}

impl Authority {
    /// Makes one that lives from `now` for `life`.
    pub(super) fn new(now: Timestamp, life: Duration) -> Result<Self, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name("meshvet authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let begins = SystemTime::from(now);
        params.not_before = (begins - BACKDATED).into();
        params.not_after = (begins + life).into();
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Self::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes())
    }

    /// Reads one back.
    pub(super) fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, AuthorityError> {
        let certificate = Trusted::from_pem(certificate).ok_or(AuthorityError::NoCertificate)?;
        let key_pem = std::str::from_utf8(key).map(|text| Zeroizing::new(text.to_owned()));
        let key_pem = key_pem.map_err(|_| AuthorityError::NoKey)?;
        let key = KeyPair::from_pem(&key_pem).map_err(|_| AuthorityError::NoKey)?;
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&certificate.der).map_err(|_| AuthorityError::NoCertificate)?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(AuthorityError::OtherKey);
        }
        let issuer = Issuer::from_ca_cert_der(&certificate.der, key).map_err(|_| AuthorityError::NoCertificate)?;
        Ok(Self { ends: certificate.ends(), certificate, key_pem, issuer })
    }

    /// Its private key: for the Secret alone.
    pub(super) fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// Issues a leaf for a DNS name that lives from `now` for `life`, and never longer than the authority.
    pub(super) fn issue(&self, name: &str, now: Timestamp, life: Duration) -> Result<CertifiedKey, AuthorityError> {
        let mut params = CertificateParams::new([name.to_owned()])?;
        // The subject is left to the name: a common name may have 64 characters at most, a Service's name more.
        params.distinguished_name = common_name("meshvet");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let begins = SystemTime::from(now);
        params.not_before = (begins - BACKDATED).into();
        params.not_after = (begins + life).min(SystemTime::from(self.ends)).into();
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &self.issuer)?;
        let private_key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = rustls::crypto::ring::default_provider();
        Ok(CertifiedKey::from_der(vec![leaf.der().clone()], private_key, &provider)?)
    }
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    #[test]
    fn an_authority_read_back_issues_what_it_is_trusted_for() {
        let now = Timestamp::now();
        let made = Authority::new(now, YEAR).expect("an authority");
        let again = Trusted::from_der(made.certificate.der.clone());
        assert_eq!(Trusted::from_pem(again.pem.as_bytes()).expect("PEM").der, made.certificate.der);
        let read = Authority::from_pem(made.certificate.pem.as_bytes(), made.key_pem().as_bytes()).expect("the same");
        let leaf = read.issue("meshvet.meshvet-system.svc", now, Duration::from_secs(60)).expect("a leaf");
        let anchor = webpki_anchor(&made.certificate);
        let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(
            anchor.into(),
            rustls::crypto::ring::default_provider().into(),
        );
        let verifier = verifier.build().expect("a verifier");
        let verify = |name: &'static str| {
            use rustls::client::danger::ServerCertVerifier as _;
            let name = name.try_into().expect("a name");
            let time = rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(
                u64::try_from(now.as_second()).expect("after 1970"),
            ));
            verifier.verify_server_cert(&leaf.cert[0], &[], &name, &[], time)
        };
        verify("meshvet.meshvet-system.svc").expect("it verifies");
        verify("other.meshvet-system.svc").expect_err("another name");
    }

    fn webpki_anchor(certificate: &Trusted) -> rustls::RootCertStore {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate.der.clone()).expect("an anchor");
        roots
    }

    #[test]
    fn a_leaf_ends_no_later_than_its_authority() {
        let now = Timestamp::now();
        let authority = Authority::new(now, Duration::from_secs(100)).expect("an authority");
        let leaf = authority.issue("meshvet.a.svc", now + 90.seconds(), Duration::from_secs(60)).expect("a leaf");
        assert_eq!(end(&leaf.cert), authority.ends);
    }

    #[test]
    fn what_is_no_authority_is_told_without_a_word_of_it() {
        let now = Timestamp::now();
        let [one, other] = [(); 2].map(|()| Authority::new(now, YEAR).expect("an authority"));
        for (certificate, key, words) in [
            (one.certificate.pem.as_str(), other.key_pem(), "another key"),
            ("hush", one.key_pem(), "no certificate"),
            (&one.certificate.pem, "hush", "no private key"),
            (&one.certificate.pem, &one.key_pem()[..80], "no private key"),
        ] {
            let error = Authority::from_pem(certificate.as_bytes(), key.as_bytes()).expect_err("no authority");
            assert!(error.to_string().contains(words) && !error.to_string().contains("hush"), "{error}");
        }
        assert!(!format!("{one:?}").contains("PRIVATE"));
    }
}
