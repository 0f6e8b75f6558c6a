//! # MV412: `controller-not-authorized`
//!
//! ## What it checks
//! Whether the role that creates nodes may describe what this one names: `acm:DescribeCertificate` on the certificate,
//! `acm-pca:DescribeCertificateAuthority` on the authorities. Only where the policy has `aws.roles.enabled: true` and names
//! the App Mesh controller's role: `aws.roles.controller`.
//!
//! ## Why it matters
//! App Mesh checks references with the permissions of the role that creates the node. Without them the controller fails to
//! reconcile, and reports that in its own log.
//!
//! ## Example
//! ```yaml
//! aws: {roles: {enabled: true, controller: "arn:aws:iam::111122223333:role/appmesh-controller"}}
//! ```
//!
//! ## How to fix
//! Add the statement of deploy/iam/controller.json to the controller's role.

use crate::finding::Problem;
use crate::rules::acm::refused;
use crate::rules::acm::roles::{may, site};
use crate::rules::appmesh::streams::descriptions;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for (reference, simulation) in descriptions(cx) {
        if may(cx, &simulation) != Some(false) {
            continue;
        }
        let action = simulation.action;
        out.add(
            Problem::warn(
                site(&reference, &simulation.role),
                format!("the controller's role lacks {action} for {}", reference.owner()),
            )
            .expected(format!("{action} on {}", simulation.resource))
            .found(format!("denied to {}", simulation.role))
            .consequence(refused(cx))
            .fix(format!("allow {action} on it to the role (deploy/iam/controller.json)")),
        );
    }
}
