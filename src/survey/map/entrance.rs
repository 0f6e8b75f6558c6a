//! What is in front of and behind an entrance: the hosts that it serves, and what its routes lead to.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::finding::{Finding, Trait};
use crate::k8s::ObjectRef;
use crate::mesh::{Attached, Belonging, CallKey, Listening, Member, ServerEnd, Step, View};
use crate::rules::{End, Files};
use crate::survey::map::build::{Draft, MapBuilder};
use crate::survey::map::ends::named;
use crate::survey::map::state::{State, unknown_of_end};
use crate::survey::map::{MOST_CALLS, MapEnd, MapListener, MapPolicy, Node, Role};

/// The most hosts shown of one listener.
const MOST_HOSTS: usize = 40;
/// The most backends shown of one entrance.
const MOST_BACKENDS: usize = 100;

impl<'r> MapBuilder<'r> {
    /// Adds an entrance's hosts, each with a call to the listener that serves it.
    pub(super) fn hosts_of(&mut self, view: View<'_>, member: &Member) {
        if view.is_taken_in(member) == Belonging::No {
            return;
        }
        let Some(own) = view.member(&member.object) else { return };
        let hops = view.hops_of(own);
        for end in &own.servers {
            let Some(tls) = end.active_tls() else { continue };
            let wanted = view.hosts_wanted(Listening { member: own, end }, &hops).into_iter().map(|wanted| wanted.host);
            let given = tls.covers.iter().map(|covered| covered.name.clone());
            let mut hosts: BTreeSet<String> = wanted.chain(given).collect();
            if hosts.is_empty() {
                hosts.extend(end.gate.as_ref().and_then(|gate| gate.host.as_ref()).map(|(host, _)| host.clone()));
            }
            self.left_out += hosts.len().saturating_sub(MOST_HOSTS);
            // Hosts with findings first.
            let told: HashSet<&str> = self.told_hosts(own, end).into_iter().flat_map(words).collect();
            let (first, others): (Vec<String>, Vec<String>) =
                hosts.into_iter().partition(|host| told.contains(host.as_str()));
            for host in first.into_iter().chain(others).take(MOST_HOSTS) {
                self.host(view, own, end, &host);
            }
        }
    }

