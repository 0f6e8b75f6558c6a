//! # MV222: `revoked-by-bundle`
//!
//! ## What it checks
//! Certificate revocation lists (`X509 CRL`) in trust bundles. For each call whose two ends are known, and whose bundle holds one: that
//! every certificate of the path, the anchor's own included, has a list of its issuer in the bundle, that this list holds now, is
//! signed by that issuer and is for such certificates, and that it doesn't revoke the certificate. The same of clients' certificates,
//! where the listener validates them.
//!
//! ## Why it matters
//! With a single list in the bundle, Envoy looks every certificate of the path up. One whose issuer has no list there fails like
//! one that is revoked, and when a list has ended, every handshake under it fails at once.
//!
//! ## Example
//! ```text
//! the client's bundle: root, list of root, no list of the intermediate that issued the server's certificate
//! Envoy: X509_verify_cert: certificate verification error at depth 0: unable to get certificate CRL
//! ```
//!
//! ## How to fix
//! Renew the certificate that is revoked. Otherwise put a current list of every authority of the path into the bundle, or none at all,
//! and replace them before they end. Restart the pods then: a proxy doesn't reload a file.

use crate::finding::Problem;
use crate::pki::path::{ListFault, Reason};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for refused in &cx.refused {
        let Reason::List(fault) = &refused.refusal.reason else { continue };
        let subject = match refused.refusal.certificate.subject.as_str() {
            "" => "a certificate without subject",
            subject => subject,
        };
        let refuses = |shower: &str, verifier: &str| {
            format!("the {verifier} refuses the {shower}'s certificate: {subject} {fault}")
        };
        let Some(problem) = refused.problem(cx, refuses) else { continue };
        let (expected, fix) = advice(fault);
        let found = refused.refusal.to_string();
        let problem: Problem = problem.expected(expected).found(found).fix(format!("{fix}; then restart the pods"));
        out.add(problem);
    }
}

/// What should be there, and how to come by it.
fn advice(fault: &ListFault) -> (String, String) {
    match fault {
        ListFault::Revoked { .. } => (
            "a certificate that no revocation list of the trust bundle has".to_owned(),
            "have the certificate issued anew, or take the revocation lists out of the bundle".to_owned(),
        ),
        ListFault::Missing { issuer } => (
            format!("a revocation list of {issuer} in the trust bundle, or no list at all"),
            format!("put the current list of {issuer} into the bundle, or take all revocation lists out of it"),
        ),
        ListFault::Expired { .. } | ListFault::NotYetValid { .. } => (
            "a revocation list that holds now".to_owned(),
            "put the issuer's current list into the bundle, and replace it before it ends; or take all revocation lists out of it"
                .to_owned(),
        ),
        ListFault::Signature { issuer } => (
            format!("a revocation list that {issuer} has signed with its present key"),
            format!("put the list that {issuer} has published into the bundle, or take all revocation lists out of it"),
        ),
        ListFault::NotAllowed { issuer } => (
            format!("cRLSign among the key usages of {issuer}"),
            format!("have {issuer} issued anew with cRLSign, or take all revocation lists out of the bundle"),
        ),
        ListFault::OtherScope { issuer } | ListFault::UnhandledCritical { issuer } => (
            format!("a full revocation list of {issuer}"),
            format!("put a list of {issuer} for all its certificates into the bundle, or take all revocation lists out of it"),
        ),
    }
}
