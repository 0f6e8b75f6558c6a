//! What stands before and behind an entrance: the hosts that it is asked for, and what its routes lead to.

use std::collections::{BTreeSet, HashSet};

use crate::finding::{Finding, Trait};
use crate::k8s::ObjectRef;
use crate::mesh::{Attached, Belonging, CallKey, Listening, Member, ServerEnd, Target, View};
use crate::rules::{End, Files};
use crate::survey::map::build::{Draft, MapBuilder};
use crate::survey::map::state::{State, unknown_of_end};
use crate::survey::map::{MOST_CALLS, MapListener, MapPolicy, Node, Role};

/// The most hosts of one listener that are shown.
const MOST_HOSTS: usize = 40;
/// The most backends of one entrance.
const MOST_BACKENDS: usize = 100;

impl<'r> MapBuilder<'r> {
    /// Adds the hosts of an entrance, each with a call to the listener that serves it.
    pub(super) fn hosts_of(&mut self, view: View<'_>, member: &Member, number: usize) {
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
            // Those first that something is told of.
            let told: HashSet<&str> = self.told_hosts(own, end).into_iter().flat_map(words).collect();
            let (first, others): (Vec<String>, Vec<String>) =
                hosts.into_iter().partition(|host| told.contains(host.as_str()));
            for host in first.into_iter().chain(others).take(MOST_HOSTS) {
                self.host(view, own, (end, number), &host);
            }
        }
    }

    /// What is told of the hosts of a listener.
    fn told_hosts(&self, member: &Member, end: &ServerEnd) -> Vec<&'r str> {
        let numbers = self.on_end(&member.object, &end.anchor, &end.field);
        let told = numbers.iter().filter_map(|number| self.findings.get(*number));
        told.filter(|it| it.finding.rule.has(Trait::Hostname)).map(|it| it.finding.problem.message.as_str()).collect()
    }

    /// One host, and how its listener stands for it.
    fn host(&mut self, view: View<'_>, member: &Member, (end, number): (&ServerEnd, usize), host: &str) {
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
                unknown.push("the listener has no certificate of its own: what it passes on to shows one".to_owned());
            }
        }
        let state = State::of(self.read(&findings), !unknown.is_empty(), false);
        let known = self.nodes.get_mut(self.numbers.get(&object).copied().unwrap_or(usize::MAX));
        match known {
            // Listeners of two gateways may be for one host.
            Some(known) => known.state = known.state.max(state),
            None => self.stand_in(&object, "host", Role::Host, state),
        }
        debug_assert!(self.nodes.get(number).is_some(), "the entrance is there");
        let draft = Draft { services: Vec::new(), idle: false, tls: true, state, unknown, findings };
        self.add_call(&object, &member.object, &end.anchor, None, draft);
    }

    /// Adds what the routes of an entrance lead to, each with a call by the policy that is attached to it.
    pub(super) fn backends_of(&mut self, view: View<'_>, member: &Member, number: usize) {
        let Some(own) = view.member(&member.object) else { return };
        let mut targets: BTreeSet<(&ObjectRef, Option<u16>, bool)> = BTreeSet::new();
        for outlet in view.hops_of(own).into_iter().flat_map(|hop| &hop.to) {
            if let Target::Object(target) = &outlet.to
                && view.member(target).is_none()
                && view.hop(target).is_none()
            {
                targets.insert((target, outlet.port, outlet.idle));
            }
        }
        self.left_out += targets.len().saturating_sub(MOST_BACKENDS);
        for (target, port, idle) in targets.into_iter().take(MOST_BACKENDS) {
            let anchor = port.map_or_else(|| "any port".to_owned(), |port| format!("port {port}"));
            self.backend(target, &anchor, port);
            let policy = view.policy_in_force(target);
            let draft = self.to_backend(view, own, number, policy, idle);
            let by = policy.map(|policy| policy.object.to_string());
            self.add_call(&own.object, target, &anchor, by.as_deref(), draft);
        }
    }

    /// How an entrance stands to what it calls by a policy, or without one.
    fn to_backend(
        &mut self,
        view: View<'_>,
        member: &Member,
        number: usize,
        policy: Option<&Attached>,
        idle: bool,
    ) -> Draft {
        let (mut findings, mut unknown) = (Vec::new(), Vec::new());
        if let Some(policy) = policy {
            findings.extend(self.at(&policy.object));
            let end = End::Client(&policy.client);
            let files = Files::of(view, member, end);
            unknown_of_end(end, &files, "client", &mut unknown);
            unknown.push("what the backend shows isn't known: nothing here serves with its certificate".to_owned());
            let anchor = policy.object.to_string();
            let shown = self.certificates.end(number, end, &files);
            if let Some(node) = self.nodes.get_mut(number)
                && !node.policies.iter().any(|known| known.anchor == anchor)
            {
                let ports = policy.client.ports.clone();
                node.findings.extend(&findings);
                node.policies.push(MapPolicy { anchor, enforced: true, ports, validates: true, end: shown });
            }
        }
        let state = State::of(self.read(&findings), !unknown.is_empty(), policy.is_none());
        Draft { services: Vec::new(), idle, tls: policy.is_some(), state, unknown, findings }
    }

    /// A backend with this port.
    fn backend(&mut self, target: &ObjectRef, anchor: &str, port: Option<u16>) {
        if !self.numbers.contains_key(target) {
            self.stand_in(target, "service", Role::Backend, State::Sound);
        }
        let number = self.numbers.get(target).copied().unwrap_or(usize::MAX);
        let Some(node) = self.nodes.get_mut(number) else { return };
        if !node.listeners.iter().any(|listener| listener.anchor == anchor) {
            let anchor = anchor.to_owned();
            let end = Default::default();
            node.listeners.push(MapListener {
                anchor,
                port,
                protocol: String::new(),
                mode: None,
                validates: false,
                end,
            });
        }
    }

    /// A node for what is no member.
    fn stand_in(&mut self, object: &ObjectRef, noun: &'static str, role: Role, state: State) {
        self.numbers.insert(object.clone(), self.nodes.len());
        self.nodes.push(Node {
            kind: object.kind.clone(),
            namespace: object.namespace().to_owned(),
            name: object.name.clone(),
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

    fn add_call(&mut self, client: &ObjectRef, server: &ObjectRef, listener: &str, policy: Option<&str>, draft: Draft) {
        let (client, server) = (client.clone(), server.clone());
        let key = CallKey { client, server, listener: listener.into(), policy: policy.map(Into::into) };
        if let Some(known) = self.calls.get_mut(&key) {
            known.idle &= draft.idle;
        } else if self.calls.len() >= MOST_CALLS {
            self.left_out += 1;
        } else {
            self.calls.insert(key, draft);
        }
    }
}

/// The words of a message, hosts among them.
fn words(message: &str) -> impl Iterator<Item = &str> {
    message.split([' ', ',', '(', ')'])
}
