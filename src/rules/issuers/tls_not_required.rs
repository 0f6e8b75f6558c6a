//! # MV307: `tls-not-required`
//!
//! ## What it checks
//! Listeners that aren't STRICT: without `tls`, DISABLED or PERMISSIVE. Off by default: a policy switches it on for the
//! namespaces where every listener must be STRICT. A node that stands for a host outside the mesh is not checked.
//!
//! ## Why it matters
//! PERMISSIVE is meant for the move to TLS, and is easily left in place: plaintext callers are served, and nothing
//! validates them.
//!
//! ## Example
//! ```yaml
//! scopes:
//!   - namespaceSelector: {matchLabels: {env: prod}}
//!     severities: {MV307: deny}
//! ```
//!
//! ## How to fix
//! Set the listener's `tls.mode` to STRICT, once every caller speaks TLS.

use crate::finding::{Problem, Severity, Site};
use crate::mesh::TlsMode;
use crate::rules::answerer::Answerer;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    for server in member.servers.iter().filter(|server| !server.is_strict()) {
        // Nobody of the mesh listens there.
        if Answerer::of(cx.view, member, server) == Answerer::Outside {
            continue;
        }
        let (field, found) = match &server.tls {
            None => (server.field.clone(), "no tls".to_owned()),
            Some(tls) => {
                let mode = if tls.mode == TlsMode::Permissive { "PERMISSIVE" } else { "DISABLED" };
                (tls.field.key("mode"), mode.to_owned())
            }
        };
        out.add(
            Problem::new(
                Severity::Off,
                Site::new(&*server.anchor, field),
                format!("{} accepts plaintext", server.anchor),
            )
            .expected("tls.mode STRICT, as the policy requires here")
            .found(found)
            .consequence("callers without TLS are served, and nobody validates them")
            .fix("set tls.mode to STRICT once every caller speaks TLS"),
        );
    }
}
