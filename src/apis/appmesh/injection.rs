//! Whether a pod gets a proxy, and which of its ports the proxy intercepts.
//!
//! Source: the App Mesh controller, `pkg/inject/inject.go`, `proxy.go`, `envoy.go`, `virtualgateway_envoy.go`, the two
//! `membership_designator.go`, and the webhook configuration of its Helm chart. What its injector does with a pod:
//!
//! 1. The webhook is called when a pod is created in a namespace whose label
//!    [`SIDECAR_INJECTOR_WEBHOOK`] is exactly `enabled` or `disabled`, with failurePolicy Fail. In any other namespace no
//!    pod gets a proxy, whatever its annotation says.
//! 2. The pod's annotation of that name counts, in any case; without one, the namespace's label. `disabled`: the pod is
//!    left alone. `enabled`: a virtual node or gateway must select it, or it is refused. Anything else: it gets a proxy
//!    if one selects it.
//! 3. Several virtual nodes (or several gateways, or one of each) that select the pod: it is refused. So is every pod of
//!    a namespace in which one of the selectors is malformed.
//! 4. A virtual node's pod gets an init container for interception (or leaves that to the CNI plugin) and a container
//!    `envoy` with the mounts of the annotations. If it has a container `envoy` already (an init container doesn't count),
//!    nothing is added to that and the mount annotations are not even read.
//! 5. A gateway's pod must bring its container `envoy`: the injector replaces its image (unless told not to), sets its
//!    environment and a readiness probe, and mounts nothing but the SDS socket. Nothing is intercepted. Without such a
//!    container the pod stays as it is.

use std::collections::BTreeMap;

use super::annotations::{PORTS, SDS, SIDECAR_INJECTOR_WEBHOOK};
use crate::mesh::Ports;

/// Whether the injector gives a proxy to pods that a virtual node or gateway selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Injection {
    /// Yes; pods that nothing selects are refused.
    Required,
    /// Yes; pods that nothing selects are left alone.
    WhenSelected,
    /// No: the namespace's label, with this value, keeps the webhook from being called.
    NamespaceNotLabelled {
        /// What the label says, if it is there.
        label: Option<String>,
    },
    /// No: the pod's annotation says `disabled`.
    PodOptsOut,
    /// No: the namespace's label says `disabled`, and the pod has no annotation to override it.
    NamespaceOptsOut,
}

impl Injection {
    /// Decides for a pod with these annotations in a namespace with these labels.
    #[must_use]
    pub(crate) fn of(namespace_labels: &BTreeMap<String, String>, pod_annotations: &BTreeMap<String, String>) -> Self {
        let label = namespace_labels.get(SIDECAR_INJECTOR_WEBHOOK).map(String::as_str);
        let Some(label @ ("enabled" | "disabled")) = label else {
            return Self::NamespaceNotLabelled { label: label.map(str::to_owned) };
        };
        let annotation = pod_annotations.get(SIDECAR_INJECTOR_WEBHOOK);
        match annotation.map_or(label, String::as_str).to_lowercase().as_str() {
            "enabled" => Self::Required,
            "disabled" if annotation.is_some() => Self::PodOptsOut,
            "disabled" => Self::NamespaceOptsOut,
            _ => Self::WhenSelected,
        }
    }
}

/// Whether a pod's annotation keeps the SDS socket away from its proxy. Only `disabled` does, in lower case; there is no
/// way to enable SDS for one pod where the controller has it disabled.
#[must_use]
pub(crate) fn sds_disabled(pod_annotations: &BTreeMap<String, String>) -> bool {
    pod_annotations.get(SDS).is_some_and(|value| value == "disabled")
}

