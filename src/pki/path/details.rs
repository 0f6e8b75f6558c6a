//! What only path building needs of a certificate, read on demand.

use std::sync::Arc;

use x509_parser::certificate::X509CertificateParser;
use x509_parser::nom::Parser;

use super::super::certificate::Certificate;
use super::super::der::{self, Reader};
use super::super::described::sans_der;
use super::canonical::CanonicalName;
use super::constraints::NameConstraints;
use super::{Origin, Step};

const SUBJECT_ALT_NAME: u8 = 17;
const NAME_CONSTRAINTS: u8 = 30;
const CRL_DISTRIBUTION_POINTS: u8 = 31;
const CERTIFICATE_POLICIES: u8 = 32;
const POLICY_CONSTRAINTS: u8 = 36;
const AUTHORITY_KEY_ID: u8 = 35;

/// Damage to these extensions is noticed as soon as the certificate is tried: subject key identifier, key usage, subject
/// alternative name, basic constraints, name constraints, CRL distribution points, authority key identifier and
/// extended key usage.
const LOOKED_AT: [&str; 8] =
    ["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.31", "2.5.29.35", "2.5.29.37"];

/// A certificate with everything that path building needs.
pub(super) struct Details {
    pub(super) certificate: Arc<Certificate>,
    pub(super) origin: Origin,
    pub(super) subject: CanonicalName,
    pub(super) issuer: CanonicalName,
    authority: AuthorityKeyId,
    pub(super) serial: Vec<u8>,
    /// The value of the CRL distribution points extension.
    pub(super) points: Option<Vec<u8>>,
    pub(super) constraints: Option<NameConstraints>,
    /// The value of the subject alternative name extension; `None` without it.
    pub(super) sans: Option<Vec<u8>>,
    /// Object identifiers of the damaged extensions because of which BoringSSL skips the certificate.
    pub(super) damaged: Vec<String>,
    /// Whether certificate policies affect a path through it, which isn't judged here.
    pub(super) has_policy_constraints: bool,
}

/// The authority key identifier in full (RFC 5280, section 4.2.1.1).
#[derive(Default)]
pub(super) struct AuthorityKeyId {
    key: Option<Vec<u8>>,
    /// The first directoryName.
    issuer: Option<CanonicalName>,
    serial: Option<Vec<u8>>,
}

impl Details {
    pub(super) fn of(certificate: &Arc<Certificate>, origin: Origin) -> Self {
        let mut out = Self {
            certificate: Arc::clone(certificate),
            origin,
            subject: CanonicalName::of(&certificate.subject_der),
            issuer: CanonicalName::of(&certificate.issuer_der),
            authority: AuthorityKeyId::default(),
            serial: Vec::new(),
            points: None,
            constraints: None,
            sans: None,
            damaged: certificate.malformed_extensions.clone(),
            has_policy_constraints: false,
        };
        out.damaged.retain(|oid| LOOKED_AT.contains(&oid.as_str()));
        out.has_policy_constraints = certificate.malformed_extensions.len() > out.damaged.len();
        if certificate.basic_constraints.is_some_and(|constraints| !constraints.ca && constraints.path_len.is_some()) {
            out.damage("2.5.29.19");
        }
        if certificate.is_described() {
            out.sans = Some(sans_der(certificate));
            out.authority.key = certificate.authority_key_id.clone();
            return out;
        }
        let parsed = X509CertificateParser::new().with_deep_parse_extensions(false).parse(&certificate.der);
        let Ok((_, x509)) = parsed else { return out };
        out.serial = x509.tbs_certificate.raw_serial().to_vec();
        for extension in x509.tbs_certificate.extensions() {
            let &[0x55, 0x1d, arc] = extension.oid.as_bytes() else { continue };
            out.read(arc, extension.value);
        }
        out
    }

