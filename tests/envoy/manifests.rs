//! Pairings as small meshes of manifests, and what the rules find in them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use meshvet::apis::{Entry, Subject, decode_object};
use meshvet::finding::Severity;
use meshvet::mesh::{View, World};
use meshvet::policy::Policy;
use meshvet::rules::{Judgement, Surface, judge};
use serde_json::{Map, Value, json};

use crate::pairing::{CHAIN, CLIENT_CHAIN, CLIENT_KEY, CLIENT_TRUST, KEY, Pairing, TRUST, Validation};
use crate::support::manifests::{deployment, file_certificate, namespace, virtual_node};

const NAMESPACE: &str = "shop";

fn custom(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": kind,
        "metadata": {"namespace": NAMESPACE, "name": name}, "spec": spec})
}

fn validation(bundle: &str, validation: &Validation) -> Value {
    let mut out = json!({"trust": {"file": {"certificateChain": format!("/certs/{bundle}")}}});
    if !validation.names.is_empty() {
        out["subjectAlternativeNames"] = json!({"match": {"exact": validation.names}});
    }
    out
}

/// Two virtual nodes, `front` that calls `blue`, with their workloads and Secrets; `None` for a client without TLS, which
/// a mesh doesn't have: without a policy of its own a client does as the server says.
pub(crate) fn objects(pairing: &Pairing) -> Option<Vec<Value>> {
    let policy = pairing.client.as_ref()?;
    let mut blue = virtual_node(NAMESPACE, "blue", &pairing.host);
    let listener = &mut blue["spec"]["listeners"][0];
    match &pairing.server {
        None => drop(listener.as_object_mut()?.remove("tls")),
        Some(tls) => {
            listener["tls"]["mode"] = if tls.permissive { "PERMISSIVE" } else { "STRICT" }.into();
            if let Some(clients) = &tls.validation {
                listener["tls"]["validation"] = validation(CLIENT_TRUST, clients);
            }
        }
    }
    let mut front = virtual_node(NAMESPACE, "front", "front.apps.local");
    front["spec"]["listeners"] = json!([]);
    front["spec"]["backends"] = json!([{"virtualService": {"virtualServiceRef": {"name": "blue"}}}]);
    if let Some(server) = &policy.validation {
        let mut tls = json!({"validation": validation(TRUST, server)});
        if policy.identity.is_some() {
            tls["certificate"] = file_certificate(CLIENT_CHAIN, CLIENT_KEY);
        }
        front["spec"]["backendDefaults"] = json!({"clientPolicy": {"tls": tls}});
    }
    let leads_to_blue = json!({"provider": {"virtualNode": {"virtualNodeRef": {"name": "blue"}}}});
    Some(vec![
        namespace(NAMESPACE),
        custom("VirtualService", "blue", leads_to_blue),
        deployment(NAMESPACE, "blue", "blue-files:/certs"),
        deployment(NAMESPACE, "front", "front-files:/certs"),
        secret("blue-files", pairing, &[CHAIN, KEY, CLIENT_TRUST]),
        secret("front-files", pairing, &[TRUST, CLIENT_CHAIN, CLIENT_KEY]),
        blue,
        front,
    ])
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

/// A finding that denies.
#[derive(Clone)]
pub(crate) struct Denial {
    code: &'static str,
    message: String,
    /// What it says that a proxy logs; empty where it quotes none.
    pub(crate) quote: String,
}

impl fmt::Debug for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, quoting {:?}", self.code, self.message, self.quote)
    }
}

/// What denies either of the nodes; `None` when the pairing can't be written as manifests.
pub(crate) fn denials(pairing: &Pairing, now: Timestamp) -> Option<Vec<Denial>> {
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
        for finding in findings.into_iter().filter(|finding| finding.severity == Severity::Deny) {
            let quote = finding.problem.consequence.as_deref().map(quoted).unwrap_or_default();
            out.push(Denial { code: finding.rule.code, message: finding.problem.message, quote });
        }
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
