//! # MV303: `trust-unreadable`
//!
//! ## What it checks
//! Whether the trust bundle, of a client policy or of a listener that validates clients, holds at least one certificate
//! that Envoy loads, and nothing that makes it refuse the file.
//!
//! A file that cert-manager or trust-manager will make is judged by the format that it will have, and only warns.
//!
//! ## Why it matters
//! Envoy refuses the cluster or listener as a whole: the client reaches none of its backends, or nobody reaches the server.
//!
//! ## Example
//! ```text
//! trust: {file: {certificateChain: /certs/ca.der}}      # DER: Envoy accepts PEM only
//! ```
//!
//! ## How to fix
//! Store the authorities as PEM, one block after the other, each from the start of its line.

use crate::finding::{Problem, Severity};
use crate::pki::{CertificateFileError, CertificateProblem, FileForm};
use crate::rules::context::Context;
use crate::rules::promised::{Aspect, settle};
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for trust in &cx.trusts {
        let Some(error) = trust.error() else { continue };
        out.add(settle(
            &trust.place,
            Aspect::Form(|form| form == FileForm::Authorities),
            Problem::new(
                severity(cx, &error),
                trust.site(),
                format!("{} is not a trust bundle that Envoy loads", trust.origin()),
            )
            .expected("PEM certificates of the authorities to trust")
            .found(error.to_string())
            .consequence(match is_direct(cx) {
                true => format!("the proxy refuses its configuration: {}", error.envoy_log(trust.trust_ref.text())),
                false => "clients can't be validated, and the listener serves none".to_owned(),
            })
            .fix(format!("{}{}", error.fix(), trust.then_restart())),
        ));
    }
}

/// Whether the proxies read the file themselves.
fn is_direct(cx: &Context<'_>) -> bool {
    cx.member().is_none_or(|member| cx.view.plane_of(member).is_direct())
}

/// What Envoy refuses is refused because of Envoy; elsewhere only what nobody reads is certain.
fn severity(cx: &Context<'_>, error: &CertificateFileError) -> Severity {
    let by_nobody = !matches!(error.problem, CertificateProblem::Corrupt(_) | CertificateProblem::TooMuch(_));
    if by_nobody || is_direct(cx) { Severity::Deny } else { Severity::Warn }
}
