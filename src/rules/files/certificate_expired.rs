//! # MV207: `certificate-expired`
//!
//! ## What it checks
//! Whether the leaf is past its notAfter, for listeners and for client certificates; whether a trust bundle has only
//! expired certificates; and, for each call whose two ends are known, whether any certificate of the path between them has
//! expired, the trusted authority included. It only warns about a listener's leaf where callers are known and none verifies it, and about a
//! client's where no listener that it calls asks for it.
//!
//! ## Why it matters
//! Envoy loads an expired certificate silently, and every peer that validates it refuses the connection: `certificate has
//! expired`. Envoy enforces the dates of trust anchors too.
//!
//! ## Example
//! ```text
//! Not After: 2026-01-31T00:00:00Z, applied on 2026-02-01
//! ```
//!
//! ## How to fix
//! Renew the certificate, store it with its key, and restart the pods.

use crate::finding::Problem;
use crate::pki::path::Reason;
use crate::rules::context::Context;
use crate::rules::envoy;
use crate::rules::handed::Caught;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let Some(leaf) = using.issued_leaf() else { continue };
        if leaf.not_after >= cx.now {
            continue;
        }
        let reliance = cx.reliance(using);
        // If it is refused, the listener's other certificates are still served.
        let severity =
            if using.plane.refuses_ended && using.end.is_server() { using.unusable() } else { reliance.severity() };
        let sees = if using.end.is_server() {
            using.clients_see("certificate has expired")
        } else {
            "servers that validate clients end the handshake: SSLV3_ALERT_CERTIFICATE_EXPIRED".to_owned()
        };
        out.add(
            Problem::new(
                severity,
                using.chain_site(),
                format!("the certificate has expired ({})", using.chain_origin()),
            )
            .expected(format!("a certificate that is valid on {}", cx.now))
            .found(format!("{} expired on {}", leaf.subject, leaf.not_after))
            .consequence(match using.plane.refuses_ended {
                true => using.is_refused("", Caught::Seen),
                false => reliance.consequence(sees),
            })
            .fix(format!("renew the certificate{}", using.then_restart())),
        );
    }
    check_refused_chains(cx, out);
    for trust in &cx.trusts {
        let Some(bundle) = trust.bundle() else { continue };
        let last = bundle.certificates.iter().map(|certificate| certificate.not_after).max();
        let Some(last) = last.filter(|last| *last < cx.now) else { continue };
        out.add(
            Problem::deny(
                trust.site(),
                format!("every certificate of the trust bundle has expired ({})", trust.origin()),
            )
            .expected(format!("an authority that is valid on {}", cx.now))
            .found(format!("the last one expired on {last}"))
            .consequence(format!(
                "nothing is trusted; the proxy logs {}",
                envoy::verify_error("certificate has expired")
            ))
            .fix(format!("put the authority's current certificate into the bundle{}", trust.then_restart())),
        );
    }
    for refused in cx.refused.iter().filter(|refused| !refused.is_told_of_the_leaf(cx)) {
        if matches!(refused.refusal.reason, Reason::Expired { .. })
            && let Some(problem) = refused.problem_of_a_certificate(cx, "has expired")
        {
            let restart = refused.parts(&cx.pairs).map_or("", |(_, using, _)| using.then_restart());
            out.add(problem.fix(format!("renew the named certificate{restart}")));
        }
    }
}

/// Control planes that refuse a chain if any of its certificates has expired.
fn check_refused_chains(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in cx.certificates.iter().filter(|using| using.plane.refuses_ended) {
        let Some((chain, leaf)) = using.chain().zip(using.issued_leaf()) else { continue };
        let ended = chain.certificates.iter().find(|certificate| certificate.not_after < cx.now);
        let Some(ended) = ended.filter(|_| leaf.not_after >= cx.now) else { continue };
        out.add(
            Problem::new(
                using.unusable(),
                using.chain_site(),
                format!("a certificate after the leaf has expired ({})", using.chain_origin()),
            )
            .expected(format!("certificates that are valid on {}", cx.now))
            .found(format!("{} expired on {}", ended.subject, ended.not_after))
            .consequence(using.is_refused("", Caught::Seen))
            .fix("put the current intermediates after the leaf"),
        );
    }
}
