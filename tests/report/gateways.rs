//! Gateways on the map: the hosts that they are asked for before them, what their routes lead to behind them.

use serde_json::{Value, json};

use crate::Report;
use crate::browser::{Browser, Scheme, pictures};
use crate::looks::is_quiet;
use crate::support::manifests::{list, namespace, tls_secret};
use crate::support::mint::{Authority, Issued};

const V1: &str = "gateway.networking.k8s.io/v1";

fn object(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": V1, "kind": kind, "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

fn secret(namespace: &str, name: &str, issued: &Issued) -> Value {
    let mut secret = tls_secret(namespace, name, issued);
    secret["type"] = "kubernetes.io/tls".into();
    secret
}

fn listener(name: &str, host: &str) -> Value {
    json!({"name": name, "port": 443, "protocol": "HTTPS", "hostname": host,
        "allowedRoutes": {"namespaces": {"from": "All"}}, "tls": {"certificateRefs": [{"name": name}]}})
}

fn route(namespace: &str, name: &str, host: &str, backend: &str) -> Value {
    let spec = json!({
        "parentRefs": [{"name": "public", "namespace": "edge"}],
        "hostnames": [host],
        "rules": [{"backendRefs": [{"name": backend, "port": 8443}]}],
    });
    object("HTTPRoute", namespace, name, spec)
}

/// A Gateway in namespace `edge` for hosts of `shop` and `pay`: one whose key doesn't fit, one that its certificate doesn't cover, and two
/// sound ones; two backends, one of them by TLS; a plain listener; and an Ingress.
fn gateways() -> Vec<Value> {
    let authority = Authority::new("edge root");
    let leaf = |name: &str| authority.leaf(&[name]).issue();
    let mixed_up = Issued { key: leaf("other").key, ..leaf("pay.example.com") };
    let ca = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "pay", "name": "ca"},
        "data": {"ca.crt": authority.pem()}});
    let policy = json!({
        "targetRefs": [{"group": "", "kind": "Service", "name": "ledger"}],
        "validation": {"hostname": "ledger.pay.svc", "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca"}]},
    });
    let service = |namespace: &str, name: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": namespace, "name": name},
            "spec": {"selector": {"app": name}, "ports": [{"name": "https", "port": 8443}]}})
    };
    let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"namespace": "shop", "name": "legacy"},
        "spec": {"tls": [{"hosts": ["old.example.com"], "secretName": "old"}]}});
    let class = json!({"apiVersion": V1, "kind": "GatewayClass", "metadata": {"name": "eg"},
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}});
    let plain = json!({"name": "plain", "port": 80, "protocol": "HTTP"});
    let listeners = [listener("shop", "*.shop.example.com"), listener("pay", "pay.example.com"), plain];
    vec![
        namespace("edge"),
        namespace("shop"),
        namespace("pay"),
        class,
        object("Gateway", "edge", "public", json!({"gatewayClassName": "eg", "listeners": listeners})),
        secret("edge", "shop", &leaf("*.shop.example.com")),
        secret("edge", "pay", &mixed_up),
        secret("shop", "old", &leaf("old.example.com")),
        route("shop", "cart", "cart.shop.example.com", "cart"),
        route("shop", "images", "img.cdn.shop.example.com", "cart"),
        route("pay", "pay", "pay.example.com", "ledger"),
        service("shop", "cart"),
        service("pay", "ledger"),
        ca,
        object("BackendTLSPolicy", "pay", "ledger", policy),
        ingress,
    ]
}

fn report(objects: Vec<Value>) -> Report {
    let mut report = Report::empty();
    report.add("gateways.json", &list(objects).to_string());
    report
}

/// Each call of the page's data: client, server and state.
fn calls(report: &Report) -> Vec<String> {
    let data = report.data();
    let name = |at: &Value| {
        let node = &data["nodes"][usize::try_from(at.as_u64().expect("a number")).expect("a place")];
        format!("{}/{}", node["namespace"].as_str().expect("text"), node["name"].as_str().expect("text"))
    };
    let all = data["calls"].as_array().expect("calls").iter();
    let mut all: Vec<String> = all
        .map(|call| {
            format!("{} → {}: {}", name(&call["client"]), name(&call["server"]), call["state"].as_str().expect("text"))
        })
        .collect();
    all.sort();
    all
}

fn find(browser: &mut Browser, name: &str) -> String {
    browser.eval("document.getElementById('find').value = '', 0");
    browser.click("#find");
    browser.write(name);
    browser.key("Enter");
    browser.until("!document.getElementById('panel').hidden");
    browser.text_of("#panel")
}

