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
