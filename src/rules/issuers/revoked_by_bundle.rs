//! # MV222: `revoked-by-bundle`
//!
//! ## What it checks
//! Certificate revocation lists (`X509 CRL`) in trust bundles. For each call whose two ends are known, and whose bundle has
//! a CRL: whether the bundle has a CRL of the issuer of every certificate of the path, the trust anchor included; whether
//! that CRL is valid now, is signed by the issuer and covers such certificates; and whether it revokes the certificate. The
//! same for clients' certificates, where the listener validates them.
//!
//! ## Why it matters
//! With a single CRL in the bundle, Envoy checks every certificate of the path. A certificate whose issuer has no CRL there
//! is refused like a revoked one, and once a CRL has expired, every handshake that it covers fails.
//!
//! ## Example
//! ```text
//! the client's bundle: root, CRL of root, no CRL of the intermediate that issued the server's certificate
//! Envoy: X509_verify_cert: certificate verification error at depth 0: unable to get certificate CRL
//! ```
//!
//! ## How to fix
//! Replace a revoked certificate. Otherwise put a current CRL of every authority of the path into the bundle, or no CRL at
//! all, and replace CRLs before they expire. Then restart the pods: a proxy doesn't reload a file.

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
            "a certificate that no CRL of the trust bundle revokes".to_owned(),
            "have the certificate reissued, or remove all CRLs from the bundle".to_owned(),
        ),
        ListFault::Missing { issuer } => (
            format!("a CRL of {issuer} in the trust bundle, or no CRL at all"),
            format!("put the current CRL of {issuer} into the bundle, or remove all CRLs from it"),
        ),
        ListFault::Expired { .. } | ListFault::NotYetValid { .. } => (
            "a CRL that is valid now".to_owned(),
            "put the issuer's current CRL into the bundle, and replace it before it expires; or remove all CRLs from it"
                .to_owned(),
        ),
        ListFault::Signature { issuer } => (
            format!("a CRL that {issuer} has signed with its current key"),
            format!("put the CRL that {issuer} has published into the bundle, or remove all CRLs from it"),
        ),
        ListFault::NotAllowed { issuer } => (
            format!("cRLSign among the key usages of {issuer}"),
            format!("have {issuer} reissued with cRLSign, or remove all CRLs from the bundle"),
        ),
        ListFault::OtherScope { issuer } | ListFault::UnhandledCritical { issuer } => (
            format!("a full CRL of {issuer}"),
            format!("put a CRL of {issuer} for all its certificates into the bundle, or remove all CRLs from it"),
        ),
    }
}
