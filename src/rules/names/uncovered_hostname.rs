//! # MV504: `uncovered-hostname`
//!
//! ## What it checks
//! Whether a certificate covers each host that a gateway or an Ingress is asked for. Of a gateway's listener these are the hosts that it
//! has in common with each route attached to it, as far as it is the most specific listener of its port for them: a listener
//! `*.example.com` with a route for `a.b.example.com` needs a certificate for `a.b.example.com`, since the star of a listener stands for
//! several labels and that of a certificate for one. A host with a star that stays one is covered by any certificate whose name lies
//! under it. Of an Ingress these are the hosts of each `tls` block.
//!
//! Listeners without routes claim nothing; neither do those of which a certificate isn't known. Subject alternative names count, the
//! common name doesn't: no browser looks at it.
//!
//! ## Why it matters
//! No controller compares a certificate's names with the hosts that it is served for: every condition is True, and each client refuses
//! the connection. It is a warning, because a certificate behind a content delivery network may be for another name on purpose.
//!
//! ## Example
//! ```yaml
//! listeners: [{name: web, hostname: "*.example.com", tls: {certificateRefs: [{name: wildcard}]}}]  # DNS:*.example.com
//! # and an HTTPRoute with hostnames: [a.b.example.com]
//! ```
//!
//! ## How to fix
//! Issue the certificate with the host among its names, or give the host a listener with a certificate of its own.

use std::collections::HashSet;

use crate::finding::{Problem, Severity};
use crate::k8s::FieldPath;
use crate::mesh::{Belonging, Covered, Listening, Member, takes};
use crate::pki::{Certificate, San, dns_name_matches, nearest_name};
use crate::rules::context::{Context, Surface};
use crate::rules::end::End;
use crate::rules::loads::Files;
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;
use crate::rules::uses::CertificateUse;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    if let Some(member) = cx.member() {
        if cx.view.plane_of(member).is_direct() || cx.view.is_taken_in(member) == Belonging::No {
            return;
        }
        check_blocks(cx, out);
        check_listeners(cx, member, out);
    }
    // Manifests are judged as a whole: there it is reported on the gateway.
    if cx.surface == Surface::Admission && cx.subject.hop().is_some() {
        check_route(cx, out);
    }
}

/// The hosts that an object gives with each of its certificates.
fn check_blocks(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in cx.certificates.iter().filter(|using| using.end.is_server()) {
        let Some(leaf) = using.leaf() else { continue };
        for Covered { name, field, reason } in using.end.covers() {
            if !covers(leaf, name) {
                let message = format!("{reason} {name} matches no name of the certificate ({})", using.chain_origin());
                out.add(problem(&[(using, leaf)], field, name, message));
            }
        }
    }
}

/// The hosts of the routes that are attached to a gateway's listeners.
fn check_listeners(cx: &Context<'_>, member: &Member, out: &mut Reporter<'_>) {
    let Some(own) = cx.member() else { return };
    let hops = cx.view.hops_of(own);
    for end in member.servers.iter().filter(|end| end.gate.is_some()) {
        let Some(known) = known(cx.certificates.iter().filter(|using| is_of(using, &end.anchor)), end_count(end))
        else {
            continue;
        };
        let mut seen: HashSet<String> = HashSet::new();
        for wanted in cx.view.hosts_wanted(Listening { member: own, end }, &hops) {
            if !seen.insert(wanted.host.clone()) || known.iter().any(|(_, leaf)| covers(leaf, &wanted.host)) {
                continue;
            }
            let message = format!(
                "{} serves {} for {}, and none of its certificates has that name",
                end.anchor, wanted.host, wanted.hop.object
            );
            out.add(problem(&known, known[0].0.chain_ref.field(), &wanted.host, message));
        }
    }
}

/// The hosts of the route under review, at each listener that it is attached to.
fn check_route(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(hop) = cx.subject.hop() else { return };
    let mut parents: Vec<_> = hop.from.iter().filter_map(|inlet| inlet.parent()).collect();
    parents.sort();
    parents.dedup();
    for member in parents.into_iter().filter_map(|parent| cx.view.member(parent)) {
        if cx.view.plane_of(member).is_direct() || cx.view.is_taken_in(member) != Belonging::Yes {
            continue;
        }
        for end in member.servers.iter().filter(|end| end.gate.is_some()) {
            let wanted = cx.view.hosts_wanted(Listening { member, end }, &[hop]);
            let Some(tls) = end.active_tls().filter(|_| !wanted.is_empty()) else { continue };
            let files = Files::of(cx.view, member, End::Server(end, tls));
            let Some(known) = known(files.certificates.iter(), end_count(end)) else { continue };
            let mut seen: HashSet<String> = HashSet::new();
            for wanted in wanted {
                if !seen.insert(wanted.host.clone()) || known.iter().any(|(_, leaf)| covers(leaf, &wanted.host)) {
                    continue;
                }
                let of_route = hop.hosts.iter().find(|(host, _)| takes(host, &wanted.host)).map(|(_, field)| field);
                let message = format!("{} of {} has no certificate for {}", end.anchor, member.object, wanted.host);
                let fallback = FieldPath::root().keys(["spec", "parentRefs"]);
                out.add(problem(&known, of_route.unwrap_or(&fallback), &wanted.host, message));
            }
        }
    }
}

fn is_of(using: &CertificateUse<'_>, anchor: &str) -> bool {
    using.end.is_server() && using.end.anchor() == anchor
}

fn end_count(end: &crate::mesh::ServerEnd) -> usize {
    end.tls.as_ref().map_or(0, |tls| tls.certificates.len())
}

/// The leaves of a listener's certificates; None where there are none, or one isn't known.
fn known<'c, 'a>(
    uses: impl Iterator<Item = &'c CertificateUse<'a>>,
    wanted: usize,
) -> Option<Vec<(&'c CertificateUse<'a>, &'c Certificate)>> {
    let known: Vec<_> = uses.filter_map(|using| Some((using, using.leaf()?))).collect();
    (wanted > 0 && known.len() == wanted).then_some(known)
}

/// Whether a certificate is for a host. For one that begins with a star: whether it has a name that lies under it.
fn covers(leaf: &Certificate, host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>().ok();
    leaf.sans.iter().any(|san| match san {
        // Envoy takes a star beside letters, clients don't.
        San::Dns(name) if name.contains('*') && !name.starts_with("*.") => false,
        San::Dns(name) => dns_name_matches(name, host) || (host.starts_with("*.") && takes(host, name)),
        San::Ip(ip) => Some(*ip) == address,
        _ => false,
    })
}

fn problem(known: &[(&CertificateUse<'_>, &Certificate)], field: &FieldPath, host: &str, message: String) -> Problem {
    let Some((using, leaf)) = known.first() else {
        return Problem::warn(crate::finding::Site::new("", field.clone()), message);
    };
    let names: Vec<String> =
        known.iter().map(|(using, leaf)| format!("{} ({})", leaf.names_text(), using.chain_origin())).collect();
    let near = nearest_name(host, leaf.dns_sans()).map(|near| format!("; the nearest is {near}")).unwrap_or_default();
    let mut site = using.chain_site();
    site.field = field.clone();
    using.of(
        Aspect::Names,
        Problem::new(Severity::Warn, site, message)
            .expected(format!("a subject alternative name that matches {host}"))
            .found(format!("{}{near}", names.join(", ")))
            .consequence(format!("clients that ask for {host} refuse the certificate"))
            .fix(format!("issue the certificate with {host} among its names")),
    )
}
