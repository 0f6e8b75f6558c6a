//! # MV104: `client-name-mismatch`
//!
//! ## What it checks
//! For each call whose client policy is enforced and lists `subjectAlternativeNames`: whether one of the listed names is
//! among the subject alternative names of the backend's certificate. DNS names are compared without regard to case, and a
//! wildcard in the certificate counts; URIs must be equal. An IP address in the list matches no IP address of a
//! certificate.
//!
//! A certificate that a cert-manager Certificate requests, and that isn't issued yet, is checked by the request: a warning.
//!
//! ## Why it matters
//! The list replaces the hostname: the client's proxy accepts no certificate without one of these names. Requests end in
//! 503, and the client's proxy logs `CERTIFICATE_VERIFY_FAILED … SAN matcher`.
//!
//! ## Example
//! ```yaml
//! # in VirtualNode front, for its backend blue, whose certificate is for DNS:blue.apps.local
//! validation: {subjectAlternativeNames: {match: {exact: [blue.shop.local]}}}
//! ```
//!
//! ## How to fix
//! List a name that the certificate has. To change names: let the client list both, then change the certificate, then remove the old name.

use crate::k8s::FieldPath;
use crate::mesh::{NameCheck, Validation};
use crate::pki::{Certificate, HostMatch, certificate_matches_host, san_entry_matches};
use crate::rules::call_problem::Fields;
use crate::rules::context::Context;
use crate::rules::envoy;
use crate::rules::names::with_reasons;
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for pair in &cx.pairs {
        let Some(validation) = pair.link.policy.enforced().and_then(|end| end.validation.as_ref()) else { continue };
        for using in pair.server_certificates() {
            let Some(leaf) = using.leaf() else { continue };
            let by_policy = pair.link.attached.is_some();
            // Some controllers use the name only as the SNI: MV510 reports that.
            let asks = matches!(validation.names, NameCheck::Name(..));
            if by_policy && asks && !cx.view.plane_of(pair.link.client).checks_name {
                continue;
            }
            let Some(Mismatch { field, expected }) = mismatch(validation, leaf, by_policy) else { continue };
            let fields = Fields { client: &field, server: using.chain_ref.field() };
            out.add(
                using.of(
                    Aspect::Names,
                    pair.problem(cx, fields, "no name that the client lists is in the server's certificate")
                        .expected(expected)
                        .found(with_reasons(
                            match by_policy {
                                true => format!("{} ({})", leaf.names_text(), using.chain_origin()),
                                false => leaf.names_text(),
                            },
                            leaf,
                            validation.names.list().iter().map(|(name, _)| name.as_str()),
                        ))
                        .consequence(format!("{} {}", envoy::CLIENT_SEES, envoy::san_mismatch(leaf)))
                        .fix("list a name that the certificate has; during a change of names, list both"),
                ),
            );
        }
    }
}

/// A name that a client requires and the certificate doesn't have.
struct Mismatch {
    field: FieldPath,
    expected: String,
}

/// `by_policy`: the names are from an attached policy, where a wildcard in the certificate may match them.
fn mismatch(validation: &Validation, leaf: &Certificate, by_policy: bool) -> Option<Mismatch> {
    match &validation.names {
        NameCheck::List(names) => {
            let list = names.first().and_then(|(_, field)| field.split_last());
            let field = list.map_or_else(|| validation.field.clone(), |(list, _)| list);
            let listed: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
            let matches = |name: &str| san_entry_matches(leaf, name) || (by_policy && is_host_of(leaf, name));
            let fits = listed.iter().any(|name| matches(name));
            (!fits).then(|| Mismatch { field, expected: format!("one of {}", listed.join(", ")) })
        }
        NameCheck::Name(host, field) => (!is_host_of(leaf, host))
            .then(|| Mismatch { field: field.clone(), expected: format!("a name that matches {host}") }),
        NameCheck::Host | NameCheck::Nothing => None,
    }
}

/// Whether a certificate is for a host by one of its subject alternative names.
fn is_host_of(leaf: &Certificate, host: &str) -> bool {
    matches!(certificate_matches_host(leaf, host), HostMatch::San(_) | HostMatch::Address(_))
}
