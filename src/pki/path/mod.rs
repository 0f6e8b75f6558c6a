//! Whether a presented chain leads to a trust bundle, by Envoy's (BoringSSL's) rules.
//!
//! BoringSSL doesn't search. It takes the first certificate that matches as issuer by name, key identifier and key
//! usage, from the bundle before the rest of the chain file, and never backtracks: so the order of a bundle can
//! matter, and a wrong issuer before the right one is an error. Any certificate of the bundle ends a path, even the
//! leaf itself (`X509_V_FLAG_PARTIAL_CHAIN`).
//!
//! ```text
//! Chain  leaf ─ intermediate ─ …          [`find_path`]  ─►  [`PathVerdict`]
//! Bundle                        anchor ┘   (no clock)         └─ at a time: [`PathVerdict::refusal_at`]
//! ```
//!
//! Time is not part of a path: [`find_path`] is computed once for a chain, a bundle and a purpose, cached by
//! [`Chain::fingerprint`] and [`Bundle::fingerprint`], and then evaluated at any time.

mod build;
mod canonical;
mod constraints;
mod details;
mod list_fault;
mod names;
mod refusal;
mod revocation;
mod signature;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiff::Timestamp;

use super::certificate::Certificate;
use super::chain::{Bundle, Chain};
use details::Details;
use revocation::Revocation;

pub use constraints::NameFault;
pub use list_fault::ListFault;
pub use refusal::{Reason, Refusal};

/// Which side presents the chain; decides the required extended key usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// A server to its clients: serverAuth.
    Server,
    /// A client to a server that validates its clients: clientAuth.
    Client,
}

/// Where a certificate of a path comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The presented chain: 0-based position among the file's certificates.
    Chain(usize),
    /// The trust bundle: 0-based position among the file's certificates.
    Bundle(usize),
}

/// One certificate of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// Where it comes from.
    pub origin: Origin,
}

/// A valid path, apart from its dates and from revocation lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The leaf first, the anchor last; at least one.
    steps: Vec<Step>,
    anchor: Arc<Certificate>,
    /// What the bundle's revocation lists say about it, if there are any.
    revocation: Option<Arc<Revocation>>,
}

/// Whether a chain leads to a bundle, regardless of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathVerdict {
    /// It does, while all certificates of the path are valid.
    Trusted(Path),
    /// It doesn't.
    Refused(Refusal),
    /// Unknown, for this reason: for example, a signature algorithm that isn't supported here.
    Unknown(String),
}

impl PathVerdict {
    /// Why the path is refused at this time; `None` if it is valid, or if that is unknown.
    pub fn refusal_at(&self, now: Timestamp) -> Option<Refusal> {
        match self {
            Self::Trusted(path) => path.judge_at(now).err(),
            Self::Refused(refusal) => Some(refusal.at(now)),
            Self::Unknown(_) => None,
        }
    }
}

impl Path {
    /// The leaf first, the anchor (or what is above it) last.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The certificate of the bundle at which the path ends; the leaf itself, if the bundle contains it.
    pub fn anchor(&self) -> &Arc<Certificate> {
        &self.anchor
    }

    /// Whether each certificate of the path is valid at this time, including the anchor, and none is revoked; of
    /// several invalid certificates the highest is reported, as by Envoy.
    ///
    /// # Errors
    /// Which certificate isn't valid, since or until when, or which list is at fault.
    pub(crate) fn judge_at(&self, now: Timestamp) -> Result<(), Refusal> {
        let by_list = self.revocation.as_ref().and_then(|revocation| Refusal::by_list(revocation, now));
        by_list.or_else(|| refusal::out_of_date(&self.steps, 0, now)).map_or(Ok(()), Err)
    }

    /// When the path becomes valid: the latest notBefore.
    #[cfg(test)]
    pub(crate) fn holds_from(&self) -> Timestamp {
        self.steps.iter().map(|step| step.certificate.not_before).max().unwrap_or(Timestamp::MIN)
    }

    /// When the path expires: the earliest notAfter, exclusive.
    #[cfg(test)]
    pub(crate) fn holds_until(&self) -> Timestamp {
        self.steps.iter().map(|step| step.certificate.not_after).min().unwrap_or(Timestamp::MAX)
    }
}

/// Decides whether a chain presented for a purpose leads to a bundle. Verifies several signatures, so
/// cache the verdict.
pub fn find_path(chain: &Chain, bundle: &Bundle, purpose: Purpose) -> PathVerdict {
    build::find_path(&chain.certificates, bundle, purpose)
}

/// Whether BoringSSL takes one certificate as the other's issuer, and its key made the signature.
/// False for unsupported algorithms.
pub(crate) fn verify_link(child: &Arc<Certificate>, issuer: &Arc<Certificate>) -> bool {
    let [below, above] = [child, issuer].map(|certificate| Details::of(certificate, Origin::Chain(0)));
    above.is_issuer_of(&below) && signature::verify(child, issuer) == signature::Signature::Good
}

/// Which of the known certificates are missing from the chain file: appended to it, they make a path valid that is
/// refused for lack of an issuer. `None` if nothing is missing, or more than is known.
pub(crate) fn missing_links<'a>(
    chain: &Chain,
    bundle: &Bundle,
    purpose: Purpose,
    known: impl IntoIterator<Item = &'a Arc<Certificate>>,
) -> Option<Vec<Arc<Certificate>>> {
    /// More than any real chain needs.
    const MAX_LINKS: usize = 8;
    let known: Vec<_> = known.into_iter().collect();
    let mut certificates = chain.certificates.clone();
    for _ in 0..=MAX_LINKS {
        let refusal = match build::find_path(&certificates, bundle, purpose) {
            PathVerdict::Trusted(_) => {
                return Some(certificates.split_off(chain.certificates.len())).filter(|links| !links.is_empty());
            }
            PathVerdict::Refused(refusal) => refusal,
            PathVerdict::Unknown(_) => return None,
        };
        let link = known.iter().find(|known| refusal.closes_gap(known) && !certificates.contains(known))?;
        certificates.push(Arc::clone(link));
    }
    None
}
