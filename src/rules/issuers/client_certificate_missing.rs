//! # MV304: `client-certificate-missing`
//!
//! ## What it checks
//! For each call to a listener that validates its clients: whether the calling node has a certificate to present, in the
//! client policy that applies to the call. It denies for a STRICT listener and warns for a PERMISSIVE one, which accepts
//! plaintext too.
//!
//! ## Why it matters
//! The server's proxy ends the handshake. The client sees 503, and `SSLV3_ALERT_HANDSHAKE_FAILURE` with TLS 1.2; with
//! TLS 1.3 not even that.
//!
//! ## Example
//! ```yaml
//! # VirtualNode blue:  tls: {mode: STRICT, validation: {trust: …}}
//! # VirtualNode front: backendDefaults: {clientPolicy: {tls: {validation: {trust: …}}}}   # no certificate
//! ```
//!
//! ## How to fix
//! Give every caller a certificate first, then let the listener validate clients.

use crate::finding::Severity;
use crate::mesh::{PolicyInForce, TlsMode};
use crate::rules::call_problem::Fields;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for pair in &cx.pairs {
        let Some(tls) = pair.link.listener.active_tls() else { continue };
        let Some(validation) = tls.validation.as_ref().filter(|validation| validation.trust.is_some()) else {
            continue;
        };
        let (field, found) = match pair.link.policy {
            PolicyInForce::Enforced(end) if pair.shows_nothing(end) => match pair.link.attached {
                None => (end.field.clone(), format!("the client policy of {} has no certificate", end.anchor)),
                Some(_) => {
                    (end.field.clone(), format!("{} has no certificate for its backends", pair.link.client.object))
                }
            },
            // Whether a certificate of a policy that isn't enforced is shown, nobody says: nothing is claimed.
            PolicyInForce::Enforced(_) | PolicyInForce::NotEnforced(_) => continue,
            PolicyInForce::None => {
                let spec = crate::k8s::FieldPath::root().key("spec");
                (spec, "no client policy, and so no certificate".to_owned())
            }
        };
        let fields = Fields { client: &field, server: &validation.field };
        let mut problem = pair
            .problem(cx, fields, "the listener asks its clients for a certificate, and this one presents none")
            .expected("a client policy with a certificate that the listener trusts")
            .found(found)
            .consequence("the server ends the handshake: the client's proxy logs SSLV3_ALERT_HANDSHAKE_FAILURE")
            .fix("give the caller a certificate first, then let the listener validate its clients");
        if tls.mode == TlsMode::Permissive {
            problem.severity = problem.severity.min(Severity::Warn);
        }
        out.add(problem);
    }
}
