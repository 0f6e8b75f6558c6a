//! Services: which pods are behind one, by which ports, and what the load balancer in front of it does with TLS and by health checks.
//!
//! A Service is not an object of a mesh: whatever of it can't be read is left to the API server, and nothing is claimed that would rest on it.
//!
//! Sources: Kubernetes API reference, Service; the annotations of the AWS Load Balancer Controller and of the load balancers in
//! Kubernetes' own AWS provider, as their documentations have them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::k8s::{FieldPath, LabelSelector, ObjectRef};
use crate::mesh::{BackendTls, Balanced, HealthCheck, PortTarget, Service, ServicePort};

/// The certificates with which a load balancer terminates TLS; on every port, unless `ssl-ports` limits it.
const SSL_CERT: &str = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert";
/// The ports on which it terminates TLS, by number or name.
const SSL_PORTS: &str = "service.beta.kubernetes.io/aws-load-balancer-ssl-ports";
/// What it speaks with pods after that.
const BACKEND_PROTOCOL: &str = "service.beta.kubernetes.io/aws-load-balancer-backend-protocol";
/// What kind of load balancer it is.
const TYPE: &str = "service.beta.kubernetes.io/aws-load-balancer-type";
/// Whether a network load balancer sends to nodes (`instance`) or to pods (`ip`).
const TARGET_TYPE: &str = "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type";
/// How it checks the health of its targets: `tcp` by default.
const CHECK_PROTOCOL: &str = "service.beta.kubernetes.io/aws-load-balancer-healthcheck-protocol";
/// At which port: by default the one that traffic goes to.
const CHECK_PORT: &str = "service.beta.kubernetes.io/aws-load-balancer-healthcheck-port";

/// Reads a Service.
pub(super) fn service(value: &Value, object: ObjectRef) -> Service {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let annotations: BTreeMap<String, String> =
        value.pointer("/metadata/annotations").and_then(|it| BTreeMap::deserialize(it).ok()).unwrap_or_default();
    let kind = text("/spec/type").unwrap_or("ClusterIP");
    let balancer = Balancer::of(kind, &annotations);
    let check = HealthCheck::of(kind, &annotations).filter(|_| text("/spec/externalTrafficPolicy") != Some("Local"));
    let labels: BTreeMap<String, String> =
        value.pointer("/spec/selector").and_then(|it| BTreeMap::deserialize(it).ok()).unwrap_or_default();
    let selects = kind != "ExternalName" && !labels.is_empty();
    let selector = LabelSelector { match_labels: labels.into(), ..LabelSelector::default() };
    let ports = value.pointer("/spec/ports").and_then(Value::as_array);
    let port_names = ports.into_iter().flatten().filter_map(port_name).collect();
    let mut ports: Vec<_> =
        ports.into_iter().flatten().enumerate().filter_map(|it| port(it, balancer.as_ref())).collect();
    // A Classic load balancer checks one port, a network load balancer each.
    if is_network(&annotations) == Some(true) || ports.len() == 1 {
        ports.iter_mut().for_each(|port| port.checked.clone_from(&check));
    }
    Service {
        selector: selects.then_some(selector),
        headless: text("/spec/clusterIP") == Some("None"),
        port_names,
        ports,
        object,
    }
}

/// The name of a port, where it has one.
fn port_name(port: &Value) -> Option<String> {
    port.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn port((index, value): (usize, &Value), balancer: Option<&Balancer>) -> Option<ServicePort> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    if text("protocol").is_some_and(|protocol| protocol != "TCP") {
        return None;
    }
    let port = number(value.get("port")?)?;
    let target = match value.get("targetPort") {
        None | Some(Value::Null) => PortTarget::Number(port),
        Some(Value::String(name)) if name.is_empty() => PortTarget::Number(port),
        // The API server takes no name without a letter.
        Some(Value::String(name)) if name.bytes().any(|byte| byte.is_ascii_alphabetic()) => {
            PortTarget::Name(name.clone())
        }
        // As it takes 0 for none.
        Some(Value::Number(given)) if given.as_u64() == Some(0) => PortTarget::Number(port),
        Some(given) => number(given).map_or(PortTarget::Unknown, PortTarget::Number),
    };
    let balanced = balancer.and_then(|it| it.balances(port, text("name").unwrap_or_default()));
    let name = port_name(value);
    let field = FieldPath::root().keys(["spec", "ports"]).index(index);
    Some(ServicePort { port, name, target, field, balanced, checked: None })
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
}

/// What an annotation says; None where it is absent or blank.
fn said<'a>(annotations: &'a BTreeMap<String, String>, key: &str) -> Option<&'a str> {
    annotations.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// Whether the annotations ask for a network load balancer. None where they leave it to whoever makes the load balancer.
