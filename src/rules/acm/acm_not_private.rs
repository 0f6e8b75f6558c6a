//! # MV405: `acm-not-private`
//!
//! ## What it checks
//! Whether the listener's ACM certificate was issued by AWS Private CA (type PRIVATE). Public certificates (AMAZON_ISSUED,
//! even exportable ones) and imported ones are refused.
//!
//! ## Why it matters
//! A proxy gets its certificate by `acm:ExportCertificate`. App Mesh allows that only for certificates of AWS Private CA.
//!
//! ## Example
//! ```text
//! a certificate that was requested for a load balancer, validated by DNS
//! ```
//!
//! ## How to fix
//! Request the certificate from an authority of AWS Private CA: `aws acm request-certificate
//! --certificate-authority-arn …`; or mount a public or imported one as a file.

use crate::aws::ArnKind;
use crate::finding::Problem;
use crate::rules::acm::{NO_CERTIFICATE, readable};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for (reference, arn) in readable(cx, ArnKind::Certificate) {
        let Some(facts) = cx.view.certificate(&arn).known().filter(|facts| !facts.is_private()) else { continue };
        let api = cx.word(|names| names.api);
        let what = match facts.kind.as_str() {
            "AMAZON_ISSUED" => "is a public one",
            "IMPORTED" => "was imported into ACM",
            _ => "was not issued by AWS Private CA",
        };
        out.add(
            Problem::deny(reference.site(), format!("the certificate {what}: {api} accepts private ones only"))
                .expected("type PRIVATE: issued by an authority of AWS Private CA")
                .found(format!("type {} ({arn})", facts.kind))
                .consequence(NO_CERTIFICATE)
                .fix("request the certificate from an authority of AWS Private CA, or mount it as a file"),
        );
    }
}
