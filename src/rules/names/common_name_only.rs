//! # MV102: `common-name-only`
//!
//! ## What it checks
//! With DNS service discovery, whether the hostname matches the certificate's common name alone, and none of its subject
//! alternative names.
//!
//! A certificate that a cert-manager Certificate asks for, and that isn't issued yet, is judged by what it asks for: a warning.
//!
//! ## Why it matters
//! App Mesh's rule still allows it. RFC 9525 doesn't, and today's Envoy never looks at the common name. Clients that check
//! names (`subjectAlternativeNames` in a client policy, or Envoy's automatic SAN check) refuse the server.
//!
//! ## Example
//! ```text
//! Subject: CN=blue.apps.local
//! X509v3 Subject Alternative Name: (none)
//! ```
//!
//! ## How to fix
//! Issue the certificate with the hostname among its subject alternative names too. With cert-manager: `dnsNames` beside
//! `commonName`.

use crate::finding::Problem;
use crate::mesh::Covered;
use crate::pki::{HostMatch, certificate_matches_host};
use crate::rules::context::Context;
use crate::rules::envoy;
use crate::rules::names::wanted_for_host;
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in cx.certificates.iter().filter(|using| using.plane.is_direct()) {
        for Covered { name, reason, .. } in using.end.covers() {
            let Some(leaf) = using.leaf() else { continue };
            if certificate_matches_host(leaf, name) != HostMatch::CommonNameOnly {
                continue;
            }
            let (wanted, _) = wanted_for_host(leaf, name);
            let message = format!("{reason} {name} matches only the common name ({})", using.chain_origin());
            out.add(
                using.of(
                    Aspect::Names,
                    Problem::warn(using.chain_site(), message)
                        .expected(format!("{wanted} among the subject alternative names"))
                        .found(leaf.names_text())
                        .consequence(format!(
                            "where a client checks names, its proxy logs {}",
                            envoy::san_mismatch(leaf)
                        ))
                        .fix(format!("issue the certificate with {wanted} among its subject alternative names")),
                ),
            );
        }
    }
}
