//! Workloads: the pods that a member's proxies run in, seen through the object that owns them.

use std::collections::BTreeMap;

use crate::k8s::{FieldPath, Labels, ObjectRef};
use crate::mesh::mounts::Mounts;

/// A top-level owner of pods (a Deployment, not its ReplicaSets), or a standalone pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The object.
    pub object: ObjectRef,
    /// The labels of its pods: what selectors look at.
    pub labels: Labels,
    /// The proxies that its pods would have, one for each API that injects one.
    pub proxies: Vec<Proxy>,
    /// Where the pod template's metadata is in the object: `/spec/template/metadata`.
    pub template_metadata: FieldPath,
    /// The TCP ports that its containers name, by name.
    pub ports: Vec<(String, u16)>,
    /// The kubelet's HTTP and gRPC probes.
    pub probes: Vec<Probe>,
    /// The ServiceAccount that its pods run as.
    pub service_account: String,
    /// Whether it has no pods now: then it counts only while another workload uses its template.
    pub at_rest: bool,
    /// The workload whose template its pods are created from, instead of its own.
    pub takes: Option<ObjectRef>,
}

/// The proxy that one API would inject into a workload's pods, or that they bring themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    /// The [API](crate::mesh::Member::api).
    pub api: &'static str,
    /// Whether the pods bring the proxy's container themselves: its mounts count, annotations don't.
    pub brought: bool,
    /// Whether the pods opt out of injection, and bring no proxy.
    pub opted_out: bool,
    /// Its file system.
    pub mounts: Mounts,
    /// The pods' annotations for the injector, as far as rules read them.
    pub annotations: BTreeMap<String, String>,
    /// What is wrong with annotations.
    pub problems: Vec<AnnotationProblem>,
    /// Annotations that were meant to add mounts, but that the injector ignores.
    pub strays: Vec<Stray>,
    /// The ports whose incoming traffic it intercepts; None: those of the member's listeners.
    pub intercepts: Option<Ports>,
}

/// An annotation that the injector ignores: it isn't on the pods, or is misspelt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The annotation's field in the workload.
    pub field: FieldPath,
    /// Its key, as written.
    pub annotation: String,
    /// The intended key.
    pub meant: &'static str,
}

/// Ports, as ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// Both ends included.
    pub ranges: Vec<(i64, i64)>,
    /// Entries that aren't ports.
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
    /// Whether its kind is one of Kubernetes' own, so that its pods are as the template says. Other controllers may add labels
    /// and containers.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.object.group(), "" | "apps" | "batch")
    }

    /// The proxy that an API injects into its pods.
    pub fn proxy(&self, api: &str) -> Option<&Proxy> {
        self.proxies.iter().find(|proxy| proxy.api == api)
    }
}

/// A problem with one annotation of a workload's pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnnotationProblem {
    /// The annotation's field.
    pub field: FieldPath,
    /// Its key.
    pub annotation: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The annotation's value, and the value with only this fixed; None where a person has to decide.
    pub mended: Option<(String, String)>,
    /// Whether it is an unfilled placeholder.
    pub placeholder: bool,
}

/// A probe that the kubelet makes over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// `livenessProbe`, `readinessProbe` or `startupProbe`.
    pub kind: &'static str,
    /// `httpGet` or `grpc`.
    pub action: &'static str,
    /// The container it is for.
    pub container: String,
    /// The port number, also where the probe names a port.
    pub port: u16,
    /// Whether it speaks TLS. The kubelet has no certificate to present, and verifies none.
    pub tls: bool,
    /// Whether it is for a proxy's own container.
    pub of_proxy: bool,
    /// Its port's field in the workload.
    pub field: FieldPath,
}