/// The ports whose incoming traffic a virtual node's proxy intercepts, as the [`PORTS`] annotation says; None without it: then those of
/// the node's listeners.
///
/// The injector hands the annotation on as it is, even when it is empty. It ends up in an iptables multiport match, which takes ranges
/// (`8000:8080`) too, and refuses what is no port: the pod's init container fails. Health checks of a listener count for nothing here.
#[must_use]
pub(crate) fn intercepted(pod_annotations: &BTreeMap<String, String>) -> Option<Ports> {
    let annotation = pod_annotations.get(PORTS)?;
    let mut ports = Ports::default();
    for entry in annotation.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        match range(entry) {
            Some(range) => ports.ranges.push(range),
            None => ports.unreadable.push(entry.to_owned()),
        }
    }
    Some(ports)
}

fn range(entry: &str) -> Option<(i64, i64)> {
    let port = |text: &str| text.trim().parse::<u16>().ok().map(i64::from);
    match entry.split_once(':') {
        Some((first, last)) => Some((port(first)?, port(last)?)),
        None => port(entry).map(|port| (port, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(key: &str, value: Option<&str>) -> BTreeMap<String, String> {
        value.map(|value| (key.to_owned(), value.to_owned())).into_iter().collect()
    }

    #[track_caller]
    fn decides(namespace: Option<&str>, pod: Option<&str>, expected: &Injection) {
        let decision = Injection::of(&map(SIDECAR_INJECTOR_WEBHOOK, namespace), &map(SIDECAR_INJECTOR_WEBHOOK, pod));
        assert_eq!(&decision, expected, "namespace {namespace:?}, pod {pod:?}");
    }

    #[test]
    fn the_namespaces_label_is_what_calls_the_injector() {
        for (label, pod) in
            [(None, None), (None, Some("enabled")), (Some("Enabled"), Some("enabled")), (Some(""), None)]
        {
            decides(label, pod, &Injection::NamespaceNotLabelled { label: label.map(str::to_owned) });
        }
    }

    #[test]
    fn the_pods_annotation_overrides_the_namespaces_label() {
        decides(Some("enabled"), None, &Injection::Required);
        decides(Some("disabled"), None, &Injection::NamespaceOptsOut);
        decides(Some("disabled"), Some("enabled"), &Injection::Required);
        decides(Some("disabled"), Some("ENABLED"), &Injection::Required);
        decides(Some("enabled"), Some("disabled"), &Injection::PodOptsOut);
        decides(Some("enabled"), Some("Disabled"), &Injection::PodOptsOut);
        decides(Some("disabled"), Some("true"), &Injection::WhenSelected);
        decides(Some("enabled"), Some(""), &Injection::WhenSelected);
    }

    #[test]
    fn only_disabled_disables_sds() {
        for (value, disabled) in
            [(None, false), (Some("disabled"), true), (Some("Disabled"), false), (Some("enabled"), false)]
        {
            assert_eq!(sds_disabled(&map(SDS, value)), disabled, "{value:?}");
        }
    }

    #[track_caller]
    fn intercepts(annotation: Option<&str>, yes: &[i64], no: &[i64], unreadable: &[&str]) {
        let ports = intercepted(&map(PORTS, annotation)).unwrap_or_else(|| Ports::of([8080, 9090]));
        for port in yes {
            assert!(ports.contains(*port), "{annotation:?} leaves {port} out");
        }
        for port in no {
            assert!(!ports.contains(*port), "{annotation:?} has {port}");
        }
        assert_eq!(ports.unreadable, unreadable, "{annotation:?}");
    }

    #[test]
    fn listeners_ports_are_intercepted_unless_the_annotation_names_others() {
        intercepts(None, &[8080, 9090], &[8081], &[]);
        intercepts(Some("8443, 9443"), &[8443, 9443], &[8080, 9090], &[]);
        intercepts(Some("8000:8100"), &[8000, 8050, 8100], &[7999, 8101], &[]);
        intercepts(Some(""), &[], &[8080, 0], &[]);
        intercepts(Some("http,8080,70000,-1,1:x"), &[8080], &[9090], &["http", "70000", "-1", "1:x"]);
    }
}
