//! # MV501: `listener-without-tls`
//!
//! ## What it checks
//! Whether a listener of protocol HTTPS has `tls`, where its class is Envoy Gateway's or Istio's; for Envoy Gateway also whether it has
//! `certificateRefs`, since it has no `options` that replace them. Other classes aren't checked: some clouds keep certificates
//! elsewhere.
//!
//! ## Why it matters
//! The API server accepts such a listener. Envoy Gateway refuses it; with Istio every condition is True, and every connection to the
//! port is closed.
//!
//! ## Example
//! ```yaml
//! listeners: [{name: web, port: 443, protocol: HTTPS}]
//! ```
//!
//! ## How to fix
//! Name a Secret: `tls: {certificateRefs: [{name: web-cert}]}`.

use crate::finding::Problem;
use crate::mesh::Loads;
use crate::rules::context::Context;
use crate::rules::gateway::{listeners, site};
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for (listener, field, plane) in listeners(cx).filter(|(_, _, plane)| plane.needs_certificate) {
        if listener.protocol != "HTTPS" {
            continue;
        }
        let found = match &listener.tls {
            None => "no tls",
            Some(tls) if tls.certificate_refs.is_empty() && !tls.options.is_empty() && plane.loads == Loads::Parsed => {
                "options without certificateRefs"
            }
            Some(_) => continue,
        };
        let message = format!("listener {} is HTTPS and has no certificate", listener.name);
        out.add(
            Problem::deny(site(listener, field.key("tls")), message)
                .expected("tls with certificateRefs")
                .found(found)
                .consequence(match plane.loads {
                    Loads::Parsed => format!("{} refuses the listener", plane.name),
                    _ => format!(
                        "every condition is True, and {} closes every connection to port {}",
                        plane.name, listener.port
                    ),
                })
                .fix("name a Secret: tls: {certificateRefs: [{name: …}]}"),
        );
    }
}
