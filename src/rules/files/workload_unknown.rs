//! # MV203: `workload-unknown`
//!
//! ## What it checks
//! Whether the virtual node or gateway selects any workload, where it names certificate files: without one, nobody knows
//! what its proxies have mounted. An absent `podSelector` selects nothing, an empty one every pod of the namespace.
//!
//! ## Why it matters
//! The files can't be checked. That is normal when the node is applied before its Deployment; it is a mistake when the
//! labels don't match.
//!
//! ## Example
//! ```yaml
//! # VirtualNode:  podSelector: {matchLabels: {app: blue}}
//! # Deployment:   template: {metadata: {labels: {app: blue-app}}}
//! ```
//!
//! ## How to fix
//! Give `spec.podSelector` labels that the workload's pods have; or apply the workload. Where meshvet may not list a kind
//! that owns pods (`rollouts.argoproj.io`), it can't know whether the selector is right: grant it list and watch.

use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::{Place, Sort};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    let unknown = cx.files().any(|using| matches!(using.place, Place::Unknown));
    if !cx.workloads.is_empty() || !unknown {
        return;
    }
    let site = Site::new("pods", FieldPath::root().keys(["spec", "podSelector"]));
    let namespace = member.object.namespace();
    let unlisted = cx.view.unlisted(Sort::Workloads, namespace);
    let unlisted = unlisted.iter().map(|(resource, _)| *resource).collect::<Vec<_>>().join(", ");
    let labels = member.pod_selector.as_ref().map(|selector| {
        let labels = selector.match_labels.iter().map(|(key, value)| format!("{key}={value}"));
        labels.collect::<Vec<_>>().join(",")
    });
    let none = match labels.as_deref() {
        None => "no workload is selected",
        Some("") => "no workload matches the selector yet",
        Some(labels) => &format!("no workload has {labels} yet"),
    };
    let message = format!("{none}, so its certificate files aren't checked");
    let found = match labels.as_deref() {
        Some("") => format!("no workload in namespace {namespace} that the selector matches"),
        labels => format!("no workload in namespace {namespace} with {}", labels.unwrap_or_default()),
    };
    let (message, found, fix) = match labels {
        None => (
            message,
            "no podSelector, which selects nothing".to_owned(),
            "give spec.podSelector the labels of the pods".to_owned(),
        ),
        Some(_) if unlisted.is_empty() => {
            (message, found, "apply the workload too, or give spec.podSelector the labels of its pods".to_owned())
        }
        // It may be among what nobody could list: of the labels nothing is said.
        Some(_) => (
            format!("whether it selects a workload is unknown: meshvet may not list {unlisted}"),
            format!("{found} among those that meshvet may list"),
            format!("grant list and watch on {unlisted}; or apply the workload too, if there is none yet"),
        ),
    };
    out.add(
        Problem::warn(site, message)
            .expected("a workload whose pods the selector selects")
            .found(found)
            .consequence("the certificates aren't checked")
            .fix(fix),
    );
}
