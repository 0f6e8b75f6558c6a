//! The cases: a Gateway of Envoy Gateway, and what its listeners name.

use serde_json::{Value, json};

use crate::secrets::{self, Pair};

/// Whether, and why, meshvet says something else than Envoy Gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Differs {
    /// What the one refuses the other denies.
    No,
    /// meshvet denies what Envoy Gateway takes.
    Stricter(&'static str),
    /// meshvet warns of what Envoy Gateway refuses.
    Softer(&'static str),
}

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) differs: Differs,
    listeners: Value,
    others: Vec<Value>,
}

impl Case {
    /// The name of a listener.
    pub(crate) fn listener(&self, place: usize) -> &str {
        self.listeners[place]["name"].as_str().expect("a name")
    }

    pub(crate) fn objects(&self) -> Vec<Value> {
        let class = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "eg"},
            "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}});
        let gateway = object("Gateway", "shop", "web", json!({"gatewayClassName": "eg", "listeners": self.listeners}));
        [class, gateway].into_iter().chain(self.others.iter().cloned()).collect()
    }
}

fn object(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind,
        "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

fn listener(refs: Value) -> Value {
    json!({"name": "web", "port": 443, "protocol": "HTTPS", "hostname": "*.example.com", "tls": {"certificateRefs": refs}})
}

fn route(kind: &str, host: &str) -> Value {
    object(kind, "shop", "route", json!({"parentRefs": [{"name": "web"}], "hostnames": [host]}))
}

fn grant(kind: &str) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1beta1", "kind": "ReferenceGrant",
        "metadata": {"namespace": "certs", "name": "grant"},
        "spec": {"from": [{"group": "gateway.networking.k8s.io", "kind": kind, "namespace": "shop"}],
            "to": [{"group": "", "kind": "Secret"}]}})
}

/// A case of one listener with one Secret that holds this.
fn of_pair(name: &'static str, differs: Differs, pair: Pair) -> Case {
    let secret = secrets::secret("shop", "web", "kubernetes.io/tls", &pair);
    Case { name, differs, listeners: json!([listener(json!([{"name": "web"}]))]), others: vec![secret] }
}

fn of_listener(name: &'static str, differs: Differs, listener: Value, others: Vec<Value>) -> Case {
    Case { name, differs, listeners: json!([listener]), others }
}

const ENVOY: Differs =
    Differs::Stricter("Envoy Gateway doesn't look for it, and its Envoy refuses it at the next start");
const CLIENTS: Differs = Differs::Stricter("Envoy serves it, and every client refuses it");
const FOLLOWS: Differs = Differs::Softer("what is missing may follow: an absent Secret or grant never denies");

pub(crate) fn all() -> Vec<Case> {
    [contents(), shapes(), listeners()].concat_cases()
}

trait ConcatCases {
    fn concat_cases(self) -> Vec<Case>;
}

impl<const N: usize> ConcatCases for [Vec<Case>; N] {
    fn concat_cases(self) -> Vec<Case> {
        self.into_iter().flatten().collect()
    }
}

/// Kinds of certificates.
fn contents() -> Vec<Case> {
    let no = Differs::No;
    vec![
        of_pair("sound", no, secrets::sound()),
        of_pair("rsa-2048", no, secrets::of_key("RSA", "rsa_keygen_bits:2048")),
        of_pair("rsa-1024", ENVOY, secrets::of_key("RSA", "rsa_keygen_bits:1024")),
        of_pair("p-384", no, secrets::of_key("EC", "ec_paramgen_curve:P-384")),
        of_pair(
            "p-521",
            Differs::Stricter("no handshake succeeds with an Envoy"),
            secrets::of_key("EC", "ec_paramgen_curve:P-521"),
        ),
        of_pair("p-224", ENVOY, secrets::of_key("EC", "ec_paramgen_curve:P-224")),
        of_pair("secp256k1", no, secrets::of_key("EC", "ec_paramgen_curve:secp256k1")),
        of_pair("ended", no, secrets::dated(-30, -1)),
        of_pair("not-begun", no, secrets::dated(30, 60)),
        of_pair("clients-only", CLIENTS, secrets::for_clients()),
        of_pair("nameless", ENVOY, secrets::nameless()),
        of_pair("misnamed", no, secrets::named("else.example.org")),
        of_pair("key-of-another", no, secrets::mismatched()),
        of_pair("key-of-another-kind", no, secrets::mismatched_kind()),
    ]
}

