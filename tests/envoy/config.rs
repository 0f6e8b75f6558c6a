//! Envoy's configuration for pairings, as App Mesh would write it.

use std::path::Path;

use serde_json::{Value, json};

use crate::pairing::{
    ANY_KIND, CHAIN, CLIENT_CHAIN, CLIENT_KEY, CLIENT_TRUST, ClientTls, KEY, Pairing, Place, Program, ServerTls, TRUST,
    Validation,
};

const TYPE: &str = "type.googleapis.com/envoy";

/// The header that says which pairing a request is for.
pub(crate) const PAIR: &str = "x-pair";

/// The path of a pairing's file.
pub(crate) fn path(folder: &Path, number: usize, file: &str) -> String {
    folder.join(format!("{number}.{file}")).to_string_lossy().into_owned()
}

fn socket(folder: &Path, name: &str) -> Value {
    json!({"pipe": {"path": folder.join(name)}})
}

/// A manager of HTTP connections with these routes.
fn http(routes: Value, more: Value) -> Value {
    let mut config = json!({
        "@type": format!("{TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "http",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "router", "typed_config": {
            "@type": format!("{TYPE}.extensions.filters.http.router.v3.Router")}}],
    });
    if let (Value::Object(config), Value::Object(more)) = (&mut config, more) {
        config.extend(more);
    }
    json!({"name": "http", "typed_config": config})
}

fn common(
    folder: &Path,
    number: usize,
    own: Option<[&str; 2]>,
    validation: Option<(&str, &Validation)>,
    kinds: &[&str],
) -> Value {
    let file = |name| json!({"filename": path(folder, number, name)});
    let mut out = json!({});
    if let Some([chain, key]) = own {
        out["tls_certificates"] = json!([{"certificate_chain": file(chain), "private_key": file(key)}]);
    }
    if let Some((bundle, validation)) = validation {
        out["validation_context"] = json!({"trusted_ca": file(bundle)});
        let names = &validation.names;
        if kinds == ANY_KIND {
            let matchers: Vec<Value> = names.iter().map(|name| json!({"exact": name})).collect();
            out["validation_context"]["match_subject_alt_names"] = json!(matchers);
        } else if !names.is_empty() {
            let of_name = |name| kinds.iter().map(move |kind| json!({"san_type": kind, "matcher": {"exact": name}}));
            let matchers: Vec<Value> = names.iter().flat_map(of_name).collect();
            out["validation_context"]["match_typed_subject_alt_names"] = json!(matchers);
        }
    }
    out
}

