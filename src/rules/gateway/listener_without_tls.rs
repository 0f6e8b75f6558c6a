//! # MV501: `listener-without-tls`
//!
//! ## What it checks
//! Whether a listener with protocol HTTPS has `tls`, if its class is Envoy Gateway's, Istio's or Contour's. With Envoy Gateway also
//! whether it, or a listener with protocol TLS, has `certificateRefs`, since Envoy Gateway has no `options` that replace them. Other
//! classes aren't checked: some clouds keep certificates elsewhere.
//!
//! For an Ingress whose class is Contour's, whether each of its `tls` blocks names a Secret and hosts: Contour has no default certificate
//! to serve instead. Other controllers may have one.
//!
//! ## Why it matters
//! The API server accepts such a listener. Envoy Gateway and Contour refuse it; with Istio every condition is True, and every connection
//! to the port is closed.
//!
//! ## Example
//! ```yaml
//! listeners: [{name: web, port: 443, protocol: HTTPS}]
//! ```
//!
//! ## How to fix
//! Name a Secret: `tls: {certificateRefs: [{name: web-cert}]}`.

use crate::apis::Native;
use crate::apis::gateway::ListenerTls;
use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::Loads;
use crate::rules::context::Context;
use crate::rules::gateway::{listeners, site};
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    check_blocks(cx, out);
    for (listener, field, plane) in listeners(cx).filter(|(_, _, plane)| plane.needs_certificate) {
        let protocol = listener.protocol.as_str();
        let found = match (protocol, &listener.tls) {
            ("HTTPS", None) => "no tls",
            ("HTTPS" | "TLS", Some(tls)) if plane.loads == Loads::Parsed && has_no_certificate(tls) => {
                if tls.options.is_empty() { "no certificateRefs" } else { "options without certificateRefs" }
            }
            _ => continue,
        };
        let message = format!("listener {} is {protocol} and has no certificate", listener.name);
        out.add(
            Problem::deny(site(listener, field.key("tls")), message)
                .expected("tls with certificateRefs")
                .found(found)
                .consequence(match plane.loads {
                    Loads::Parsed | Loads::Unseen => format!("{} refuses the listener", plane.name),
                    _ => format!(
                        "every condition is True, and {} closes every connection to port {}",
                        plane.name, listener.port
                    ),
                })
                .fix("name a Secret: tls: {certificateRefs: [{name: …}]}"),
        );
    }
}

/// `tls` blocks of an Ingress that serve nothing, if the controller has no default certificate.
fn check_blocks(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let (Native::Ingress(ingress), Some(member)) = (&cx.subject.native, cx.member()) else { return };
    let plane = cx.view.plane_of(member);
    if plane.loads != Loads::Unseen {
        return;
    }
    for (index, block) in ingress.tls.iter().enumerate() {
        let lacks = match (block.secret_name.is_empty(), block.hosts.is_empty()) {
            (true, _) => "no secretName",
            (false, true) => "no hosts",
            (false, false) => continue,
        };
        let field = FieldPath::root().keys(["spec", "tls"]).index(index);
        let noun = format!("tls block {index}");
        out.add(
            Problem::warn(
                Site::new(noun.clone(), field),
                format!("{noun} has {lacks}, and {} serves nothing with it", plane.name),
            )
            .expected("hosts and a secretName")
            .found(lacks)
            .consequence("connections to its hosts end in the TLS handshake")
            .fix("name the hosts, and a Secret with their certificate"),
        );
    }
}

fn has_no_certificate(tls: &ListenerTls) -> bool {
    tls.certificate_refs.is_empty() && !tls.passes_through()
}
