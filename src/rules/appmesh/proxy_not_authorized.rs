//! # MV410: `proxy-not-authorized`
//!
//! ## What it checks
//! For every node or gateway with TLS, by file or by ACM: whether the role of its workloads may fetch the configuration of
//! this node (`appmesh:StreamAggregatedResources` on its ARN), and only of this one. Only where the policy has
//! `aws.roles.enabled: true`.
//!
//! ## Why it matters
//! With proxy authorization, a proxy that may not stream its configuration gets none. One that may stream every node's can
//! impersonate any of them, with its certificate.
//!
//! ## Example
//! ```json
//! {"Effect": "Allow", "Action": "appmesh:StreamAggregatedResources", "Resource": "*"}
//! ```
//!
//! ## How to fix
//! Allow it on the node's own ARN only: deploy/iam/proxy.json.

use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::rules::acm::roles::{may, proxy_roles};
use crate::rules::appmesh::streams::streams;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    for role in proxy_roles(cx) {
        let Some([own, other]) = streams(cx, &role.role) else { continue };
        let site = |what: &str| {
            Site::new(format!("{what} {}", role.workload.object), FieldPath::root().keys(["spec", "podSelector"]))
        };
        if may(cx, &own) == Some(false) {
            out.add(
                Problem::warn(
                    site("authorization of"),
                    format!("the proxy's role may not fetch the configuration of this {}", member.noun),
                )
                .expected(format!("{} on {}", own.action, own.resource))
                .found(format!("denied to {}", role.noun()))
                .consequence("the proxies of these pods get no configuration, and nothing answers on any port")
                .fix("allow it on this ARN to the role (deploy/iam/proxy.json)"),
            );
        } else if may(cx, &own) == Some(true) && may(cx, &other) == Some(true) {
            out.add(
                Problem::warn(
                    site("breadth of"),
                    format!("the proxy's role may fetch the configuration of every {}", member.noun),
                )
                .expected(format!("{} on {} only", own.action, own.resource))
                .found(format!("allowed to {} on others too", role.noun()))
                .consequence("everyone with this role can impersonate any of them")
                .fix("restrict the permission to this ARN (deploy/iam/proxy.json)"),
            );
        }
    }
}
