//! Builds a map, one member at a time: a live world is locked for one member only.

use std::collections::{BTreeSet, HashMap};

use crate::finding::{Finding, Site, Trait};
use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::{CallKey, Discovery, Member, View};
use crate::policy::Policy;
use crate::rules::{End, Files, Pair};
use crate::survey::map::ends::{Certificates, mode, named, of_listener};

use crate::survey::map::state::{State, unknown_of_call, unknown_of_end};
use crate::survey::map::{
    LeftOut, MOST_CALLS, MOST_FINDINGS, Map, MapCall, MapListener, MapPolicy, Node, Role, Told, mend,
};
use crate::survey::{Report, Reported};

/// Makes a [`Map`] of members and findings.
pub(crate) struct MapBuilder<'r> {
    pub(super) findings: &'r [Reported],
    by_object: HashMap<&'r ObjectRef, Vec<usize>>,
    by_call: HashMap<&'r CallKey, Vec<usize>>,
    /// The findings about calls, by either end: a call is reported once, at one of them.
    by_end: HashMap<&'r ObjectRef, Vec<usize>>,
    pub(super) numbers: HashMap<ObjectRef, usize>,
    pub(super) certificates: Certificates,
    pub(super) nodes: Vec<Node>,
    pub(super) calls: HashMap<CallKey, Draft>,
    pub(super) left_out: usize,
    namespace: Option<&'r str>,
}

/// A call whose server may not have been added yet.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) services: Vec<String>,
    pub(super) idle: bool,
    pub(super) tls: bool,
    pub(super) state: State,
    pub(super) unknown: Vec<String>,
    pub(super) findings: Vec<usize>,
    /// The policy, if it is an object of its own.
    pub(super) by: Option<String>,
}

impl<'r> MapBuilder<'r> {
    /// A builder with these findings. With a namespace it only takes its members, and those who call them or are called by them.
    pub(crate) fn new(report: &'r Report, namespace: Option<&'r str>) -> Self {
        let mut builder = Self {
            findings: &report.findings,
            by_object: HashMap::new(),
            by_call: HashMap::new(),
            by_end: HashMap::new(),
            numbers: HashMap::new(),
            certificates: Certificates::default(),
            nodes: Vec::new(),
            calls: HashMap::new(),
            left_out: 0,
            namespace,
        };
        for (number, reported) in report.findings.iter().enumerate() {
            builder.by_object.entry(&reported.finding.object).or_default().push(number);
            if let Some(call) = &reported.finding.problem.site.call {
                builder.by_call.entry(call).or_default().push(number);
                for end in [&call.client, &call.server] {
                    builder.by_end.entry(end).or_default().push(number);
                }
            }
        }
        builder
    }

    /// A map of all members of a world.
    pub(crate) fn map(report: &'r Report, view: View<'_>, policy: &Policy) -> Map {
        let mut builder = Self::new(report, None);
        // Sorted, so that the same world gives the same map even if something is left out.
        let mut members: Vec<_> = view.members().collect();
        members.sort_unstable_by_key(|member| &member.object);
        members.into_iter().for_each(|member| builder.member(view, policy, member));
        builder.finish()
    }

