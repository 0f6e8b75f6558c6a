//! Pairings as small meshes of manifests, and what the rules find in them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use meshvet::apis::{Entry, Subject, decode_object};
use meshvet::finding::{Finding, Severity};
use meshvet::mesh::{View, World};
use meshvet::policy::Policy;
use meshvet::rules::{Judgement, Surface, judge};
use serde_json::{Map, Value, json};

use crate::calls::Named;
use crate::pairing::{
    CLIENT_CHAIN, CLIENT_KEY, IDLE_TRUST, OF_FIRST, OF_SECOND, Pairing, Place, ServerTls, TRUST, Validation,
};
use crate::support::manifests::{
    deployment, file_certificate, namespace, routed_service, virtual_node, virtual_router, virtual_service,
};

const NAMESPACE: &str = "shop";

/// The ports of the server's listeners.
const PORTS: [u16; 2] = [8443, 9443];

fn validation(bundle: &str, validation: &Validation) -> Value {
    let mut out = json!({"trust": {"file": {"certificateChain": format!("/certs/{bundle}")}}});
    if !validation.names.is_empty() {
        out["subjectAlternativeNames"] = json!({"match": {"exact": validation.names}});
    }
    out
}

/// A listener of the server, whose files have these names.
fn listener(port: u16, pairing: &Pairing, tls: Option<&ServerTls>, [chain, key, trust]: [&str; 3]) -> Value {
    let mut out = json!({"portMapping": {"port": port, "protocol": pairing.protocol}});
    if let Some(tls) = tls.filter(|_| pairing.place == Place::Listener) {
        let mode = if tls.permissive { "PERMISSIVE" } else { "STRICT" };
        out["tls"] = json!({"mode": mode, "certificate": file_certificate(chain, key)});
        if let Some(clients) = &tls.validation {
            out["tls"]["validation"] = validation(trust, clients);
        }
    }
    out
}

/// Two virtual nodes, `front` that calls `blue`, with their workloads and Secrets; `None` for a client without TLS of a
/// listener with it, which a mesh doesn't have: without a policy of its own a client does as the listener says.
fn objects(pairing: &Pairing) -> Option<Vec<Value>> {
    let by_listener = pairing.server.is_some() && pairing.place == Place::Listener;
    if !pairing.is_of_app_mesh() || (pairing.client.is_none() && by_listener) {
        return None;
    }
    let mut blue = virtual_node(NAMESPACE, "blue", &pairing.host);
    let mut listeners = vec![listener(PORTS[0], pairing, pairing.server.as_ref(), OF_FIRST)];
    if let Some(second) = &pairing.second {
        listeners.push(listener(PORTS[1], pairing, second.server.as_ref(), OF_SECOND));
    }
    blue["spec"]["listeners"] = listeners.into();
    if pairing.place == (Place::Outside { selects: false }) {
        blue["spec"].as_object_mut()?.remove("podSelector");
    }
    let mut files = secret("front-files", pairing, &[TRUST, CLIENT_CHAIN, CLIENT_KEY]);
    let mut front = virtual_node(NAMESPACE, "front", "front.apps.local");
    front["spec"]["listeners"] = json!([]);
    front["spec"]["backends"] = json!([{"virtualService": {"virtualServiceRef": {"name": "blue"}}}]);
    if let Some(policy) = policy(pairing) {
        if pairing.own_policy {
            front["spec"]["backends"][0]["virtualService"]["clientPolicy"] = policy;
            if let Some(bundle) = &pairing.idle_policy {
                let idle = Validation { bundle: None, names: Vec::new() };
                front["spec"]["backendDefaults"] =
                    json!({"clientPolicy": {"tls": {"validation": validation(IDLE_TRUST, &idle)}}});
                files["data"][IDLE_TRUST] = STANDARD.encode(bundle).into();
            }
        } else {
            front["spec"]["backendDefaults"] = json!({"clientPolicy": policy});
        }
    }
    let mut out = vec![
        namespace(NAMESPACE),
        deployment(NAMESPACE, "front", "front-files:/certs"),
        secret("blue-files", pairing, &[OF_FIRST, OF_SECOND].concat()),
        files,
        blue,
        front,
    ];
    if !matches!(pairing.place, Place::Outside { .. }) {
        let mut deployment = deployment(NAMESPACE, "blue", "blue-files:/certs");
        if pairing.place == Place::Bare {
            let annotations = json!({"appmesh.k8s.aws/sidecarInjectorWebhook": "disabled"});
            deployment["spec"]["template"]["metadata"]["annotations"] = annotations;
        }
        out.push(deployment);
    }
    match ports(pairing.called()) {
        [] => out.push(virtual_service(NAMESPACE, "blue", "blue")),
        ports => {
            let mut router = virtual_router(NAMESPACE, "blue", "blue");
            let target = |port| json!({"virtualNodeRef": {"name": "blue"}, "weight": 1, "port": port});
            let targets: Vec<Value> = ports.iter().map(target).collect();
            router["spec"]["routes"][0]["httpRoute"]["action"]["weightedTargets"] = targets.into();
            out.extend([routed_service(NAMESPACE, "blue", "blue"), router]);
        }
    }
    Some(out)
}

