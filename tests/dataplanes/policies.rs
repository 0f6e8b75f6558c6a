//! Cases of BackendTLSPolicies, and of client certificates for Istio Gateways.

use serde_json::{Value, json};

use crate::case::{Case, Probe, gateway_object};
use crate::gateways::{HOST, NEXT, listener};
use crate::minted::{self, AUTHORITY, Pair, STRANGER};
use crate::record::Controller::Istio;

/// The name of the application's certificate.
const APP: &str = "app.example.com";

pub(crate) fn all() -> Vec<Case> {
    [backends(), authorities(), beside(), frontends()].into_iter().flatten().collect()
}

fn policy(namespace: &str, validation: Value) -> Value {
    let spec = json!({"targetRefs": [{"group": "", "kind": "Service", "name": "app"}], "validation": validation});
    gateway_object("BackendTLSPolicy", namespace, "app", spec)
}

/// A Gateway with a healthy listener, in front of an application that serves TLS under this policy.
fn of_policy(case: &'static str, validation: Value, pair: &Pair, others: Vec<Value>) -> Case {
    let mut objects =
        Istio.world(case, json!({"listeners": [listener("web", HOST, json!([{"name": "web"}]))]}), &[HOST]);
    objects.push(minted::secret(case, "web", &minted::sound(HOST)));
    objects.push(policy(case, validation));
    objects.extend(others);
    Case::new(case, objects, vec![Probe::of(HOST)]).backend(pair)
}

fn reference(kind: &str) -> Value {
    json!([{"group": "", "kind": kind, "name": "authority"}])
}

fn named(refs: Value) -> Value {
    json!({"hostname": APP, "caCertificateRefs": refs})
}

/// What the application presents, and what the policy requires.
fn backends() -> Vec<Case> {
    let listed = |name: &str| {
        json!({"hostname": APP, "caCertificateRefs": reference("ConfigMap"),
            "subjectAltNames": [{"type": "Hostname", "hostname": name}]})
    };
    let of = |case, validation, pair: &Pair| {
        of_policy(case, validation, pair, vec![minted::config_map(case, "authority", "ca.crt", &AUTHORITY.pem())])
    };
    let any = || named(reference("ConfigMap"));
    let mut unchecked = of("policy-name-unchecked", any(), &minted::sound("other.example.com")).says(&["MV510"]);
    // The policy's author meant another backend.
    unchecked.probes = unchecked.probes.into_iter().map(Probe::unwelcome).collect();
    vec![
        of("policy", any(), &minted::sound(APP)),
        of("policy-stranger", any(), &minted::of_stranger(APP)),
        of("policy-ended", any(), &minted::ended(APP)),
        unchecked,
        of("policy-name-listed", listed(APP), &minted::sound(APP)),
        of("policy-name-listed-and-another", listed(APP), &minted::sound("other.example.com")),
    ]
}

/// Where the authorities are.
fn authorities() -> Vec<Case> {
    let authority = AUTHORITY.pem();
    let sound = minted::sound(APP);
    let map = |case: &'static str, key| {
        of_policy(
            case,
            named(reference("ConfigMap")),
            &sound,
            vec![minted::config_map(case, "authority", key, &authority)],
        )
    };
    let secret = |case: &'static str, key| {
        of_policy(case, named(reference("Secret")), &sound, vec![minted::opaque(case, "authority", key, &authority)])
    };
    let nonsense = vec![minted::config_map("policy-nonsense", "authority", "ca.crt", "nonsense")];
    let two = |case: &'static str, names: [&str; 2]| {
        let refs = names.map(|name| json!({"group": "", "kind": "ConfigMap", "name": name}));
        let maps = vec![
            minted::config_map(case, "authority", "ca.crt", &authority),
            minted::config_map(case, "stranger", "ca.crt", &STRANGER.pem()),
        ];
        of_policy(case, named(json!(refs)), &sound, maps)
    };
    vec![
        map("policy-map-cacert", "cacert"),
        map("policy-other-key", "root.pem"),
        secret("policy-secret-ca-crt", "ca.crt"),
        secret("policy-secret-cacert", "cacert"),
        of_policy("policy-absent", named(reference("ConfigMap")), &sound, vec![]),
        of_policy("policy-nonsense", named(reference("ConfigMap")), &sound, nonsense),
        two("policy-first-fits", ["authority", "stranger"]),
        two("policy-second-fits", ["stranger", "authority"]),
    ]
}