    /// Adds a member, with its calls.
    pub(crate) fn member(&mut self, view: View<'_>, policy: &Policy, member: &Member) {
        let policy = policy.effective(member.object.namespace(), view);
        let view = view.under(policy.settings());
        if !self.within(&member.object) && !self.touches(view, member) {
            return;
        }
        let number = self.nodes.len();
        if self.numbers.insert(member.object.clone(), number).is_some() {
            return;
        }
        let mut unknown = Vec::new();
        let listeners = self.listeners_of(view, member, number, &mut unknown);
        let policies = self.policies_of(view, member, number, &mut unknown);
        let workloads: Vec<&ObjectRef> =
            view.workloads_of(member).into_iter().map(|workload| &workload.object).collect();
        let mut findings = self.at(&member.object).to_vec();
        findings.extend(self.by_end.get(&member.object).into_iter().flatten());
        findings.extend(workloads.iter().flat_map(|workload| self.at(workload)));
        let is_entrance = member.servers.iter().any(|server| server.gate.is_some()) || !member.plane.is_direct();
        let plaintext = !member.servers.is_empty() && !member.uses_tls();
        let state = State::of(self.read(&findings), !unknown.is_empty(), plaintext);
        self.nodes.push(Node {
            kind: member.object.kind.to_string(),
            namespace: member.object.namespace().to_owned(),
            name: member.object.name.to_string(),
            mesh: view.mesh_of(member).map(str::to_owned),
            known_as: match &member.discovery {
                Discovery::Dns { hostname, .. } => Some(hostname.clone()),
                Discovery::CloudMap { namespace, service, .. } => Some(format!("{service}.{namespace} (Cloud Map)")),
                Discovery::None => None,
            },
            state,
            workloads: workloads.into_iter().map(ToString::to_string).collect(),
            listeners,
            policies,
            findings,
            role: if is_entrance { Role::Entrance } else { Role::Member },
            noun: member.noun,
        });
        self.calls_of(view, member);
        if is_entrance {
            self.hosts_of(view, member);
            self.backends_of(view, member, number);
        }
    }

    /// A node's listeners, and what isn't known about them.
    pub(super) fn listeners_of(
        &mut self,
        view: View<'_>,
        member: &Member,
        node: usize,
        unknown: &mut Vec<String>,
    ) -> Vec<MapListener> {
        let mut listeners = Vec::new();
        for listener in &member.servers {
            let mut end = match of_listener(view, member, listener) {
                None => Default::default(),
                Some((end, files)) => {
                    unknown_of_end(end, &files, "server", unknown);
                    self.certificates.end(node, end, &files)
                }
            };
            end.findings = self.on_end(&member.object, &listener.anchor, &listener.field);
            listeners.push(MapListener {
                anchor: listener.anchor.to_string(),
                port: listener.port,
                protocol: listener.protocol.clone(),
                mode: mode(listener),
                validates: listener.active_tls().is_some_and(|tls| tls.validation.is_some()),
                end,
            });
        }
        listeners
    }

    /// A node's client policies, and what isn't known about them.
    fn policies_of(
        &mut self,
        view: View<'_>,
        member: &Member,
        node: usize,
        unknown: &mut Vec<String>,
    ) -> Vec<MapPolicy> {
        let mut policies = Vec::new();
        for client in &member.clients {
            let files = Files::of(view, member, End::Client(client));
            if client.enforce {
                unknown_of_end(End::Client(client), &files, "client", unknown);
            }
            let mut end = self.certificates.end(node, End::Client(client), &files);
            end.findings = self.on_end(&member.object, &client.anchor, &client.field);
            policies.push(MapPolicy {
                anchor: client.anchor.to_string(),
                enforced: client.enforce,
                ports: client.ports.clone(),
                validates: client.validation.is_some(),
                end,
            });
        }
        policies
    }

    fn within(&self, object: &ObjectRef) -> bool {
        self.namespace.is_none_or(|namespace| object.namespace() == namespace)
    }

    /// Whether a member outside the namespace calls into it, or is called from it.
    fn touches(&self, view: View<'_>, member: &Member) -> bool {
        view.links_from(member).iter().any(|link| self.within(&link.server.object))
            || view.links_to(member).iter().any(|link| self.within(&link.client.object))
    }

    fn calls_of(&mut self, view: View<'_>, member: &Member) {
        for pair in Pair::made_by(view, member) {
            let key = pair.key();
            if !self.within(&key.client) && !self.within(&key.server) {
                continue;
            }
            let service = pair.link.service();
            let service = format!("{}/{}", service.namespace(), service.name);
            if let Some(known) = self.calls.get_mut(&key) {
                known.idle &= pair.link.idle;
                if !known.services.contains(&service) {
                    known.services.push(service);
                }
                continue;
            }
            if self.calls.len() >= MOST_CALLS {
                self.left_out += 1;
                continue;
            }
            if let Some((attached, number)) = pair.link.attached.zip(self.numbers.get(&member.object).copied()) {
                self.attached_policy(view, member, number, attached);
            }
            let draft = self.call(view, &pair, &key, service);
            self.calls.insert(key, draft);
        }
    }

