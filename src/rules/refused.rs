//! The certificates of calls that the other end would not accept.

use jiff::Timestamp;

use crate::mesh::View;
use crate::pki::path::{Purpose, Reason, Refusal};
use crate::rules::pairs::{Pair, Side};
use crate::rules::uses::{CertificateUse, TrustUse};

/// A certificate that one end of a pair presents, and that the other's trust bundle doesn't lead to.
#[derive(Debug)]
pub struct Refused {
    /// The place of the pair among all.
    pair: usize,
    presented: usize,
    trust: usize,
    /// Which end presents the certificate.
    pub by: Side,
    /// Why it is refused.
    pub refusal: Refusal,
}

impl Refused {
    /// The refused certificates of all calls. Where a file isn't known, nothing is claimed.
    pub(super) fn all(view: View<'_>, pairs: &[Pair<'_>], now: Timestamp) -> Vec<Self> {
        let mut all = Vec::new();
        for (place, pair) in pairs.iter().enumerate() {
            for by in [Side::Server, Side::Client] {
                let (shown, trusting, purpose) = match by {
                    Side::Server => (&pair.server, &pair.client, Purpose::Server),
                    Side::Client => (&pair.client, &pair.server, Purpose::Client),
                };
                for (presented, using) in shown.certificates.iter().enumerate() {
                    let Some(chain) = using.chain() else { continue };
                    for (trust, trusting) in trusting.trusts.iter().enumerate() {
                        let Some(bundle) = trusting.bundle() else { continue };
                        let verdict = view.paths().verdict(chain, bundle, purpose);
                        if let Some(refusal) = verdict.refusal_at(now) {
                            all.push(Self { pair: place, presented, trust, by, refusal });
                        }
                    }
                }
            }
        }
        all
    }

    /// Whether the leaf itself is refused for its dates or its usage.
    pub(crate) fn is_for_the_leaf(&self) -> bool {
        let dated =
            matches!(self.refusal.reason, Reason::Expired { .. } | Reason::NotYetValid { .. } | Reason::Purpose);
        dated && self.refusal.depth == 0
    }

    /// The pair, the certificate that is shown, and the bundle that doesn't accept it. `pairs`: those that it was found among.
    pub fn parts<'c, 'a>(
        &self,
        pairs: &'c [Pair<'a>],
    ) -> Option<(&'c Pair<'a>, &'c CertificateUse<'a>, &'c TrustUse<'a>)> {
        let pair = pairs.get(self.pair)?;
        let (shown, trusting) = match self.by {
            Side::Server => (&pair.server, &pair.client),
            Side::Client => (&pair.client, &pair.server),
        };
        Some((pair, shown.certificates.get(self.presented)?, trusting.trusts.get(self.trust)?))
    }
}
