//! Workloads: the pods that a virtual node's proxies run in, seen through the object that owns them.

use std::collections::BTreeMap;

use crate::apis::appmesh::annotations::SIDECAR_INJECTOR_WEBHOOK;
use crate::k8s::FieldPath;
use crate::k8s::ObjectRef;
use crate::mesh::mounts::Mounts;

/// A top owner of pods (a Deployment, not its ReplicaSets) or a pod of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The object.
    pub object: ObjectRef,
    /// The labels of its pods: what selectors look at.
    pub labels: BTreeMap<String, String>,
    /// The annotations of its pods that the injector reads.
    pub annotations: BTreeMap<String, String>,
    /// Whether the pods bring their own `envoy` container, as a gateway's must: its mounts count, the annotations don't.
    pub brings_proxy: bool,
    /// The file system of its proxy.
    pub mounts: Mounts,
    /// What is wrong with its annotations.
    pub annotation_problems: Vec<AnnotationProblem>,
    /// Where the pod template's metadata stands in the object: `/spec/template/metadata`.
    pub template_metadata: FieldPath,
    /// Probes that the kubelet makes in plaintext.
    pub plaintext_probes: Vec<Probe>,
    /// The ServiceAccount that its pods run as.
    pub service_account: String,
}

impl Workload {
    /// Whether its pods say that they want no proxy (`appmesh.k8s.aws/sidecarInjectorWebhook: disabled`) and bring none.
    pub fn opts_out(&self) -> bool {
        let said = self.annotations.get(SIDECAR_INJECTOR_WEBHOOK);
        !self.brings_proxy && said.is_some_and(|value| value.eq_ignore_ascii_case("disabled"))
    }
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
    /// What the annotation says, and what it would say if only this were mended; None where a person has to decide.
    pub mended: Option<(String, String)>,
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
