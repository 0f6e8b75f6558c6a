//! # MV002: `malformed-annotation`
//!
//! ## What it checks
//! `appmesh.k8s.aws/secretMounts` and `appmesh.k8s.aws/volumeMounts` on the pods of a workload: a list
//! `name:/path[,name:/path]`, each name once, each path once, names that can be volume names (a DNS label of at most 63
//! characters: no dots), volumes that the pod has. And `meshvet.dev/ignore`: a rule that exists, and a reason.
//!
//! ## Why it matters
//! The injector reads these annotations when a pod is created. It refuses an entry that it can't split, so that no pod
//! starts; of a Secret named twice it keeps the last; a name with a dot makes a volume that the API server refuses. What
//! you see is a Deployment that never gets its pods.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   annotations:
//!     appmesh.k8s.aws/secretMounts: "blue-cert:/certs/a,blue-cert:/certs/b"   # the first is lost
//! ```
//!
//! ## How to fix
//! Name each Secret once, with a path of its own. If a Secret's name has dots, make it a volume of the pod, and mount that
//! volume by `appmesh.k8s.aws/volumeMounts`.

use crate::finding::{IGNORE_ANNOTATION, Suppressions};
use crate::finding::{Mend, Problem, Severity, Site};
use crate::k8s::FieldPath;
use crate::mesh::Workload;
use crate::rules::context::{Context, Surface};
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let severity = match cx.surface {
        Surface::Admission => Severity::Warn,
        Surface::Check => Severity::Deny,
    };
    for workload in cx.workloads.iter().copied().chain(cx.workload()) {
        report(workload, severity, out);
    }
    for problem in &Suppressions::parse(&cx.subject.annotations).problems {
        let field = FieldPath::root().keys(["metadata", "annotations", IGNORE_ANNOTATION]);
        out.add(
            Problem::warn(Site::new(format!("{IGNORE_ANNOTATION} {problem}"), field), problem.clone())
                .expected("MV209=the reason; MV102=another reason")
                .consequence("the findings are reported as if the entry were not there")
                .fix("name a rule and give the reason, or remove the entry"),
        );
    }
}

fn report(workload: &Workload, severity: Severity, out: &mut Reporter<'_>) {
    for problem in workload.proxies.iter().flat_map(|proxy| &proxy.problems) {
        let site = Site::new(format!("{} {}", problem.annotation, problem.message), problem.field.clone())
            .on(workload.object.clone());
        out.add(
            Problem::new(severity, site, format!("{}: {}", problem.annotation, problem.message))
                .expected("name:/path[,name:/path]: each name and each path once")
                .consequence("the proxy starts without the file, or the pods are refused when they are created")
                .fix(match problem.placeholder {
                    true => "have the tool that makes the manifest fill it in",
                    false => "correct the annotation on the pod template",
                })
                .mend(problem.mended.as_ref().map(|(old, new)| Mend::Replace { old: old.clone(), new: new.clone() })),
        );
    }
}
