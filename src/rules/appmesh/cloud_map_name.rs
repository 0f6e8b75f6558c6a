//! # MV103: `cloud-map-name`
//!
//! ## What it checks
//! With Cloud Map service discovery, whether a name of the certificate stands for the node: `service.namespace` (a wildcard
//! counts), or a name whose first label is the virtual node's (`blue.apps.local` for node `blue`).
//!
//! A certificate that a cert-manager Certificate asks for, and that isn't issued yet, is judged by what it asks for: a warning.
//!
//! ## Why it matters
//! App Mesh doesn't compare names with Cloud Map, so nothing fails today. Its user guide recommends such a name all the
//! same, later editions require `service.namespace`, and a client policy that lists names needs one.
//!
//! ## Example
//! ```yaml
//! serviceDiscovery: {awsCloudMap: {namespaceName: apps.local, serviceName: blue}}
//! # a certificate for DNS:internal.example.com is warned about; DNS:blue.apps.local is not
//! ```
//!
//! ## How to fix
//! Issue the certificate with `service.namespace` among its subject alternative names.

use crate::finding::Problem;
use crate::mesh::{Discovery, Member};
use crate::pki::{Certificate, HostMatch, certificate_matches_host};
use crate::rules::context::Context;
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    let Discovery::CloudMap { namespace, service, .. } = &member.discovery else { return };
    let wanted = format!("{service}.{namespace}");
    for using in cx.certificates.iter().filter(|using| using.end.is_server()) {
        let Some(leaf) = using.leaf() else { continue };
        if leaf.is_nameless() || is_significant(leaf, &wanted, member) {
            continue;
        }
        let message = format!("no name of the certificate stands for the node ({})", using.chain_origin());
        out.add(
            using.of(
                Aspect::Names,
                Problem::warn(using.chain_site(), message)
                    .expected(format!("a name that matches {wanted}, or one that begins with {}.", member.object.name))
                    .found(leaf.names_text())
                    .consequence(
                        "nothing today: App Mesh compares no names with Cloud Map; clients that list names will fail",
                    )
                    .fix(format!("issue the certificate with DNS:{wanted} among its names")),
            ),
        );
    }
}

fn is_significant(leaf: &Certificate, wanted: &str, member: &Member) -> bool {
    if certificate_matches_host(leaf, wanted) != HostMatch::None {
        return true;
    }
    let node = member.object.name.as_str();
    leaf.dns_sans().chain(leaf.common_name.as_deref()).any(|name| {
        let first = name.split('.').next().unwrap_or(name);
        first.eq_ignore_ascii_case(node)
    })
}