fn downstream(folder: &Path, number: usize, tls: &ServerTls) -> Value {
    let validation = tls.validation.as_ref().map(|validation| (CLIENT_TRUST, validation));
    let mut context = json!({
        "@type": format!("{TYPE}.extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
        "common_tls_context": common(folder, number, Some([CHAIN, KEY]), validation, &["DNS", "URI"]),
    });
    if validation.is_some() {
        context["require_client_certificate"] = json!(true);
    }
    json!({"name": "tls", "typed_config": context})
}

fn upstream(folder: &Path, number: usize, pairing: &Pairing, tls: &ClientTls) -> Value {
    let own = tls.identity.is_some().then_some([CLIENT_CHAIN, CLIENT_KEY]);
    let validation = tls.validation.as_ref().map(|validation| {
        let names = pairing.expected(validation).into_iter().map(str::to_owned).collect();
        Validation { names, ..validation.clone() }
    });
    let trust = validation.as_ref().map(|validation| (TRUST, validation));
    json!({"name": "tls", "typed_config": {
        "@type": format!("{TYPE}.extensions.transport_sockets.tls.v3.UpstreamTlsContext"),
        "common_tls_context": common(folder, number, own, trust, pairing.matchers),
    }})
}

/// What the server's proxy has of a pairing: listeners, and clusters of the applications behind them.
pub(crate) fn server_resources(folder: &Path, number: usize, pairing: &Pairing) -> (Vec<Value>, Vec<Value>) {
    let name = number.to_string();
    let application = application(number);
    let ends_tls = |name: &str| listener(folder, number, name, pairing);
    match (pairing.place, pairing.program) {
        (Place::Listener, _) | (Place::Outside { .. } | Place::Bare, Program::Envoy) => {
            (vec![ends_tls(&name)], Vec::new())
        }
        (Place::Outside { .. } | Place::Bare, _) => (Vec::new(), Vec::new()),
        (Place::Behind, program) => {
            let mut listeners = vec![passing_on(folder, &name)];
            listeners.extend((program == Program::Envoy).then(|| ends_tls(&application)));
            (listeners, vec![plain_cluster(folder, &name, &application)])
        }
    }
}

/// The socket of the application behind a pairing's listener; its listener, where it is an Envoy, has the same name.
pub(crate) fn application(number: usize) -> String {
    format!("{number}{APPLICATION}")
}

/// How the names of applications end.
pub(crate) const APPLICATION: &str = ".app";

/// A `tcp` listener without TLS that passes on what it gets, to the cluster of its own name.
fn passing_on(folder: &Path, name: &str) -> Value {
    json!({
        "@type": format!("{TYPE}.config.listener.v3.Listener"),
        "name": name,
        "address": socket(folder, name),
        "filter_chains": [{"filters": [{"name": "tcp", "typed_config": {
            "@type": format!("{TYPE}.extensions.filters.network.tcp_proxy.v3.TcpProxy"),
            "stat_prefix": "tcp",
            "cluster": name,
        }}]}],
    })
}

/// A listener that says `ok` to every request and logs how each connection fails.
fn listener(folder: &Path, number: usize, name: &str, pairing: &Pairing) -> Value {
    let routes =
        json!([{"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}]);
    let filters = json!([http(routes, json!({}))]);
    let mut chains = Vec::new();
    let mut inspectors = json!([]);
    if let Some(tls) = &pairing.server {
        let mut chain = json!({"transport_socket": downstream(folder, number, tls), "filters": filters});
        if tls.permissive {
            chain["filter_chain_match"] = json!({"transport_protocol": "tls"});
            let kind = format!("{TYPE}.extensions.filters.listener.tls_inspector.v3.TlsInspector");
            inspectors = json!([{"name": "tls_inspector", "typed_config": {"@type": kind}}]);
        }
        chains.push(chain);
    }
    if pairing.server.as_ref().is_none_or(|tls| tls.permissive) {
        chains.push(json!({"filters": filters}));
    }
    let log = format!("{number} %DOWNSTREAM_TRANSPORT_FAILURE_REASON%\n");
    json!({
        "@type": format!("{TYPE}.config.listener.v3.Listener"),
        "name": name,
        "address": socket(folder, name),
        "listener_filters": inspectors,
        "filter_chains": chains,
        "access_log": [{"name": "file", "typed_config": {
            "@type": format!("{TYPE}.extensions.access_loggers.file.v3.FileAccessLog"),
            "path": folder.join("access"),
            "log_format": {"text_format_source": {"inline_string": log}},
        }}],
    })
}

/// The client's cluster of a pairing.
pub(crate) fn cluster(folder: &Path, number: usize, pairing: &Pairing) -> Value {
    let name = number.to_string();
    let reached = match (pairing.place, pairing.program) {
        (Place::Outside { .. } | Place::Bare, Program::Rustls | Program::Mute) => application(number),
        _ => name.clone(),
    };
    let mut out = plain_cluster(folder, &name, &reached);
    if let Some(tls) = &pairing.client {
        out["transport_socket"] = upstream(folder, number, pairing, tls);
    }
    out
}

/// A cluster of one endpoint, without TLS.
fn plain_cluster(folder: &Path, name: &str, reached: &str) -> Value {
    let endpoint = json!({"endpoint": {"address": socket(folder, reached)}});
    json!({
        "@type": format!("{TYPE}.config.cluster.v3.Cluster"),
        "name": name,
        "type": "STATIC",
        "connect_timeout": "60s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    })
}

/// The server's own configuration. Its listeners are read from `listeners`, so that one that is refused leaves the
/// others standing, as with App Mesh's control plane.
pub(crate) fn server(folder: &Path) -> Value {
    json!({
        "node": {"id": "server", "cluster": "server"},
        "admin": {"address": socket(folder, "server.admin")},
        "dynamic_resources": {
            "lds_config": from_file(folder, "listeners"),
            "cds_config": from_file(folder, "applications"),
        },
    })
}

/// The client's own configuration: one way in, and the header says to which cluster it leads.
pub(crate) fn client(folder: &Path) -> Value {
    let routes = json!([{"match": {"prefix": "/"}, "route": {"cluster_header": PAIR, "timeout": "120s"}}]);
    let reason = "%RESPONSE_FLAGS% %UPSTREAM_TRANSPORT_FAILURE_REASON%";
    let reply = json!({"local_reply_config": {"body_format": {"text_format_source": {"inline_string": reason}}}});
    json!({
        "node": {"id": "client", "cluster": "client"},
        "admin": {"address": socket(folder, "client.admin")},
        "dynamic_resources": {"cds_config": from_file(folder, "clusters")},
        "static_resources": {"listeners": [{
            "name": "in",
            "address": socket(folder, "in"),
            "filter_chains": [{"filters": [http(routes, reply)]}],
        }]},
    })
}

fn from_file(folder: &Path, file: &str) -> Value {
    json!({"resource_api_version": "V3", "path_config_source": {"path": folder.join(file)}})
}
