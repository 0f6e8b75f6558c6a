//! Manifests of small worlds: namespaces, Secrets, workloads, virtual nodes and gateways, as JSON that kubectl takes.

use serde_json::{Value, json};

use super::mint::Issued;

/// Several objects as one.
pub(crate) fn list(items: impl IntoIterator<Item = Value>) -> Value {
    let items: Vec<Value> = items.into_iter().collect();
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// A namespace that proxies are injected into.
pub(crate) fn namespace(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {"appmesh.k8s.aws/sidecarInjectorWebhook": "enabled"},
        },
    })
}

/// A Secret of type Opaque with these keys.
pub(crate) fn secret(namespace: &str, name: &str, data: &[(&str, &str)]) -> Value {
    let data: serde_json::Map<String, Value> =
        data.iter().map(|(key, text)| ((*key).to_owned(), Value::from(*text))).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": namespace, "name": name},
        "stringData": data,
    })
}

/// A Secret as cert-manager and `kubectl create secret tls` make it: the chain in `tls.crt`, its key in `tls.key`.
pub(crate) fn tls_secret(namespace: &str, name: &str, issued: &Issued) -> Value {
    secret(namespace, name, &[("tls.crt", &issued.chain), ("tls.key", &issued.key)])
}

/// A Deployment whose pods carry the label `app: NAME` and this `appmesh.k8s.aws/secretMounts` (none if empty).
pub(crate) fn deployment(namespace: &str, name: &str, secret_mounts: &str) -> Value {
    let mut annotations = serde_json::Map::new();
    if !secret_mounts.is_empty() {
        annotations.insert("appmesh.k8s.aws/secretMounts".into(), secret_mounts.into());
    }
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}, "annotations": annotations},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]},
            },
        },
    })
}

/// The files of a listener's certificate under the mount `/certs`.
pub(crate) fn file_certificate(chain: &str, key: &str) -> Value {
    json!({"file": {"certificateChain": format!("/certs/{chain}"), "privateKey": format!("/certs/{key}")}})
}

/// A VirtualNode `NAME` that selects the pods `app: NAME`, is found by DNS at `hostname`, and serves STRICT TLS on port 8443
/// with `/certs/tls.crt` and `/certs/tls.key`.
pub(crate) fn virtual_node(namespace: &str, name: &str, hostname: &str) -> Value {
    json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": "VirtualNode",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "podSelector": {"matchLabels": {"app": name}},
            "listeners": [{
                "portMapping": {"port": 8443, "protocol": "http"},
                "tls": {"mode": "STRICT", "certificate": file_certificate("tls.crt", "tls.key")},
            }],
            "serviceDiscovery": {"dns": {"hostname": hostname}},
        },
    })
}

/// A VirtualGateway `NAME` that selects the pods `app: NAME` and serves STRICT TLS on port 8443 with these files.
pub(crate) fn virtual_gateway(namespace: &str, name: &str, certificate: Value) -> Value {
    json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": "VirtualGateway",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "podSelector": {"matchLabels": {"app": name}},
            "listeners": [{
                "portMapping": {"port": 8443, "protocol": "http"},
                "tls": {"mode": "STRICT", "certificate": certificate},
            }],
        },
    })
}

/// A Deployment of a gateway: its pods *are* the proxy, a container `envoy` that mounts Secret `secret` at `path`.
pub(crate) fn gateway_deployment(namespace: &str, name: &str, secret: &str, path: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [{
                        "name": "envoy",
                        "image": "envoy:1",
                        "volumeMounts": [{"name": "certificates", "mountPath": path}],
                    }],
                    "volumes": [{"name": "certificates", "secret": {"secretName": secret}}],
                },
            },
        },
    })
}

/// An object of the App Mesh API.
pub(crate) fn app_mesh(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": kind,
        "metadata": {"namespace": namespace, "name": name},
        "spec": spec,
    })
}

/// A VirtualService `NAME` that virtual node `node` provides.
pub(crate) fn virtual_service(namespace: &str, name: &str, node: &str) -> Value {
    let provider = json!({"virtualNode": {"virtualNodeRef": {"name": node}}});
    app_mesh("VirtualService", namespace, name, json!({"provider": provider}))
}

/// A VirtualService `NAME` that virtual router `router` provides.
pub(crate) fn routed_service(namespace: &str, name: &str, router: &str) -> Value {
    let provider = json!({"virtualRouter": {"virtualRouterRef": {"name": router}}});
    app_mesh("VirtualService", namespace, name, json!({"provider": provider}))
}

/// A VirtualRouter `NAME` with one route, whose requests go to virtual node `node`.
pub(crate) fn virtual_router(namespace: &str, name: &str, node: &str) -> Value {
    let targets = json!([{"virtualNodeRef": {"name": node}, "weight": 1}]);
    let route = json!({"match": {"prefix": "/"}, "action": {"weightedTargets": targets}});
    let spec = json!({
        "listeners": [{"portMapping": {"port": 8443, "protocol": "http"}}],
        "routes": [{"name": "all", "httpRoute": route}],
    });
    app_mesh("VirtualRouter", namespace, name, spec)
}

/// A GatewayRoute `NAME` that leads to virtual service `service`.
pub(crate) fn gateway_route(namespace: &str, name: &str, service: &str) -> Value {
    let target = json!({"virtualService": {"virtualServiceRef": {"name": service}}});
    let route = json!({"match": {"prefix": "/"}, "action": {"target": target}});
    app_mesh("GatewayRoute", namespace, name, json!({"httpRoute": route}))
}

/// A BackendGroup `NAME` that holds virtual service `service`.
pub(crate) fn backend_group(namespace: &str, name: &str, service: &str) -> Value {
    app_mesh("BackendGroup", namespace, name, json!({"virtualservices": [{"name": service}]}))
}

/// A client policy that enforces TLS and trusts `/certs/ca.crt`.
pub(crate) fn client_policy() -> Value {
    json!({"tls": {"validation": {"trust": {"file": {"certificateChain": "/certs/ca.crt"}}}}})
}

/// A VirtualNode `NAME` that selects the pods `app: NAME`, has no listener, calls virtual service `service`, and speaks to it as
/// this policy says.
pub(crate) fn calling_node(namespace: &str, name: &str, service: &str, policy: Value) -> Value {
    let spec = json!({
        "podSelector": {"matchLabels": {"app": name}},
        "backends": [{"virtualService": {"virtualServiceRef": {"name": service}}}],
        "backendDefaults": {"clientPolicy": policy},
    });
    app_mesh("VirtualNode", namespace, name, spec)
}