fn ports(named: Named) -> &'static [u16] {
    match named {
        Named::Neither => &[],
        Named::Both => &PORTS,
        Named::First => &PORTS[..1],
        Named::Second => &PORTS[1..],
    }
}

/// The client's policy; none where it doesn't validate the server.
fn policy(pairing: &Pairing) -> Option<Value> {
    let client = pairing.client.as_ref()?;
    let mut tls = json!({"validation": validation(TRUST, client.validation.as_ref()?)});
    if client.identity.is_some() {
        tls["certificate"] = file_certificate(CLIENT_CHAIN, CLIENT_KEY);
    }
    let ports = pairing.second.as_ref().map_or(&[][..], |second| ports(second.policy));
    if !ports.is_empty() {
        tls["ports"] = json!(ports);
    }
    Some(json!({"tls": tls}))
}

fn secret(name: &str, pairing: &Pairing, of: &[&str]) -> Value {
    // Never quite empty: an empty Secret may yet be filled.
    let mut data = Map::from_iter([("note".to_owned(), Value::from(STANDARD.encode("of a pairing")))]);
    for (file, content) in pairing.files() {
        if let (true, Some(content)) = (of.contains(&file), content) {
            data.insert(file.to_owned(), STANDARD.encode(content).into());
        }
    }
    json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"namespace": NAMESPACE, "name": name}, "data": data})
}

/// A finding.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    message: String,
    /// What it says that a proxy logs; empty where it quotes none.
    pub(crate) quote: String,
    /// Whether it is about a call, and not about what one end has.
    pub(crate) of_call: bool,
    /// The call whose listener it names, by number.
    pub(crate) listener: Option<usize>,
}

impl Said {
    fn new(finding: Finding) -> Self {
        let problem = finding.problem;
        let named = |port: &u16| problem.site.anchor.contains(&format!("listener {port}"));
        Self {
            code: finding.rule.code,
            severity: finding.severity,
            quote: problem.consequence.as_deref().map(quoted).unwrap_or_default(),
            of_call: problem.site.call.is_some(),
            listener: PORTS.iter().position(named),
            message: problem.message,
        }
    }

    pub(crate) fn denies(&self) -> bool {
        self.severity == Severity::Deny
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}, quoting {:?}", self.severity, self.code, self.message, self.quote)
    }
}

/// What is said of either of the nodes; `None` when the pairing can't be written as manifests.
pub(crate) fn said(pairing: &Pairing, now: Timestamp) -> Option<Vec<Said>> {
    let mut world = World::default();
    let mut nodes: Vec<Subject> = Vec::new();
    for object in objects(pairing)? {
        match decode_object(object, "default").expect("a readable object") {
            Entry::Subject(reviewed) => {
                world.extend(reviewed.facts.iter().cloned());
                nodes.push(*reviewed);
            }
            Entry::Fact(fact) => world.learn(fact),
            Entry::Nothing(_) => {}
            Entry::Other => panic!("a kind that nobody reads"),
        }
    }
    let policy = Policy::parse("").expect("a policy");
    let mut out = Vec::new();
    for node in &nodes {
        let Judgement { findings } = judge(node, View::new(&world), &policy, now, Surface::Check);
        out.extend(findings.into_iter().filter(|finding| finding.severity != Severity::Off).map(Said::new));
    }
    Some(out)
}

/// What a consequence quotes: all from the first word that is a proxy's. Of a path, the file's own name is left.
fn quoted(consequence: &str) -> String {
    const BEGINNINGS: [&str; 9] = [
        "TLS_error:",
        "SSL routines:",
        "Failed to load",
        "Invalid TLS",
        "Invalid path",
        "Connection reset",
        "file /certs/",
        "SSLV3_ALERT",
        "TLSV1_ALERT",
    ];
    let begin = BEGINNINGS.iter().filter_map(|beginning| consequence.find(beginning)).min();
    begin.map(|at| consequence[at..].replace("/certs/", "")).unwrap_or_default()
}