fn is_network(annotations: &BTreeMap<String, String>) -> Option<bool> {
    said(annotations, TYPE).map(|kind| matches!(kind, "nlb" | "nlb-ip" | "external"))
}

impl HealthCheck {
    /// How a load balancer of AWS checks the pods. None where it only opens a connection, and where it isn't certain which port of the
    /// pods the check arrives at.
    fn of(kind: &str, annotations: &BTreeMap<String, String>) -> Option<Self> {
        let tls = match said(annotations, CHECK_PROTOCOL)?.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let to_pods = said(annotations, TYPE) == Some("nlb-ip") || said(annotations, TARGET_TYPE) == Some("ip");
        let port = match said(annotations, CHECK_PORT) {
            None | Some("traffic-port") => None,
            // Else it is a port of the nodes.
            Some(port) if to_pods => Some(port.parse().ok()?),
            Some(_) => return None,
        };
        let field = FieldPath::root().keys(["metadata", "annotations", CHECK_PROTOCOL]);
        (kind == "LoadBalancer").then_some(Self { tls, port, field })
    }
}

/// A load balancer of AWS that terminates TLS.
struct Balancer {
    /// On these ports; None: on all.
    ports: Option<Vec<String>>,
    to_pods: BackendTls,
}

impl Balancer {
    /// What a Service asks for. None where no TLS is terminated, and where it depends on who makes the load balancer.
    fn of(kind: &str, annotations: &BTreeMap<String, String>) -> Option<Self> {
        said(annotations, SSL_CERT).filter(|_| kind == "LoadBalancer")?;
        let to_pods = match said(annotations, BACKEND_PROTOCOL).map(str::to_ascii_lowercase).as_deref() {
            Some("ssl") => BackendTls::Anew,
            // Network load balancers know `ssl` only, Classic ones `https` too.
            Some("https") if is_network(annotations) == Some(true) => BackendTls::Plaintext,
            None | Some("tcp" | "http") => BackendTls::Plaintext,
            // Anything else one refuses, and another takes for plaintext.
            Some(_) => return None,
        };
        let ports = match said(annotations, SSL_PORTS) {
            None => None,
            // Every port to one, none to another.
            Some("*") => return None,
            Some(ports) => Some(ports.split(',').map(|port| port.trim().to_owned()).collect()),
        };
        Some(Self { ports, to_pods })
    }

