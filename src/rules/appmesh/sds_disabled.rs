//! # MV219: `sds-disabled`
//!
//! ## What it checks
//! Whether a certificate or trust by Envoy's Secret Discovery Service (SDS) can reach the proxy: meshvet's policy says that
//! the App Mesh controller runs with SDS enabled (`sds.enabled: true`), and no selected workload disables it by
//! `appmesh.k8s.aws/sds: disabled`.
//!
//! ## Why it matters
//! Without SDS the proxy never gets the secret, and the listener or cluster waits for it forever: nothing answers on the
//! port. meshvet can't see what an SDS provider such as SPIRE delivers, and reports nothing about it.
//!
//! ## Example
//! ```yaml
//! certificate: {sds: {secretName: spiffe://apps.local/blue}}
//! # with  appmesh.k8s.aws/sds: disabled  on the pods
//! ```
//!
//! ## How to fix
//! Enable SDS in the controller (`--enable-sds=true`) and set `sds.enabled: true` in meshvet's policy, or remove the annotation; or use files.

use crate::apis::appmesh::annotations::{SDS, SECRET_MOUNTS};
use crate::apis::appmesh::injection::sds_disabled;
use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::{CertificateSource, StoreKey, StoreState, TrustSource, Workload};
use crate::rules::context::Context;
use crate::rules::end::End;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for end in cx.ends() {
        for (what, secret_name, field) in secrets_of(end) {
            if !cx.policy.sds_enabled {
                let site = Site::new(format!("{} {what}", end.anchor()), field.clone());
                let by_sds =
                    "set sds.enabled: true in meshvet's policy if the App Mesh controller runs with --enable-sds=true";
                let fix = files_instead(cx, what, secret_name).unwrap_or_else(|| by_sds.to_owned());
                out.add(problem(
                    site,
                    format!("the {what} of the {} comes by SDS, which is not enabled", end.noun()),
                    secret_name,
                    &fix,
                ));
            }
            for workload in cx.workloads.iter().filter(|workload| switches_off(cx, workload)) {
                let annotation = workload.template_metadata.keys(["annotations", SDS]);
                let site = Site::new(format!("{} {what}", end.anchor()), annotation).on(workload.object.clone());
                out.add(problem(
                    site,
                    format!("{} disables SDS, and the {what} of the {} comes by it", workload.object, end.noun()),
                    secret_name,
                    "remove the annotation appmesh.k8s.aws/sds from the pod template, or use files",
                ));
            }
        }
    }
}

/// What was meant, where a Kubernetes Secret of this name is there: SDS knows nothing of those.
fn files_instead(cx: &Context<'_>, what: &str, name: &str) -> Option<String> {
    let secret = StoreKey::secret(cx.subject.object.namespace(), name);
    let StoreState::Present(_) = cx.view.store(&secret) else { return None };
    let (field, files) = match what {
        "trust" => ("trust.file", "certificateChain: /certs/ca.crt"),
        _ => ("certificate.file", "certificateChain: /certs/tls.crt, privateKey: /certs/tls.key"),
    };
    Some(format!(
        "{secret} is a Kubernetes Secret, which SDS doesn't serve: mount it by {SECRET_MOUNTS}: \"{name}:/certs\" on the pods, and give {field} ({files}) \
         instead of sds"
    ))
}

/// Whether the pods keep SDS from the member's proxy.
fn switches_off(cx: &Context<'_>, workload: &Workload) -> bool {
    let proxy = cx.member().and_then(|member| workload.proxy(member.api));
    proxy.is_some_and(|proxy| sds_disabled(&proxy.annotations))
}

fn problem(site: Site, message: String, secret_name: &str, fix: &str) -> Problem {
    Problem::warn(site, message)
        .expected("SDS enabled, in the controller and in the pods")
        .found(format!("SDS secret {secret_name}"))
        .consequence("the proxy waits for a secret that never comes, and nothing answers on the port")
        .fix(fix)
}

fn secrets_of(end: End<'_>) -> Vec<(&'static str, &str, &FieldPath)> {
    let mut found = Vec::new();
    for source in end.certificates() {
        if let CertificateSource::Sds { secret_name, field } = source {
            found.push(("certificate", secret_name.as_str(), field));
        }
    }
    if let Some(TrustSource::Sds { secret_name, field }) = end.validation().and_then(|v| v.trust.as_ref()) {
        found.push(("trust", secret_name.as_str(), field));
    }
    found
}
