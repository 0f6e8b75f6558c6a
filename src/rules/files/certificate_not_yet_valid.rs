//! # MV208: `certificate-not-yet-valid`
//!
//! ## What it checks
//! Whether the leaf's notBefore is in the future. Up to five minutes it only warns: clocks differ, or the certificate was
//! just issued. It also only warns about a listener's leaf where callers are known and none verifies it, and about a
//! client's where no listener that it calls asks for it.
//!
//! ## Why it matters
//! Envoy loads it silently, and every peer that validates it refuses the connection until then: `certificate is not yet
//! valid`.
//!
//! ## Example
//! ```text
//! Not Before: 2027-01-01T00:00:00Z, applied in December 2026
//! ```
//!
//! ## How to fix
//! Use a certificate that is valid now, or apply when the new one is. If you didn't expect this, check the issuer's clock.

use jiff::SignedDuration;

use crate::finding::{Problem, Severity};
use crate::pki::path::Reason;
use crate::rules::context::Context;
use crate::rules::envoy;
use crate::rules::handed::Caught;
use crate::rules::reporter::Reporter;

/// How far clocks may differ before a certificate counts as not valid yet.
pub(crate) const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let Some(leaf) = using.issued_leaf() else { continue };
        let ahead = leaf.not_before.duration_since(cx.now);
        if ahead <= SignedDuration::ZERO {
            continue;
        }
        let reliance = cx.reliance(using);
        let severity = match using.plane.refuses_ended && using.end.is_server() {
            _ if ahead <= CLOCK_SKEW => Severity::Warn,
            // The listener's other certificates go on serving.
            true => using.unusable(),
            false => reliance.severity(),
        };
        let message = format!("the certificate is not valid yet ({})", using.chain_origin());
        out.add(
            Problem::new(severity, using.chain_site(), message)
                .expected(format!("a certificate that is valid on {}", cx.now))
                .found(format!("{} is valid from {}", leaf.subject, leaf.not_before))
                .consequence(match using.plane.refuses_ended {
                    true => using.is_refused("", Caught::Seen),
                    false => reliance.consequence(format!(
                        "peers refuse it until then: {}",
                        envoy::verify_error("certificate is not yet valid")
                    )),
                })
                .fix("use a certificate that is valid now, or apply when this one is"),
        );
    }
    for refused in cx.refused.iter().filter(|refused| !refused.is_told_of_the_leaf(cx)) {
        if let Reason::NotYetValid { not_before } = refused.refusal.reason
            && let Some(mut problem) = refused.problem_of_a_certificate(cx, "is not valid yet")
        {
            if not_before.duration_since(cx.now) <= CLOCK_SKEW {
                problem.severity = problem.severity.min(Severity::Warn);
            }
            out.add(problem.fix("use a certificate that is valid now, or apply when this one is"));
        }
    }
}