    fn balances(&self, port: u16, name: &str) -> Option<Balanced> {
        let (number, to_pods) = (port.to_string(), self.to_pods);
        let is_meant = |wanted: &String| *wanted == number || (!name.is_empty() && wanted == name);
        let field = FieldPath::root().keys(["metadata", "annotations", SSL_CERT]);
        self.ports.as_ref().is_none_or(|ports| ports.iter().any(is_meant)).then_some(Balanced { to_pods, field })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(spec: Value, annotations: Value) -> Service {
        let value = json!({"metadata": {"annotations": annotations}, "spec": spec});
        service(&value, ObjectRef::new("v1", "Service", "shop", "blue"))
    }

    #[test]
    fn a_port_leads_where_the_api_server_says() {
        for (port, expected) in [
            (json!({"port": 80}), PortTarget::Number(80)),
            (json!({"port": 80, "targetPort": null}), PortTarget::Number(80)),
            (json!({"port": 80, "targetPort": 0}), PortTarget::Number(80)),
            (json!({"port": 80, "targetPort": 8080}), PortTarget::Number(8080)),
            (json!({"port": 80, "targetPort": "http"}), PortTarget::Name("http".to_owned())),
            (json!({"port": 80, "targetPort": "8080"}), PortTarget::Unknown),
            (json!({"port": 80, "targetPort": 70000}), PortTarget::Unknown),
            (json!({"port": 80, "targetPort": [1]}), PortTarget::Unknown),
        ] {
            let found = read(json!({"selector": {"app": "blue"}, "ports": [port]}), json!({}));
            assert_eq!(found.ports[0].target, expected, "{port}");
        }
        let none = [json!({"port": 53, "protocol": "UDP"}), json!({"port": "http"}), json!({"port": 0}), json!(7)];
        assert_eq!(read(json!({"ports": none}), json!({})).ports, []);
    }

    #[test]
    fn what_selects_no_pods_has_no_selector() {
        let labels = json!({"app": "blue"});
        assert!(read(json!({"selector": labels}), json!({})).selector.is_some());
        for spec in [
            json!({"type": "ExternalName", "externalName": "db.example.org", "selector": labels}),
            json!({"selector": {}}),
            json!({"selector": null}),
            json!({"selector": {"app": 7}}),
            json!({}),
            Value::Null,
        ] {
            assert_eq!(read(spec.clone(), json!({})).selector, None, "{spec}");
        }
        assert!(read(json!({"clusterIP": "None"}), json!({})).headless);
        assert!(!read(json!({"clusterIP": "10.0.0.7"}), json!({})).headless);
    }

    /// What is spoken with pods on ports 80 (`web`) and 443 (`tls`).
    #[track_caller]
    fn balances(annotations: &[(&str, &str)], expected: [Option<BackendTls>; 2]) {
        let ports = json!([{"name": "web", "port": 80}, {"name": "tls", "port": 443}]);
        let said: serde_json::Map<String, Value> = annotations
            .iter()
            .map(|(key, value)| (format!("service.beta.kubernetes.io/aws-load-balancer-{key}"), (*value).into()))
            .collect();
        let found = read(json!({"type": "LoadBalancer", "ports": ports}), said.into());
        let to_pods: Vec<_> = found.ports.iter().map(|port| port.balanced.as_ref().map(|it| it.to_pods)).collect();
        assert_eq!(to_pods, expected, "{annotations:?}");
    }

    #[test]
    fn a_load_balancer_terminates_tls_where_it_has_a_certificate() {
        const CERT: (&str, &str) = ("ssl-cert", "arn:aws:acm:eu-west-1:111122223333:certificate/a");
        let (plain, anew) = (Some(BackendTls::Plaintext), Some(BackendTls::Anew));
        balances(&[], [None, None]);
        balances(&[("backend-protocol", "http")], [None, None]);
        balances(&[("ssl-cert", " ")], [None, None]);
        balances(&[CERT], [plain, plain]);
        for protocol in ["tcp", "http", "TCP"] {
            balances(&[CERT, ("backend-protocol", protocol)], [plain, plain]);
        }
        balances(&[CERT, ("backend-protocol", "ssl")], [anew, anew]);
        balances(&[CERT, ("backend-protocol", "https")], [None, None]);
        for kind in ["nlb", "nlb-ip", "external"] {
            balances(&[CERT, ("backend-protocol", "https"), ("type", kind)], [plain, plain]);
        }
        balances(&[CERT, ("ssl-ports", "443")], [None, plain]);
        balances(&[CERT, ("ssl-ports", "8443, tls")], [None, plain]);
        balances(&[CERT, ("ssl-ports", "*")], [None, None]);
        let cluster_ip = read(json!({"ports": [{"port": 80}]}), json!({SSL_CERT: "arn:aws:acm:a:1:certificate/a"}));
        assert_eq!(cluster_ip.ports[0].balanced, None);
    }
    /// How ports 80 and 443 are checked: by TLS or not, and at which port of the pods.
    #[track_caller]
    fn checks(spec: Value, annotations: &[(&str, &str)], expected: Option<(bool, Option<u16>)>) {
        let said: serde_json::Map<String, Value> = annotations
            .iter()
            .map(|(key, value)| (format!("service.beta.kubernetes.io/aws-load-balancer-{key}"), (*value).into()))
            .collect();
        let found = read(spec, said.into());
        for port in &found.ports {
            assert_eq!(port.checked.as_ref().map(|it| (it.tls, it.port)), expected, "{annotations:?}");
        }
    }

    #[test]
    fn a_health_check_counts_where_it_is_certain_what_it_arrives_at() {
        let two = || json!({"type": "LoadBalancer", "ports": [{"port": 80}, {"port": 443}]});
        let one = || json!({"type": "LoadBalancer", "ports": [{"port": 443}]});
        const NLB: (&str, &str) = ("type", "nlb");
        const HTTP: (&str, &str) = ("healthcheck-protocol", "http");
        checks(two(), &[NLB, HTTP], Some((false, None)));
        checks(two(), &[NLB, HTTP, ("healthcheck-port", "traffic-port")], Some((false, None)));
        checks(two(), &[("type", "external"), ("healthcheck-protocol", "HTTPS")], Some((true, None)));
        checks(one(), &[HTTP], Some((false, None)));
        for to_pods in [[("type", "nlb-ip"), HTTP], [("nlb-target-type", "ip"), HTTP]] {
            checks(one(), &[&to_pods[..], &[("healthcheck-port", "8443")]].concat(), Some((false, Some(8443))));
            checks(one(), &[&to_pods[..], &[("healthcheck-port", "tls")]].concat(), None);
        }
        // One port of several is checked, or a port of the nodes, or the kube-proxy of each node answers.
        checks(two(), &[HTTP], None);
        checks(one(), &[NLB, HTTP, ("healthcheck-port", "30443")], None);
        let mut local = one();
        local["externalTrafficPolicy"] = "Local".into();
        checks(local, &[NLB, HTTP], None);
        for protocol in ["tcp", "TCP", "ssl", " "] {
            checks(one(), &[NLB, ("healthcheck-protocol", protocol)], None);
        }
        checks(one(), &[NLB], None);
        checks(json!({"ports": [{"port": 443}]}), &[NLB, HTTP], None);
    }
}
