//! Two Envoys that talk to each other: a client that calls a server.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::envoy::{self, Envoy};
use crate::support::mint::{Authority, Issued};

pub(crate) static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::new("mesh root"));
pub(crate) static OTHER: LazyLock<Authority> = LazyLock::new(|| Authority::new("other root"));
/// What the client calls.
pub(crate) const NAME: &str = "blue.shop.svc";

const TLS: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";
const MANAGER: &str =
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/// What the server presents, and whose clients' certificates it demands.
pub(crate) struct Server<'a> {
    pub(crate) certificate: Option<&'a Issued>,
    pub(crate) client_trust: Option<&'a Authority>,
}

/// A server and a client that has called it once.
pub(crate) struct Pair {
    pub(crate) server: Envoy,
    pub(crate) client: Envoy,
}

/// A listener on a port of Envoy's choice that does this with every request.
fn listener(route: Value, transport: Option<Value>) -> Value {
    let mut action = json!({"match": {"prefix": "/"}});
    action.as_object_mut().expect("an object").extend(route.as_object().expect("an object").clone());
    let manager = json!({
        "@type": MANAGER,
        "stat_prefix": "http",
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}],
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [action]}]},
    });
    let mut chain =
        json!({"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]});
    if let Some(transport) = transport {
        chain["transport_socket"] = transport;
    }
    json!({"name": "in", "stat_prefix": "ingress", "address": envoy::loopback(0), "filter_chains": [chain]})
}

/// Starts a server whose admin interface is at this address.
pub(crate) fn start_server(admin: &Value, server: &Server<'_>) -> Envoy {
    let mut files = Vec::new();
    let transport = server.certificate.map(|certificate| {
        files.extend([("tls.crt", certificate.chain.clone()), ("tls.key", certificate.key.clone())]);
        let pair = json!({"certificate_chain": {"filename": "tls.crt"}, "private_key": {"filename": "tls.key"}});
        let mut common = json!({"tls_certificates": [pair]});
        if let Some(trust) = server.client_trust {
            files.push(("clients.pem", trust.pem()));
            common["validation_context"] = json!({"trusted_ca": {"filename": "clients.pem"}});
        }
        json!({"name": "tls", "typed_config": {
            "@type": format!("{TLS}.DownstreamTlsContext"),
            "require_client_certificate": server.client_trust.is_some(),
            "common_tls_context": common,
        }})
    });
    let answer = json!({"direct_response": {"status": 200, "body": {"inline_string": "hello"}}});
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Envoy::start(admin, &files, &json!({"listeners": [listener(answer, transport)]}))
}

/// Starts a client of that server, whose admin interface is at this address.
pub(crate) fn start_client(admin: &Value, server: &Envoy, trust: &Authority, name: &str) -> Envoy {
    let endpoint = json!({"endpoint": {"address": envoy::loopback(server.listener().port())}});
    let names = json!([{"san_type": "DNS", "matcher": {"exact": name}}]);
    let validation = json!({"trusted_ca": {"filename": "ca.pem"}, "match_typed_subject_alt_names": names});
    let cluster = json!({
        "name": "blue",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "blue", "endpoints": [{"lb_endpoints": [endpoint]}]},
        "transport_socket": {"name": "tls", "typed_config": {
            "@type": format!("{TLS}.UpstreamTlsContext"),
            "common_tls_context": {"validation_context": validation},
        }},
    });
    let listener = listener(json!({"route": {"cluster": "blue"}}), None);
    Envoy::start(admin, &[("ca.pem", &trust.pem())], &json!({"listeners": [listener], "clusters": [cluster]}))
}

impl Pair {
    /// Starts both, and sends one request through them: its answer's status must be this.
    pub(crate) fn new(server: &Server<'_>, trust: &Authority, name: &str, status: u16) -> Self {
        Self::at([&envoy::loopback(0), &envoy::loopback(0)], server, trust, name, status)
    }

    /// The same with the admin interfaces of server and client at these addresses.
    pub(crate) fn at(
        [of_server, of_client]: [&Value; 2],
        server: &Server<'_>,
        trust: &Authority,
        name: &str,
        status: u16,
    ) -> Self {
        let server = start_server(of_server, server);
        let client = start_client(of_client, &server, trust, name);
        let answer = envoy::get(client.listener(), "/").expect("an answer");
        let first = answer.lines().next().unwrap_or_default();
        assert!(first.contains(&format!(" {status} ")), "{first}");
        Self { server, client }
    }

    pub(crate) fn sound() -> Self {
        let certificate = ROOT.leaf(&[NAME]).issue();
        Self::new(&Server { certificate: Some(&certificate), client_trust: None }, &ROOT, NAME, 200)
    }
}