    fn read(&mut self, arc: u8, value: &[u8]) {
        let mut reader = Reader::new(value);
        match arc {
            SUBJECT_ALT_NAME => self.sans = Some(value.to_vec()),
            NAME_CONSTRAINTS => match NameConstraints::read(value) {
                Some(constraints) => self.constraints = Some(constraints),
                None => self.damage("2.5.29.30"),
            },
            AUTHORITY_KEY_ID => match authority_key_id(value) {
                Some(authority) => self.authority = authority,
                None => self.damage("2.5.29.35"),
            },
            CRL_DISTRIBUTION_POINTS => {
                self.points = Some(value.to_vec());
                let points = reader.enter(der::SEQUENCE).filter(|_| reader.is_empty());
                if points.is_none_or(|points| !is_sequence_of_sequences(points)) {
                    self.damage("2.5.29.31");
                }
            }
            POLICY_CONSTRAINTS => self.has_policy_constraints = true,
            CERTIFICATE_POLICIES => {
                let policies = reader.enter(der::SEQUENCE).filter(|policies| reader.is_empty() && !policies.is_empty());
                if policies.is_none_or(|policies| !is_sequence_of_sequences(policies)) {
                    self.has_policy_constraints = true;
                }
            }
            _ => {}
        }
    }

    fn damage(&mut self, oid: &str) {
        if !self.damaged.iter().any(|known| known == oid) {
            self.damaged.push(oid.to_owned());
        }
    }

    pub(super) fn step(&self) -> Step {
        Step { certificate: Arc::clone(&self.certificate), origin: self.origin }
    }

    pub(super) fn is_damaged(&self) -> bool {
        !self.damaged.is_empty()
    }

    /// Whether subject and issuer are one name.
    pub(super) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether a path ends here: its own issuer by name and key identifier, and allowed to sign. The signature
    /// isn't checked.
    pub(super) fn is_self_signed(&self) -> bool {
        self.is_self_issued() && self.is_meant_by(&self.authority) && self.may_sign()
    }

    /// Whether this is taken as another's issuer: by name, by the other's authority key identifier, and by key
    /// usage. The first match decides; its signature is checked afterwards.
    pub(super) fn is_issuer_of(&self, issued: &Self) -> bool {
        self.subject == issued.issuer
            && !self.is_damaged()
            && !issued.is_damaged()
            && self.is_meant_by(&issued.authority)
            && self.may_sign()
    }

    /// Whether an authority key identifier refers to this certificate.
    pub(super) fn is_meant_by(&self, authority: &AuthorityKeyId) -> bool {
        let differs = |wanted: &Option<Vec<u8>>, found: Option<&[u8]>| match (wanted, found) {
            (Some(wanted), Some(found)) => wanted != found,
            _ => false,
        };
        !differs(&authority.key, self.certificate.subject_key_id.as_deref())
            && !differs(&authority.serial, Some(&self.serial))
            && authority.issuer.as_ref().is_none_or(|issuer| *issuer == self.issuer)
    }

    pub(super) fn may_sign(&self) -> bool {
        self.certificate.key_usage.is_none_or(|usage| usage.key_cert_sign)
    }

    /// Whether it counts as a CA in the middle of a path.
    pub(super) fn is_authority(&self) -> bool {
        let v1_root = self.certificate.version == 1 && self.is_self_signed();
        self.may_sign() && (v1_root || self.certificate.is_ca())
    }
}

fn is_sequence_of_sequences(mut reader: Reader<'_>) -> bool {
    while !reader.is_empty() {
        if reader.enter(der::SEQUENCE).is_none() {
            return false;
        }
    }
    true
}

pub(super) fn authority_key_id(value: &[u8]) -> Option<AuthorityKeyId> {
    let mut outer = Reader::new(value);
    let mut reader = outer.enter(der::SEQUENCE)?;
    let key = reader.expect(der::primitive(0)).map(<[u8]>::to_vec);
    let mut issuer = None;
    if let Some(mut names) = reader.enter(der::constructed(1)) {
        while !names.is_empty() {
            let (tag, content) = names.next()?;
            if tag == der::constructed(4) && issuer.is_none() {
                issuer = Some(CanonicalName::of(content));
            }
        }
    }
    let serial = reader.expect(der::primitive(2)).map(<[u8]>::to_vec);
    (reader.is_empty() && outer.is_empty()).then_some(AuthorityKeyId { key, issuer, serial })
}
