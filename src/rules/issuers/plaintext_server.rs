//! # MV305: `plaintext-server`
//!
//! ## What it checks
//! For each call whose client policy is enforced: whether the listener that it reaches speaks TLS. None, and mode
//! DISABLED, are plaintext.
//!
//! ## Why it matters
//! The client's proxy begins a TLS handshake, and the server answers in plaintext. Requests end in 503, and the client's
//! proxy logs `WRONG_VERSION_NUMBER`, which says nothing of the cause.
//!
//! ## Example
//! ```yaml
//! # VirtualNode front: backendDefaults: {clientPolicy: {tls: {validation: {trust: …}}}}
//! # VirtualNode blue:  listeners: [{portMapping: {port: 8080, protocol: http}}]     # no tls
//! ```
//!
//! ## How to fix
//! Let the listener speak TLS first (PERMISSIVE), then enforce it in clients, then make the listener STRICT. To leave
//! TLS, go the same way back.

use crate::rules::call_problem::Fields;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for pair in &cx.pairs {
        let Some(end) = pair.link.policy.enforced() else { continue };
        let listener = pair.listener;
        if listener.active_tls().is_some() {
            continue;
        }
        let (server, found) = match &listener.tls {
            None => (listener.field.clone(), format!("{} has no tls", listener.anchor)),
            Some(tls) => (tls.field.key("mode"), format!("{} has mode DISABLED", listener.anchor)),
        };
        let fields = Fields { client: &end.field, server: &server };
        out.add(
            pair.problem(cx, fields, "the client enforces TLS, and the listener speaks plaintext")
                .expected("a listener that is PERMISSIVE or STRICT")
                .found(found)
                .consequence(
                    "clients get 503, and their proxy logs \
                     TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end",
                )
                .fix("in this order: the listener PERMISSIVE, then the client policies, then STRICT"),
        );
    }
}
