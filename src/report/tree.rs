//! One node of the map: who calls it and whom it calls, as a tree for people and as JSON for programs.

use jiff::Timestamp;
use serde::Serialize;

use crate::finding::Severity;
use crate::survey::map::{Map, MapCall, MapCertificate, MapEnd, Node, Role, State, Told};
use crate::text::{BOLD, FAINT, GREEN, RED, Style, YELLOW, clean, plural};

/// The most certificates, and the most findings, that are shown of one call.
const MOST: usize = 4;

/// The signs a tree is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    /// Lines, arrows and signs of states.
    Unicode,
    /// Letters and punctuation alone.
    Ascii,
}

/// The nodes of these numbers, each as a tree.
pub(crate) fn tree(map: &Map, nodes: &[usize], now: Timestamp, style: Style, charset: Charset) -> String {
    let mut drawing = Drawing { map, now, style, charset, out: String::new() };
    for (place, number) in nodes.iter().enumerate() {
        if place > 0 {
            drawing.out.push('\n');
        }
        drawing.node(*number);
    }
    drawing.out
}

struct Drawing<'a> {
    map: &'a Map,
    now: Timestamp,
    style: Style,
    charset: Charset,
    out: String,
}

/// Which end of a call the tree looks at from its root.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    CalledBy,
    Calls,
}

