//! Workloads: the pods that a virtual node's proxies run in, seen through the object that owns them.

use std::collections::BTreeMap;

use crate::field::FieldPath;
use crate::mesh::mounts::Mounts;
use crate::mesh::object::ObjectRef;

/// A top owner of pods (a Deployment, not its ReplicaSets) or a pod of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The object.
    pub object: ObjectRef,
    /// The labels of its pods: what selectors look at.
    pub labels: BTreeMap<String, String>,
    /// Whether its pods get a proxy, as far as the workload itself decides.
    pub proxy: Proxy,
    /// The file system of its proxy.
    pub mounts: Mounts,
    /// What is wrong with its annotations.
    pub annotation_problems: Vec<AnnotationProblem>,
    /// Whether `appmesh.k8s.aws/sds` switches the Secret Discovery Service off.
    pub sds_disabled: bool,
    /// Where the pod template's metadata stands in the object: `/spec/template/metadata`.
    pub template_metadata: FieldPath,
    /// The ports that the proxy intercepts, when `appmesh.k8s.aws/ports` says; None: the virtual node's.
    pub intercepted_ports: Option<Vec<u16>>,
    /// Probes that the kubelet makes in plaintext.
    pub plaintext_probes: Vec<Probe>,
    /// The ServiceAccount that its pods run as.
    pub service_account: String,
}

/// Whether a workload's pods carry a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// The pod brings its own `envoy` container: the injector leaves it alone, annotations and all.
    Own,
    /// The pod asks for a proxy (`appmesh.k8s.aws/sidecarInjectorWebhook: enabled`).
    Asked,
    /// The pod opts out (`appmesh.k8s.aws/sidecarInjectorWebhook: disabled`).
    OptedOut,
    /// The pod says nothing: the namespace's label decides.
    Unspecified,
}

/// Something wrong with one annotation of a workload's pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotationProblem {
    /// The annotation's field.
    pub field: FieldPath,
    /// Its key.
    pub annotation: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The entry that is meant, as written.
    pub entry: Option<String>,
}

/// A probe that the kubelet sends without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// `livenessProbe`, `readinessProbe` or `startupProbe`.
    pub kind: &'static str,
    /// `httpGet` or `grpc`.
    pub action: &'static str,
    /// The container it is for.
    pub container: String,
    /// The port, a named one already looked up.
    pub port: u16,
    /// Where it stands in the workload.
    pub field: FieldPath,
}
