//! BackendTLSPolicies: authorities, names, targets, conflicts.

use serde_json::{Value, json};

use crate::case::{Case, Differs, POLICY, changed, config_map, https, object, route, service};
use crate::cases::FOLLOWS;
use crate::secrets;

/// A route to the Service api, and its TLS settings.
fn bare(name: &str) -> Case {
    Case::of(name, &[https("web", "*.example.com")])
        .with(route("HTTPRoute", &["a.example.com"]))
        .with(service("api"))
        .pair(&secrets::sound())
        .ask_of(443, Some("a.example.com"), &[POLICY])
}

/// A policy for the Service api, with the ConfigMap ca.
fn policy(validation: Value) -> Value {
    let mut given =
        json!({"hostname": "api.shop.svc", "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "ca"}]});
    for (key, value) in validation.as_object().expect("an object") {
        given = changed(given, &format!("/{key}"), value.clone());
    }
    object(
        "BackendTLSPolicy",
        "shop",
        "policy",
        json!({"targetRefs": [{"group": "", "kind": "Service", "name": "api"}],
        "validation": given}),
    )
}

fn of(name: &str, policy: Value) -> Case {
    bare(name).with(policy)
}

fn with_authority(case: Case) -> Case {
    case.with(config_map("shop", "ca", json!({"ca.crt": secrets::authority()})))
}

pub(crate) fn cases() -> Vec<Case> {
    [kinds(), keys(), contents(), names(), targets(), conflicts()].into_iter().flatten().collect()
}

fn kinds() -> Vec<Case> {
    let refs = |refs: Value| policy(json!({"caCertificateRefs": refs}));
    let one = |kind: &str| json!([{"group": "", "kind": kind, "name": "ca"}]);
    let secret = |data: &[(&str, &str)]| secrets::filled("shop", "ca", "Opaque", data);
    let authority = secrets::authority();
    vec![
        with_authority(of("ca-config-map", policy(json!({})))),
        of("ca-config-map-absent", policy(json!({}))).differs(POLICY, Differs::Softer, FOLLOWS),
        of("ca-secret", refs(one("Secret"))).with(secret(&[("ca.crt", &authority)])),
        of("ca-secret-absent", refs(one("Secret"))).differs(POLICY, Differs::Softer, FOLLOWS),
        of("ca-secret-of-type-tls", refs(one("Secret")))
            .with(secrets::filled("shop", "ca", "kubernetes.io/tls", &[("ca.crt", &authority), ("tls.crt", &authority), ("tls.key", "")])),
        of("ca-of-another-kind", refs(json!([{"group": "", "kind": "Service", "name": "ca"}]))),
        of("ca-of-another-group", refs(json!([{"group": "example.com", "kind": "Bundle", "name": "ca"}]))),
        of("ca-of-nothing", refs(json!([]))).unread(),
        of("ca-of-the-system", policy(json!({"caCertificateRefs": null, "wellKnownCACertificates": "System"}))),
        of("ca-several", refs(json!([{"group": "", "kind": "ConfigMap", "name": "ca"}, {"group": "", "kind": "ConfigMap", "name": "more"}])))
            .with(config_map("shop", "ca", json!({"ca.crt": authority})))
            .with(config_map("shop", "more", json!({"ca.crt": secrets::intermediate()}))),
        with_authority(of("ca-several-of-which-one-absent", refs(json!([{"group": "", "kind": "ConfigMap", "name": "ca"}, {"group": "", "kind": "ConfigMap", "name": "more"}]))))
            .differs(POLICY, Differs::Softer, FOLLOWS),
        with_authority(of("ca-several-of-which-one-of-another-kind", refs(json!([{"group": "", "kind": "ConfigMap", "name": "ca"}, {"group": "", "kind": "Service", "name": "more"}])))),
        of("ca-of-another-namespace", policy(json!({}))).with(config_map("other", "ca", json!({"ca.crt": authority})))
            .differs(POLICY, Differs::Softer, FOLLOWS),
    ]
}

/// Which key of a ConfigMap or Secret is read.
fn keys() -> Vec<Case> {
    let authority = secrets::authority();
    let map = |name: &str, data: Value| of(name, policy(json!({}))).with(config_map("shop", "ca", data));
    vec![
        map("key-tls-crt", json!({"tls.crt": authority})),
        map("key-of-another-name", json!({"bundle.pem": authority})),
        map("key-ca-crt-of-several", json!({"a.txt": "nonsense", "ca.crt": authority})),
        map("key-ca-crt-empty", json!({"ca.crt": "", "tls.crt": authority})),
        map("no-keys", json!({})).differs(POLICY, Differs::Softer, FOLLOWS),
        map("key-upper-case", json!({"CA.CRT": authority})),
    ]
}

const CONTENT: &str = "Envoy Gateway doesn't look into it, and its Envoy refuses the cluster";

fn contents() -> Vec<Case> {
    let map = |name: &str, content: &str| {
        of(name, policy(json!({}))).with(config_map("shop", "ca", json!({"ca.crt": content})))
    };
    let authority = secrets::authority();
    let ended = secrets::dated(-30, -1).certificate;
    vec![
        map("ca-nonsense", "nonsense").differs(POLICY, Differs::Stricter, CONTENT),
        map("ca-key", &secrets::sound().key).differs(POLICY, Differs::Stricter, CONTENT),
        map("ca-empty", ""),
        map("ca-blank", "\n").differs(POLICY, Differs::Stricter, CONTENT),
        map("ca-corrupt", &secrets::corrupt(&authority)).differs(POLICY, Differs::Stricter, CONTENT),
        map("ca-ended", &ended),
        map("ca-leaf", &secrets::sound().certificate),
        map("ca-two", &(authority.clone() + &secrets::intermediate())),
        map("ca-twice", &authority.repeat(2)),
        map("ca-with-text", &format!("# of the shop\n{authority}")),
    ]
}

fn names() -> Vec<Case> {
    let with = |name: &str, validation: Value| with_authority(of(name, policy(validation)));
    vec![
        with("san-hostname", json!({"subjectAltNames": [{"type": "Hostname", "hostname": "api.shop.svc"}]})),
        with("san-uri", json!({"subjectAltNames": [{"type": "URI", "uri": "spiffe://shop/api"}]})),
        with(
            "san-both",
            json!({"subjectAltNames": [{"type": "Hostname", "hostname": "api.shop.svc"}, {"type": "URI", "uri": "spiffe://shop/api"}]}),
        ),
        with("san-star", json!({"subjectAltNames": [{"type": "Hostname", "hostname": "*.shop.svc"}]})),
        with("hostname-of-another", json!({"hostname": "other.example.org"})),
    ]
}

fn targets() -> Vec<Case> {
    let target = |target: Value| changed(policy(json!({})), "/spec/targetRefs", json!([target]));
    let with = |name: &str, policy: Value| with_authority(of(name, policy));
    let cases = vec![
        with("target-section", target(json!({"group": "", "kind": "Service", "name": "api", "sectionName": "https"}))),
        with(
            "target-section-of-no-port",
            target(json!({"group": "", "kind": "Service", "name": "api", "sectionName": "other"})),
        ),
        with(
            "target-section-by-number",
            target(json!({"group": "", "kind": "Service", "name": "api", "sectionName": "8443"})),
        ),
        with("target-another-service", target(json!({"group": "", "kind": "Service", "name": "other"}))),
        with("target-another-kind", target(json!({"group": "example.com", "kind": "Service", "name": "api"}))),
        with_authority(bare("policy-of-another-namespace").with(changed(
            policy(json!({})),
            "/metadata/namespace",
            "other".into(),
        ))),
        with(
            "two-targets",
            changed(
                policy(json!({})),
                "/spec/targetRefs",
                json!([{"group": "", "kind": "Service", "name": "other"}, {"group": "", "kind": "Service", "name": "api"}]),
            ),
        ),
    ];
    // Its clients are left out: without a cluster, the Backend in place of the Service has other sections.
    cases.into_iter().map(Case::unasked).collect()
}

fn conflicts() -> Vec<Case> {
    const LOSES: &str = "one of the two goes, and which is a matter of time: a warning is enough";
    let second = |policy: Value| changed(policy, "/metadata/name", "second".into());
    let section = |policy: Value, name: &str| changed(policy, "/spec/targetRefs/0/sectionName", name.into());
    let loser = "BackendTLSPolicy shop/second";
    let own = || policy(json!({}));
    let cases = vec![
        with_authority(of("policies-of-one-target", own())).with(second(own())).differs(loser, Differs::Softer, LOSES),
        with_authority(of("policies-of-one-section", section(own(), "https")))
            .with(second(section(own(), "https")))
            .differs(loser, Differs::Softer, LOSES),
        with_authority(of("policies-of-target-and-section", own())).with(second(section(own(), "https"))),
        with_authority(of("policies-of-two-sections", section(own(), "https"))).with(second(section(own(), "other"))),
        with_authority(of("policies-of-two-targets", own())).with(second(changed(
            own(),
            "/spec/targetRefs/0/name",
            "other".into(),
        ))),
    ];
    cases.into_iter().map(Case::unasked).collect()
}
