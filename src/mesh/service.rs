//! Services: the names and ports by which pods are reached, regardless of which proxy gets the traffic.

use std::borrow::Cow;

use crate::k8s::{FieldPath, LabelSelector, ObjectRef, TypeRef};
use crate::mesh::workload::Workload;

/// Kubernetes' own Service kind.
pub(crate) const SERVICE: TypeRef = TypeRef { api_version: "v1", kind: "Service" };

/// A Service of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The object.
    pub object: ObjectRef,
    /// The labels of the pods behind it. None: it selects no pods, because its endpoints are managed elsewhere or it is an alias
    /// (ExternalName). Then nothing is known about pods.
    pub selector: Option<LabelSelector>,
    /// Whether its name resolves to the pods themselves: then no port is mapped.
    pub headless: bool,
    /// Its TCP ports.
    pub ports: Vec<ServicePort>,
    /// The names of all its ports, also those of other protocols.
    pub port_names: Vec<String>,
}

/// A TCP port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// The port that clients call.
    pub port: u16,
    /// Its name; None where it has none, as a Service's only port may.
    pub name: Option<String>,
    /// The pods' port that it leads to.
    pub target: PortTarget,
    /// Its field in the Service.
    pub field: FieldPath,
    /// What a load balancer that terminates TLS on it does; None: there is none, it doesn't terminate TLS here, or that is unknown.
    pub balanced: Option<Balanced>,
    /// A load balancer's HTTP health check of the pods behind it; None: it makes none, or that is unknown.
    pub checked: Option<HealthCheck>,
}

/// A load balancer's health check of pods by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Whether the check uses TLS (HTTPS). The load balancer has no client certificate.
    pub tls: bool,
    /// The pods' port that is checked; None: the traffic port.
    pub port: Option<u16>,
    /// The Service's field that configures it.
    pub field: FieldPath,
}

/// A port of pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortTarget {
    /// A port number.
    Number(u16),
    /// A container port's name.
    Name(String),
    /// Unknown.
    Unknown,
}

/// A load balancer that terminates TLS on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balanced {
    /// How it connects to the pods. It has no client certificate.
    pub to_pods: BackendTls,
    /// The Service's field that makes it terminate TLS.
    pub field: FieldPath,
}

/// What a load balancer uses to connect to pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendTls {
    /// Plaintext.
    Plaintext,
    /// TLS, without a client certificate.
    Anew,
}

/// What a port of a Service leads to on a workload's pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival<'s> {
    /// This port.
    Port(u16),
    /// Nowhere: no container has a port of this name.
    NoPortNamed(&'s str),
    /// Unknown.
    Unknown,
}

/// Label prefixes that users set in pod templates. Other prefixed labels may be set by a controller.
const OF_PEOPLE: [&str; 2] = ["app.kubernetes.io/", "helm.sh/"];
/// Labels without a prefix that controllers add to pods.
const OF_CONTROLLERS: [&str; 5] =
    ["pod-template-hash", "controller-revision-hash", "rollouts-pod-template-hash", "controller-uid", "job-name"];

impl Service {
    /// Whether a workload's pods are behind it. None where it depends on a label that a controller sets, not the template.
    pub fn selects(&self, workload: &Workload) -> Option<bool> {
        let selector = self.selector.as_ref()?;
        if workload.object.namespace() != self.object.namespace() {
            return Some(false);
        }
        let mut certain = true;
        for (key, value) in selector.match_labels.iter() {
            match workload.labels.get(key) {
                Some(label) if label == value => {}
                None if may_be_a_controllers(key) || !workload.is_plain() => certain = false,
                Some(_) | None => return Some(false),
            }
        }
        certain.then_some(true)
    }
}

fn may_be_a_controllers(key: &str) -> bool {
    OF_CONTROLLERS.contains(&key) || (key.contains('/') && !OF_PEOPLE.iter().any(|prefix| key.starts_with(prefix)))
}

impl ServicePort {
    /// Which port of a workload's pods it leads to.
    pub fn arrives_at<'s>(&'s self, workload: &Workload) -> Arrival<'s> {
        match &self.target {
            PortTarget::Number(port) => Arrival::Port(*port),
            PortTarget::Unknown => Arrival::Unknown,
            PortTarget::Name(name) => match workload.ports.iter().find(|(known, _)| known == name) {
                Some((_, port)) => Arrival::Port(*port),
                None if workload.is_plain() => Arrival::NoPortNamed(name),
                // Another controller adds containers to the pods.
                None => Arrival::Unknown,
            },
        }
    }
}

/// A Service as named by a hostname.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceName {
    /// The Service's name.
    pub(crate) name: String,
    /// Its namespace; None: the caller's.
    pub(crate) namespace: Option<String>,
    /// Whether only a Service can have this name. `blue.shop`, for one, may also be an ordinary host if there is no namespace `shop`.
    pub(crate) is_certain: bool,
}

/// The domain of multi-cluster Services: they belong to another API, and no Service of this cluster need exist.
const SHARED_DOMAIN: &str = "clusterset";

impl ServiceName {
    /// The Service that a hostname may name (Kubernetes DNS-Based Service Discovery): `blue`, `blue.shop`, `blue.shop.svc`, and the
    /// last below a cluster's domain. None where it doesn't name a Service, but a pod, for example.
    pub(crate) fn of(hostname: &str) -> Option<Self> {
        let mut hostname = Cow::Borrowed(hostname.trim_end_matches('.'));
        if hostname.bytes().any(|byte| byte.is_ascii_uppercase()) {
            hostname.to_mut().make_ascii_lowercase();
        }
        let mut labels = hostname.split('.');
        let name = labels.next().filter(|name| !name.is_empty() && *name != "localhost")?.to_owned();
        let namespace = labels.next().map(str::to_owned);
        let is_certain = match (labels.next(), labels.next()) {
            (None, _) => false,
            (Some("svc"), domain) if domain != Some(SHARED_DOMAIN) => true,
            (Some(_), _) => return None,
        };
        Some(Self { name, namespace, is_certain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostname_names_a_service_by_the_clusters_dns() {
        let named = |hostname: &str| {
            let ServiceName { name, namespace, is_certain } = ServiceName::of(hostname)?;
            Some((name, namespace.unwrap_or_default(), is_certain))
        };
        let certain = |name: &str, namespace: &str| Some((name.to_owned(), namespace.to_owned(), true));
        let doubtful = |name: &str, namespace: &str| Some((name.to_owned(), namespace.to_owned(), false));
        for hostname in
            ["blue.shop.svc", "blue.shop.svc.cluster.local", "Blue.shop.SVC.cluster.local.", "blue.shop.svc.a.b"]
        {
            assert_eq!(named(hostname), certain("blue", "shop"), "{hostname}");
        }
        assert_eq!(named("blue"), doubtful("blue", ""));
        assert_eq!(named("blue.shop"), doubtful("blue", "shop"));
        for hostname in [
            "",
            ".",
            "localhost",
            "10.0.0.1",
            "blue.apps.local",
            "db.example.org",
            "pod-0.blue.shop.svc.cluster.local",
            "blue.shop.svc.clusterset.local",
        ] {
            assert_eq!(named(hostname), None, "{hostname}");
        }
    }
}
