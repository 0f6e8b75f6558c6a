//! Certificates by the thousand: as `tests/support/mint.rs` makes them, without a process for each.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A root with three intermediates.
pub(crate) struct Authorities {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediates: Vec<CertifiedIssuer<'static, KeyPair>>,
}

/// What a Secret holds.
pub(crate) struct Files {
    /// The leaf, then its intermediate.
    pub(crate) chain: String,
    pub(crate) key: String,
    /// The root.
    pub(crate) authority: String,
}

impl Authorities {
    pub(crate) fn new() -> Self {
        let root = CertifiedIssuer::self_signed(authority("Example Mesh Root"), key()).expect("a root");
        let intermediates = ["one", "two", "three"].map(|name| {
            let mut params = authority(&format!("Example Mesh Issuer {name}"));
            params.use_authority_key_identifier_extension = true;
            CertifiedIssuer::signed_by(params, key(), &root).expect("an intermediate")
        });
        Self { root, intermediates: intermediates.into() }
    }

    /// A leaf and a key of its own for a host.
    pub(crate) fn issue(&self, number: usize, host: &str) -> Files {
        let mut params = CertificateParams::new([host.to_owned()]).expect("a name");
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, host);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = valid(90);
        let (key, intermediate) = (key(), &self.intermediates[number % self.intermediates.len()]);
        let leaf = params.signed_by(&key, intermediate).expect("a leaf");
        Files {
            chain: format!("{}{}", leaf.pem(), intermediate.pem()),
            key: key.serialize_pem(),
            authority: self.root.pem(),
        }
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a P-256 key")
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Example");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = valid(3650);
    params
}

/// From yesterday for so many days.
fn valid<T: From<SystemTime>>(days: u32) -> (T, T) {
    let now = SystemTime::now();
    ((now - DAY).into(), (now + DAY * days).into())
}
