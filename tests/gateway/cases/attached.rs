//! Which routes are attached to which listeners: the certificates cover nothing, so MV504 is reported where one is.

use serde_json::{Value, json};

use crate::case::{Case, Differs, WEB, changed, https, moved, namespace, route, route_to};
use crate::secrets;

/// A listener that allows these routes, and a Secret whose certificate covers nothing.
fn of(name: &str, allowed: Value) -> Case {
    let listener = changed(https("web", "*.example.com"), "/allowedRoutes", allowed);
    Case::of(name, &[listener]).pair(&secrets::named("else.example.org")).uncovered()
}

fn usual(kind: &str) -> Value {
    route(kind, &["a.example.com"])
}

pub(crate) fn cases() -> Vec<Case> {
    [namespaces(), kinds(), parents(), hosts(), several()].into_iter().flatten().collect()
}

fn namespaces() -> Vec<Case> {
    let from = |from: &str| json!({"namespaces": {"from": from}});
    let selecting = |labels: Value| json!({"namespaces": {"from": "Selector", "selector": {"matchLabels": labels}}});
    let parent = json!([{"name": "web", "namespace": "shop"}]);
    let far = || moved(route_to("HTTPRoute", parent.clone(), &["a.example.com"]), "other", "route");
    let other = |labels: Value| namespace("other", labels);
    let expression = json!({"namespaces": {"from": "Selector",
        "selector": {"matchExpressions": [{"key": "edge", "operator": "Exists"}]}}});
    vec![
        of("routes-of-same", from("Same")).with(usual("HTTPRoute")),
        of("far-route-by-default", Value::Null).with(far()),
        of("far-route-of-same", from("Same")).with(far()),
        of("far-route-of-all", from("All")).with(far()),
        of("far-route-selected", selecting(json!({"edge": "yes"})))
            .with(far())
            .with(other(json!({"edge": "yes"})))
            .in_cluster(),
        of("far-route-not-selected", selecting(json!({"edge": "yes"})))
            .with(far())
            .with(other(json!({"edge": "no"})))
            .in_cluster(),
        of("far-route-selected-by-expression", expression.clone())
            .with(far())
            .with(other(json!({"edge": ""})))
            .in_cluster(),
        of("far-route-not-selected-by-expression", expression).with(far()).with(other(json!({}))).in_cluster(),
        of("far-route-selected-by-everything", selecting(json!({}))).with(far()).with(other(json!({}))).in_cluster(),
        of("near-route-not-selected", selecting(json!({"edge": "yes"})))
            .with(usual("HTTPRoute"))
            .with(namespace("shop", json!({"edge": "no"})))
            .in_cluster(),
        of("no-selector", json!({"namespaces": {"from": "Selector"}})).with(usual("HTTPRoute")).differs(
            WEB,
            Differs::Silent,
            "the selector is missing, which has nothing to do with TLS",
        ),
    ]
}

fn kinds() -> Vec<Case> {
    let kinds = |kinds: &[&str]| json!({"kinds": kinds.iter().map(|kind| json!({"kind": kind})).collect::<Vec<_>>()});
    vec![
        of("grpc-route-by-default", Value::Null).with(usual("GRPCRoute")),
        of("http-route-where-grpc-is-taken", kinds(&["GRPCRoute"])).with(usual("HTTPRoute")),
        of("grpc-route-where-http-is-taken", kinds(&["HTTPRoute"])).with(usual("GRPCRoute")),
        of("grpc-route-where-both-are-taken", kinds(&["HTTPRoute", "GRPCRoute"])).with(usual("GRPCRoute")),
        of("tls-route-to-https", Value::Null).with(usual("TLSRoute")),
        of("route-of-a-kind-of-another-group", json!({"kinds": [{"group": "example.com", "kind": "HTTPRoute"}]}))
            .with(usual("HTTPRoute"))
            .softer("the kinds of routes have nothing to do with TLS")
            .covered(),
    ]
}

