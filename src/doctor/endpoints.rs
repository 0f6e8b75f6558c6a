//! The Service, and who stands behind it.

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Client;
use kube::api::{Api, ListParams};

use crate::doctor::Diagnosis;
use crate::doctor::configuration::Called;
use crate::sources::cluster::Pod;

/// One ready endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Its address.
    pub(super) address: String,
    /// The pod behind it, where the endpoint names one.
    pub(super) pod: Option<String>,
    /// Its port.
    pub(super) port: u16,
}

/// Looks at the Service and its endpoints.
pub(super) async fn look(client: &Client, called: &Called, diagnosis: &mut Diagnosis) -> Vec<Endpoint> {
    let (namespace, name) = &called.service;
    let services = Api::<Service>::namespaced(client.clone(), namespace);
    match services.get_opt(name).await {
        Ok(Some(service)) => {
            let ports = service.spec.and_then(|spec| spec.ports).unwrap_or_default();
            if ports.iter().any(|port| port.port == called.port) {
                diagnosis.ok("service", format!("Service {namespace}/{name} has port {}", called.port));
            } else {
                diagnosis.fail(
                    "service",
                    format!("Service {namespace}/{name} has no port {}, which the webhooks call", called.port),
                    "let clientConfig.service.port and the Service agree",
                );
            }
        }
        Ok(None) => diagnosis.fail(
            "service",
            format!("there is no Service {namespace}/{name}, which the webhooks call"),
            "install the chart or deploy/ again, or name the right configuration (--webhook-configuration)",
        ),
        Err(error) => diagnosis.unseen("service", &format!("Service {namespace}/{name}"), &error),
    }
    let slices = Api::<EndpointSlice>::namespaced(client.clone(), namespace);
    let of_service = ListParams::default().labels(&format!("kubernetes.io/service-name={name}"));
    let endpoints = match slices.list(&of_service).await {
        Ok(slices) => ready(&slices.items),
        Err(error) => {
            diagnosis.unseen("endpoints", &format!("the EndpointSlices of Service {namespace}/{name}"), &error);
            return Vec::new();
        }
    };
    judge(&endpoints, called, diagnosis);
    endpoints
}

fn judge(endpoints: &[Endpoint], called: &Called, diagnosis: &mut Diagnosis) {
    let (namespace, name) = &called.service;
    let then = if called.fails_closed { "the mesh can't be changed" } else { "everything passes unjudged" };
    match endpoints.len() {
        0 => diagnosis.fail(
            "endpoints",
            format!("no replica of Service {namespace}/{name} is ready: {then}"),
            format!(
                "kubectl -n {namespace} get pods, then describe and logs of one: /readyz says what it waits for. \
                 docs/break-glass.md has what lets changes pass meanwhile"
            ),
        ),
        1 if called.fails_closed => diagnosis.warn(
            "endpoints",
            format!("one replica is ready: when it stops, {then} until there is another"),
            "run two replicas, or set failurePolicy Ignore",
        ),
        ready => diagnosis.ok("endpoints", format!("{ready} ready")),
    }
}

fn ready(slices: &[EndpointSlice]) -> Vec<Endpoint> {
    let mut found = Vec::new();
    for slice in slices {
        let ports = slice.ports.iter().flatten();
        // The Service's https port has this name in the chart and in deploy/.
        let port = ports.clone().find(|port| port.name.as_deref() == Some("https")).or_else(|| ports.clone().next());
        let Some(port) = port.and_then(|port| u16::try_from(port.port?).ok()) else { continue };
        for endpoint in &slice.endpoints {
            let is_ready = endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true);
            let pod = endpoint.target_ref.as_ref().filter(|it| it.kind.as_deref() == Some("Pod"));
            if let Some(address) = endpoint.addresses.first().filter(|_| is_ready) {
                found.push(Endpoint { address: address.clone(), pod: pod.and_then(|pod| pod.name.clone()), port });
            }
        }
    }
    found
}

/// A pod of the Service, ready or not, by which the arguments are known.
pub(super) async fn a_pod(client: &Client, called: &Called, endpoints: &[Endpoint]) -> Option<Pod> {
    let (namespace, name) = &called.service;
    let pods = Api::<Pod>::namespaced(client.clone(), namespace);
    if let Some(pod) = endpoints.iter().find_map(|endpoint| endpoint.pod.as_ref()) {
        return pods.get_opt(pod).await.ok().flatten();
    }
    let service = Api::<Service>::namespaced(client.clone(), namespace).get_opt(name).await.ok().flatten()?;
    let selector = service.spec?.selector?;
    let labels: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let found = pods.list(&ListParams::default().labels(&labels.join(",")).limit(1)).await.ok()?;
    found.items.into_iter().next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::Outcome;

    fn called(fails_closed: bool) -> Called {
        Called {
            service: ("vet".to_owned(), "meshvet".to_owned()),
            port: 443,
            trusted: Vec::new(),
            path: String::new(),
            fails_closed,
        }
    }

    #[test]
    fn only_ready_endpoints_count() {
        let slices = json!([{
            "metadata": {},
            "addressType": "IPv4",
            "ports": [{"name": "probes", "port": 8081}, {"name": "https", "port": 8443}],
            "endpoints": [
                {"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "targetRef": {"kind": "Pod", "name": "a"}},
                {"addresses": ["10.0.0.2"], "conditions": {"ready": false}},
                {"addresses": ["10.0.0.3"]},
            ],
        }]);
        let found = ready(&serde_json::from_value::<Vec<EndpointSlice>>(slices).expect("slices"));
        let seen: Vec<(&str, Option<&str>, u16)> =
            found.iter().map(|it| (it.address.as_str(), it.pod.as_deref(), it.port)).collect();
        assert_eq!(seen, [("10.0.0.1", Some("a"), 8443), ("10.0.0.3", None, 8443)]);
    }

    #[test]
    fn how_many_are_enough_depends_on_what_happens_without() {
        let outcome = |ready: usize, fails_closed: bool| {
            let mut diagnosis = Diagnosis::default();
            let one = Endpoint { address: "10.0.0.1".to_owned(), pod: None, port: 8443 };
            judge(&vec![one; ready], &called(fails_closed), &mut diagnosis);
            diagnosis.worst()
        };
        assert_eq!([outcome(0, false), outcome(0, true)], [Outcome::Failed; 2]);
        assert_eq!([outcome(1, false), outcome(1, true)], [Outcome::Ok, Outcome::Warning]);
        assert_eq!([outcome(2, false), outcome(2, true)], [Outcome::Ok; 2]);
    }
}