/// How files are written.
fn shapes() -> Vec<Case> {
    let no = Differs::No;
    let soft = Differs::Softer("Go skips a block that it can't read, and another may stand behind it");
    let with = |change: fn(Pair) -> Pair| change(secrets::sound());
    vec![
        of_pair("authority-first", no, with(|it| Pair { chain: it.authority.clone() + &it.certificate, ..it })),
        of_pair("der", no, with(|it| Pair { chain: "0\u{82}\u{3}".to_owned(), ..it })),
        of_pair("nonsense", no, with(|it| Pair { chain: "nonsense".to_owned(), ..it })),
        of_pair("no-certificate", no, with(|it| Pair { chain: String::new(), ..it })),
        of_pair("no-key", no, with(|it| Pair { key: String::new(), ..it })),
        of_pair("key-in-place-of-certificate", no, with(|it| Pair { chain: it.key.clone(), ..it })),
        of_pair("certificate-in-place-of-key", no, with(|it| Pair { key: it.certificate.clone(), ..it })),
        of_pair("key-in-the-chain", no, with(|it| Pair { chain: it.certificate.clone() + &it.key, ..it })),
        of_pair("certificate-before-the-key", no, with(|it| Pair { key: it.certificate.clone() + &it.key, ..it })),
        of_pair("encrypted-key", no, secrets::encrypted()),
        of_pair("public-key", no, secrets::public()),
        of_pair("corrupt", soft, with(|it| Pair { chain: secrets::corrupt(&it.certificate), ..it })),
        of_pair("corrupt-key", soft, with(|it| Pair { key: secrets::corrupt(&it.key), ..it })),
        of_pair(
            "corrupt-behind-the-leaf",
            no,
            with(|it| Pair { chain: it.certificate.clone() + &secrets::corrupt(&it.authority), ..it }),
        ),
        of_pair("one-line", no, with(|it| Pair { chain: it.certificate.replace('\n', ""), ..it })),
        of_pair("carriage-returns-alone", no, with(|it| Pair { chain: it.certificate.replace('\n', "\r"), ..it })),
        of_pair("carriage-returns", no, with(|it| Pair { chain: it.certificate.replace('\n', "\r\n"), ..it })),
        of_pair("indented", no, with(|it| Pair { chain: format!("  {}", it.certificate.replace('\n', "\n  ")), ..it })),
        of_pair("text-before", no, with(|it| Pair { chain: format!("subject: web\n{}", it.certificate), ..it })),
        of_pair(
            "ended-behind-the-leaf",
            no,
            with(|it| Pair { chain: it.certificate.clone() + &secrets::dated(-30, -1).certificate, ..it }),
        ),
    ]
}

/// What listeners say.
fn listeners() -> Vec<Case> {
    let no = Differs::No;
    let pair = secrets::sound();
    let tls = |namespace: &str, name: &str| secrets::secret(namespace, name, "kubernetes.io/tls", &pair);
    let own = listener(json!([{"name": "web"}]));
    let changed = |pointer: &str, value: Value| {
        let mut listener = own.clone();
        *listener.pointer_mut(pointer).expect("a place") = value;
        listener
    };
    let elsewhere = listener(json!([{"name": "web", "namespace": "certs"}]));
    let passing = json!({"name": "web", "port": 443, "protocol": "TLS", "hostname": "a.example.com", "tls": {"mode": "Passthrough"}});
    let with_certificate = json!({"name": "web", "port": 443, "protocol": "TLS", "hostname": "a.example.com",
        "tls": {"mode": "Passthrough", "certificateRefs": [{"name": "web"}]}});
    vec![
        of_listener("opaque", no, own.clone(), vec![secrets::secret("shop", "web", "Opaque", &pair)]),
        of_listener("absent", FOLLOWS, own.clone(), vec![]),
        of_listener("not-granted", FOLLOWS, elsewhere.clone(), vec![tls("certs", "web")]),
        of_listener("granted", no, elsewhere.clone(), vec![tls("certs", "web"), grant("Gateway")]),
        of_listener("granted-to-another-kind", FOLLOWS, elsewhere, vec![tls("certs", "web"), grant("ListenerSet")]),
        of_listener(
            "config-map",
            no,
            listener(json!([{"name": "web", "kind": "ConfigMap"}])),
            vec![tls("shop", "web")],
        ),
        of_listener(
            "config-map-and-secret",
            Differs::Softer("the Secret beside it is served"),
            listener(json!([{"name": "x", "kind": "ConfigMap"}, {"name": "web"}])),
            vec![tls("shop", "web")],
        ),
        of_listener("without-tls", no, changed("/tls", Value::Null), vec![]),
        of_listener("options-alone", no, changed("/tls", json!({"options": {"example.com/a": "b"}})), vec![]),
        of_listener("passthrough", no, passing, vec![]),
        of_listener("passthrough-with-certificate", no, with_certificate, vec![tls("shop", "web")]),
        of_listener("plain-http", no, json!({"name": "web", "port": 80, "protocol": "HTTP"}), vec![]),
        of_listener(
            "route-below-the-star",
            no,
            own.clone(),
            vec![tls("shop", "web"), route("HTTPRoute", "a.b.example.com")],
        ),
        of_listener("grpc-route", no, own, vec![tls("shop", "web"), route("GRPCRoute", "a.example.com")]),
    ]
}
