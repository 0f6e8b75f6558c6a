//! Whether anybody who is known looks at a certificate: only then is it certain that what is wrong with it breaks a call.

use crate::finding::Severity;
use crate::mesh::ServerEnd;
use crate::rules::context::Context;
use crate::rules::end::End;
use crate::rules::pairs::{Pair, Side};
use crate::rules::uses::CertificateUse;

impl Pair<'_> {
    /// Whether the client verifies this certificate of the server. Without a policy that counts, App Mesh has it verify those of ACM, and
    /// those in files not (App Mesh User Guide, "Transport Layer Security").
    fn client_verifies(&self, using: &CertificateUse<'_>) -> bool {
        match self.link.policy.enforced() {
            Some(policy) => policy.validation.as_ref().is_some_and(|validation| validation.trust.is_some()),
            None => using.is_acm(),
        }
    }

    /// Whether the listener asks the client for a certificate and verifies it. Without trust Envoy enforces nothing.
    fn server_verifies(&self) -> bool {
        let validation = self.link.listener.active_tls().and_then(|tls| tls.validation.as_ref());
        validation.is_some_and(|validation| validation.trust.is_some())
    }
}

/// Whether anybody looks at a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reliance {
    /// Somebody does, or may.
    Verified,
    /// All callers of a listener are known, and none verifies its certificate.
    Unverified,
    /// No listener that the client is known to call asks for its certificate.
    Unasked,
}

impl Reliance {
    /// How severe it is that a peer would refuse the certificate.
    pub(super) fn severity(self) -> Severity {
        if self == Self::Verified { Severity::Deny } else { Severity::Warn }
    }

    /// What happens, where this happens to those who look.
    pub(super) fn consequence(self, then: String) -> String {
        match self {
            Self::Verified => then,
            Self::Unverified => format!("nothing while no known caller verifies it; once one does, {then}"),
            Self::Unasked => {
                format!("nothing while no listener that it calls asks for it; once one does, {then}")
            }
        }
    }
}

impl Context<'_> {
    /// The calls of the member under review by one of its ends, as far as they are known.
    pub(super) fn calls_by<'c>(&'c self, end: &'c End<'_>) -> impl Iterator<Item = &'c Pair<'c>> {
        self.pairs.iter().filter(move |pair| match end {
            End::Server(listener, _) => pair.is_seen_from(Side::Server) && std::ptr::eq(pair.link.listener, *listener),
            End::Client(policy) => {
                let enforced = pair.link.policy.enforced();
                pair.is_seen_from(Side::Client) && enforced.is_some_and(|enforced| std::ptr::eq(enforced, *policy))
            }
        })
    }

    /// Whether a call is sure to reach a listener that asks: where it may reach several, all of them have to.
    fn is_surely_asked(&self, pair: &Pair<'_>) -> bool {
        let asks = |listener: &ServerEnd| {
            let of_call = |other: &&Pair<'_>| other.link.client.object == pair.link.client.object;
            let reaching = self.pairs.iter().filter(of_call).find(|other| std::ptr::eq(other.link.listener, listener));
            reaching.is_some_and(Pair::server_verifies)
        };
        pair.server_verifies() && pair.link.instead.iter().copied().all(asks)
    }

    /// Whether anybody looks at this certificate of the member under review.
    ///
    /// A listener's is there for callers who may not be known (those of a gateway, or a client that is applied next): it is relied on,
    /// unless callers are known and none of them verifies it. A client's is presented only to those who ask for it.
    pub(super) fn reliance(&self, using: &CertificateUse<'_>) -> Reliance {
        let mut calls = self.calls_by(&using.end).peekable();
        match using.end {
            End::Server(..) if calls.peek().is_none() || calls.any(|pair| pair.client_verifies(using)) => {
                Reliance::Verified
            }
            End::Server(..) => Reliance::Unverified,
            End::Client(_) if calls.any(|pair| self.is_surely_asked(pair)) => Reliance::Verified,
            End::Client(_) => Reliance::Unasked,
        }
    }
}
