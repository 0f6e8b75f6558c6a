//! # MV209: `certificate-expiring`
//!
//! ## What it checks
//! Whether the leaf expires within the policy's `thresholds.expiringDays` (30), or within the last fifth of its lifetime,
//! whichever is shorter. cert-manager renews when a third is left: a threshold of a third would flap.
//!
//! ## Why it matters
//! A proxy reads its files when it starts: a renewed Secret has no effect until the pods are restarted. A warning days
//! ahead leaves time for that.
//!
//! ## Example
//! ```text
//! Not Before: 2026-01-01, Not After: 2026-04-01: warned about from 2026-03-14 on
//! ```
//!
//! ## How to fix
//! Renew the certificate and restart the pods. If rotation is planned: annotate the object with
//! `meshvet.dev/ignore: "MV209=rotation on Friday"`.

use jiff::SignedDuration;

use crate::finding::Problem;
use crate::pki::Certificate;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let Some(leaf) = using.issued_leaf() else { continue };
        let left = leaf.not_after.duration_since(cx.now);
        let warned = warning_time(leaf, cx.policy.expiring_days);
        if left < SignedDuration::ZERO || left >= warned {
            continue;
        }
        out.add(
            Problem::warn(
                using.chain_site(),
                format!("the certificate expires in {} ({})", span(left), using.chain_origin()),
            )
            .expected(format!("more than {} left", span(warned)))
            .found(format!("{} left: {} expires on {}", span(left), leaf.subject, leaf.not_after))
            .consequence("from then on peers refuse it: certificate has expired")
            .fix(if using.is_acm() {
                "renew it (ACM does so by itself for certificates that it counts as in use); the proxies fetch the new one"
            } else {
                "renew it, and restart the pods: a proxy doesn't reload a file"
            }),
        );
    }
}

/// How long before its end a certificate is warned of: the policy's days, or the last fifth of its life where that is shorter.
pub(crate) fn warning_time(certificate: &Certificate, days: u32) -> SignedDuration {
    let lifetime = certificate.not_after.duration_since(certificate.not_before);
    SignedDuration::from_hours(24 * i64::from(days)).min(lifetime / 5)
}

fn span(duration: SignedDuration) -> String {
    match duration.as_hours() {
        hours if hours >= 48 => format!("{} days", hours / 24),
        0 => format!("{} minutes", duration.as_mins()),
        hours => format!("{hours} hours"),
    }
}
