//! # MV406: `acm-not-issued`
//!
//! ## What it checks
//! Whether the listener's ACM certificate is issued: not pending, expired, revoked, inactive or failed.
//!
//! ## Why it matters
//! Only an issued certificate can be exported to a proxy.
//!
//! ## Example
//! ```text
//! Status: PENDING_VALIDATION
//! ```
//!
//! ## How to fix
//! Wait until its status is ISSUED (`aws acm wait certificate-validated`), or request a new certificate and name that.

use crate::aws::ArnKind;
use crate::finding::Problem;
use crate::rules::acm::{NO_CERTIFICATE, readable};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for (reference, arn) in readable(cx, ArnKind::Certificate) {
        let Some(facts) = cx.view.certificate(&arn).known().filter(|facts| !facts.is_issued()) else { continue };
        let fix = match facts.status.as_str() {
            "PENDING_VALIDATION" => "wait until ACM has issued it, then apply again",
            "EXPIRED" => "renew it, or request another certificate and name that",
            _ => "request another certificate, and name that",
        };
        out.add(
            Problem::deny(
                reference.site(),
                format!("the certificate is not issued: ACM calls it {} ({})", facts.status, reference.owner()),
            )
            .expected("status ISSUED")
            .found(format!("status {} ({arn})", facts.status))
            .consequence(NO_CERTIFICATE)
            .fix(fix),
        );
    }
}
