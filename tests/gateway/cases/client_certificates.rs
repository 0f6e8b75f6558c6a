//! What a Gateway presents to backends.

use serde_json::{Value, json};

use crate::case::{Case, Differs, GATEWAY, changed, config_map, gateway, grant, https, object, route, service};
use crate::secrets::{self, Pair};

const CALLS: &str = "a Gateway serves what needs no backend, whatever it has to show to them";
const CONTENT: &str = "Envoy Gateway doesn't look into it, and its Envoy refuses the cluster";

/// A Gateway that presents the Secret edge to the Service api, which a policy targets.
fn of(name: &str, reference: Value) -> Case {
    let backend = json!({"backend": {"clientCertificateRef": reference}});
    let policy = object(
        "BackendTLSPolicy",
        "shop",
        "policy",
        json!({
        "targetRefs": [{"group": "", "kind": "Service", "name": "api"}],
        "validation": {"hostname": "api.shop.svc", "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca"}]}}),
    );
    Case::new(name)
        .with(changed(gateway("web", &[https("web", "*.example.com")]), "/spec/tls", backend))
        .with(route("HTTPRoute", &["a.example.com"]))
        .with(service("api"))
        .with(policy)
        .with(config_map("shop", "ca", json!({"ca.crt": secrets::authority()})))
        .pair(&secrets::sound())
        .ask_of(443, Some("a.example.com"), &[GATEWAY])
}

fn edge(of_type: &str, pair: &Pair) -> Value {
    secrets::secret("shop", "edge", of_type, pair)
}

pub(crate) fn cases() -> Vec<Case> {
    let own = || json!({"name": "edge"});
    let far = || json!({"name": "edge", "namespace": "certs"});
    let tls = |pair: &Pair| edge("kubernetes.io/tls", pair);
    let sound = secrets::named("edge.example.com");
    let moved = |pair: &Pair| secrets::secret("certs", "edge", "kubernetes.io/tls", pair);
    let keyless = Pair { key: String::new(), ..sound.clone() };
    vec![
        of("client-certificate", own()).with(tls(&sound)),
        of("client-certificate-absent", own()).differs(GATEWAY, Differs::Softer, CALLS),
        of("client-certificate-opaque", own()).with(edge("Opaque", &sound)),
        of("client-certificate-of-another-kind", json!({"name": "edge", "kind": "ConfigMap"})).differs(
            GATEWAY,
            Differs::Softer,
            CALLS,
        ),
        of("client-certificate-of-another-group", json!({"name": "edge", "group": "example.com"})).differs(
            GATEWAY,
            Differs::Softer,
            CALLS,
        ),
        of("client-certificate-not-granted", far()).with(moved(&sound)).differs(GATEWAY, Differs::Softer, CALLS),
        of("client-certificate-granted", far()).with(moved(&sound)).with(grant("Gateway")),
        of("client-certificate-without-key", own()).with(tls(&keyless)).differs(GATEWAY, Differs::Stricter, CONTENT),
        of("client-certificate-mismatched", own())
            .with(tls(&Pair { key: secrets::named("x").key, ..sound.clone() }))
            .differs(GATEWAY, Differs::Stricter, CONTENT),
        of("client-certificate-ended", own()).with(tls(&secrets::dated(-30, -1))),
        of("client-certificate-nonsense", own())
            .with(tls(&Pair { chain: "nonsense".to_owned(), ..sound.clone() }))
            .differs(GATEWAY, Differs::Stricter, CONTENT),
        of("client-certificate-rsa-1024", own()).with(tls(&secrets::of_key("RSA", "rsa_keygen_bits:1024"))).differs(
            GATEWAY,
            Differs::Stricter,
            CONTENT,
        ),
    ]
}
