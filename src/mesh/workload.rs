//! Workloads: the pods that a member's proxies run in, seen through the object that owns them.

use std::collections::BTreeMap;

use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::mounts::Mounts;

/// A top owner of pods (a Deployment, not its ReplicaSets) or a pod of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The object.
    pub object: ObjectRef,
    /// The labels of its pods: what selectors look at.
    pub labels: BTreeMap<String, String>,
    /// The proxy that its pods would have, one for each API that gives pods one.
    pub proxies: Vec<Proxy>,
    /// Where the pod template's metadata is in the object: `/spec/template/metadata`.
    pub template_metadata: FieldPath,
    /// The TCP ports to which its containers give names, by name.
    pub ports: Vec<(String, u16)>,
    /// Probes that the kubelet makes by HTTP or gRPC.
    pub probes: Vec<Probe>,
    /// The ServiceAccount that its pods run as.
    pub service_account: String,
    /// Whether it has no pods now: then it counts only while another workload takes its template.
    pub at_rest: bool,
    /// The workload whose template its pods are made of, in place of its own: that one counts.
    pub takes: Option<ObjectRef>,
}

/// The proxy that one API would give a workload's pods, or that they bring for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    /// The [API](crate::mesh::Member::api).
    pub api: &'static str,
    /// Whether the pods bring the proxy's container themselves: its mounts count, annotations don't.
    pub brought: bool,
    /// Whether the pods say that they want none, and bring none.
    pub opted_out: bool,
    /// Its file system.
    pub mounts: Mounts,
    /// What the pods' annotations say to the injector, as far as rules read it.
    pub annotations: BTreeMap<String, String>,
    /// What is wrong with annotations.
    pub problems: Vec<AnnotationProblem>,
    /// Annotations that are meant to give it mounts, and that nobody reads.
    pub strays: Vec<Stray>,
    /// The ports whose incoming traffic it takes; None: those of the member's listeners.
    pub intercepts: Option<Ports>,
}

/// An annotation that nobody reads: it stands elsewhere than on the pods, or is misspelt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The annotation's field in the workload.
    pub field: FieldPath,
    /// Its key, as written.
    pub annotation: String,
    /// The key that is meant.
    pub meant: &'static str,
}

/// Ports, by ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// Both ends included.
    pub ranges: Vec<(i64, i64)>,
    /// What is said beside them and is no port.
    pub unreadable: Vec<String>,
}

impl Ports {
    /// These ports.
    pub fn of(ports: impl IntoIterator<Item = i64>) -> Self {
        Self { ranges: ports.into_iter().map(|port| (port, port)).collect(), unreadable: Vec::new() }
    }

    /// Whether a port is among them.
    #[must_use]
    pub fn contains(&self, port: i64) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&port))
    }
}

impl Workload {
    /// Whether it is of a kind of Kubernetes itself, so that its pods are as its template says. Who makes the pods of others may add labels
    /// and containers.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.object.group(), "" | "apps" | "batch")
    }

    /// The proxy that an API gives its pods.
    pub fn proxy(&self, api: &str) -> Option<&Proxy> {
        self.proxies.iter().find(|proxy| proxy.api == api)
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
    /// What the annotation says, and what it would say if only this were fixed; None where a person has to decide.
    pub mended: Option<(String, String)>,
    /// Whether it is a placeholder that nobody filled in.
    pub placeholder: bool,
}

/// A probe that the kubelet sends over the network.
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
    /// Whether it speaks TLS. The kubelet has no certificate to present, and verifies none.
    pub tls: bool,
    /// Whether it is for a container that is a proxy itself.
    pub of_proxy: bool,
    /// Where its port is in the workload.
    pub field: FieldPath,
}
