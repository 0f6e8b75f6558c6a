//! Services: names and ports by which pods are reached, without a word of which proxy takes what arrives there.

use crate::k8s::{FieldPath, LabelSelector, ObjectRef, TypeRef};
use crate::mesh::workload::Workload;

/// Kubernetes' own Services.
pub(crate) const SERVICE: TypeRef = TypeRef { api_version: "v1", kind: "Service" };

/// A Service of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The object.
    pub object: ObjectRef,
    /// The labels of the pods behind it. None: it selects none, since somebody else makes its endpoints, or since it is another name of
    /// a host. Then nothing follows for any pod.
    pub selector: Option<LabelSelector>,
    /// Whether its name leads to the pods themselves: no port is mapped then.
    pub headless: bool,
    /// Its TCP ports.
    pub ports: Vec<ServicePort>,
    /// The names of all its ports, those of other protocols too.
    pub port_names: Vec<String>,
}

/// A TCP port of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// The port that clients call.
    pub port: u16,
    /// Its name; None where it has none, as the only port of a Service may.
    pub name: Option<String>,
    /// The port of the pods that it leads to.
    pub target: PortTarget,
    /// Where it is in the Service.
    pub field: FieldPath,
    /// What a load balancer does that terminates TLS on it; None: there is none, or it terminates none here, or nobody knows.
    pub balanced: Option<Balanced>,
    /// How a load balancer checks by HTTP whether the pods behind it are healthy; None: it doesn't, or nobody knows.
    pub checked: Option<HealthCheck>,
}

/// A load balancer's health check of pods by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Whether over TLS (HTTPS). The load balancer has no certificate to present.
    pub tls: bool,
    /// At this port of the pods; None: at the one that traffic goes to.
    pub port: Option<u16>,
    /// The field of the Service that asks for it.
    pub field: FieldPath,
}

/// A port of pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortTarget {
    /// By its number.
    Number(u16),
    /// By the name that a container gives it.
    Name(String),
    /// Nobody knows.
    Unknown,
}

/// A load balancer that terminates TLS on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balanced {
    /// Whether it opens TLS connections of its own to the pods. It has no certificate to present.
    pub to_pods: BackendTls,
    /// The field of the Service that has it terminate TLS.
    pub field: FieldPath,
}

/// What a load balancer speaks with pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendTls {
    /// Plaintext.
    Plaintext,
    /// TLS, without a certificate of its own.
    Anew,
}

/// What a port of a Service leads to on a workload's pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival<'s> {
    /// To this port.
    Port(u16),
    /// Nowhere: no container has a port of this name.
    NoPortNamed(&'s str),
    /// Nobody knows.
    Unknown,
}

/// Prefixes of labels that people give pods by their template. Others of this form may be a controller's.
const OF_PEOPLE: [&str; 2] = ["app.kubernetes.io/", "helm.sh/"];
/// Labels without a prefix that controllers give pods.
const OF_CONTROLLERS: [&str; 5] =
    ["pod-template-hash", "controller-revision-hash", "rollouts-pod-template-hash", "controller-uid", "job-name"];

impl Service {
    /// Whether a workload's pods are behind it. None where a label decides that no template has, because a controller sets it.
    pub fn selects(&self, workload: &Workload) -> Option<bool> {
        let selector = self.selector.as_ref()?;
        if workload.object.namespace() != self.object.namespace() {
            return Some(false);
        }
        let mut certain = true;
        for (key, value) in &selector.match_labels {
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
    /// Where it leads on a workload's pods.
    pub fn arrives_at<'s>(&'s self, workload: &Workload) -> Arrival<'s> {
        match &self.target {
            PortTarget::Number(port) => Arrival::Port(*port),
            PortTarget::Unknown => Arrival::Unknown,
            PortTarget::Name(name) => match workload.ports.iter().find(|(known, _)| known == name) {
                Some((_, port)) => Arrival::Port(*port),
                None if workload.is_plain() => Arrival::NoPortNamed(name),
                // Somebody else adds containers to the pods.
                None => Arrival::Unknown,
            },
        }
    }
}

/// A Service as a hostname names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceName {
    /// The Service.
    pub(crate) name: String,
    /// Its namespace; None: that of the caller.
    pub(crate) namespace: Option<String>,
    /// Whether only a Service can have this name. Else it may be a host's, as `blue.shop` is where there is no namespace `shop`.
    pub(crate) is_certain: bool,
}

/// The domain of Services that several clusters share: another API's, which none of one cluster needs to be behind.
const SHARED_DOMAIN: &str = "clusterset";

impl ServiceName {
    /// The Service that a hostname may name (Kubernetes DNS-Based Service Discovery): `blue`, `blue.shop`, `blue.shop.svc`, and that
    /// below a cluster's domain. None where it names no Service, but one of its pods, say.
    pub(crate) fn of(hostname: &str) -> Option<Self> {
        let hostname = hostname.trim_end_matches('.').to_ascii_lowercase();
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
