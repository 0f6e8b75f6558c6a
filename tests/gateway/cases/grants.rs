//! Secrets in other namespaces.

use serde_json::{Value, json};

use crate::case::{Case, WEB, changed, grant, route, web};
use crate::cases::FOLLOWS;
use crate::secrets;

/// The listener web with a Secret in the namespace certs.
fn of(name: &str) -> Case {
    Case::of(name, &[web(json!([{"name": "web", "namespace": "certs"}]))])
        .with(route("HTTPRoute", &["a.example.com"]))
        .with(secrets::secret("certs", "web", "kubernetes.io/tls", &secrets::sound()))
        .ask("a.example.com")
}

fn with(name: &str, pointer: &str, value: Value) -> Case {
    of(name).with(changed(grant("Gateway"), pointer, value))
}

pub(crate) fn cases() -> Vec<Case> {
    let from = |group: &str, kind: &str, namespace: &str| json!({"group": group, "kind": kind, "namespace": namespace});
    let own = || from("gateway.networking.k8s.io", "Gateway", "shop");
    let secret = |name: &str| json!([{"group": "", "kind": "Secret", "name": name}]);
    let mismatched = secrets::secret("certs", "web", "kubernetes.io/tls", &secrets::mismatched());
    let elsewhere = || web(json!([{"name": "web", "namespace": "certs"}]));
    vec![
        of("not-granted").softer(FOLLOWS),
        of("granted").with(grant("Gateway")),
        of("granted-to-another-kind").with(grant("ListenerSet")).softer(FOLLOWS),
        with("granted-to-another-group", "/spec/from", json!([from("example.com", "Gateway", "shop")])).softer(FOLLOWS),
        with(
            "granted-to-another-namespace",
            "/spec/from",
            json!([from("gateway.networking.k8s.io", "Gateway", "other")]),
        )
        .softer(FOLLOWS),
        with("granted-to-several", "/spec/from", json!([from("gateway.networking.k8s.io", "Gateway", "other"), own()])),
        with("granted-by-name", "/spec/to", secret("web")),
        with("granted-another-name", "/spec/to", secret("other")).softer(FOLLOWS),
        with("granted-an-empty-name", "/spec/to", secret("")).unread(),
        with("granted-config-maps", "/spec/to", json!([{"group": "", "kind": "ConfigMap"}])).softer(FOLLOWS),
        with(
            "granted-several-kinds",
            "/spec/to",
            json!([{"group": "", "kind": "ConfigMap"}, {"group": "", "kind": "Secret"}]),
        ),
        with("granted-where-the-gateway-is", "/metadata/namespace", "shop".into()).softer(FOLLOWS),
        with("granted-by-v1", "/apiVersion", "gateway.networking.k8s.io/v1".into()),
        of("two-grants").with(changed(grant("Gateway"), "/spec/to", secret("other"))).with(changed(
            grant("Gateway"),
            "/metadata/name",
            "second".into(),
        )),
        Case::of("granted-and-absent", &[elsewhere()]).with(grant("Gateway")).softer(FOLLOWS),
        Case::of("granted-and-mismatched", &[elsewhere()]).with(grant("Gateway")).with(mismatched.clone()),
        Case::of("not-granted-and-mismatched", &[elsewhere()]).with(mismatched).differs(
            WEB,
            crate::case::Differs::Softer,
            FOLLOWS,
        ),
    ]
}
