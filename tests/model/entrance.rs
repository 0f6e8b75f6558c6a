//! Slots for what is in front of the mesh: a Gateway, its routes to Services, and policies for these.

use serde_json::{Value, json};

use crate::touched::{ROOTS, Slot, slot};

fn object(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

fn gateway() -> Slot {
    let listener = |name: &str, host: &str, reference: Value| json!({"name": name, "port": 443, "protocol": "HTTPS", "hostname": host, "tls": {"certificateRefs": [reference]}});
    let of = |listeners: Value, tls: Value| {
        object("Gateway", "shop", "web", json!({"gatewayClassName": "eg", "listeners": listeners, "tls": tls}))
    };
    let own = || json!([listener("web", "*.shop.local", json!({"name": "blue"}))]);
    let shows = |reference: Value| json!({"backend": {"clientCertificateRef": reference}});
    let validates = json!({"frontend": {"default": {"validation": {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca"}]}}}});
    let mut open = own();
    open[0]["allowedRoutes"] = json!({"namespaces": {"from": "All"}});
    let mut labelled = own();
    labelled[0]["allowedRoutes"] =
        json!({"namespaces": {"from": "Selector", "selector": {"matchLabels": {"mesh": "apps"}}}});
    let elsewhere = json!([listener("web", "*.shop.local", json!({"name": "green", "namespace": "till"}))]);
    let two = json!([
        listener("web", "*.shop.local", json!({"name": "blue"})),
        listener("red", "red.shop.local", json!({"name": "red"}))
    ]);
    slot([
        of(own(), json!({})),
        of(own(), shows(json!({"name": "red"}))),
        of(own(), shows(json!({"name": "green", "namespace": "till"}))),
        of(own(), validates),
        of(open, json!({})),
        of(labelled, json!({})),
        of(elsewhere, json!({})),
        of(two, json!({})),
    ])
}

fn route() -> Slot {
    let of = |hosts: &[&str], backends: Value| {
        let parents = json!([{"name": "web"}]);
        let spec = json!({"parentRefs": parents, "hostnames": hosts, "rules": [{"backendRefs": backends}]});
        object("HTTPRoute", "shop", "web", spec)
    };
    slot([
        of(&["blue.shop.local"], json!([{"name": "api", "port": 8443}])),
        of(&["red.shop.local"], json!([{"name": "api", "port": 443}, {"name": "blue", "port": 8443}])),
        of(&[], json!([{"name": "blue", "port": 8443}, {"name": "edge", "namespace": "till", "port": 8443}])),
        of(&["a.b.shop.local"], json!([{"name": "api", "port": 8443, "weight": 0}])),
    ])
}

/// A route of another namespace, that needs to be granted the Service.
fn far_route() -> Slot {
    let of = |parent: Value| {
        let backends = json!([{"name": "api", "namespace": "shop", "port": 8443}]);
        object("HTTPRoute", "till", "far", json!({"parentRefs": [parent], "rules": [{"backendRefs": backends}]}))
    };
    slot([
        of(json!({"name": "web", "namespace": "shop"})),
        of(json!({"name": "web", "namespace": "shop", "sectionName": "red"})),
    ])
}

fn policy(name: &str) -> Slot {
    let of = |targets: Value, hostname: &str| {
        let authorities = json!([{"group": "", "kind": "ConfigMap", "name": "ca"}]);
        let validation = json!({"hostname": hostname, "caCertificateRefs": authorities});
        object("BackendTLSPolicy", "shop", name, json!({"targetRefs": targets, "validation": validation}))
    };
    let target = |service: &str| json!({"group": "", "kind": "Service", "name": service});
    let port =
        |service: &str, port: &str| json!({"group": "", "kind": "Service", "name": service, "sectionName": port});
    slot([
        of(json!([target("api")]), "blue.shop.local"),
        of(json!([target("api"), target("blue")]), "red.shop.local"),
        of(json!([port("api", "https")]), "else.local"),
        of(json!([port("api", "other"), target("blue")]), "blue.shop.local"),
    ])
}

fn service() -> Slot {
    let of = |app: &str, ports: Value| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": "api"},
            "spec": {"selector": {"app": app}, "ports": ports}})
    };
    slot([
        of("blue", json!([{"name": "https", "port": 8443}, {"name": "other", "port": 443, "targetPort": 8443}])),
        of("blue", json!([{"name": "other", "port": 8443}])),
        of("blue", json!([{"port": 8443}])),
        of("red", json!([{"name": "https", "port": 8443}])),
        of("blue", json!([{"name": "https", "port": 8443, "targetPort": 9443}])),
    ])
}

fn authorities() -> Slot {
    let of = |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "ca"}, "data": data});
    let [one, other] = &*ROOTS;
    slot([
        of(json!({"ca.crt": one.pem()})),
        of(json!({"ca.crt": other.pem()})),
        of(json!({"ca.crt": "nonsense"})),
        of(json!({"ca.pem": one.pem()})),
        of(json!({})),
    ])
}

fn class() -> Slot {
    let of = |controller: &str| json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "eg"}, "spec": {"controllerName": controller}});
    slot([
        of("gateway.envoyproxy.io/gatewayclass-controller"),
        of("istio.io/gateway-controller"),
        of("example.com/unknown"),
    ])
}

fn grant() -> Slot {
    let of = |to: Value| {
        let from = json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "shop"}]);
        object("ReferenceGrant", "till", "grant", json!({"from": from, "to": [to]}))
    };
    slot([of(json!({"group": "", "kind": "Secret"})), of(json!({"group": "", "kind": "Secret", "name": "edge"}))])
}

/// Lets routes of the other namespace name Services.
fn service_grant() -> Slot {
    let from = json!([{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "till"}]);
    slot([object(
        "ReferenceGrant",
        "shop",
        "services",
        json!({"from": from, "to": [{"group": "", "kind": "Service"}]}),
    )])
}

pub(crate) fn slots() -> Vec<Slot> {
    vec![
        gateway(),
        route(),
        far_route(),
        policy("a"),
        policy("b"),
        service(),
        authorities(),
        class(),
        grant(),
        service_grant(),
    ]
}