/// Listeners whose hosts have nothing to do with a policy whose authorities can't be read.
fn beside() -> Vec<Case> {
    let nonsense = |namespace: &str| {
        [
            minted::config_map(namespace, "authority", "ca.crt", "nonsense"),
            policy(namespace, named(reference("ConfigMap"))),
        ]
    };
    let of = |case: &'static str, others: Vec<Value>| {
        let listeners =
            [("web", HOST), ("next", NEXT)].map(|(name, host)| listener(name, host, json!([{"name": name}])));
        let mut objects = Istio.world(case, json!({"listeners": listeners}), &[HOST]);
        let redirect = json!([{"type": "RequestRedirect", "requestRedirect": {"hostname": "elsewhere.example.com"}}]);
        let spec = json!({"parentRefs": [{"name": "web"}], "hostnames": [NEXT], "rules": [{"filters": redirect}]});
        objects.push(gateway_object("HTTPRoute", case, "next", spec));
        objects.push(minted::secret(case, "web", &minted::sound(HOST)));
        objects.push(minted::secret(case, "next", &minted::sound(NEXT)));
        objects.extend(others);
        objects
    };
    let own = "policy-nonsense-beside";
    let own_case = Case::new(own, of(own, nonsense(own).into()), vec![Probe::of(HOST), Probe::neighbour(NEXT)]);
    // A Service in another namespace, which no route leads to. Only the Gateway's namespace sees it, or each case would have it.
    let far = "policy-nonsense-elsewhere";
    let elsewhere = "elsewhere-with-nonsense";
    let mut others = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": elsewhere}}),
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"namespace": elsewhere, "name": "app", "annotations": {"networking.istio.io/exportTo": far}},
            "spec": {"ports": [{"name": "web", "port": 80}]}}),
    ];
    others.extend(nonsense(elsewhere));
    let far_case = Case::new(far, of(far, others), vec![Probe::neighbour(HOST), Probe::neighbour(NEXT)]);
    vec![own_case.backend(&minted::sound(APP)), far_case]
}

/// A healthy listener whose clients must present a certificate.
fn of_frontend(case: &'static str, validation: Value, others: Vec<Value>) -> Case {
    let spec = json!({"listeners": [listener("web", HOST, json!([{"name": "web"}]))],
        "tls": {"frontend": {"default": {"validation": validation}}}});
    let mut objects = Istio.world(case, spec, &[HOST]);
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
    let two = ["authority", "stranger"].map(|name| json!({"group": "", "kind": "ConfigMap", "name": name}));
    let of_two = vec![
        minted::config_map("clients-two-authorities", "authority", "ca.crt", &authority),
        minted::config_map("clients-two-authorities", "stranger", "ca.crt", &STRANGER.pem()),
    ];
    vec![
        map("clients-map-ca-crt", "ca.crt"),
        map("clients-map-cacert", "cacert"),
        map("clients-map-other-key", "root.pem"),
        secret("clients-secret-ca-crt", "ca.crt"),
        secret("clients-secret-cacert", "cacert"),
        by_kind("clients-absent", "ConfigMap", vec![]),
        by_kind("clients-nonsense", "ConfigMap", nonsense),
        of_frontend("clients-two-authorities", json!({"caCertificateRefs": two}), of_two),
        of_frontend("clients-fallback", fallback, held).says(&["MV511"]),
    ]
}
