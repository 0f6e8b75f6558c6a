//! # MV105: `peer-name-mismatch`
//!
//! ## What it checks
//! For each call to a listener that validates its clients and lists `subjectAlternativeNames`: whether one of the listed
//! names is among the subject alternative names of the certificate that the calling node presents.
//!
//! A certificate that a cert-manager Certificate asks for, and that isn't issued yet, is judged by what it asks for: a warning.
//!
//! ## Why it matters
//! The server's proxy ends the handshake. The client sees 503, and `SSLV3_ALERT_CERTIFICATE_UNKNOWN` with TLS 1.2; with
//! TLS 1.3 not even that.
//!
//! ## Example
//! ```yaml
//! # in VirtualNode blue, called by front, whose certificate is for DNS:front.apps.local
//! validation: {subjectAlternativeNames: {match: {exact: [gateway.apps.local]}}}
//! ```
//!
//! ## How to fix
//! Add the client's name to the listener's list before the client calls, or give the client a certificate with a name
//! that is listed.

use crate::pki::san_entry_matches;
use crate::rules::call_problem::Fields;
use crate::rules::context::Context;
use crate::rules::names::with_reasons;
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for pair in &cx.pairs {
        let tls = pair.link.listener.active_tls();
        let Some(validation) = tls.and_then(|tls| tls.validation.as_ref()) else { continue };
        // Without trust Envoy enforces nothing of it.
        if validation.names.list().is_empty() || validation.trust.is_none() {
            continue;
        }
        for using in pair.client_certificates() {
            let Some(leaf) = using.leaf() else { continue };
            if validation.names.list().iter().any(|(name, _)| san_entry_matches(leaf, name)) {
                continue;
            }
            let list = validation.field.keys(["subjectAlternativeNames", "match", "exact"]);
            let fields = Fields { client: using.chain_ref.field(), server: &list };
            let names: Vec<&str> = validation.names.list().iter().map(|(name, _)| name.as_str()).collect();
            out.add(
                using.of(
                    Aspect::Names,
                    pair.problem(cx, fields, "no name that the listener lists is in the client's certificate")
                        .expected(format!("one of {}", names.join(", ")))
                        .found(with_reasons(leaf.names_text(), leaf, names.iter().copied()))
                        .consequence(
                            "the server ends the handshake: the client's proxy logs SSLV3_ALERT_CERTIFICATE_UNKNOWN",
                        )
                        .fix("add the client's name to the listener's list first; then let the client call"),
                ),
            );
        }
    }
}
