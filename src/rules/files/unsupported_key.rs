//! # MV215: `unsupported-key`
//!
//! ## What it checks
//! Whether Envoy can do a TLS handshake with the leaf's key. RSA of 2048 bits or more and P-256 work. RSA under 2048 bits,
//! P-224 and secp256k1 make Envoy refuse its configuration, and so does a certificate that must come with an OCSP response
//! (must-staple); P-521, Ed25519 and key usages without digitalSignature fail in the handshake. P-384 works with TLS 1.3
//! only: it warns, and denies if a caller's proxy is injected by the mesh, since that speaks TLS 1.2. A proxy that pods
//! bring along, and a gateway's, may speak TLS 1.3. For a client's certificate, P-384 and P-521 work. Where callers aren't
//! proxies of a mesh, as with a Gateway, P-521, Ed25519 and key usages that fail in the handshake only warn: some clients
//! accept them, browsers don't.
//!
//! A certificate that a cert-manager Certificate requests, and that isn't issued yet, is checked by the request: a warning.
//!
//! ## Why it matters
//! A proxy that refuses its configuration answers nothing on the port; one whose handshakes fail looks healthy and serves
//! nobody.
//!
//! ## Example
//! ```text
//! openssl genrsa 1024       # only RSA certificates with 2048-bit or larger keys are supported
//! ```
//!
//! ## How to fix
//! Issue the certificate for an RSA key of 2048 bits or more, or a P-256 key, with digitalSignature among its key usages.

use crate::apis;
use crate::finding::Problem;
use crate::k8s::ObjectRef;
use crate::mesh::{Link, Member, Workload};
use crate::pki::{Certificate, HandshakeFailure, KeySupport, Refusal};
use crate::rules::answerer::Answerer;
use crate::rules::context::Context;
use crate::rules::end::End;
use crate::rules::handed::Caught;
use crate::rules::pairs::Side;
use crate::rules::promised::Aspect;
use crate::rules::reliance::Reliance;
use crate::rules::reporter::Reporter;
use crate::rules::uses::CertificateUse;

/// A node that certainly calls the listener, with a proxy that the mesh certainly injects: it speaks TLS 1.2, and refuses the key.
fn failing_caller<'a>(cx: &Context<'a>, using: &CertificateUse<'a>) -> Option<&'a ObjectRef> {
    let End::Server(listener, _) = using.end else { return None };
    // What answers outside the mesh may not be an Envoy.
    if Answerer::of(cx.view, cx.member()?, listener) != Answerer::Proxy {
        return None;
    }
    cx.pairs.iter().find_map(|pair| {
        let Link { client, idle, instead, .. } = &pair.link;
        let certain = pair.is_seen_from(Side::Server)
            && pair.link.listener.field == listener.field
            && !idle
            && instead.is_empty();
        (certain && is_injected(cx, client)).then_some(&client.object)
    })
}

/// Whether all known pods of a member get the proxy that the mesh injects, and no other.
fn is_injected(cx: &Context<'_>, client: &Member) -> bool {
    let workloads = cx.view.workloads_of(client);
    let labels = cx.view.namespace(client.object.namespace());
    let by_mesh = |workload: &&Workload| {
        let brought = workload.proxy(client.api).is_none_or(|proxy| proxy.brought);
        !brought && apis::is_proxied(client.api, workload, labels) == Some(true)
    };
    !client.is_gateway() && !workloads.is_empty() && workloads.iter().all(by_mesh)
}

/// The text for a certificate that must be stapled.
pub(super) fn must_staple(leaf: &Certificate) -> &'static str {
    if leaf.must_staple { ", with the TLS feature status_request (must-staple)" } else { "" }
}

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    // What other servers do with a key isn't known.
    for using in cx.certificates.iter().filter(|using| using.plane.is_envoy()) {
        let Some(leaf) = using.leaf() else { continue };
        let origin = using.chain_origin();
        let support = if using.end.is_server() { leaf.key_support() } else { leaf.client_key_support() };
        let Some(log) = support.envoy_log(using.log_path()) else { continue };
        let site = using.chain_site();
        let problem = match support {
            KeySupport::Good => continue,
            // Clients from outside speak TLS 1.3.
            KeySupport::OnlyTls13 { .. } if !using.plane.is_direct() => continue,
            KeySupport::OnlyTls13 { .. } => {
                let message =
                    format!("the {} key of the certificate in {origin} works with TLS 1.3 only", leaf.key_algorithm);
                match failing_caller(cx, using) {
                    Some(caller) => Problem::deny(site, format!("{message}: {caller} calls it over TLS 1.2"))
                        .consequence(format!("every connection of {caller} fails: {log}")),
                    None => Problem::warn(site, message)
                        .consequence(format!("with TLS 1.2, which Envoy's clients speak by default: {log}")),
                }
            }
            // Clients that aren't the mesh's own may accept it.
            KeySupport::HandshakeFails { reason, .. } if using.end.is_server() && !using.plane.is_direct() => {
                let (message, then) = match reason {
                    HandshakeFailure::NotOffered => (
                        format!("browsers accept no {} key, which the certificate in {origin} has", leaf.key_algorithm),
                        "every connection of a browser fails; clients that offer such signatures are served",
                    ),
                    HandshakeFailure::KeyUsage => (
                        format!("the certificate in {origin} may not be used for signatures"),
                        "clients of BoringSSL, such as Chromium, refuse the connection; others don't check",
                    ),
                };
                Problem::warn(site, message).consequence(then)
            }
            KeySupport::HandshakeFails { .. } => {
                // A server signs every handshake; a client signs where it is asked for its certificate.
                let reliance = if using.end.is_server() { Reliance::Verified } else { cx.reliance(using) };
                let message = format!("no handshake succeeds with the key of the certificate in {origin}");
                Problem::new(reliance.severity(), site, message)
                    .consequence(reliance.consequence(format!("every connection fails: {log}")))
            }
            KeySupport::Refused { reason, .. } => {
                let message = match reason {
                    Refusal::MustStaple => format!("Envoy refuses the certificate in {origin}, which must be stapled"),
                    _ => format!("Envoy refuses the key of the certificate in {origin}"),
                };
                Problem::new(using.unusable(), site, message).consequence(using.is_refused(&log, Caught::Missed))
            }
        };
        let may_sign = leaf.key_usage.as_ref().is_none_or(|usage| usage.digital_signature);
        let usage = if may_sign { "" } else { ", without digitalSignature among its key usages" };
        out.add(
            using.of(
                if may_sign { Aspect::Key } else { Aspect::Usages },
                problem
                    .expected("RSA of 2048 bits or more, or P-256, usable for digital signatures")
                    .found(format!("{}{usage}{}", leaf.key_algorithm, must_staple(leaf)))
                    .fix(format!("issue the certificate for such a key{}", using.then_restart())),
            ),
        );
    }
}
