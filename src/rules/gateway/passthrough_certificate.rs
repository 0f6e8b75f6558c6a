//! # MV513: `passthrough-certificate`
//!
//! ## What it checks
//! Whether a listener that passes TLS through (`tls.mode: Passthrough`) names certificates.
//!
//! ## Why it matters
//! It never decrypts, so it has no use for them. Envoy Gateway refuses such a listener; others ignore the certificates, and the backend
//! presents its own.
//!
//! ## Example
//! ```yaml
//! tls: {mode: Passthrough, certificateRefs: [{name: web-cert}]}
//! ```
//!
//! ## How to fix
//! Remove `certificateRefs`, or terminate TLS at the gateway (`mode: Terminate`).

use crate::finding::{Problem, Severity};
use crate::rules::context::Context;
use crate::rules::gateway::{listeners, site};
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for (listener, field, plane) in listeners(cx) {
        let Some(tls) = listener.tls.as_ref().filter(|tls| tls.passes_through()) else { continue };
        if tls.certificate_refs.is_empty() {
            continue;
        }
        let (severity, then) = match plane.refuses_unused {
            true => (Severity::Deny, format!("{} refuses the listener", plane.name)),
            false => (Severity::Warn, "the certificates are ignored: the backend presents its own".to_owned()),
        };
        let field = field.keys(["tls", "certificateRefs"]);
        let message = format!("listener {} passes TLS through, but names certificates", listener.name);
        out.add(
            Problem::new(severity, site(listener, field), message)
                .expected("no certificateRefs under mode Passthrough")
                .found(format!("{} of them", tls.certificate_refs.len()))
                .consequence(then)
                .fix("remove certificateRefs, or set mode: Terminate"),
        );
    }
}
