//! # MV506: `shared-certificate`
//!
//! ## What it checks
//! Whether one certificate covers the hosts of two listeners on one port of a gateway, as a certificate for `*.example.com` does for
//! `a.example.com` and `b.example.com`. Reported once for each gateway, if its proxies are known to be Envoys.
//!
//! ## Why it matters
//! A browser that has an HTTP/2 connection for one host uses it for the other too, since the certificate covers both. The request
//! arrives at the listener of the first host, which has no route for it: 404. Envoy Gateway prevents that by turning HTTP/2 off for
//! both listeners; gRPC needs it.
//!
//! ## Example
//! ```yaml
//! listeners:
//! - {name: a, port: 443, protocol: HTTPS, hostname: a.example.com, tls: {certificateRefs: [{name: wildcard}]}}
//! - {name: b, port: 443, protocol: HTTPS, hostname: b.example.com, tls: {certificateRefs: [{name: wildcard}]}}
//! ```
//!
//! ## How to fix
//! Use one listener for `*.example.com` with that certificate, whose routes distinguish the hosts; or a certificate for each host.

use crate::finding::Problem;
use crate::mesh::{Listening, ServerEnd};
use crate::pki::{Certificate, San, dns_name_matches};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member().filter(|member| cx.view.plane_of(member).is_envoy()) else { return };
    let beside = cx.view.listeners_with(member);
    for using in cx.certificates.iter().filter(|using| using.end.is_server()) {
        let own = member.servers.iter().find(|end| &*end.anchor == using.end.anchor());
        let (Some(leaf), Some(own)) = (using.leaf(), own) else { continue };
        let Some(host) = host(own).filter(|host| covers(leaf, host)) else { continue };
        let other = beside.iter().find(|Listening { member: of, end }| {
            let is_own = of.object == member.object && end.anchor == own.anchor;
            // Reported on the second of the two.
            let before = of.object < member.object || (of.object == member.object && end.field < own.field);
            let other = self::host(end).filter(|other| *other != host);
            !is_own && before && end.port == own.port && other.is_some_and(|other| covers(leaf, other))
        });
        let Some(Listening { end: other, .. }) = other else { continue };
        let message = format!(
            "the certificate of {} ({}) covers {} of {} too",
            own.anchor,
            using.chain_origin(),
            self::host(other).unwrap_or_default(),
            other.anchor
        );
        out.add(
            Problem::warn(using.chain_site(), message)
                .expected("a certificate for each listener, or one listener for both hosts")
                .found(leaf.names_text())
                .consequence(format!(
                    "browsers use one HTTP/2 connection for both hosts: 404 for {host}, or no HTTP/2 (Envoy Gateway)"
                ))
                .fix("make one listener of both, whose routes distinguish the hosts; or issue a certificate for each host"),
        );
        return;
    }
}

/// The host of a listener that terminates TLS for HTTP.
fn host(end: &ServerEnd) -> Option<&str> {
    let serves = end.protocol == "https" && end.active_tls().is_some_and(|tls| !tls.certificates.is_empty());
    end.gate.as_ref().filter(|_| serves)?.host.as_ref().map(|(host, _)| host.as_str())
}

fn covers(leaf: &Certificate, host: &str) -> bool {
    leaf.sans.iter().any(|san| matches!(san, San::Dns(name) if dns_name_matches(name, host)))
}
