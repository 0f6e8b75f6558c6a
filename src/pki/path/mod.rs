//! Whether a presented chain leads to a trust bundle, as Envoy (BoringSSL) decides it.
//!
//! BoringSSL doesn't search. It takes the first certificate that passes for an issuer by name, key identifier and key
//! usage, from the bundle before the rest of the chain file, and never turns back: so the order of a bundle can
//! decide, and a wrong issuer in front of the right one is an error. Any certificate of the bundle ends a path, the
//! leaf itself included (`X509_V_FLAG_PARTIAL_CHAIN`).
//!
//! ```text
//! Chain  leaf ─ intermediate ─ …          [`find_path`]  ─►  [`PathVerdict`]
//! Bundle                        anchor ┘   (no clock)         └─ at a time: [`PathVerdict::refusal_at`]
//! ```
//!
//! Time is not part of a path: [`find_path`] is calculated once for a chain, a bundle and a purpose, kept by
//! [`Chain::fingerprint`] and [`Bundle::fingerprint`], and then asked about any instant.

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

/// Who presents the chain, which decides the extended key usage that it must allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// A path that holds, but for its dates and for revocation lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The leaf first, the anchor last; at least one.
    steps: Vec<Step>,
    anchor: Arc<Certificate>,
    /// What the bundle's revocation lists say of it, where it has any.
    revocation: Option<Arc<Revocation>>,
}

/// Whether a chain leads to a bundle, whatever the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathVerdict {
    /// It does, while all certificates of the path hold.
    Trusted(Path),
    /// It doesn't.
    Refused(Refusal),
    /// It can't be said, for the reason given: a signature algorithm that isn't calculated with here, say.
    Unknown(String),
}

impl PathVerdict {
    /// Why the path is refused at this time; `None` when it holds, and when nothing is known.
    pub fn refusal_at(&self, now: Timestamp) -> Option<Refusal> {
        match self {
            Self::Trusted(path) => path.judge_at(now).err(),
            Self::Refused(refusal) => Some(refusal.at(now)),
            Self::Unknown(_) => None,
        }
    }
}

impl Path {
    /// The leaf first, the anchor (or what stands above it) last.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The certificate of the bundle that the path ends at. Where the bundle holds the leaf itself, that.
    pub fn anchor(&self) -> &Arc<Certificate> {
        &self.anchor
    }

    /// Whether each certificate of the path holds at this time, the anchor's included, and no revocation list has one; of
    /// several that don't hold, the highest is named, as Envoy does.
    ///
    /// # Errors
    /// Which certificate doesn't, and since or until when, or what is wrong with which list.
    pub(crate) fn judge_at(&self, now: Timestamp) -> Result<(), Refusal> {
        let by_list = self.revocation.as_ref().and_then(|revocation| Refusal::by_list(revocation, now));
        by_list.or_else(|| refusal::out_of_date(&self.steps, 0, now)).map_or(Ok(()), Err)
    }

    /// From when on the path holds: the latest notBefore.
    #[cfg(test)]
    pub(crate) fn holds_from(&self) -> Timestamp {
        self.steps.iter().map(|step| step.certificate.not_before).max().unwrap_or(Timestamp::MIN)
    }

    /// Until when the path holds: the earliest notAfter, that instant excluded.
    #[cfg(test)]
    pub(crate) fn holds_until(&self) -> Timestamp {
        self.steps.iter().map(|step| step.certificate.not_after).min().unwrap_or(Timestamp::MAX)
    }
}

/// Decides whether a chain that is presented for a purpose leads to a bundle. Costs some signature verifications; the
/// verdict is to be kept.
pub fn find_path(chain: &Chain, bundle: &Bundle, purpose: Purpose) -> PathVerdict {
    build::find_path(&chain.certificates, bundle, purpose)
}

/// Whether one certificate is what BoringSSL takes for the other's issuer, and its key did make the signature.
/// Algorithms that aren't calculated with count as not.
pub(crate) fn verify_link(child: &Arc<Certificate>, issuer: &Arc<Certificate>) -> bool {
    let [below, above] = [child, issuer].map(|certificate| Details::of(certificate, Origin::Chain(0)));
    above.is_issuer_of(&below) && signature::verify(child, issuer) == signature::Signature::Good
}

/// Which of the known certificates the chain file lacks: those that, put behind its last certificate, make the path
/// hold that is now refused for lack of an issuer. `None` when the path lacks nothing, or more than is known.
pub(crate) fn missing_links<'a>(
    chain: &Chain,
    bundle: &Bundle,
    purpose: Purpose,
    known: impl IntoIterator<Item = &'a Arc<Certificate>>,
) -> Option<Vec<Arc<Certificate>>> {
    /// More than any real chain has.
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
