//! Services: which pods are behind one, by which ports, and what the load balancer before it does with TLS.
//!
//! A Service is no object of a mesh: whatever of it can't be read is left to the API server, and nothing is claimed that would rest on it.
//!
//! Sources: Kubernetes API reference, Service; the annotations of the AWS Load Balancer Controller and of the load balancers in
//! Kubernetes' own AWS provider, as their documentations have them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::k8s::{FieldPath, LabelSelector, ObjectRef};
use crate::mesh::{BackendTls, Balanced, PortTarget, Service, ServicePort};

/// The certificates with which a load balancer ends TLS; by itself on every port.
const SSL_CERT: &str = "service.beta.kubernetes.io/aws-load-balancer-ssl-cert";
/// The ports on which it does, by number or name.
const SSL_PORTS: &str = "service.beta.kubernetes.io/aws-load-balancer-ssl-ports";
/// What it speaks with pods then.
const BACKEND_PROTOCOL: &str = "service.beta.kubernetes.io/aws-load-balancer-backend-protocol";
/// What sort of load balancer it is.
const TYPE: &str = "service.beta.kubernetes.io/aws-load-balancer-type";

/// Reads a Service.
pub(super) fn service(value: &Value, object: ObjectRef) -> Service {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let annotations: BTreeMap<String, String> =
        value.pointer("/metadata/annotations").and_then(|it| BTreeMap::deserialize(it).ok()).unwrap_or_default();
    let kind = text("/spec/type").unwrap_or("ClusterIP");
    let balancer = Balancer::of(kind, &annotations);
    let labels = value.pointer("/spec/selector").and_then(|it| BTreeMap::deserialize(it).ok()).unwrap_or_default();
    let selects = kind != "ExternalName" && !BTreeMap::is_empty(&labels);
    let selector = LabelSelector { match_labels: labels, ..LabelSelector::default() };
    let ports = value.pointer("/spec/ports").and_then(Value::as_array);
    Service {
        selector: selects.then_some(selector),
        headless: text("/spec/clusterIP") == Some("None"),
        port_names: ports.into_iter().flatten().filter_map(port_name).collect(),
        ports: ports.into_iter().flatten().enumerate().filter_map(|it| port(it, balancer.as_ref())).collect(),
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
    Some(ServicePort { port, name, target, field: FieldPath::root().keys(["spec", "ports"]).index(index), balanced })
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
}

/// A load balancer of AWS that ends TLS.
struct Balancer {
    /// On these ports; None: on all.
    ports: Option<Vec<String>>,
    to_pods: BackendTls,
}

impl Balancer {
    /// What a Service asks for. None where no TLS is ended, and where it depends on who makes the load balancer.
    fn of(kind: &str, annotations: &BTreeMap<String, String>) -> Option<Self> {
        let said = |key: &str| annotations.get(key).map(|value| value.trim()).filter(|value| !value.is_empty());
        said(SSL_CERT).filter(|_| kind == "LoadBalancer")?;
        // Network load balancers know `ssl` alone, Classic ones `https` besides.
        let is_network = said(TYPE).map(|kind| matches!(kind, "nlb" | "nlb-ip" | "external"));
        let to_pods = match said(BACKEND_PROTOCOL).map(str::to_ascii_lowercase).as_deref() {
            Some("ssl") => BackendTls::Anew,
            Some("https") if is_network == Some(true) => BackendTls::Plaintext,
            None | Some("tcp" | "http") => BackendTls::Plaintext,
            // Anything else one refuses, and another takes for plaintext.
            Some(_) => return None,
        };
        let ports = match said(SSL_PORTS) {
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
    fn a_load_balancer_ends_tls_where_it_has_a_certificate() {
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
}
