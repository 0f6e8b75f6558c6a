//! # MV104: `client-name-mismatch`
//!
//! ## What it checks
//! For each call whose client policy is enforced and lists `subjectAlternativeNames`: whether one of the listed names is
//! among the subject alternative names of the backend's certificate. DNS names are compared ignoring case, a wildcard of
//! the certificate counting; URIs as they stand.
//!
//! ## Why it matters
//! The list replaces the hostname: the client's proxy takes no certificate without one of its names. Requests end in
//! 503, and the client's proxy logs `CERTIFICATE_VERIFY_FAILED … SAN matcher`.
//!
//! ## Example
//! ```yaml
//! # in VirtualNode front, for its backend blue, whose certificate is for DNS:blue.apps.local
//! validation: {subjectAlternativeNames: {match: {exact: [blue.shop.local]}}}
//! ```
//!
//! ## How to fix
//! While names change, let the client list both, then change the certificate, then drop the old name.

use crate::pki::san_entry_matches;
use crate::rules::context::Context;
use crate::rules::engine::Reporter;
use crate::rules::envoy;
use crate::rules::pairs::Fields;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for pair in &cx.pairs {
        let Some(validation) = pair.call.policy.enforced().and_then(|end| end.validation.as_ref()) else { continue };
        if validation.names.is_empty() {
            continue;
        }
        for using in pair.server_certificates() {
            let Some(leaf) = using.leaf() else { continue };
            if validation.names.iter().any(|(name, _)| san_entry_matches(leaf, name)) {
                continue;
            }
            let list = validation.field.keys(["subjectAlternativeNames", "match", "exact"]);
            let fields = Fields { client: &list, server: &using.chain_file.field };
            let names: Vec<&str> = validation.names.iter().map(|(name, _)| name.as_str()).collect();
            out.add(
                pair.problem(cx, fields, "no name that the client lists is in the server's certificate")
                    .expected(format!("one of {}", names.join(", ")))
                    .found(leaf.names_text())
                    .consequence(format!("{} {}", envoy::CLIENT_SEES, envoy::san_mismatch(leaf)))
                    .fix("list a name that the certificate has; while it changes, list both the old and the new one"),
            );
        }
    }
}
