//! # MV301: `issuer-untrusted`
//!
//! ## What it checks
//! For each call whose two ends are known: whether the server's chain leads to what the client's policy trusts, and, where
//! the listener validates its clients, the client's chain to what the listener trusts. Paths are built as Envoy builds
//! them: a trusted intermediate is enough, the first issuer that matches by name and key identifier decides, and name
//! constraints, path lengths, usages and critical extensions of every certificate of the path count.
//!
//! ## Why it matters
//! Requests end in 503. The client's proxy logs `CERTIFICATE_VERIFY_FAILED` and a reason; where the server refuses, an
//! alert such as `TLSV1_ALERT_UNKNOWN_CA`.
//!
//! ## Example
//! ```text
//! VirtualNode front trusts CN=old root; VirtualNode blue presents a certificate issued by CN=new root
//! ```
//!
//! ## How to fix
//! Add the issuing authority to the trust bundle. To replace an authority: first a bundle with both for every client (and
//! restart them), then the certificates, then a bundle with the new one alone.

use crate::pki::path::{Reason, Refusal};
use crate::rules::context::Context;
use crate::rules::files::chain_incomplete::links_at_hand;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for refused in &cx.refused {
        // Dates are reported by MV207 and MV208, what the leaf itself lacks by its own rules, a missing link by MV210.
        let dated = matches!(refused.refusal.reason, Reason::Expired { .. } | Reason::NotYetValid { .. });
        // What revocation lists say is MV222's.
        let by_list = matches!(refused.refusal.reason, Reason::List(_));
        if dated || by_list || refused.is_for_the_leaf() || links_at_hand(cx, refused).is_some() {
            continue;
        }
        let by_arn = refused.parts(&cx.pairs).is_some_and(|(_, _, trust)| trust.is_acm());
        let fix = match refused.refusal.reason {
            Reason::NoIssuer { .. } | Reason::SelfSignedLeaf | Reason::SelfSignedInChain if by_arn => {
                "add the ARN of the root that issued it to certificateAuthorityARNs (both the old and the new one while it is being \
                 replaced), or trust a bundle file that holds it"
            }
            Reason::NoIssuer { .. } | Reason::SelfSignedLeaf | Reason::SelfSignedInChain => {
                "add the issuing authority to the bundle (both the old and the new one while it is being replaced), or put the \
                 intermediates that lead to it into the chain file; then restart the pods"
            }
            _ => "have the named certificate reissued without that fault; then restart the pods",
        };
        let Refusal { certificate, reason, .. } = &refused.refusal;
        let subject =
            if certificate.subject.is_empty() { "a certificate without subject" } else { &certificate.subject };
        let refuses = |shower: &str, verifier: &str| {
            format!("the {verifier} refuses the {shower}'s certificate: {subject} {reason}")
        };
        if let Some(problem) = refused.problem(cx, refuses) {
            out.add(problem.fix(fix));
        }
    }
}
