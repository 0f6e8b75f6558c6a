//! ListenerSets: whether their Gateway allows them, what they refer to, which routes are attached.

use serde_json::{Value, json};

use crate::case::{Case, Differs, changed, gateway, grant, https, namespace, object, route_to};
use crate::cases::{ENVOY, FOLLOWS};
use crate::secrets::{self, Pair};

/// The listener of most sets.
const MORE: &str = "ListenerSet shop/more more";

/// A Gateway that allows ListenerSets of these namespaces; null: it doesn't say.
fn taking(from: Value) -> Value {
    let listener = json!({"name": "plain", "port": 80, "protocol": "HTTP"});
    changed(gateway("web", &[listener]), "/spec/allowedListeners", from)
}

fn from(from: &str) -> Value {
    json!({"namespaces": {"from": from}})
}

fn set(namespace: &str, listeners: &[Value]) -> Value {
    object(
        "ListenerSet",
        namespace,
        "more",
        json!({"parentRef": {"name": "web", "namespace": "shop"}, "listeners": listeners}),
    )
}

fn more() -> Value {
    https("more", "*.example.com")
}

fn tls(namespace: &str, pair: &Pair) -> Value {
    secrets::secret(namespace, "more", "kubernetes.io/tls", pair)
}

/// A set in the Gateway's own namespace, which the Gateway allows.
fn of(name: &str, listener: Value) -> Case {
    Case::new(name).with(taking(from("Same"))).with(set("shop", &[listener])).in_cluster()
}

pub(crate) fn cases() -> Vec<Case> {
    [allowed(), references(), routes(), several()].into_iter().flatten().collect()
}

/// The certificate can't be used, which is reported only for sets that are allowed.
fn allowed() -> Vec<Case> {
    const NOT_TAKEN: &str = "its Gateway doesn't allow it: what is in it doesn't matter yet";
    let mismatched = secrets::mismatched();
    let of = |name: &str, allowed: Value, namespace: &str| {
        Case::new(name)
            .with(taking(allowed))
            .with(set(namespace, &[more()]))
            .with(tls(namespace, &mismatched))
            .in_cluster()
    };
    let not_taken = |case: Case, namespace: &str| {
        case.differs(&format!("ListenerSet {namespace}/more"), Differs::Silent, NOT_TAKEN)
    };
    let selecting = json!({"namespaces": {"from": "Selector", "selector": {"matchLabels": {"edge": "yes"}}}});
    let labelled = |edge: &str| namespace("other", json!({"edge": edge}));
    vec![
        not_taken(of("set-by-default", Value::Null, "shop"), "shop"),
        not_taken(of("set-of-none", from("None"), "shop"), "shop"),
        of("set-of-same", from("Same"), "shop"),
        not_taken(of("far-set-of-same", from("Same"), "other"), "other"),
        of("set-of-all", from("All"), "shop"),
        of("far-set-of-all", from("All"), "other"),
        of("far-set-selected", selecting.clone(), "other").with(labelled("yes")),
        not_taken(of("far-set-not-selected", selecting, "other").with(labelled("no")), "other"),
    ]
}

fn references() -> Vec<Case> {
    let elsewhere = || changed(more(), "/tls/certificateRefs/0/namespace", "certs".into());
    let sound = secrets::sound();
    vec![
        of("set-sound", more()).with(tls("shop", &sound)),
        of("set-absent", more()).differs(MORE, Differs::Softer, FOLLOWS),
        of("set-ended", more()).with(tls("shop", &secrets::dated(-30, -1))),
        of("set-opaque", more()).with(secrets::secret("shop", "more", "Opaque", &sound)),
        of("set-rsa-1024", more()).with(tls("shop", &secrets::of_key("RSA", "rsa_keygen_bits:1024"))).differs(
            MORE,
            Differs::Stricter,
            ENVOY,
        ),
        of("set-not-granted", elsewhere()).with(tls("certs", &sound)).differs(MORE, Differs::Softer, FOLLOWS),
        of("set-granted", elsewhere()).with(tls("certs", &sound)).with(grant("ListenerSet")),
        of("set-granted-to-gateways", elsewhere()).with(tls("certs", &sound)).with(grant("Gateway")).differs(
            MORE,
            Differs::Softer,
            FOLLOWS,
        ),
        of("set-without-certificate", changed(more(), "/tls", json!({"options": {"example.com/a": "b"}}))),
        Case::new("far-set-with-its-own-secret")
            .with(taking(from("All")))
            .with(set("other", &[more()]))
            .with(tls("other", &sound))
            .in_cluster(),
        Case::new("far-set-with-the-gateways-secret")
            .with(taking(from("All")))
            .with(set("other", &[more()]))
            .with(tls("shop", &sound))
            .differs("ListenerSet other/more more", Differs::Softer, FOLLOWS)
            .in_cluster(),
    ]
}

/// The certificate covers nothing, so MV504 is reported where a route is attached.
fn routes() -> Vec<Case> {
    let of = |name: &str, parent: Value| {
        of(name, more())
            .with(tls("shop", &secrets::named("else.example.org")))
            .with(route_to("HTTPRoute", json!([parent]), &["a.example.com"]))
            .uncovered()
    };
    let set = |section: Value| changed(json!({"kind": "ListenerSet", "name": "more"}), "/sectionName", section);
    vec![
        of("route-to-set", set(Value::Null)),
        of("route-to-section-of-set", set("more".into())),
        of("route-to-another-section-of-set", set("other".into())),
        of("route-to-gateway-of-set", json!({"name": "web"})),
        of("route-to-section-by-the-gateway", json!({"name": "web", "sectionName": "more"})),
        of("route-to-another-set", json!({"kind": "ListenerSet", "name": "other"})),
    ]
}

fn several() -> Vec<Case> {
    let sound = secrets::sound();
    let web = || changed(gateway("web", &[https("web", "a.example.com")]), "/spec/allowedListeners", from("Same"));
    let own = || secrets::secret("shop", "web", "kubernetes.io/tls", &sound);
    let other = secrets::secret("shop", "other", "kubernetes.io/tls", &secrets::mismatched());
    vec![
        Case::new("set-beside-the-gateways-own")
            .with(web())
            .with(own())
            .with(set("shop", &[more()]))
            .with(tls("shop", &sound))
            .in_cluster(),
        Case::new("bad-set-beside-the-gateways-own")
            .with(web())
            .with(own())
            .with(set("shop", &[more()]))
            .with(tls("shop", &secrets::mismatched()))
            .in_cluster(),
        Case::new("set-of-two")
            .with(taking(from("Same")))
            .with(set("shop", &[more(), https("other", "*.example.net")]))
            .with(tls("shop", &sound))
            .with(other)
            .in_cluster(),
    ]
}
