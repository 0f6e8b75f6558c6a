//! # MV218: `proxy-not-injected`
//!
//! ## What it checks
//! Whether the selected pods get a proxy: the namespace carries the label
//! `appmesh.k8s.aws/sidecarInjectorWebhook: enabled` and the pod doesn't opt out by the annotation of the same name; or
//! the pod brings its own `envoy` container, which a virtual gateway's pods must.
//!
//! ## Why it matters
//! Without a proxy nobody loads the certificate, and the application answers in plaintext while its callers are told to
//! speak TLS: `WRONG_VERSION_NUMBER` in their logs.
//!
//! ## Example
//! ```sh
//! kubectl label namespace shop appmesh.k8s.aws/sidecarInjectorWebhook=enabled
//! ```
//!
//! ## How to fix
//! Label the namespace, or remove the annotation that opts out; then restart the pods, since proxies are injected when
//! pods are created.

use crate::appmesh::annotations::SIDECAR_INJECTOR_WEBHOOK;
use crate::field::FieldPath;
use crate::finding::{Problem, Site};
use crate::mesh::Proxy;
use crate::rules::context::Context;
use crate::rules::engine::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member().filter(|member| member.uses_tls()) else { return };
    let namespace = member.object.namespace();
    // A namespace that isn't known (manifests without it) claims nothing.
    let unlabelled = cx
        .view
        .world
        .namespace(namespace)
        .is_some_and(|labels| labels.get(SIDECAR_INJECTOR_WEBHOOK).map(String::as_str) != Some("enabled"));
    let selector = FieldPath::root().keys(["spec", "podSelector"]);
    for workload in &cx.workloads {
        let name = &workload.object;
        let annotation = workload.template_metadata.keys(["annotations", SIDECAR_INJECTOR_WEBHOOK]);
        let (site, message, found, fix) = match workload.proxy {
            Proxy::Own => continue,
            _ if member.is_gateway() => (
                Site::new(format!("{name} has no envoy"), selector.clone()),
                format!("the pods of {name} have no container named envoy, which a virtual gateway's pods bring themselves"),
                "no envoy container".to_owned(),
                "add the envoy container to the pod template",
            ),
            Proxy::OptedOut => (
                Site::new(format!("{name} opts out"), annotation).on(name.clone()),
                format!("the pods of {name} opt out of the proxy that {} needs", member.object),
                format!("{SIDECAR_INJECTOR_WEBHOOK}: disabled"),
                "remove the annotation from the pod template",
            ),
            Proxy::Asked | Proxy::Unspecified if unlabelled => (
                Site::new(format!("namespace of {name}"), selector.clone()),
                format!("no proxy is injected into the pods of {name}: namespace {namespace} isn't labelled for it"),
                format!("no label {SIDECAR_INJECTOR_WEBHOOK}=enabled"),
                "label the namespace, then restart the pods",
            ),
            Proxy::Asked | Proxy::Unspecified => continue,
        };
        out.add(
            Problem::warn(site, message)
                .expected("a proxy in every selected pod")
                .found(found)
                .consequence("nothing loads the certificate; callers that speak TLS log WRONG_VERSION_NUMBER")
                .fix(fix),
        );
    }
}
