//! # MV218: `proxy-not-injected`
//!
//! ## What it checks
//! Whether the selected pods get a proxy: the namespace carries the label `appmesh.k8s.aws/sidecarInjectorWebhook: enabled`
//! and the pod doesn't opt out by the annotation of the same name; or the pod brings its own `envoy` container, which a
//! virtual gateway's pods must. Where a namespace's labels could not be read, nothing is reported.
//!
//! ## Why it matters
//! Without a proxy nothing loads the certificate, and the application answers in plaintext while its callers speak TLS:
//! `WRONG_VERSION_NUMBER` in their logs.
//!
//! ## Example
//! ```sh
//! kubectl label namespace shop appmesh.k8s.aws/sidecarInjectorWebhook=enabled
//! ```
//!
//! ## How to fix
//! Label the namespace, or remove the annotation that opts out; then restart the pods, since proxies are injected when
//! pods are created.

use crate::apis::appmesh::annotations::SIDECAR_INJECTOR_WEBHOOK;
use crate::apis::appmesh::injection::Injection;
use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::{Member, Proxy, Workload};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member().filter(|member| member.uses_tls()) else { return };
    for workload in &cx.workloads {
        let Some(proxy) = workload.proxy(member.api).filter(|proxy| !proxy.brought) else { continue };
        if let Some(problem) = not_injected(cx, member, workload, proxy) {
            out.add(
                problem
                    .expected("a proxy in every selected pod")
                    .consequence("nothing loads the certificate; callers that speak TLS log WRONG_VERSION_NUMBER"),
            );
        }
    }
}

fn not_injected(cx: &Context<'_>, member: &Member, workload: &Workload, proxy: &Proxy) -> Option<Problem> {
    let name = &workload.object;
    let selector = FieldPath::root().keys(["spec", "podSelector"]);
    if member.is_gateway() {
        let message =
            format!("no container named envoy in the pods of {name}: a virtual gateway's pods bring it themselves");
        return Some(
            Problem::warn(Site::new(format!("{name} has no envoy"), selector), message)
                .found("no envoy container")
                .fix("add the envoy container to the pod template"),
        );
    }
    // A namespace that isn't known (manifests without it, or no right to read it) may be labelled: nothing is claimed of it.
    let injection = match cx.view.namespace(name.namespace()) {
        Some(labels) => Injection::of(labels, &proxy.annotations),
        None if proxy.opted_out => Injection::PodOptsOut,
        None => return None,
    };
    let found = match &injection {
        Injection::Required | Injection::WhenSelected => return None,
        Injection::PodOptsOut => {
            let annotation = workload.template_metadata.keys(["annotations", SIDECAR_INJECTOR_WEBHOOK]);
            let site = Site::new(format!("{name} opts out"), annotation).on(name.clone());
            let message = format!("the pods of {name} opt out of the proxy that {} needs", member.object);
            return Some(
                Problem::warn(site, message)
                    .found(format!("{SIDECAR_INJECTOR_WEBHOOK}: disabled"))
                    .fix("remove the annotation from the pod template"),
            );
        }
        Injection::NamespaceOptsOut => format!("the label {SIDECAR_INJECTOR_WEBHOOK}=disabled"),
        Injection::NamespaceNotLabelled { label: None } => format!("no label {SIDECAR_INJECTOR_WEBHOOK}"),
        Injection::NamespaceNotLabelled { label: Some(label) } => {
            format!("the label {SIDECAR_INJECTOR_WEBHOOK}={label}")
        }
    };
    let message =
        format!("namespace {} isn't labelled for injection: no proxy for the pods of {name}", name.namespace());
    Some(
        Problem::warn(Site::new(format!("namespace of {name}"), selector), message)
            .found(found)
            .fix(format!("label the namespace {SIDECAR_INJECTOR_WEBHOOK}=enabled, then restart the pods")),
    )
}
