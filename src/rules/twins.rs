//! Certificates that a control plane leaves out because the listener has one of their kind already.

use crate::mesh::Loads;
use crate::pki::{Certificate, KeyAlgorithm};
use crate::rules::context::Context;
use crate::rules::uses::CertificateUse;

/// A certificate that isn't given to the proxy.
pub(super) struct Twin<'c, 'a> {
    /// Its use.
    pub(super) using: &'c CertificateUse<'a>,
    /// The name that both have.
    pub(super) name: &'c str,
    /// The kind of both keys.
    pub(super) family: &'static str,
}

/// Of the certificates of each listener, those for a name that an earlier one has with the same kind of key: Envoy Gateway gives the proxy only
/// the first.
pub(super) fn twins<'c, 'a>(cx: &'c Context<'a>) -> Vec<Twin<'c, 'a>> {
    let of_listeners = cx.certificates.iter().filter(|it| it.end.is_server() && it.plane.loads == Loads::Parsed);
    let mut before: Vec<(&str, &Certificate)> = Vec::new();
    let mut twins = Vec::new();
    for using in of_listeners {
        let Some(leaf) = using.leaf() else { continue };
        let anchor = using.end.anchor();
        let alike = before.iter().filter(|(other, first)| *other == anchor && family(first) == family(leaf));
        let mut shared =
            alike.filter_map(|(_, first)| first.dns_sans().find(|name| leaf.dns_sans().any(|own| own == *name)));
        if let (Some(family), Some(name)) = (family(leaf), shared.next()) {
            twins.push(Twin { using, name, family });
        }
        before.push((anchor, leaf));
    }
    twins
}

/// The kind of a key, as far as Envoy Gateway distinguishes them.
fn family(certificate: &Certificate) -> Option<&'static str> {
    match certificate.key_algorithm {
        KeyAlgorithm::Rsa { .. } => Some("RSA"),
        KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384 | KeyAlgorithm::EcP521 | KeyAlgorithm::EcP224 => Some("ECDSA"),
        _ => None,
    }
}
