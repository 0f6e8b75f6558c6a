//! # MV212: `wrong-key-usage`
//!
//! ## What it checks
//! Where the certificate lists extended key usages: whether `serverAuth` is among them for a listener's, `clientAuth` for a
//! client policy's. `anyExtendedKeyUsage` is not enough. A certificate that lists none may be used for both. It only warns
//! where callers are known and all of them trust this very certificate, since then its usages aren't checked; where callers
//! of a listener are known and none verifies its certificate; and where no listener that the client calls asks for its
//! certificate. Where callers aren't proxies of a mesh, as with a Gateway, `anyExtendedKeyUsage` only warns, since some
//! clients (those written in Go) accept it.
//!
//! A certificate that a cert-manager Certificate requests, and that isn't issued yet, is checked by the request: a warning.
//!
//! ## Why it matters
//! Envoy loads it silently, and the peer refuses it: `unsupported certificate purpose` on the client,
//! `SSLV3_ALERT_UNSUPPORTED_CERTIFICATE` from a server that validates clients.
//!
//! ## Example
//! ```text
//! X509v3 Extended Key Usage: TLS Web Client Authentication       (on a listener)
//! ```
//!
//! ## How to fix
//! Issue the certificate with the usage that it is for, or with both. With cert-manager: `usages: [server auth, client
//! auth]`.

use crate::finding::{Problem, Severity};
use crate::pki::path::{PathVerdict, Purpose, Reason};
use crate::rules::context::Context;
use crate::rules::files::THEN_RESTART;
use crate::rules::pairs::Side;
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;
use crate::rules::uses::CertificateUse;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let Some(leaf) = using.leaf() else { continue };
        let Some(usage) = &leaf.extended_key_usage else { continue };
        let server = using.end.is_server();
        let allowed = if server { usage.server_auth } else { usage.client_auth };
        if allowed {
            continue;
        }
        let wanted = if server { "serverAuth" } else { "clientAuth" };
        let consequence = if server {
            using.clients_see("unsupported certificate purpose")
        } else {
            "servers that validate clients end the handshake: SSLV3_ALERT_UNSUPPORTED_CERTIFICATE".to_owned()
        };
        let message = format!("the certificate may not be used as {wanted} ({})", using.chain_origin());
        // The usages of a certificate that is itself trusted aren't checked.
        let taken = every_known_peer_takes(cx, using);
        // Clients written in Go accept anyExtendedKeyUsage, Envoys don't.
        let taken = taken || (server && usage.any && !using.plane.is_direct());
        let reliance = cx.reliance(using);
        let severity = if taken { Severity::Warn } else { reliance.severity() };
        out.add(
            using.of(
                Aspect::Usages,
                Problem::new(severity, using.chain_site(), message)
                    .expected(format!("{wanted} among its extended key usages, or none at all"))
                    .found(usages(usage))
                    .consequence(reliance.consequence(consequence))
                    .fix(format!("issue the certificate with {wanted}{}", using.then_restart())),
            ),
        );
    }
    for refused in cx.refused.iter().filter(|refused| !refused.is_told_of_the_leaf(cx)) {
        if refused.is_for_the_leaf()
            && matches!(refused.refusal.reason, Reason::Purpose)
            && let Some(problem) = refused.problem_of_a_certificate(cx, "lacks the extended key usage for this")
        {
            let wanted = if refused.by == Side::Server { "serverAuth" } else { "clientAuth" };
            out.add(problem.fix(format!("issue the certificate with {wanted}{THEN_RESTART}")));
        }
    }
}

/// Whether the peers that this certificate is presented to are known, and all of them trust it as it is.
fn every_known_peer_takes(cx: &Context<'_>, using: &CertificateUse<'_>) -> bool {
    let Some(chain) = using.chain() else { return false };
    let side = if using.end.is_server() { Side::Server } else { Side::Client };
    let mut known = 0;
    for pair in cx.pairs.iter().filter(|pair| pair.is_seen_from(side)) {
        let (shown, trusts, purpose) = match side {
            Side::Server => (&pair.server, &pair.client.trusts, Purpose::Server),
            Side::Client => (&pair.client, &pair.server.trusts, Purpose::Client),
        };
        if !shown.certificates.iter().any(|shown| shown.chain() == Some(chain)) {
            continue;
        }
        for trust in trusts {
            let Some(bundle) = trust.bundle() else { return false };
            if !matches!(*cx.view.paths().verdict(chain, bundle, purpose), PathVerdict::Trusted(_)) {
                return false;
            }
            known += 1;
        }
    }
    known > 0
}

fn usages(usage: &crate::pki::ExtendedKeyUsage) -> String {
    let named =
        [("serverAuth", usage.server_auth), ("clientAuth", usage.client_auth), ("anyExtendedKeyUsage", usage.any)];
    let mut all: Vec<&str> = named.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
    all.extend(usage.others.iter().map(String::as_str));
    all.join(", ")
}
