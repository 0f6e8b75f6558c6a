//! # MV003: `ambiguous-membership`
//!
//! ## What it checks
//! Whether a workload's pods are selected by more than one virtual node or virtual gateway of their namespace.
//!
//! ## Why it matters
//! A proxy stands for one virtual node or gateway. Where two claim a pod, the App Mesh injector refuses every new pod of
//! the workload; running pods carry on until they are replaced.
//!
//! ## Example
//! ```yaml
//! # VirtualNode blue:     podSelector: {matchLabels: {app: blue}}
//! # VirtualNode blue-v2:  podSelector: {matchLabels: {app: blue}}     # both select Deployment blue
//! ```
//!
//! ## How to fix
//! Give the selectors labels that tell the workloads apart (`version: v2`), or remove one of the objects.

use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::Member;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    for workload in &cx.workloads {
        // A rollout's controller gives its stable and its canary node a revision each, and one to both while there is no other.
        let apart = |other: &Member| member.revision.is_some() && other.revision.is_some();
        let of_this_api = |other: &&Member| other.api == member.api && other.object != member.object && !apart(other);
        let others = cx.view.members_of(workload).into_iter().filter(of_this_api);
        let mut others: Vec<String> = others.map(|other| other.object.to_string()).collect();
        if others.is_empty() {
            continue;
        }
        others.sort();
        let site = Site::new(format!("selects {}", workload.object), FieldPath::root().keys(["spec", "podSelector"]));
        let others = others.join(", ");
        out.add(
            Problem::warn(site, format!("the pods of {} are selected by {others} too", workload.object))
                .expected("one virtual node or gateway for each pod")
                .found(format!("{} and {others}", member.object))
                .consequence("the App Mesh injector refuses every new pod of the workload")
                .fix("give the selectors a label that tells the workloads apart, or remove one of the objects"),
        );
    }
}
