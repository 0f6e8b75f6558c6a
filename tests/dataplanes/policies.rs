//! Cases of BackendTLSPolicies, and of certificates that clients show to Gateways of Istio.

use serde_json::{Value, json};

use crate::case::{Case, Probe, gateway_object};
use crate::istio_cases::{HOST, listener, world};
use crate::minted::{self, AUTHORITY, Pair};

/// The name of the application's certificate.
const APP: &str = "app.example.com";

pub(crate) fn all() -> Vec<Case> {
    [backends(), frontends()].into_iter().flatten().collect()
}

/// A Gateway with a sound listener, before an application that serves TLS under this policy.
fn of_policy(case: &'static str, validation: Value, pair: &Pair, others: Vec<Value>) -> Case {
    let mut objects = world(case, json!({"listeners": [listener("web", HOST, json!([{"name": "web"}]))]}), &[HOST]);
    objects.push(minted::secret(case, "web", &minted::sound(HOST)));
    let spec = json!({"targetRefs": [{"group": "", "kind": "Service", "name": "app"}], "validation": validation});
    objects.push(gateway_object("BackendTLSPolicy", case, "app", spec));
    objects.extend(others);
    Case::new(case, objects, vec![Probe::of(HOST)]).backend(pair)
}

fn reference(kind: &str) -> Value {
    json!([{"group": "", "kind": kind, "name": "authority"}])
}

fn backends() -> Vec<Case> {
    let named = |refs: Value| json!({"hostname": APP, "caCertificateRefs": refs});
    let listed = |name: &str| {
        json!({"hostname": APP, "caCertificateRefs": reference("ConfigMap"),
            "subjectAltNames": [{"type": "Hostname", "hostname": name}]})
    };
    let authority = AUTHORITY.pem();
    let sound = minted::sound(APP);
    let map = |case, key| vec![minted::config_map(case, "authority", key, &authority)];
    let secret = |case, key| vec![minted::opaque(case, "authority", key, &authority)];
    let unwelcome = |mut case: Case| {
        case.probes = case.probes.into_iter().map(Probe::unwelcome).collect();
        case
    };
    let of_map = |case, validation, pair: &Pair| of_policy(case, validation, pair, map(case, "ca.crt"));
    let other = minted::sound("other.example.com");
    let by_kind = |case, kind, others| of_policy(case, named(reference(kind)), &sound, others);
    vec![
        of_map("policy", named(reference("ConfigMap")), &sound),
        unwelcome(of_map("policy-stranger", named(reference("ConfigMap")), &minted::of_stranger(APP))),
        unwelcome(of_map("policy-name-unchecked", named(reference("ConfigMap")), &other)).says(&["MV510"]),
        of_map("policy-name-listed", listed(APP), &sound),
        unwelcome(of_map("policy-name-listed-and-another", listed(APP), &other)),
        by_kind("policy-map-cacert", "ConfigMap", map("policy-map-cacert", "cacert")),
        by_kind("policy-secret-ca-crt", "Secret", secret("policy-secret-ca-crt", "ca.crt")),
        by_kind("policy-secret-cacert", "Secret", secret("policy-secret-cacert", "cacert")),
        by_kind("policy-absent", "ConfigMap", vec![]),
        by_kind("policy-other-key", "ConfigMap", map("policy-other-key", "root.pem")),
        by_kind(
            "policy-nonsense",
            "ConfigMap",
            vec![minted::config_map("policy-nonsense", "authority", "ca.crt", "nonsense")],
        ),
    ]
}

/// A sound listener whose clients must show a certificate.
fn of_frontend(case: &'static str, validation: Value, others: Vec<Value>) -> Case {
    let spec = json!({"listeners": [listener("web", HOST, json!([{"name": "web"}]))],
        "tls": {"frontend": {"default": {"validation": validation}}}});
    let mut objects = world(case, spec, &[HOST]);
    objects.push(minted::secret(case, "web", &minted::sound(HOST)));
    objects.extend(others);
    let probes = vec![
        Probe::of(HOST).showing(&minted::sound("client.example.com")),
        Probe::of(HOST).showing(&minted::of_stranger("client.example.com")).unwelcome(),
        Probe::of(HOST).unwelcome(),
    ];
    Case::new(case, objects, probes)
}

fn frontends() -> Vec<Case> {
    let authority = AUTHORITY.pem();
    let by_kind = |case, kind, others| of_frontend(case, json!({"caCertificateRefs": reference(kind)}), others);
    let map = |case, key| by_kind(case, "ConfigMap", vec![minted::config_map(case, "authority", key, &authority)]);
    let secret = |case, key| by_kind(case, "Secret", vec![minted::opaque(case, "authority", key, &authority)]);
    let nonsense = vec![minted::config_map("clients-nonsense", "authority", "ca.crt", "nonsense")];
    let fallback = json!({"caCertificateRefs": reference("ConfigMap"), "mode": "AllowInsecureFallback"});
    let held = vec![minted::config_map("clients-fallback", "authority", "ca.crt", &authority)];
    vec![
        map("clients-map-ca-crt", "ca.crt"),
        map("clients-map-cacert", "cacert"),
        map("clients-map-other-key", "root.pem"),
        secret("clients-secret-ca-crt", "ca.crt"),
        secret("clients-secret-cacert", "cacert"),
        by_kind("clients-absent", "ConfigMap", vec![]),
        by_kind("clients-nonsense", "ConfigMap", nonsense),
        of_frontend("clients-fallback", fallback, held).says(&["MV511"]),
    ]
}