impl Drawing<'_> {
    fn node(&mut self, number: usize) {
        let Some(node) = self.map.nodes.get(number) else { return };
        let title = format!("{} {node}", node.noun());
        let state = self.state(node.state);
        self.line("", &[&self.style.paint(BOLD, &title), "  ", &state]);
        if let Some(known_as) = &node.known_as {
            self.line(self.bar(), &[&self.faint(&format!("known as {known_as}"))]);
        }
        if !node.workloads.is_empty() {
            self.line(self.bar(), &[&self.faint(&format!("runs in {}", node.workloads.join(", ")))]);
        }
        if node.role == Role::Entrance {
            return self.listeners(node);
        }
        let map = self.map;
        let (received, made) = (calls_of(map, number, |call| call.server), calls_of(map, number, |call| call.client));
        self.branch("called by", &received, Direction::CalledBy, false);
        self.branch("calls", &made, Direction::Calls, true);
    }

    /// Of what is called from outside alone: what each listener shows, and what is wrong with it.
    fn listeners(&mut self, node: &Node) {
        for (place, listener) in node.listeners.iter().enumerate() {
            let last = place + 1 == node.listeners.len();
            let port = listener.port.map(|port| format!(" on port {port}")).unwrap_or_default();
            let about = format!("{}{port}", listener.protocol);
            let anchor = self.style.paint(BOLD, &listener.anchor);
            self.line(self.fork(last), &[&anchor, "  ", &self.faint(&about)]);
            let below = format!("{}   ", if last { "   " } else { self.bar() });
            self.end(&below, "", &listener.end);
            for told in listener.end.findings.iter().filter_map(|number| self.map.findings.get(*number)).take(MOST) {
                self.finding(&below, told);
            }
        }
        let of_listeners = |number: &&usize| !node.listeners.iter().any(|it| it.end.findings.contains(number));
        let others = node.findings.iter().filter(of_listeners);
        for told in others.filter_map(|number| self.map.findings.get(*number)).take(MOST) {
            self.finding("", told);
        }
    }

    fn branch(&mut self, title: &str, calls: &[&MapCall], direction: Direction, last: bool) {
        let count = if calls.is_empty() { "nobody that is known".to_owned() } else { calls.len().to_string() };
        let title = self.style.paint(BOLD, title);
        self.line(self.fork(last), &[&title, " ", &count]);
        let stem = if last { "   " } else { self.bar() };
        for (place, call) in calls.iter().enumerate() {
            self.call(call, direction, stem, place + 1 == calls.len());
        }
    }

    fn call(&mut self, call: &MapCall, direction: Direction, stem: &str, last: bool) {
        let (Some(client), Some(server)) = (self.map.nodes.get(call.client), self.map.nodes.get(call.server)) else {
            return;
        };
        let Some(listener) = server.listeners.get(call.listener) else { return };
        let policy = call.policy.and_then(|policy| client.policies.get(policy));
        let other = if direction == Direction::CalledBy { client } else { server };
        let mode = listener.mode.map_or_else(|| "no TLS".to_owned(), |mode| format!("TLS {mode}"));
        let idle = if call.idle { ", idle: weight 0" } else { "" };
        let about = format!("{}, {mode}, by service {}{idle}", listener.anchor, call.services.join(", "));
        let state = self.state(call.state);
        let name = self.style.paint(BOLD, &other.to_string());
        self.line(&format!("{stem}{}", self.fork(last)), &[&state, "  ", &name, "  ", &self.faint(&about)]);
        let below = format!("{stem}{}   ", if last { "   " } else { self.bar() });
        let enforced = policy.filter(|policy| policy.enforced);
        self.end(&below, "server", &listener.end);
        match enforced {
            Some(policy) => self.end(&below, "client", &policy.end),
            None => self.detail(&below, "client", "no policy that is enforced: the server decides", FAINT),
        }
        for why in call.unknown.iter().take(MOST) {
            self.detail(&below, "unknown", why, YELLOW);
        }
        let told = self.map.told(call);
        for told in told.iter().take(MOST) {
            self.finding(&below, told);
        }
        if told.len() > MOST {
            self.detail(&below, "", &format!("and {}", plural(told.len() - MOST, "more finding")), FAINT);
        }
    }

    /// What one end shows, trusts and asks for, a line each.
    fn end(&mut self, below: &str, label: &str, end: &MapEnd) {
        let mut label = label;
        for shows in &end.shows {
            let text = match shows.chain.first().and_then(|number| self.map.certificates.get(*number)) {
                Some(leaf) => format!("presents {}; {}", certificate(leaf, self.now), shows.origin),
                None => format!("presents {}", shows.unknown.as_ref().unwrap_or(&shows.origin)),
            };
            self.detail(below, std::mem::take(&mut label), &text, "");
        }
        for trusts in &end.trusts {
            let shown = trusts.authorities.iter().take(MOST).filter_map(|number| self.map.certificates.get(*number));
            let shown: Vec<String> =
                shown.map(|authority| format!("{} {}", authority.subject, ends(authority, self.now))).collect();
            let more = trusts.authorities.len().saturating_sub(MOST) + trusts.more;
            let text = match (shown.is_empty(), more) {
                (true, _) => trusts.unknown.clone().unwrap_or_else(|| trusts.origin.clone()),
                (false, 0) => format!("{}; {}", shown.join(" or "), trusts.origin),
                (false, more) => format!("{} or {more} more; {}", shown.join(" or "), trusts.origin),
            };
            self.detail(below, std::mem::take(&mut label), &format!("trusts {text}"), "");
        }
        if !end.names.is_empty() {
            self.detail(below, std::mem::take(&mut label), &format!("asks for {}", end.names.join(" or ")), "");
        }
    }

    fn finding(&mut self, below: &str, told: &Told) {
        let severity = if told.suppressed.is_some() { "ignored".to_owned() } else { told.severity.to_string() };
        let colour = match (&told.suppressed, told.severity) {
            (Some(_), _) => FAINT,
            (None, Severity::Deny) => RED,
            (None, _) => YELLOW,
        };
        self.detail(below, &severity, &format!("{} {}: {}", told.code, told.rule, told.message), colour);
        if let Some(fix) = &told.fix {
            self.detail(below, "fix", fix, GREEN);
        }
    }

    /// `server   shows …`, the label in a colour; none at all for the empty one.
    fn detail(&mut self, below: &str, label: &str, text: &str, colour: &str) {
        let label = format!("{label:<8}");
        let label = if colour.is_empty() { self.faint(&label) } else { self.style.paint(colour, &label) };
        let text = clean(&self.text(text));
        self.line(below, &[&label, " ", &text]);
    }

    fn state(&self, state: State) -> String {
        let (sign, colour) = match state {
            State::Sound => ("✓ ", GREEN),
            State::AtRisk => ("! ", YELLOW),
            State::Broken => ("✗ ", RED),
            State::Plaintext => ("○ ", YELLOW),
            State::Unknown => ("? ", YELLOW),
        };
        let sign = if self.charset == Charset::Unicode { sign } else { "" };
        self.style.paint(colour, &format!("{sign}{}", state.words()))
    }

    fn faint(&self, text: &str) -> String {
        self.style.paint(FAINT, &self.text(text))
    }

    /// Messages have an arrow between the ends of a call.
    fn text(&self, text: &str) -> String {
        match self.charset {
            Charset::Unicode => text.to_owned(),
            Charset::Ascii => text.replace('→', "->"),
        }
    }

    fn bar(&self) -> &'static str {
        if self.charset == Charset::Unicode { "│  " } else { "|  " }
    }

    fn fork(&self, last: bool) -> &'static str {
        match (self.charset, last) {
            (Charset::Unicode, false) => "├─ ",
            (Charset::Unicode, true) => "└─ ",
            (Charset::Ascii, false) => "|- ",
            (Charset::Ascii, true) => "`- ",
        }
    }

    fn line(&mut self, stem: &str, parts: &[&str]) {
        let mut line = stem.to_owned();
        parts.iter().for_each(|part| line.push_str(part));
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }
}

/// The calls of one node, by one of their ends, the worst first.
fn calls_of(map: &Map, number: usize, end: fn(&MapCall) -> usize) -> Vec<&MapCall> {
    let mut calls: Vec<&MapCall> = map.calls.iter().filter(|call| end(call) == number).collect();
    calls.sort_by_key(|call| std::cmp::Reverse(call.state));
    calls
}

/// `CN=blue (DNS:blue.apps.local), issued by CN=Shop root, ends 2027-02-21 (in 90 days)`.
fn certificate(leaf: &MapCertificate, now: Timestamp) -> String {
    let mut names = leaf.names.join(", ");
    if leaf.more_names > 0 {
        names.push_str(&format!(" and {} more", leaf.more_names));
    }
    let names = if names.is_empty() { leaf.subject.clone() } else { names };
    format!("{names}, issued by {}, {}", leaf.issuer, ends(leaf, now))
}

