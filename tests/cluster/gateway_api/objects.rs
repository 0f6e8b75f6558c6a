//! Manifests of Gateway API, and the Secrets that listeners serve with.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::support::manifests::tls_secret;
use crate::support::mint::{Authority, Issued, Key};

pub(crate) const V1: &str = "gateway.networking.k8s.io/v1";

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("edge root"));

pub(crate) fn authority() -> &'static Authority {
    &AUTHORITY
}

pub(crate) fn class(name: &str, controller: &str) -> Value {
    json!({"apiVersion": V1, "kind": "GatewayClass", "metadata": {"name": name}, "spec": {"controllerName": controller}})
}

/// An HTTPS listener on port 443.
pub(crate) fn listener((name, host, secret): (&str, &str, &str)) -> Value {
    let reference = match secret.split_once('/') {
        Some((namespace, name)) => json!({"namespace": namespace, "name": name}),
        None => json!({"name": secret}),
    };
    json!({"name": name, "port": 443, "protocol": "HTTPS", "hostname": host, "tls": {"certificateRefs": [reference]}})
}

/// A Gateway whose listeners are each a name, a host and a Secret's name.
pub(crate) fn gateway(namespace: &str, name: &str, class: &str, listeners: &[(&str, &str, &str)]) -> Value {
    json!({"apiVersion": V1, "kind": "Gateway", "metadata": {"namespace": namespace, "name": name},
        "spec": {"gatewayClassName": class, "listeners": listeners.iter().copied().map(listener).collect::<Vec<_>>()}})
}

/// A ListenerSet that adds its listener to a Gateway, which may be in another namespace.
pub(crate) fn listener_set(namespace: &str, name: &str, parent: &Value, of: (&str, &str, &str)) -> Value {
    let mut parent_ref = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway"});
    parent_ref["name"] = parent["metadata"]["name"].clone();
    parent_ref["namespace"] = parent["metadata"]["namespace"].clone();
    json!({"apiVersion": V1, "kind": "ListenerSet", "metadata": {"namespace": namespace, "name": name},
        "spec": {"parentRef": parent_ref, "listeners": [listener(of)]}})
}

/// A route from a Gateway to port 443 of the Service of the same name.
pub(crate) fn route(namespace: &str, name: &str, gateway: &str, hosts: &[&str]) -> Value {
    json!({"apiVersion": V1, "kind": "HTTPRoute", "metadata": {"namespace": namespace, "name": name}, "spec": {
        "parentRefs": [{"name": gateway}],
        "hostnames": hosts,
        "rules": [{"backendRefs": [{"name": name, "port": 443}]}],
    }})
}

/// A ReferenceGrant that lets Gateways of one namespace name Secrets of another.
pub(crate) fn grant(namespace: &str, from: (&str, &str)) -> Value {
    json!({"apiVersion": V1, "kind": "ReferenceGrant", "metadata": {"namespace": namespace, "name": "gateways"}, "spec": {
        "from": [{"group": "gateway.networking.k8s.io", "kind": from.0, "namespace": from.1}],
        "to": [{"group": "", "kind": "Secret"}],
    }})
}

/// A good pair for a name.
pub(crate) fn leaf(name: &str) -> Issued {
    authority().leaf(&[name]).issue()
}

/// One that Envoy Gateway and Istio accept, but whose key every Envoy refuses.
pub(crate) fn short(name: &str) -> Issued {
    authority().leaf(&[name]).key(Key::Rsa(1024)).issue()
}

/// The certificate with the key of another.
pub(crate) fn mismatched(issued: &Issued) -> Issued {
    Issued { key: leaf("another").key, ..issued.clone() }
}

/// A Secret of type kubernetes.io/tls.
pub(crate) fn secret(namespace: &str, name: &str, issued: &Issued) -> Value {
    let mut secret = tls_secret(namespace, name, issued);
    secret["type"] = "kubernetes.io/tls".into();
    secret
}

/// The same object with an annotation.
pub(crate) fn annotated(mut object: Value, key: &str, value: &str) -> Value {
    object["metadata"]["annotations"][key] = value.into();
    object
}

/// The same Gateway with a change in its spec that has no effect: the chart only has updates of the spec reviewed.
pub(crate) fn touched(mut gateway: Value, how: &str) -> Value {
    gateway["spec"]["infrastructure"]["labels"]["touched"] = how.into();
    gateway
}
