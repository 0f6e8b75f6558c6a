//! An end's certificates and CAs as data, and the table of certificates.

use std::collections::HashMap;

use crate::mesh::{Attached, Member, NameCheck, ServerEnd, TlsMode, Validation, View};
use crate::pki::Certificate;
use crate::rules::{CertificateUse, End, Files, TrustUse};
use crate::survey::map::state::{elsewhere, trust_elsewhere, why};
use crate::survey::map::{MapCertificate, MapEnd, Shows, Trusts};
use crate::text::hex;

/// The most certificates of one file that are shown: chains are shorter, and a bundle of public CAs isn't informative.
const MOST_OF_A_FILE: usize = 8;
/// The most names shown of one certificate.
const MOST_NAMES: usize = 8;
/// The most locations shown of one certificate.
const MOST_PLACES: usize = 4;

/// The certificates so far, each once.
#[derive(Default)]
pub(super) struct Certificates {
    known: HashMap<[u8; 32], usize>,
    pub(super) all: Vec<MapCertificate>,
}

/// How an end uses a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Shows,
    Trusts,
}

impl Certificates {
    /// One end of the member with this number.
    pub(super) fn end<'a>(&mut self, node: usize, end: End<'a>, files: &Files<'a>) -> MapEnd {
        let validation = end.validation();
        let mut shows: Vec<Shows> = files.certificates.iter().map(|using| self.shows(node, using)).collect();
        for source in end.certificates().iter().filter_map(elsewhere) {
            shows.push(Shows { origin: source, chain: Vec::new(), more: 0, unknown: None });
        }
        let mut trusts: Vec<Trusts> = files.trusts.iter().map(|using| self.trusts(node, using)).collect();
        if let Some(source) = validation.and_then(|it| it.trust.as_ref()).and_then(trust_elsewhere) {
            trusts.push(Trusts { origin: source, authorities: Vec::new(), more: 0, unknown: None });
        }
        MapEnd { shows, trusts, names: validation.map(names).unwrap_or_default(), findings: Vec::new() }
    }

    fn shows(&mut self, node: usize, using: &CertificateUse<'_>) -> Shows {
        let origin = using.chain_origin();
        let unread = using.chain_facts().and_then(|facts| facts.chain.as_ref().err()).map(ToString::to_string);
        let unknown = why(&using.chain_place).or(unread);
        // For an AWS certificate the leaf may be known, but nothing above it.
        let chain: Vec<&Certificate> = match using.chain() {
            Some(chain) => chain.certificates.iter().map(AsRef::as_ref).collect(),
            None => using.issued_leaf().into_iter().collect(),
        };
        let (chain, more) = self.table(node, Use::Shows, &origin, chain.into_iter());
        Shows { origin, chain, more, unknown }
    }

    fn trusts(&mut self, node: usize, using: &TrustUse<'_>) -> Trusts {
        let origin = using.origin();
        let unread = using.facts().and_then(|facts| facts.bundle.as_ref().err()).map(ToString::to_string);
        let unknown = why(&using.place).or(unread);
        let bundle = using.bundle().map_or(&[][..], |bundle| &bundle.certificates);
        let (authorities, more) = self.table(node, Use::Trusts, &origin, bundle.iter().map(AsRef::as_ref));
        Trusts { origin, authorities, more, unknown }
    }

    /// The numbers of these certificates, and how many more there are.
    fn table<'c>(
        &mut self,
        node: usize,
        using: Use,
        origin: &str,
        certificates: impl ExactSizeIterator<Item = &'c Certificate>,
    ) -> (Vec<usize>, usize) {
        let more = certificates.len().saturating_sub(MOST_OF_A_FILE);
        let numbers =
            certificates.take(MOST_OF_A_FILE).map(|certificate| self.number(node, using, origin, certificate));
        (numbers.collect(), more)
    }

    fn number(&mut self, node: usize, using: Use, origin: &str, certificate: &Certificate) -> usize {
        let number = *self.known.entry(certificate.fingerprint).or_insert_with(|| {
            self.all.push(describe(certificate));
            self.all.len() - 1
        });
        if let Some(known) = self.all.get_mut(number) {
            let users = if using == Use::Shows { &mut known.shown_by } else { &mut known.trusted_by };
            if users.last() != Some(&node) {
                users.push(node);
            }
            if known.held.len() < MOST_PLACES && !known.held.iter().any(|held| held == origin) {
                known.held.push(origin.to_owned());
            }
        }
        number
    }
}

fn describe(certificate: &Certificate) -> MapCertificate {
    MapCertificate {
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.to_string(),
        names: certificate.sans.iter().take(MOST_NAMES).map(ToString::to_string).collect(),
        more_names: certificate.sans.len().saturating_sub(MOST_NAMES),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        key: certificate.key_algorithm.to_string(),
        serial: certificate.serial.clone(),
        fingerprint: hex(&certificate.fingerprint),
        authority: certificate.is_ca(),
        held: Vec::new(),
        shown_by: Vec::new(),
        trusted_by: Vec::new(),
    }
}

fn names(validation: &Validation) -> Vec<String> {
    match &validation.names {
        NameCheck::List(names) => names.iter().map(|(name, _)| name.clone()).collect(),
        NameCheck::Name(name, _) => vec![name.clone()],
        NameCheck::Host | NameCheck::Nothing => Vec::new(),
    }
}

/// An attached policy's name on the map.
pub(super) fn named(policy: &Attached) -> String {
    policy.object.to_string()
}

/// The mode as App Mesh writes it.
pub(super) fn mode(listener: &ServerEnd) -> Option<&'static str> {
    listener.tls.as_ref().map(|tls| match tls.mode {
        TlsMode::Strict => "STRICT",
        TlsMode::Permissive => "PERMISSIVE",
        TlsMode::Disabled => "DISABLED",
    })
}

/// A listener's files; none if it is plaintext.
pub(super) fn of_listener<'a>(
    view: View<'a>,
    member: &'a Member,
    listener: &'a ServerEnd,
) -> Option<(End<'a>, Files<'a>)> {
    let end = End::Server(listener, listener.active_tls()?);
    Some((end, Files::of(view, member, end)))
}
