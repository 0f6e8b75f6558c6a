//! # MV101: `hostname-mismatch`
//!
//! ## What it checks
//! With DNS service discovery, whether a name of the listener's certificate matches the virtual node's hostname: a subject
//! alternative name, or the common name. A wildcard such as `*.apps.local` matches exactly one label. Names are matched as
//! Envoy matches them: case is ignored, a wildcard counts in the first label only, a trailing dot is literal. Where the
//! hostname is an IP address, a DNS name or URI with the same text matches, and an IP address alone is a warning. Virtual
//! gateways have no service discovery and are not judged. Where callers are known and none relies on the hostname (each
//! lists names of its own, or validates nothing), it only warns. At admission it is reported on a new caller that does rely
//! on it, and on a route that leads one there.
//!
//! A certificate that a cert-manager Certificate asks for, and that isn't issued yet, is judged by what it asks for: a warning.
//!
//! ## Why it matters
//! App Mesh makes each client check the name it dialled against the certificate (user guide, "Transport Layer
//! Security"). A mismatch shows in the *client's* proxy: requests end in 503 and its log says
//! `CERTIFICATE_VERIFY_FAILED … SAN matcher`.
//!
//! ## Example
//! ```yaml
//! serviceDiscovery: {dns: {hostname: blue.apps.local}}
//! # and the certificate's names: DNS:green.apps.local
//! ```
//!
//! ## How to fix
//! Issue the certificate with the hostname (or a wildcard for its last label, such as `*.apps.local`) among its subject
//! alternative names, or give the node the hostname that the certificate is for.

use crate::finding::{Problem, Severity};
use crate::mesh::{Covered, NameCheck};
use crate::pki::{HostMatch, certificate_matches_host, nearest_name};
use crate::rules::call_problem::Fields;
use crate::rules::context::{Context, Surface};
use crate::rules::envoy;
use crate::rules::names::wanted_for_host;
use crate::rules::pairs::{Pair, Side};
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;
use crate::rules::uses::CertificateUse;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    check_own(cx, out);
    // Manifests are judged as a whole: there it is reported on the server.
    if cx.surface == Surface::Admission {
        check_called(cx, out);
    }
}

/// The listeners' certificates of the member under review.
fn check_own(cx: &Context<'_>, out: &mut Reporter<'_>) {
    // Who reaches a gateway from outside is asked about by MV504.
    for using in cx.certificates.iter().filter(|using| using.plane.is_direct()) {
        for Covered { name, field, reason } in using.end.covers() {
            let Some(leaf) = using.leaf() else { continue };
            // A certificate without any name never loads: MV217 says so.
            let by_address = match certificate_matches_host(leaf, name) {
                HostMatch::None => false,
                HostMatch::Address(_) => true,
                HostMatch::San(_) | HostMatch::CommonNameOnly => continue,
            };
            if leaf.is_nameless() {
                continue;
            }
            if is_covered_by_another(cx, using, name) {
                continue;
            }
            let message = format!("{reason} {name} matches no name of the certificate ({})", using.chain_origin());
            let (wanted, why) = wanted_for_host(leaf, name);
            let hint = why.or_else(|| nearest_name(name, leaf.dns_sans()).map(|name| format!("the nearest is {name}")));
            let mut callers = cx.calls_by(&using.end).peekable();
            let unused = callers.peek().is_some() && callers.all(|pair| !pair.relies_on_hostname());
            // Whether the proxy compares an address with names of other kinds is nowhere said.
            let severity = if unused || by_address { Severity::Warn } else { Severity::Deny };
            out.add(
                using.of(
                    Aspect::Names,
                    Problem::new(severity, using.chain_site(), message)
                        .expected(format!("a subject alternative name that matches {name}"))
                        .found(format!(
                            "{}{}",
                            leaf.names_text(),
                            hint.map(|hint| format!(" ({hint})")).unwrap_or_default()
                        ))
                        .consequence(format!("{} {}", envoy::CLIENT_SEES, envoy::san_mismatch(leaf)))
                        .fix(format!(
                            "issue the certificate with {wanted} among its names, or set {} to a name that it has",
                            field.kubernetes()
                        )),
                ),
            );
        }
    }
}

/// Whether another certificate of the same listener may be shown for the name: one that has it, or that isn't known.
fn is_covered_by_another(cx: &Context<'_>, using: &CertificateUse<'_>, name: &str) -> bool {
    let several = using.end.certificates();
    if several.len() < 2 {
        return false;
    }
    let of_this_proxy = |other: &&CertificateUse<'_>| {
        other.end.anchor() == using.end.anchor()
            && other.workload.map(|it| &it.object) == using.workload.map(|it| &it.object)
    };
    let mut known = 0;
    let covered = cx.certificates.iter().filter(of_this_proxy).filter_map(CertificateUse::leaf).any(|leaf| {
        known += 1;
        certificate_matches_host(leaf, name) != HostMatch::None
    });
    covered || known < several.len()
}

/// Those of the members that it calls, or leads a caller to, where the caller checks nothing but the hostname.
fn check_called(cx: &Context<'_>, out: &mut Reporter<'_>) {
    // Its own certificates were judged above.
    let of_another = |pair: &&Pair<'_>| pair.link.server.object != cx.subject.object;
    for pair in cx.pairs.iter().filter(|pair| !pair.is_seen_from(Side::Server)).filter(of_another) {
        let validation = pair.link.policy.enforced().and_then(|end| end.validation.as_ref());
        // Without trust Envoy verifies nothing.
        let Some(validation) = validation.filter(|it| it.names == NameCheck::Host && it.trust.is_some()) else {
            continue;
        };
        for using in pair.server_certificates() {
            for Covered { name, reason, .. } in using.end.covers() {
                let Some(leaf) = using.leaf() else { continue };
                if leaf.is_nameless() || certificate_matches_host(leaf, name) != HostMatch::None {
                    continue;
                }
                let fields = Fields { client: &validation.field, server: using.chain_ref.field() };
                let message = format!("{reason} {name} matches no name of the server's certificate");
                out.add(using.of(
                    Aspect::Names,
                    pair.problem(cx, fields, &message)
                        .expected(format!("a subject alternative name that matches {name}"))
                        .found(format!("{} ({})", leaf.names_text(), using.chain_origin()))
                        .consequence(format!("{} {}", envoy::CLIENT_SEES, envoy::san_mismatch(leaf)))
                        .fix("have the server's certificate issued for its hostname, or list a name that it has in the client policy"),
                ));
            }
        }
    }
}
