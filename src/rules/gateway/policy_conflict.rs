//! # MV508: `policy-conflict`
//!
//! ## What it checks
//! Whether another BackendTLSPolicy has the same target and section as this one, and wins: the older one, then the first by namespace and
//! name. Manifests have no creation time: among them, the first by name wins.
//!
//! ## Why it matters
//! This policy is ignored (`Conflicted`): what it requires isn't checked.
//!
//! ## Example
//! ```text
//! BackendTLSPolicy shop/api and BackendTLSPolicy shop/api-strict, both for Service api
//! ```
//!
//! ## How to fix
//! Delete one of them, or give each a `sectionName` of its own.

use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::Attached;
use crate::rules::context::Context;
use crate::rules::gateway::policy;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some((own, _)) = policy(cx) else { return };
    for (index, aim) in own.aims.iter().enumerate() {
        let order = |policy: &Attached| (policy.rank, policy.object.clone());
        let others = cx.view.policies_on(&aim.target, aim.section.as_deref());
        let first = others.into_iter().filter(|other| other.object != own.object).min_by_key(|other| order(other));
        let Some(first) = first.filter(|first| order(first) < order(own)) else { continue };
        let field = FieldPath::root().keys(["spec", "targetRefs"]).index(index);
        let section = aim.section.as_ref().map(|section| format!(", section {section}")).unwrap_or_default();
        let message = format!("{} is for {}{section} too, and wins", first.object, aim.target);
        out.add(
            Problem::warn(Site::new(format!("target {index}"), field), message)
                .expected("one policy for each target and section")
                .found(match first.rank == own.rank {
                    true => "no difference in age is known: the first by name wins".to_owned(),
                    false => "an older one".to_owned(),
                })
                .consequence("this policy is ignored (Conflicted): what it requires isn't checked")
                .fix("delete one of them, or give each a sectionName of its own"),
        );
    }
}
