//! What clients must present.

use serde_json::{Value, json};

use crate::case::{Case, Differs, GATEWAY, changed, config_map, gateway, grant, https, route};
use crate::cases::FOLLOWS;
use crate::secrets;

/// A Gateway that requires client certificates.
fn of(name: &str, frontend: Value) -> Case {
    let gateway = changed(gateway("web", &[https("web", "*.example.com")]), "/spec/tls", json!({"frontend": frontend}));
    Case::new(name)
        .with(gateway)
        .with(route("HTTPRoute", &["a.example.com"]))
        .pair(&secrets::sound())
        .ask("a.example.com")
        .showing(secrets::named("client.example.com"))
        .ask_of(443, Some("a.example.com"), &[])
        .ask_of(443, Some("a.example.com"), &[])
        .showing(secrets::of_a_stranger())
}

fn refs(kind: &str) -> Value {
    json!({"validation": {"caCertificateRefs": [{"group": "", "kind": kind, "name": "clients"}]}})
}

fn by_default(tls: Value) -> Value {
    json!({"default": tls})
}

pub(crate) fn cases() -> Vec<Case> {
    [sources(), contents(), ports()].into_iter().flatten().collect()
}

const CONTENT: &str = "Envoy Gateway doesn't look into it, and its Envoy refuses the listener";
const ENDED: &str = "Envoy accepts it, and refuses each client";

trait Follows {
    /// The Gateway has the condition, and its listener is dead; what is missing may follow.
    fn follows(self) -> Self;
}

impl Follows for Case {
    fn follows(self) -> Self {
        self.differs(GATEWAY, Differs::Softer, FOLLOWS).softer(FOLLOWS)
    }
}

fn map(case: Case, content: &str) -> Case {
    case.with(config_map("shop", "clients", json!({"ca.crt": content})))
}

fn sources() -> Vec<Case> {
    let authority = secrets::authority();
    let far = |kind: &str| json!({"validation": {"caCertificateRefs": [{"group": "", "kind": kind, "name": "clients", "namespace": "certs"}]}});
    let filled = config_map("certs", "clients", json!({"ca.crt": authority}));
    let granted = changed(grant("Gateway"), "/spec/to", json!([{"group": "", "kind": "ConfigMap"}]));
    let several = json!({"validation": {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "clients"}, {"group": "", "kind": "ConfigMap", "name": "more"}]}});
    let fallback = json!({"validation": {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "clients"}], "mode": "AllowInsecureFallback"}});
    vec![
        map(of("frontend-config-map", by_default(refs("ConfigMap"))), &authority),
        of("frontend-secret", by_default(refs("Secret"))).with(secrets::filled(
            "shop",
            "clients",
            "Opaque",
            &[("ca.crt", &authority)],
        )),
        of("frontend-absent", by_default(refs("ConfigMap"))).follows(),
        of("frontend-of-another-kind", by_default(refs("Service"))),
        of("frontend-not-granted", by_default(far("ConfigMap"))).with(filled.clone()).follows(),
        of("frontend-granted", by_default(far("ConfigMap"))).with(filled).with(granted),
        map(of("frontend-of-several", by_default(several.clone())), &authority).with(config_map(
            "shop",
            "more",
            json!({"ca.crt": secrets::intermediate()}),
        )),
        map(of("frontend-of-several-of-which-one-absent", by_default(several)), &authority).follows(),
        map(of("frontend-fallback", by_default(fallback)), &authority),
    ]
}

fn contents() -> Vec<Case> {
    let authority = secrets::authority();
    let of = |name: &str, content: &str| map(of(name, by_default(refs("ConfigMap"))), content);
    vec![
        of("frontend-empty", ""),
        of("frontend-nonsense", "nonsense").differs(GATEWAY, Differs::Stricter, CONTENT).stricter(CONTENT),
        of("frontend-corrupt", &secrets::corrupt(&authority)),
        of("frontend-key", &secrets::sound().key).differs(GATEWAY, Differs::Stricter, CONTENT).stricter(CONTENT),
        of("frontend-ended", &secrets::dated(-30, -1).certificate)
            .differs(GATEWAY, Differs::Stricter, ENDED)
            .stricter(ENDED),
        of("frontend-one-ended-of-two", &(secrets::dated(-30, -1).certificate + &authority)),
        of("frontend-leaf", &secrets::named("client.example.com").certificate),
        self::of("frontend-key-tls-crt", by_default(refs("ConfigMap"))).with(config_map(
            "shop",
            "clients",
            json!({"tls.crt": authority}),
        )),
        self::of("frontend-key-of-another-name", by_default(refs("ConfigMap"))).with(config_map(
            "shop",
            "clients",
            json!({"bundle.pem": authority}),
        )),
        self::of("frontend-no-keys", by_default(refs("ConfigMap")))
            .with(config_map("shop", "clients", json!({})))
            .follows(),
    ]
}

fn ports() -> Vec<Case> {
    let authority = secrets::authority();
    let port = |port: u16, tls: Value| json!({"default": {}, "perPort": [{"port": port, "tls": tls}]});
    let both = |tls: Value| json!({"default": refs("ConfigMap"), "perPort": [{"port": 443, "tls": tls}]});
    vec![
        map(of("frontend-of-this-port", port(443, refs("ConfigMap"))), &authority),
        map(of("frontend-of-another-port", port(8443, refs("ConfigMap"))), &authority),
        map(of("frontend-dropped-for-this-port", both(json!({}))), &authority),
        of("frontend-of-this-port-absent", port(443, refs("ConfigMap"))).follows(),
        of("frontend-of-another-port-absent", port(8443, refs("ConfigMap"))).differs(GATEWAY, Differs::Softer, FOLLOWS),
    ]
}
