//! Gateways of any number, with their routes and Secrets.

use meshvet::apis::{Entry, decode_object};
use meshvet::mesh::World;
use meshvet::sources::SharedWorld;
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use serde_json::{Value, json};

const V1: &str = "gateway.networking.k8s.io/v1";
/// Where all of it is.
pub(crate) const NAMESPACE: &str = "edge";

/// A key and who signs with it: making one for each Secret would take longer than all the rest.
pub(crate) struct Mint(KeyPair);

impl Mint {
    pub(crate) fn new() -> Self {
        Self(KeyPair::generate().expect("a key"))
    }

    /// The Secret of a listener, whose certificate is for everything under the listener's host.
    pub(crate) fn secret(&self, gateway: usize, listener: usize) -> Value {
        let mut params = CertificateParams::new(vec![host(gateway, listener)]).expect("a name");
        params.distinguished_name = DistinguishedName::new();
        let now = std::time::SystemTime::now();
        params.not_before = now.into();
        params.not_after = (now + std::time::Duration::from_secs(90 * 24 * 60 * 60)).into();
        let certificate = params.self_signed(&self.0).expect("a certificate");
        json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"namespace": NAMESPACE, "name": secret_name(gateway, listener)},
            "stringData": {"tls.crt": certificate.pem(), "tls.key": self.0.serialize_pem()}})
    }
}

fn host(gateway: usize, listener: usize) -> String {
    format!("*.l{listener}.g{gateway}.example.com")
}

fn secret_name(gateway: usize, listener: usize) -> String {
    format!("g{gateway}-l{listener}")
}

/// A Gateway with so many listeners.
pub(crate) fn gateway(number: usize, listeners: usize) -> Value {
    let listeners = (0..listeners).map(|listener| {
        json!({"name": format!("l{listener}"), "port": 443, "protocol": "HTTPS", "hostname": host(number, listener),
            "tls": {"certificateRefs": [{"name": secret_name(number, listener)}]}})
    });
    json!({"apiVersion": V1, "kind": "Gateway", "metadata": {"namespace": NAMESPACE, "name": format!("g{number}")},
        "spec": {"gatewayClassName": "eg", "listeners": listeners.collect::<Vec<_>>()}})
}

/// A route to one host of one of a Gateway's listeners. It names the Gateway alone.
pub(crate) fn route(number: usize, gateway: usize, listener: usize) -> Value {
    json!({"apiVersion": V1, "kind": "HTTPRoute", "metadata": {"namespace": NAMESPACE, "name": format!("r{number}")}, "spec": {
        "parentRefs": [{"name": format!("g{gateway}")}],
        "hostnames": [format!("r{number}.l{listener}.g{gateway}.example.com")],
        "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
            "backendRefs": [{"name": format!("s{}", number % 500), "port": 443}]}],
    }})
}

/// So many Gateways with so many listeners each, and so many routes over all of them.
pub(crate) fn world(mint: &Mint, gateways: usize, listeners: usize, routes: usize) -> SharedWorld {
    let world = SharedWorld::with_inventory(World::default());
    let learn = |object| match decode_object(object, NAMESPACE).expect("it can be read") {
        Entry::Subject(subject) => world.learn(*subject),
        Entry::Fact(fact) => world.write(|world| world.learn(fact)),
        other => panic!("nothing to learn: {other:?}"),
    };
    learn(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}));
    learn(json!({"apiVersion": V1, "kind": "GatewayClass", "metadata": {"name": "eg"},
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}}));
    for number in 0..gateways {
        learn(gateway(number, listeners));
        (0..listeners).for_each(|listener| learn(mint.secret(number, listener)));
    }
    for number in 0..routes {
        learn(route(number, number % gateways, number / gateways % listeners));
    }
    world
}

/// The review of a change; without an old object, of a new one.
pub(crate) fn review(new: Value, old: Option<Value>) -> bytes::Bytes {
    let (group, version) = match new["apiVersion"].as_str().and_then(|text| text.split_once('/')) {
        Some((group, version)) => (group.to_owned(), version.to_owned()),
        None => (String::new(), "v1".to_owned()),
    };
    let review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "0df28fbd-5f5f-11e8-bc74-36e6bb280816",
            "kind": {"group": group, "version": version, "kind": new["kind"]},
            "namespace": NAMESPACE,
            "name": new["metadata"]["name"],
            "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
            "userInfo": {"username": "somebody"},
            "object": new,
            "oldObject": old,
        },
    });
    review.to_string().into()
}