    fn call(&self, view: View<'_>, pair: &Pair<'_>, key: &CallKey, service: String) -> Draft {
        let tls = pair.link.listener.active_tls().is_some();
        let enforced = pair.link.policy.enforced();
        let mut findings = self.by_call.get(key).cloned().unwrap_or_default();
        let by_name = pair.relies_on_hostname();
        let listener = &pair.link.listener;
        let of_server = self.on_end(&key.server, &listener.anchor, &listener.field);
        let of_hostname = |reported: &Reported| reported.finding.rule.has(Trait::Hostname);
        let concerns = |number: &usize| by_name || !self.findings.get(*number).is_some_and(of_hostname);
        findings.extend(of_server.into_iter().filter(concerns));
        if let Some(end) = enforced {
            findings.extend(self.on_end(&key.client, &end.anchor, &end.field));
        }
        let unknown = unknown_of_call(view, pair);
        let plaintext = !tls && enforced.is_none();
        let state = State::of(self.read(&findings), !unknown.is_empty(), plaintext);
        Draft {
            services: vec![service],
            idle: pair.link.idle,
            tls: tls || enforced.is_some(),
            state,
            unknown,
            findings,
            by: pair.link.attached.map(named),
        }
    }

    pub(super) fn at(&self, object: &ObjectRef) -> &[usize] {
        self.by_object.get(object).map_or(&[], Vec::as_slice)
    }

    /// The findings about one end of an object, but not about a single call.
    pub(super) fn on_end(&self, object: &ObjectRef, anchor: &str, place: &FieldPath) -> Vec<usize> {
        let about = |finding: &Finding| {
            let Site { call, anchor: at, field, .. } = &finding.problem.site;
            let on_anchor = at.strip_prefix(anchor).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
            call.is_none() && (on_anchor || place.holds(field))
        };
        let numbers = self.at(object).iter().copied();
        numbers.filter(|number| self.findings.get(*number).is_some_and(|it| about(&it.finding))).collect()
    }

    pub(super) fn read<'s>(&'s self, numbers: &'s [usize]) -> impl Iterator<Item = &'r Finding> + 's {
        numbers.iter().filter_map(|number| self.findings.get(*number)).map(|reported| &reported.finding)
    }

    /// The numbers of the findings on the map: those in the namespace, and others that its calls depend on.
    fn kept(&self) -> BTreeSet<usize> {
        let within = self.findings.iter().enumerate().filter(|(_, it)| self.within(&it.finding.object));
        within
            .map(|(number, _)| number)
            .chain(self.calls.values().flat_map(|call| call.findings.iter().copied()))
            .collect()
    }

    /// The map: sorted, with numbers that refer to its own lists.
    pub(crate) fn finish(self) -> Map {
        let kept = self.kept();
        let Self { findings, numbers, certificates, nodes, calls, left_out, .. } = self;
        let (told, finding_places) = told(findings, &kept);
        let mut map = Map {
            left_out: LeftOut { calls: left_out, findings: kept.len() - told.len() },
            findings: told,
            ..Map::default()
        };
        let node_places =
            sorted(&nodes, |a, b| (&a.namespace, &a.name, &a.kind).cmp(&(&b.namespace, &b.name, &b.kind)));
        let certificate_places = sorted(&certificates.all, |a, b| {
            (a.not_after, &a.subject, &a.fingerprint).cmp(&(b.not_after, &b.subject, &b.fingerprint))
        });
        let kept = |numbers: &mut Vec<usize>| renumber_kept(&finding_places, numbers);
        map.nodes = in_order(nodes, &node_places);
        for (number, node) in map.nodes.iter_mut().enumerate() {
            kept(&mut node.findings);
            point_to(number, node, &mut map.findings);
            let listeners = node.listeners.iter_mut().map(|listener| &mut listener.end);
            for end in listeners.chain(node.policies.iter_mut().map(|policy| &mut policy.end)) {
                kept(&mut end.findings);
                end.shows.iter_mut().for_each(|shows| renumber(&certificate_places, &mut shows.chain));
                end.trusts.iter_mut().for_each(|trusts| renumber(&certificate_places, &mut trusts.authorities));
            }
        }
        map.certificates = in_order(certificates.all, &certificate_places);
        for certificate in &mut map.certificates {
            for users in [&mut certificate.shown_by, &mut certificate.trusted_by] {
                renumber(&node_places, users);
                users.sort_unstable();
            }
        }
        for (key, mut draft) in calls {
            kept(&mut draft.findings);
            let number = |object| numbers.get(object).and_then(|number| node_places.get(*number)).copied();
            // In a live world a node may disappear between two looks.
            let (Some(client), Some(server)) = (number(&key.client), number(&key.server)) else { continue };
            let call = placed(&map.nodes, &key, client, server, draft);
            map.calls.extend(call);
        }
        map.calls.sort_by_key(|call| (call.client, call.server, call.listener, call.policy));
        map.mend = mend::first(&map);
        map
    }
}

