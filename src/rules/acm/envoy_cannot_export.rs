//! # MV409: `envoy-cannot-export`
//!
//! ## What it checks
//! Whether the role of the selected workloads may fetch what the proxy needs: `acm:ExportCertificate` for the listener's own
//! certificate, `acm-pca:GetCertificateAuthorityCertificate` for each authority that a client policy trusts. The role is that of
//! the workload's ServiceAccount (the annotation `eks.amazonaws.com/role-arn`, or EKS Pod Identity); IAM's policy simulator answers.
//! Only where the policy has `aws.roles.enabled: true`.
//!
//! ## Why it matters
//! The proxy fetches its certificate by itself, with its own role. Without the permission it gets none, and nothing answers on the port.
//!
//! ## Example
//! ```yaml
//! # ServiceAccount blue, whose role allows appmesh:StreamAggregatedResources and nothing else
//! certificate: {acm: {certificateARN: "arn:aws:acm:eu-west-1:111122223333:certificate/…"}}
//! ```
//!
//! ## How to fix
//! Add the statement of deploy/iam/proxy.json to the role.

use crate::finding::Problem;
use crate::rules::acm::NO_CERTIFICATE;
use crate::rules::acm::roles::{exports, may, proxy_roles, site};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for role in proxy_roles(cx) {
        for (reference, simulation) in exports(cx, &role.role) {
            if may(cx, &simulation) != Some(false) {
                continue;
            }
            let action = simulation.action;
            out.add(
                Problem::warn(
                    site(&reference, &role.role),
                    format!("the proxy's role lacks {action} for {}", reference.owner()),
                )
                .expected(format!("{action} on {}", simulation.resource))
                .found(format!("denied to {}", role.noun()))
                .consequence(NO_CERTIFICATE)
                .fix(format!("allow {action} on it to the role (deploy/iam/proxy.json)")),
            );
        }
    }
}
