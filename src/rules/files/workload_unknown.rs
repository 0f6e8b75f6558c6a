//! # MV203: `workload-unknown`
//!
//! ## What it checks
//! Whether any workload is selected by the virtual node or gateway when it names certificate files: without one, nobody
//! knows what its proxies have mounted. An absent `podSelector` selects nothing, an empty one every pod of the namespace.
//!
//! ## Why it matters
//! The files can't be judged. That is as it should be when the node is applied before its Deployment; it is a mistake
//! when the labels don't fit.
//!
//! ## Example
//! ```yaml
//! # VirtualNode:  podSelector: {matchLabels: {app: blue}}
//! # Deployment:   template: {metadata: {labels: {app: blue-app}}}
//! ```
//!
//! ## How to fix
//! Give `spec.podSelector` labels that the workload's pods have; or apply the workload, and the node again.

use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::Place;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    let unknown = cx.files().any(|using| matches!(using.place, Place::Unknown));
    if !cx.workloads.is_empty() || !unknown {
        return;
    }
    let site = Site::new("pods", FieldPath::root().keys(["spec", "podSelector"]));
    let (found, fix) = match &member.pod_selector {
        None => ("no podSelector, which selects nothing".to_owned(), "give spec.podSelector the labels of the pods"),
        Some(selector) => {
            let labels: Vec<String> =
                selector.match_labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let labels = if labels.is_empty() { "its expressions".to_owned() } else { labels.join(",") };
            let found = format!("no workload in namespace {} with {labels}", member.object.namespace());
            (found, "apply the workload too, or give spec.podSelector the labels of its pods")
        }
    };
    out.add(
        Problem::warn(
            site,
            format!("the {} selects no workload, so its certificate files can't be found", member.noun),
        )
        .expected("a workload whose pods the selector selects")
        .found(found)
        .consequence("nothing can be said of the certificates")
        .fix(fix),
    );
}
