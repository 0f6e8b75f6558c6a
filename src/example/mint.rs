//! Mints the example's certificates: a root, an intermediate that issues, and leaves.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A root, and the intermediate that issues for it.
pub(super) struct Authority {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
pub(super) struct Minted {
    /// The leaf, then the intermediate.
    pub(super) chain: String,
    /// The private key.
    pub(super) key: String,
}

/// A leaf to be minted.
pub(super) struct Leaf<'a> {
    authority: &'a Authority,
    host: String,
    /// Days from now.
    valid: (i32, i32),
    common_name_only: bool,
    nameless: bool,
}

impl Authority {
    pub(super) fn new(name: &str) -> Result<Self, rcgen::Error> {
        let root = CertifiedIssuer::self_signed(issuer(name), KeyPair::generate()?)?;
        let mut params = issuer("Example mesh issuer");
        params.use_authority_key_identifier_extension = true;
        let intermediate = CertifiedIssuer::signed_by(params, KeyPair::generate()?, &root)?;
        Ok(Self { root, intermediate })
    }

    /// The root: what a trust bundle holds.
    pub(super) fn pem(&self) -> String {
        self.root.pem()
    }

    /// A leaf for a host, valid from yesterday for ninety days.
    pub(super) fn leaf(&self, host: &str) -> Leaf<'_> {
        Leaf { authority: self, host: host.to_owned(), valid: (-1, 89), common_name_only: false, nameless: false }
    }
}

impl Leaf<'_> {
    pub(super) fn valid(mut self, from: i32, to: i32) -> Self {
        self.valid = (from, to);
        self
    }

    pub(super) fn common_name_only(mut self) -> Self {
        self.common_name_only = true;
        self
    }

    pub(super) fn nameless(mut self) -> Self {
        self.nameless = true;
        self
    }

    pub(super) fn mint(self) -> Result<Minted, rcgen::Error> {
        let names = if self.common_name_only || self.nameless { Vec::new() } else { vec![self.host.clone()] };
        let mut params = dated(CertificateParams::new(names)?, &self.host, self.valid);
        if self.nameless {
            params.distinguished_name = DistinguishedName::new();
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let leaf = params.signed_by(&key, &self.authority.intermediate)?;
        Ok(Minted { chain: format!("{}{}", leaf.pem(), self.authority.intermediate.pem()), key: key.serialize_pem() })
    }
}

fn issuer(name: &str) -> CertificateParams {
    let mut params = dated(CertificateParams::default(), name, (-30, 3650));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn dated(mut params: CertificateParams, common_name: &str, (from, to): (i32, i32)) -> CertificateParams {
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = in_days(from).into();
    params.not_after = in_days(to).into();
    params
}

fn in_days(days: i32) -> SystemTime {
    let span = DAY * days.unsigned_abs();
    if days < 0 { SystemTime::now() - span } else { SystemTime::now() + span }
}
