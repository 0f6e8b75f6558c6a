//! # MV217: `nameless-certificate`
//!
//! ## What it checks
//! Whether the leaf has any name at all: a common name or a subject alternative name. An e-mail address alone doesn't
//! count; an IP address or URI does.
//!
//! A certificate that a cert-manager Certificate asks for, and that isn't issued yet, is judged by what it asks for: a warning.
//!
//! ## Why it matters
//! Envoy refuses the listener as a whole: `Invalid TLS context has neither subject CN nor SAN names`.
//!
//! ## Example
//! ```text
//! Subject: O=Example, and no subject alternative name
//! ```
//!
//! ## How to fix
//! Issue the certificate with the {} among its subject alternative names.

use crate::finding::Problem;
use crate::rules::context::Context;
use crate::rules::handed::Caught;
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    // A client's certificate goes into an upstream context, for which Envoy asks no names.
    for using in cx.certificates.iter().filter(|using| using.end.is_server() && using.plane.is_envoy()) {
        let Some(leaf) = using.leaf() else { continue };
        let Some(log) = leaf.nameless_log() else { continue };
        let message = format!("the certificate in {} has no name", using.chain_origin());
        out.add(
            using.of(
                Aspect::Names,
                Problem::new(using.unusable(), using.chain_site(), message)
                    .expected("a subject alternative name, or at least a common name")
                    .found(leaf.names_text())
                    .consequence(using.is_refused(log, Caught::Missed))
                    .fix(format!(
                        "issue the certificate with the {} among its names{}",
                        if using.plane.is_direct() { "node's hostname" } else { "hosts that it is for" },
                        using.then_restart()
                    )),
            ),
        );
    }
}