/// The call between the nodes with these numbers. None if its listener is gone.
fn placed(nodes: &[Node], key: &CallKey, client: usize, server: usize, draft: Draft) -> Option<MapCall> {
    let listeners = &nodes.get(server)?.listeners;
    let listener = listeners.iter().position(|listener| listener.anchor == *key.listener)?;
    let policy_at = |anchor: &str| nodes.get(client)?.policies.iter().position(|policy| policy.anchor == anchor);
    let policy = draft.by.as_deref().or(key.policy.as_deref()).and_then(policy_at);
    let Draft { mut services, idle, tls, state, unknown, findings, by: _ } = draft;
    services.sort_unstable();
    Some(MapCall { client, server, services, listener, policy, idle, tls, state, unknown, findings })
}

/// Makes a node's findings refer to it.
fn point_to(number: usize, node: &Node, told: &mut [Told]) {
    for finding in &node.findings {
        if let Some(told) = told.get_mut(*finding) {
            // A finding about a call is at one end, and concerns both.
            if told.kind == node.kind && told.namespace == node.namespace && told.name == node.name {
                told.node = Some(number);
            }
            told.node.get_or_insert(number);
        }
    }
}

/// Translates numbers in the order of discovery to numbers in sorted order.
fn renumber(places: &[usize], numbers: &mut Vec<usize>) {
    *numbers = numbers.iter().filter_map(|number| places.get(*number).copied()).collect();
}

/// The same for findings, some of which aren't reported; sorted, each once.
fn renumber_kept(places: &[Option<usize>], numbers: &mut Vec<usize>) {
    *numbers = numbers.iter().filter_map(|number| places.get(*number).copied().flatten()).collect();
    numbers.sort_unstable();
    numbers.dedup();
}

/// The reported findings, most severe first, and for each finding its new index.
fn told(findings: &[Reported], kept: &BTreeSet<usize>) -> (Vec<Told>, Vec<Option<usize>>) {
    let mut order: Vec<usize> = kept.iter().copied().collect();
    let rank = |number: &usize| {
        findings.get(*number).map(|Reported { finding, .. }| {
            let suppressed = finding.suppressed.is_some();
            (suppressed, std::cmp::Reverse(finding.severity), finding.rule.code)
        })
    };
    order.sort_by_key(rank);
    order.truncate(MOST_FINDINGS);
    let mut places = vec![None; findings.len()];
    for (place, number) in order.iter().enumerate() {
        if let Some(slot) = places.get_mut(*number) {
            *slot = Some(place);
        }
    }
    (order.iter().filter_map(|number| findings.get(*number)).map(Told::of).collect(), places)
}

/// For each item, its index in sorted order.
fn sorted<T>(items: &[T], compare: impl Fn(&T, &T) -> std::cmp::Ordering) -> Vec<usize> {
    let mut order: Vec<(usize, &T)> = items.iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| compare(a, b));
    let mut places = vec![0; items.len()];
    for (place, (number, _)) in order.into_iter().enumerate() {
        if let Some(slot) = places.get_mut(number) {
            *slot = place;
        }
    }
    places
}

/// The items, each at its index.
fn in_order<T>(items: Vec<T>, places: &[usize]) -> Vec<T> {
    let mut numbered: Vec<(usize, T)> = places.iter().copied().zip(items).collect();
    numbered.sort_by_key(|(place, _)| *place);
    numbered.into_iter().map(|(_, item)| item).collect()
}
