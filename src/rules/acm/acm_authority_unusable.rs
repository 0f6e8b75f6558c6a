//! # MV407: `acm-authority-unusable`
//!
//! ## What it checks
//! The status of certificate authorities. In a client policy's trust: CREATING, PENDING_CERTIFICATE, FAILED and DELETED
//! deny; DISABLED and EXPIRED warn. The issuer of a listener's ACM certificate: any of these warns, since the issued
//! certificate stays valid; an authority that is gone for good denies.
//!
//! ## Why it matters
//! Without a certificate of the authority, the client's proxy gets no trust bundle, and reaches none of its backends. A
//! disabled authority issues and renews nothing.
//!
//! ## Example
//! ```text
//! an authority that was created, and whose certificate was never installed: PENDING_CERTIFICATE
//! ```
//!
//! ## How to fix
//! Install the authority's certificate, enable it (`aws acm-pca update-certificate-authority --status ACTIVE`), restore it, or
//! name another.

use crate::aws::{Arn, ArnKind, Asked};
use crate::finding::{Problem, Severity};
use crate::rules::acm::{Reference, readable};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

const UNTRUSTED: &str = "the client's proxy gets no trust bundle, and reaches none of its backends";
const UNRENEWED: &str = "the certificate works until it expires: ACM can't renew it";

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for (reference, arn) in readable(cx, ArnKind::Authority) {
        let Some(facts) = cx.view.authority(&arn).known() else { continue };
        let (severity, consequence) = match facts.status.as_str() {
            "CREATING" | "PENDING_CERTIFICATE" | "FAILED" | "DELETED" => (Severity::Deny, UNTRUSTED),
            "DISABLED" => (Severity::Warn, "it issues and renews nothing while it is disabled"),
            "EXPIRED" => (Severity::Warn, "its certificate has expired: proxies that trust it refuse every peer"),
            _ => continue,
        };
        out.add(problem(&reference, severity, &facts.status, &arn).consequence(consequence));
    }
    for (reference, arn) in readable(cx, ArnKind::Certificate) {
        let authority = cx.view.certificate(&arn).known().and_then(|facts| facts.authority.as_deref());
        let Some(authority) = authority.and_then(|arn| Arn::parse(arn, ArnKind::Authority).ok()) else { continue };
        match cx.view.authority(&authority) {
            Asked::Known(facts) if facts.status != "ACTIVE" => {
                out.add(problem(&reference, Severity::Warn, &facts.status, &authority).consequence(UNRENEWED));
            }
            Asked::NotFound => {
                let consequence = "no client can be given the authority to trust, and ACM can't renew the certificate";
                out.add(problem(&reference, Severity::Deny, "gone", &authority).consequence(consequence));
            }
            _ => {}
        }
    }
}

fn problem(reference: &Reference<'_>, severity: Severity, status: &str, arn: &Arn) -> Problem {
    let role = match reference.kind {
        ArnKind::Authority => reference.owner(),
        ArnKind::Certificate => format!("it issued {}", reference.owner()),
    };
    let fix = match status {
        "DISABLED" => "enable the authority, or name another",
        "PENDING_CERTIFICATE" => "install the authority's certificate, or name another",
        "CREATING" => "wait until it is created and install its certificate, or name another",
        "DELETED" => "restore the authority while that is possible, or name another",
        "EXPIRED" => "install a new certificate for the authority, or name another",
        _ => "name another authority, or a certificate that another issued",
    };
    Problem::new(severity, reference.site(), format!("the authority is {status} ({role})"))
        .expected("an authority that is ACTIVE")
        .found(format!("{status}: {arn}"))
        .fix(fix)
}