    /// The messages about a listener's hosts.
    fn told_hosts(&self, member: &Member, end: &ServerEnd) -> Vec<&'r str> {
        let numbers = self.on_end(&member.object, &end.anchor, &end.field);
        let told = numbers.iter().filter_map(|number| self.findings.get(*number));
        told.filter(|it| it.finding.rule.has(Trait::Hostname)).map(|it| it.finding.problem.message.as_str()).collect()
    }

    /// Adds one host, with the state of its listener for it.
    fn host(&mut self, view: View<'_>, member: &Member, end: &ServerEnd, host: &str) {
        let object = ObjectRef::new("", "Host", member.object.namespace(), host);
        let of_listener = self.on_end(&member.object, &end.anchor, &end.field);
        let others_host = |finding: &Finding| {
            finding.rule.has(Trait::Hostname) && !words(&finding.problem.message).any(|word| word == host)
        };
        let concerns = |number: &usize| !self.findings.get(*number).is_some_and(|it| others_host(&it.finding));
        let findings: Vec<usize> = of_listener.into_iter().filter(concerns).collect();
        let mut unknown = Vec::new();
        if let Some(tls) = end.active_tls() {
            let end = End::Server(end, tls);
            unknown_of_end(end, &Files::of(view, member, end), "server", &mut unknown);
            if tls.certificates.is_empty() && findings.is_empty() {
                unknown.push(
                    "the listener has no certificate: the backend that it passes connections to presents one"
                        .to_owned(),
                );
            }
        }
        let state = State::of(self.read(&findings), !unknown.is_empty(), false);
        let known = self.nodes.get_mut(self.numbers.get(&object).copied().unwrap_or(usize::MAX));
        match known {
            // Listeners of two gateways may serve one host.
            Some(known) => known.state = known.state.max(state),
            None => self.stand_in(&object, "host", Role::Host, state),
        }
        let draft = Draft { tls: true, state, unknown, findings, ..Draft::default() };
        self.add_call(&object, &member.object, &end.anchor, draft);
    }

    /// Adds what an entrance's routes lead to, unless members of the map are behind it: each with a call under the attached
    /// policy.
    pub(super) fn backends_of(&mut self, view: View<'_>, member: &Member, number: usize) {
        let Some(own) = view.member(&member.object) else { return };
        let mut ways: BTreeMap<(&ObjectRef, Option<u16>), (Step<'_>, bool)> = BTreeMap::new();
        for hop in view.hops_of(own) {
            for outlet in &hop.to {
                let Some(target) = outlet.to.object() else { continue };
                if view.member(target).is_none() && view.hop(target).is_none() {
                    let way = ways.entry((target, outlet.port)).or_insert((Step { hop, outlet }, outlet.idle));
                    way.1 &= outlet.idle;
                }
            }
        }
        self.left_out += ways.len().saturating_sub(MOST_BACKENDS);
        for ((target, port), (step, idle)) in ways.into_iter().take(MOST_BACKENDS) {
            let behind = view.behind(target);
            match behind.iter().find(|server| server.object == *target) {
                // Its calls are judged like those of members.
                Some(given) => self.given(view, given),
                None if behind.is_empty() => self.unknown_backend(view, own, number, (target, port), (step, idle)),
                None => {}
            }
        }
    }

    /// Adds a backend whose certificates the policy file sets.
    fn given(&mut self, view: View<'_>, given: &Member) {
        if self.numbers.contains_key(&given.object) {
            return;
        }
        let number = self.nodes.len();
        self.stand_in(&given.object, "service", Role::Backend, State::Sound);
        let listeners = self.listeners_of(view, given, number, &mut Vec::new());
        if let Some(node) = self.nodes.get_mut(number) {
            node.listeners = listeners;
        }
    }

    /// Adds a backend whose certificates aren't known.
    fn unknown_backend(
        &mut self,
        view: View<'_>,
        member: &Member,
        number: usize,
        (target, port): (&ObjectRef, Option<u16>),
        (step, idle): (Step<'_>, bool),
    ) {
        let anchor = port.map_or_else(|| "any port".to_owned(), |port| format!("port {port}"));
        self.backend(target, &anchor, port);
        let policy = view.attached_by(step).filter(|_| !step.hop.raw);
        let mut draft = Draft { idle, tls: policy.is_some(), by: policy.map(named), ..Draft::default() };
        if let Some(policy) = policy {
            draft.findings.extend(self.at(&policy.object));
            draft.unknown = self.attached_policy(view, member, number, policy);
            draft
                .unknown
                .push("the backend's certificate isn't known: the policy's `backends` may name its Secret".to_owned());
        } else if step.hop.raw {
            draft
                .unknown
                .push("connections may be passed through: whether the backend speaks TLS isn't known".to_owned());
        }
        draft.state = State::of(self.read(&draft.findings), !draft.unknown.is_empty(), draft.unknown.is_empty());
        self.add_call(&member.object, target, &anchor, draft);
    }

    /// Adds a policy attached to what a member calls. Returns what isn't known about it.
    pub(super) fn attached_policy(
        &mut self,
        view: View<'_>,
        member: &Member,
        number: usize,
        policy: &Attached,
    ) -> Vec<String> {
        let end = End::Client(&policy.client);
        let files = Files::of(view, member, end);
        let mut unknown = Vec::new();
        unknown_of_end(end, &files, "client", &mut unknown);
        let anchor = named(policy);
        let is_known = |node: &Node| node.policies.iter().any(|known| known.anchor == anchor);
        if self.nodes.get(number).is_some_and(is_known) {
            return unknown;
        }
        let shown = self.certificates.end(number, end, &files);
        let findings = self.at(&policy.object).to_vec();
        if let Some(node) = self.nodes.get_mut(number) {
            node.findings.extend(findings);
            let ports = policy.client.ports.clone();
            node.policies.push(MapPolicy { anchor, enforced: true, ports, validates: true, end: shown });
        }
        unknown
    }

    /// Adds a backend with this port.
    fn backend(&mut self, target: &ObjectRef, anchor: &str, port: Option<u16>) {
        if !self.numbers.contains_key(target) {
            self.stand_in(target, "service", Role::Backend, State::Sound);
        }
        let number = self.numbers.get(target).copied().unwrap_or(usize::MAX);
        let Some(node) = self.nodes.get_mut(number) else { return };
        if !node.listeners.iter().any(|listener| listener.anchor == anchor) {
            let (anchor, protocol, end) = (anchor.to_owned(), String::new(), MapEnd::default());
            node.listeners.push(MapListener { anchor, port, protocol, mode: None, validates: false, end });
        }
    }

    /// Adds a node for something that isn't a member.
    fn stand_in(&mut self, object: &ObjectRef, noun: &'static str, role: Role, state: State) {
        self.numbers.insert(object.clone(), self.nodes.len());
        self.nodes.push(Node {
            kind: object.kind.to_string(),
            namespace: object.namespace().to_owned(),
            name: object.name.to_string(),
            mesh: None,
            known_as: None,
            state,
            workloads: Vec::new(),
            listeners: Vec::new(),
            policies: Vec::new(),
            findings: Vec::new(),
            role,
            noun,
        });
    }

    fn add_call(&mut self, client: &ObjectRef, server: &ObjectRef, listener: &str, draft: Draft) {
        let policy = draft.by.as_deref().map(Into::into);
        let key = CallKey { client: client.clone(), server: server.clone(), listener: listener.into(), policy };
        if let Some(known) = self.calls.get_mut(&key) {
            known.idle &= draft.idle;
        } else if self.calls.len() >= MOST_CALLS {
            self.left_out += 1;
        } else {
            self.calls.insert(key, draft);
        }
    }
}

/// The words of a message, including hosts.
fn words(message: &str) -> impl Iterator<Item = &str> {
    message.split([' ', ',', '(', ')'])
}
