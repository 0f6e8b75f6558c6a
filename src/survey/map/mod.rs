//! The mesh as a map: who calls whom, and whether TLS would work there.
//!
//! Made from the same [pairs](crate::rules::Pair) and findings as all other output, so that it can't disagree
//! with it: [`MapBuilder`] only finds which findings belong to which end, and what isn't known. Data, for the page
//! ([`html`](crate::report::html)) and for [`tree`](crate::report::tree).

mod build;
mod ends;
mod entrance;
mod mend;
mod state;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::survey::{Place, Reported};
use crate::text::suggest::nearest;

pub(crate) use build::MapBuilder;
pub(crate) use mend::Mend;
pub(crate) use state::State;

/// The most calls on a map. A backend group of `*` in a large mesh makes millions.
pub(crate) const MOST_CALLS: usize = 20_000;
/// The most findings on a map, the most severe first.
pub(crate) const MOST_FINDINGS: usize = 10_000;

/// A mesh, or the requested part of it. Numbers are indexes into the map's own lists.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Map {
    /// The members, by namespace, name and kind.
    pub nodes: Vec<Node>,
    /// The calls, by client, server and listener.
    pub calls: Vec<MapCall>,
    /// The certificates that ends present or trust, the earliest to expire first.
    pub certificates: Vec<MapCertificate>,
    /// The findings, most severe first.
    pub findings: Vec<Told>,
    /// What to fix first: each item fixes more than the next.
    pub mend: Vec<Mend>,
    /// What is left out for size.
    pub left_out: LeftOut,
}

/// How much a map leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct LeftOut {
    /// Calls beyond [`MOST_CALLS`].
    pub calls: usize,
    /// Findings beyond [`MOST_FINDINGS`].
    pub findings: usize,
}

/// A member, or what is in front of or behind an entrance.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Node {
    /// Its kind; `Host` for a host.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The mesh that it belongs to, if known.
    pub mesh: Option<String>,
    /// How clients find it: a hostname, or a Cloud Map service.
    pub known_as: Option<String>,
    /// The state of its own TLS.
    pub state: State,
    /// The workloads that its proxies run in.
    pub workloads: Vec<String>,
    /// Its listeners.
    pub listeners: Vec<MapListener>,
    /// Its client policies.
    pub policies: Vec<MapPolicy>,
    /// All findings on it and on its workloads.
    pub findings: Vec<usize>,
    /// Its role on the map.
    pub(crate) role: Role,
    /// Its name for people: `virtual node`.
    noun: &'static str,
}

/// The role of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// It has its own proxies.
    Member,
    /// A member that admits traffic from outside, by host.
    Entrance,
    /// A host that an entrance serves.
    Host,
    /// A target of an entrance's routes that isn't a member.
    Backend,
}

/// A listener: the end that is called.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MapListener {
    /// `listener 8080`.
    pub anchor: String,
    /// None when out of range.
    pub port: Option<u16>,
    /// `http`, `http2`, `grpc` or `tcp`, as written.
    pub protocol: String,
    /// `STRICT`, `PERMISSIVE`, `DISABLED`, or None without TLS.
    pub mode: Option<&'static str>,
    /// Whether it validates its clients.
    pub validates: bool,
    /// What it presents and trusts.
    #[serde(flatten)]
    pub end: MapEnd,
}

/// A client policy: the end that calls.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MapPolicy {
    /// `backend defaults`, `backend shop/blue`.
    pub anchor: String,
    /// Whether TLS is enforced.
    pub enforced: bool,
    /// The ports it applies to; empty: all.
    pub ports: Vec<u16>,
    /// Whether it validates servers.
    pub validates: bool,
    /// What it presents and trusts.
    #[serde(flatten)]
    pub end: MapEnd,
}

/// What one end presents, trusts and checks.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MapEnd {
    /// The certificates that it presents: one entry for each location.
    pub shows: Vec<Shows>,
    /// The bundles that it trusts.
    pub trusts: Vec<Trusts>,
    /// The names of which the peer must have one.
    pub names: Vec<String>,
    /// The findings about this end only.
    pub findings: Vec<usize>,
}

/// A certificate with its chain, and its location.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shows {
    /// `key tls.crt of Secret shop/blue-cert`, or the path.
    pub origin: String,
    /// The certificates in file order; empty if unknown.
    pub chain: Vec<usize>,
    /// How many more the file has.
    pub more: usize,
    /// Why it is unknown.
    pub unknown: Option<String>,
}

/// A trust bundle, and its location.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trusts {
    /// `key ca.crt of Secret shop/ca`, or the path.
    pub origin: String,
    /// The CAs in file order; empty if unknown.
    pub authorities: Vec<usize>,
    /// How many more the file has.
    pub more: usize,
    /// Why it is unknown.
    pub unknown: Option<String>,
}

/// One call: from a client, under one of its policies, to a listener.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MapCall {
    /// The calling node.
    pub client: usize,
    /// The called node.
    pub server: usize,
    /// The virtual services by which it is reached.
    pub services: Vec<String>,
    /// The listener's index on the server.
    pub listener: usize,
    /// The policy's index on the client, if it has one for this call.
    pub policy: Option<usize>,
    /// Whether its routes have weight 0, so that no request takes them now.
    pub idle: bool,
    /// Whether it uses TLS.
    pub tls: bool,
    /// Whether it would work.
    pub state: State,
    /// What isn't known about it, one sentence each.
    pub unknown: Vec<String>,
    /// The findings about it. Those about both ends are reported at each, in the same words.
    pub findings: Vec<usize>,
}