/// `ends 2027-02-21 (in 90 days)`.
fn ends(certificate: &MapCertificate, now: Timestamp) -> String {
    let left = certificate.not_after.duration_since(now);
    let hours = left.unsigned_abs().as_secs() / 3600;
    let span = if hours >= 48 {
        plural(usize::try_from(hours / 24).unwrap_or(usize::MAX), "day")
    } else {
        plural(usize::try_from(hours).unwrap_or(usize::MAX), "hour")
    };
    let date = certificate.not_after.strftime("%Y-%m-%d");
    if left.is_negative() { format!("expired {date} ({span} ago)") } else { format!("expires {date} (in {span})") }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u32,
    nodes: Vec<Root<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Root<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    mesh: Option<&'a str>,
    known_as: Option<&'a str>,
    workloads: &'a [String],
    state: State,
    called_by: Vec<Edge<'a>>,
    calls: Vec<Edge<'a>>,
    findings: Vec<&'a Told>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Edge<'a> {
    client: String,
    server: String,
    services: &'a [String],
    listener: &'a str,
    port: Option<u16>,
    mode: Option<&'static str>,
    policy: Option<&'a str>,
    enforced: bool,
    idle: bool,
    tls: bool,
    state: State,
    unknown: &'a [String],
    server_end: EndDocument<'a>,
    client_end: Option<EndDocument<'a>>,
    findings: Vec<&'a Told>,
}

#[derive(Serialize)]
struct EndDocument<'a> {
    shows: Vec<File<'a>>,
    trusts: Vec<File<'a>>,
    names: &'a [String],
}

#[derive(Serialize)]
struct File<'a> {
    origin: &'a str,
    certificates: Vec<Certificate<'a>>,
    unknown: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Certificate<'a> {
    subject: &'a str,
    issuer: &'a str,
    names: &'a [String],
    not_before: Timestamp,
    not_after: Timestamp,
    key: &'a str,
    fingerprint: &'a str,
}

/// The nodes of these numbers as one JSON object, with a final line feed.
///
/// # Errors
/// None in practice: every part can be written as JSON.
pub(crate) fn tree_json(map: &Map, nodes: &[usize]) -> serde_json::Result<String> {
    let roots = nodes.iter().filter_map(|number| Some(root(map, *number, map.nodes.get(*number)?)));
    let mut text = serde_json::to_string_pretty(&Document { version: 1, nodes: roots.collect() })?;
    text.push('\n');
    Ok(text)
}

fn root<'a>(map: &'a Map, number: usize, node: &'a Node) -> Root<'a> {
    let edges = |end| calls_of(map, number, end).into_iter().filter_map(|call| edge(map, call)).collect();
    Root {
        kind: &node.kind,
        namespace: &node.namespace,
        name: &node.name,
        mesh: node.mesh.as_deref(),
        known_as: node.known_as.as_deref(),
        workloads: &node.workloads,
        state: node.state,
        called_by: edges(|call| call.server),
        calls: edges(|call| call.client),
        findings: told(map, &node.findings),
    }
}

fn edge<'a>(map: &'a Map, call: &'a MapCall) -> Option<Edge<'a>> {
    let (client, server) = (map.nodes.get(call.client)?, map.nodes.get(call.server)?);
    let listener = server.listeners.get(call.listener)?;
    let policy = call.policy.and_then(|policy| client.policies.get(policy));
    Some(Edge {
        client: client.to_string(),
        server: server.to_string(),
        services: &call.services,
        listener: &listener.anchor,
        port: listener.port,
        mode: listener.mode,
        policy: policy.map(|policy| policy.anchor.as_str()),
        enforced: policy.is_some_and(|policy| policy.enforced),
        idle: call.idle,
        tls: call.tls,
        state: call.state,
        unknown: &call.unknown,
        server_end: end(map, &listener.end),
        client_end: policy.map(|policy| end(map, &policy.end)),
        findings: map.told(call),
    })
}

fn end<'a>(map: &'a Map, end: &'a MapEnd) -> EndDocument<'a> {
    let file = |origin: &'a str, certificates: &[usize], unknown: Option<&'a str>| File {
        origin,
        certificates: certificates.iter().filter_map(|number| map.certificates.get(*number)).map(describe).collect(),
        unknown,
    };
    EndDocument {
        shows: end.shows.iter().map(|it| file(&it.origin, &it.chain, it.unknown.as_deref())).collect(),
        trusts: end.trusts.iter().map(|it| file(&it.origin, &it.authorities, it.unknown.as_deref())).collect(),
        names: &end.names,
    }
}

fn describe(certificate: &MapCertificate) -> Certificate<'_> {
    Certificate {
        subject: &certificate.subject,
        issuer: &certificate.issuer,
        names: &certificate.names,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        key: &certificate.key,
        fingerprint: &certificate.fingerprint,
    }
}

fn told<'a>(map: &'a Map, numbers: &[usize]) -> Vec<&'a Told> {
    numbers.iter().filter_map(|number| map.findings.get(*number)).collect()
}