fn parents() -> Vec<Case> {
    let to = |parents: Value| route_to("HTTPRoute", parents, &["a.example.com"]);
    let of = |name: &str| of(name, Value::Null);
    vec![
        of("section-said").with(to(json!([{"name": "web", "sectionName": "web"}]))),
        of("another-section-said").with(to(json!([{"name": "web", "sectionName": "other"}]))),
        of("port-said").with(to(json!([{"name": "web", "port": 443}]))),
        of("another-port-said").with(to(json!([{"name": "web", "port": 8443}]))),
        of("section-and-port-said").with(to(json!([{"name": "web", "sectionName": "web", "port": 443}]))),
        of("section-and-another-port-said").with(to(json!([{"name": "web", "sectionName": "web", "port": 80}]))),
        of("another-gateway").with(to(json!([{"name": "other"}]))),
        of("gateway-of-another-namespace").with(to(json!([{"name": "web", "namespace": "other"}]))),
        of("a-service-as-parent").with(to(json!([{"name": "web", "group": "", "kind": "Service"}]))),
        of("two-parents").with(to(json!([{"name": "other"}, {"name": "web"}]))),
        of("no-parents").with(to(json!([]))),
    ]
}

fn hosts() -> Vec<Case> {
    let on = |name: &str, host: Value, hosts: &[&str]| {
        let listener = changed(https("web", "*.example.com"), "/hostname", host);
        Case::of(name, &[listener]).pair(&secrets::named("else.example.org")).uncovered().with(route_to(
            "HTTPRoute",
            json!([{"name": "web"}]),
            hosts,
        ))
    };
    let star = || json!("*.example.com");
    vec![
        on("route-below-the-star", star(), &["a.b.example.com"]),
        on("route-at-the-star", star(), &["example.com"]),
        on("route-of-another-domain", star(), &["a.example.net"]),
        on("route-of-a-star", star(), &["*.example.com"]),
        on("route-of-a-wider-star", star(), &["*.com"]),
        on("route-of-a-narrower-star", star(), &["*.b.example.com"]),
        on("route-of-another-star", star(), &["*.example.net"]),
        on("route-without-hosts", star(), &[]),
        on("route-of-one-good-host", star(), &["a.example.net", "a.example.com"]),
        on("route-of-the-same-name", json!("a.example.com"), &["a.example.com"]),
        on("route-of-another-name", json!("a.example.com"), &["b.example.com"]),
        on("star-route-to-a-name", json!("a.example.com"), &["*.example.com"]),
        on("star-route-to-a-name-of-two-labels", json!("a.b.example.com"), &["*.example.com"]),
        on("star-route-to-the-name-itself", json!("example.com"), &["*.example.com"]),
        on("route-to-a-listener-without-host", Value::Null, &["a.example.com"]),
        on("nothing-said-anywhere", Value::Null, &[]).covered(),
    ]
}

fn several() -> Vec<Case> {
    let org = |name: &str| secrets::secret("shop", name, "kubernetes.io/tls", &secrets::named("else.example.org"));
    let two = |name: &str, first: &str, second: &str| {
        Case::of(name, &[https("a", first), https("b", second)]).with(org("a")).with(org("b")).uncovered()
    };
    let all = |hosts: &[&str]| route_to("HTTPRoute", json!([{"name": "web"}]), hosts);
    let tls = |name: &str| {
        let listener = json!({"name": "web", "port": 443, "protocol": "TLS", "hostname": "a.example.com",
            "tls": {"mode": "Terminate", "certificateRefs": [{"name": "web"}]}});
        Case::of(name, &[listener]).with(org("web")).uncovered()
    };
    vec![
        two("route-to-both", "a.example.com", "b.example.com").with(all(&["a.example.com", "b.example.com"])),
        two("route-to-one-by-host", "a.example.com", "b.example.com").with(all(&["b.example.com"])),
        two("route-to-one-by-section", "a.example.com", "b.example.com").with(route_to(
            "HTTPRoute",
            json!([{"name": "web", "sectionName": "a"}]),
            &["a.example.com", "b.example.com"],
        )),
        two("route-to-the-star-too", "a.example.com", "*.example.com").with(all(&["a.example.com"])),
        two("routes-of-two-kinds", "a.example.com", "b.example.com").with(all(&["a.example.com"])).with(changed(
            route("GRPCRoute", &["b.example.com"]),
            "/metadata/name",
            "grpc".into(),
        )),
        tls("tls-route-to-tls").with(route("TLSRoute", &["a.example.com"])),
        tls("http-route-to-tls").with(route("HTTPRoute", &["a.example.com"])),
        tls("tls-route-of-another-name").with(route("TLSRoute", &["b.example.com"])),
    ]
}