/// A certificate, wherever it is used.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MapCertificate {
    /// In RFC 4514 notation.
    pub subject: String,
    /// In RFC 4514 notation.
    pub issuer: String,
    /// The first few names: `DNS:blue.apps.local`.
    pub names: Vec<String>,
    /// How many more names it has.
    pub more_names: usize,
    /// The start of its validity.
    pub not_before: Timestamp,
    /// The end of its validity.
    pub not_after: Timestamp,
    /// `EC P-256`.
    pub key: String,
    /// In hexadecimal.
    pub serial: String,
    /// SHA-256 of the certificate, in hexadecimal.
    pub fingerprint: String,
    /// Whether it is a CA's.
    pub authority: bool,
    /// The first few locations.
    pub held: Vec<String>,
    /// The nodes that present it.
    pub shown_by: Vec<usize>,
    /// The nodes that trust it.
    pub trusted_by: Vec<usize>,
}

/// A finding as reported.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Told {
    /// `MV101`.
    pub code: &'static str,
    /// `hostname-mismatch`.
    pub rule: &'static str,
    /// `deny` or `warn`.
    pub severity: Severity,
    /// The owner's reason for ignoring it.
    pub suppressed: Option<String>,
    /// The object to fix.
    pub kind: String,
    /// Its namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The field to fix, in Kubernetes' notation.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub expected: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// What happens.
    pub consequence: Option<String>,
    /// What to do.
    pub fix: Option<String>,
    /// `mesh.yaml:12:3`, if it is in a file.
    pub place: Option<String>,
    /// Its node, if it has one.
    pub node: Option<usize>,
    /// Whether it is about a call, so that it can be fixed at either end.
    pub of_call: bool,
}

impl Told {
    fn of(Reported { finding, place }: &Reported) -> Self {
        let Finding { rule, severity, object, problem, suppressed } = finding;
        Self {
            code: rule.code,
            rule: rule.name,
            severity: *severity,
            suppressed: suppressed.clone(),
            kind: object.kind.to_string(),
            namespace: object.namespace().to_owned(),
            name: object.name.to_string(),
            field: finding.field().kubernetes(),
            message: problem.message.clone(),
            expected: problem.expected.clone(),
            found: problem.found.clone(),
            consequence: problem.consequence.clone(),
            fix: problem.fix.clone(),
            place: place.as_ref().map(|Place { file, line, column, .. }| format!("{file}:{line}:{column}")),
            node: None,
            of_call: problem.site.call.is_some(),
        }
    }

    /// `VirtualNode shop/blue`.
    fn object(&self) -> String {
        let namespace = if self.namespace.is_empty() { String::new() } else { format!("{}/", self.namespace) };
        format!("{} {namespace}{}", self.kind, self.name)
    }
}

impl Node {
    /// `VirtualNode shop/blue`.
    fn object(&self) -> String {
        format!("{} {self}", self.kind)
    }

    /// `virtual node` or `virtual gateway`.
    pub(crate) fn noun(&self) -> &'static str {
        self.noun
    }
}

impl std::fmt::Display for Node {
    /// `shop/blue`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Map {
    /// The worst state of these nodes, and of the calls from and to them.
    pub(crate) fn worst(&self, nodes: &[usize]) -> State {
        let own = nodes.iter().filter_map(|node| self.nodes.get(*node)).map(|node| node.state);
        let calls = self.calls.iter().filter(|call| nodes.contains(&call.client) || nodes.contains(&call.server));
        own.chain(calls.map(|call| call.state)).max().unwrap_or(State::Sound)
    }

    /// The nodes with this name: a virtual node and a gateway may share one.
    ///
    /// # Errors
    /// No node has this name. Contains the nearest existing `namespace/name`.
    pub(crate) fn find(&self, namespace: &str, name: &str) -> Result<Vec<usize>, Option<String>> {
        let members =
            || self.nodes.iter().enumerate().filter(|(_, node)| matches!(node.role, Role::Member | Role::Entrance));
        let called = |(_, node): &(usize, &Node)| node.namespace == namespace && node.name == name;
        let found: Vec<usize> = members().filter(called).map(|(number, _)| number).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        // The same name in another namespace comes before a similar name.
        let elsewhere = members().find(|(_, node)| node.name == name).map(|(_, node)| node.to_string());
        let wanted = format!("{namespace}/{name}");
        let all: Vec<String> = members().map(|(_, node)| node.to_string()).collect();
        Err(elsewhere.or_else(|| nearest(&wanted, all.iter().map(String::as_str)).map(str::to_owned)))
    }

    /// The findings about a call; what both ends report in the same words appears once.
    pub(crate) fn told(&self, call: &MapCall) -> Vec<&Told> {
        let mut seen = HashSet::new();
        let all = call.findings.iter().filter_map(|number| self.findings.get(*number));
        all.filter(|told| seen.insert((told.code, &told.message))).collect()
    }
}