#[test]
fn hosts_stand_before_a_gateway_and_backends_behind_it() {
    let report = report(gateways());
    assert_eq!(
        calls(&report),
        [
            "edge/cart.shop.example.com → edge/public: sound",
            "edge/img.cdn.shop.example.com → edge/public: at-risk",
            "edge/pay.example.com → edge/public: broken",
            "edge/public → pay/ledger: unknown",
            "edge/public → shop/cart: plaintext",
            "shop/old.example.com → shop/legacy: sound",
        ]
    );
    let mut browser = report.open();
    assert_eq!(browser.text_of("#verdict"), "TLS is broken on 1 of 6 calls");
    for scheme in [Scheme::Light, Scheme::Dark] {
        browser.prefer(scheme, "");
        browser.eval("scrollTo(0, 0)");
        browser.picture(&pictures().join(format!("gateways-{scheme:?}.png").to_lowercase()), false);
        browser.eval("document.getElementById('mesh').scrollIntoView({behavior: 'instant'}), 0");
        browser.picture(&pictures().join(format!("gateways-map-{scheme:?}.png").to_lowercase()), false);
    }
    let gateway = find(&mut browser, "edge/public");
    for part in
        ["gateway", "Asked for 3 hosts", "Calls 2", "shop/cart", "pay/ledger", "Listener pay", "port 443, https, TLS"]
    {
        assert!(gateway.contains(part), "{part:?} is not in {gateway}");
    }
    assert!(!gateway.contains("virtual") && !gateway.contains("STRICT") && !gateway.contains("Runs in"), "{gateway}");
    browser.picture(&pictures().join("gateways-panel.png"), false);
    let host = find(&mut browser, "edge/img.cdn.shop.example.com");
    assert!(host.contains("host") && host.contains("Served by") && !host.contains("Listener"), "{host}");
    browser.click("#panel .calls button");
    let call = browser.text_of("#panel");
    for part in ["img.cdn.shop.example.com → public", "at risk", "MV504", "*.shop.example.com"] {
        assert!(call.contains(part), "{part:?} is not in {call}");
    }
    browser.picture(&pictures().join("gateways-host.png"), false);
    let backend = find(&mut browser, "pay/ledger");
    assert!(backend.contains("service") && backend.contains("Called by 1"), "{backend}");
    browser.click("#panel .calls button");
    let call = browser.text_of("#panel");
    for part in [
        "BackendTLSPolicy pay/ledger, TLS enforced",
        "edge root",
        "ledger.pay.svc",
        "the backend's certificate isn't known",
    ] {
        assert!(call.contains(part), "{part:?} is not in {call}");
    }
    browser.picture(&pictures().join("gateways-backend.png"), false);
    is_quiet(&mut browser, &report.url());
}

#[test]
fn two_hundred_gateways_open_with_what_needs_attention() {
    let authority = Authority::new("edge root");
    let mut objects = gateways();
    for number in 0..200 {
        let (space, name) = (["edge", "shop", "pay"][number % 3], format!("gw-{number}"));
        let hosts = [format!("a.gw-{number}.example.com"), format!("b.gw-{number}.example.com")];
        // Every twentieth is for another host.
        let issued = authority.leaf(&[&format!("*.gw-{}.example.com", number + usize::from(number % 20 == 7))]).issue();
        let listener = json!({"name": "web", "port": 443, "protocol": "HTTPS", "hostname": format!("*.gw-{number}.example.com"),
            "tls": {"certificateRefs": [{"name": name}]}});
        objects.push(object("Gateway", space, &name, json!({"gatewayClassName": "eg", "listeners": [listener]})));
        objects.push(secret(space, &name, &issued));
        let backend = json!({"backendRefs": [{"name": format!("app-{}", number % 10), "port": 8080}]});
        let spec = json!({"parentRefs": [{"name": name}], "hostnames": hosts, "rules": [backend]});
        objects.push(object("HTTPRoute", space, &name, spec));
    }
    let report = report(objects);
    let mut browser = report.open();
    assert_eq!(browser.text_of("#verdict"), "TLS is broken on 1 of 606 calls");
    let label = browser.text("document.getElementById('map').getAttribute('aria-label')");
    browser.eval("document.getElementById('mesh').scrollIntoView({behavior: 'instant'}), 0");
    browser.picture(&pictures().join("gateways-many.png"), false);
    browser.click("#whole");
    let whole = browser.text("document.getElementById('map').getAttribute('aria-label')");
    assert_ne!(label, whole);
    browser.eval("document.getElementById('mesh').scrollIntoView({behavior: 'instant'}), 0");
    browser.picture(&pictures().join("gateways-many-whole.png"), false);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
