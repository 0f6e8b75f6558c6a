//! # MV510: `name-unchecked`
//!
//! ## What it checks
//! Whether a BackendTLSPolicy whose target is called by an Istio Gateway lists `subjectAltNames`. Istio uses `hostname` only as the name
//! that it asks for (SNI), and doesn't check the backend's certificate against it.
//!
//! ## Why it matters
//! Any certificate of the authority is accepted, whatever its name: another workload can impersonate the backend.
//!
//! ## Example
//! ```yaml
//! validation: {hostname: api.shop.svc, caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}
//! ```
//!
//! ## How to fix
//! Repeat the name: `subjectAltNames: [{type: Hostname, hostname: api.shop.svc}]`.

use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::rules::context::Context;
use crate::rules::gateway::policy;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some((own, spec)) = policy(cx) else { return };
    if !spec.validation.subject_alt_names.is_empty() {
        return;
    }
    let planes = own.aims.iter().flat_map(|aim| cx.view.planes_before(&aim.target));
    let Some(plane) = planes.into_iter().find(|plane| !plane.checks_name) else { return };
    let host = &spec.validation.hostname;
    let field = FieldPath::root().keys(["spec", "validation", "hostname"]);
    out.add(
        Problem::warn(Site::new("validation", field), format!("{} doesn't check the name {host}", plane.name))
            .expected("subjectAltNames, which it checks")
            .found("hostname only")
            .consequence("any certificate of the authority is accepted, whatever its name")
            .fix(format!(
                "add subjectAltNames with a name that the backend's certificate has; for this one: [{{type: Hostname, hostname: {host}}}]"
            )),
    );
}
