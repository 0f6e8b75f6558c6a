//! Finds the [links](Link) from a member over the hops in between to the listeners that it reaches, and back.

use std::collections::BTreeMap;

use crate::k8s::{ObjectKey, ObjectRef, TypeRef};
use crate::mesh::attached::Attached;
use crate::mesh::end::{ClientEnd, ServerEnd};
use crate::mesh::facts::Fact;
use crate::mesh::hop::{Hop, Inlet, Target, Within};
use crate::mesh::link::{Link, PolicyInForce, Step, service_of};
use crate::mesh::member::{Member, OwnPolicy};
use crate::mesh::service::SERVICE;
use crate::mesh::view::{Belonging, View};

/// The most hops between a client and a server. App Mesh needs three, Gateway API two; more is a cycle.
const MOST_STEPS: usize = 8;

/// A client, with the path from it to the object where the search began.
#[derive(Clone, Debug)]
pub(super) struct Caller<'a> {
    pub(super) client: &'a Member,
    pub(super) via: Vec<Step<'a>>,
}

impl<'a> Caller<'a> {
    /// By service, members before gateways and these by their routes, then by name.
    fn rank(&self) -> (Option<&'a ObjectRef>, bool, Option<&'a ObjectRef>, &'a ObjectRef) {
        let gateway = self.client.is_gateway();
        let route = self.via.first().filter(|_| gateway).map(|step| &step.hop.object);
        (service_of(&self.via), gateway, route, &self.client.object)
    }
}

/// A server, with the path to it from the object where the search began.
#[derive(Clone, Debug)]
pub(super) struct Reached<'a> {
    pub(super) server: &'a Member,
    pub(super) via: Vec<Step<'a>>,
}

/// What a target refers to.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    Member(&'a Member),
    Hop(&'a Hop),
}

impl<'a> Found<'a> {
    fn object(self) -> &'a ObjectRef {
        match self {
            Found::Member(member) => &member.object,
            Found::Hop(hop) => &hop.object,
        }
    }
}

/// The links found so far, each once.
#[derive(Default)]
pub(super) struct Collected<'a>(pub(super) Vec<Link<'a>>);

impl<'a> Collected<'a> {
    /// Adds a link. Several paths of one client by one service to one listener are one call: the first of the most certain ones is kept.
    fn add(&mut self, link: Link<'a>) {
        // Links of one client and one service are added consecutively.
        let known = self
            .0
            .iter_mut()
            .rev()
            .take_while(|known| known.service() == link.service() && known.client.object == link.client.object)
            .find(|known| known.is_like(&link));
        match known {
            Some(known) if link.certainty() > known.certainty() => *known = link,
            Some(_) => {}
            None => self.0.push(link),
        }
    }
}

impl<'a> View<'a> {
    /// The calls that a member makes, by called service.
    pub fn links_from(&self, client: &'a Member) -> Vec<Link<'a>> {
        let mut links = Collected::default();
        if client.is_gateway() {
            for hop in self.hops_of(client) {
                for reached in self.ways_on(hop, client.object.namespace()) {
                    self.link(client, reached.via, reached.server, &mut links);
                }
            }
            return links.0;
        }
        for (found, first) in self.services_called(client).into_values() {
            let via: Vec<Step<'a>> = first.into_iter().collect();
            for reached in self.down(found, client.object.namespace(), via) {
                self.link(client, reached.via, reached.server, &mut links);
            }
        }
        links.0
    }

    /// The calls that others make to a member. A call to itself only appears in `links_from`.
    pub(crate) fn links_to(&self, server: &'a Member) -> Vec<Link<'a>> {
        let mut links = Collected::default();
        for caller in self.callers(&server.object) {
            if caller.client.object != server.object {
                self.link(caller.client, caller.via, server, &mut links);
            }
        }
        links.0
    }

    /// The calls that pass through a hop. Costs what the hop touches.
    pub(crate) fn links_by(&self, hop: &'a Hop) -> Vec<Link<'a>> {
        let mut links = Collected::default();
        if hop.group && !self.settings.groups {
            return links.0;
        }
        for caller in self.callers_in(hop) {
            let mut told = Vec::new();
            for outlet in &hop.to {
                for found in self.resolve(&outlet.to, caller.client.object.namespace()) {
                    // What a member calls by name it also calls without the group.
                    if hop.group {
                        if caller.client.names(found.object()) || told.contains(&found.object()) {
                            continue;
                        }
                        told.push(found.object());
                    }
                    for reached in self.down(found, caller.client.object.namespace(), vec![Step { hop, outlet }]) {
                        let via = caller.via.iter().copied().chain(reached.via).collect();
                        self.link(caller.client, via, reached.server, &mut links);
                    }
                }
            }
        }
        links.0
    }

    /// Adds a link for each listener that the call may reach, if both ends are certainly of one mesh.
    pub(super) fn link(&self, client: &'a Member, via: Vec<Step<'a>>, server: &'a Member, links: &mut Collected<'a>) {
        // A Service's pods can be called by anyone who knows its name, in a mesh or not.
        let service = via.last().filter(|step| step.to_service().is_some()).copied();
        if service.is_none() && self.share_a_mesh(client, server) != Belonging::Yes {
            return;
        }
        if service.is_some_and(|step| !self.is_called_by(client, step)) {
            return;
        }
        let meant = match service {
            Some(step) => self.arriving(step, server),
            None => meant(&via, &server.servers),
        };
        let Some((last, others)) = meant.split_last() else { return };
        let (policy, attached) = match service {
            Some(step) => {
                let attached = self.attached_by(step).filter(|_| !via.iter().any(|step| step.hop.raw));
                (attached.map(|attached| &attached.client), attached)
            }
            None => self.policy_for(client, service_of(&via).unwrap_or(&server.object)),
        };
        let idle = via.iter().any(|step| step.outlet.idle);
        let link = |listener: &'a ServerEnd, via: Vec<Step<'a>>| {
            let instead = meant.iter().copied().filter(|other| !std::ptr::eq(*other, listener)).collect();
            Link { client, policy: PolicyInForce::of(policy, listener), attached, via, server, listener, instead, idle }
        };
        for listener in others {
            links.add(link(listener, via.clone()));
        }
        links.add(link(last, via));
    }

    /// The policy of a client for what it calls: the backend's own replaces the defaults entirely; else one that is attached
    /// to what is called.
    fn policy_for(&self, client: &'a Member, called: &ObjectRef) -> (Option<&'a ClientEnd>, Option<&'a Attached>) {
        let own = client.backends.iter().find(|backend| matches!(&backend.to, Target::Object(it) if it == called));
        match own.map(|backend| backend.policy) {
            Some(OwnPolicy::Own(index)) => (index.and_then(|index| client.clients.get(index)), None),
            Some(OwnPolicy::Inherited) | None => match self.attached_to(called) {
                Some(attached) => (Some(&attached.client), Some(attached)),
                None => (client.clients.iter().find(|end| end.is_default), None),
            },
        }
    }

    fn attached_to(&self, called: &ObjectRef) -> Option<&'a Attached> {
        let laid = self.laid().filter_map(|fact| match fact {
            Fact::Attached(attached) if attached.is_for(called) => Some(&**attached),
            _ => None,
        });
        let known = self.world.links().attached_to(called).filter_map(|object| self.attachment(object));
        let known = known.filter(|attached| attached.is_for(called));
        laid.chain(known).min_by_key(|attached| (attached.rank, &attached.object))
    }

    /// The services that a member declares it calls, each once, with the group where a group lists it.
    fn services_called(&self, client: &'a Member) -> BTreeMap<&'a ObjectRef, (Found<'a>, Option<Step<'a>>)> {
        let namespace = client.object.namespace();
        let named: Vec<Found<'a>> =
            client.backends.iter().flat_map(|backend| self.resolve(&backend.to, namespace)).collect();
        let mut called = BTreeMap::new();
        for found in &named {
            if !matches!(found, Found::Hop(hop) if hop.group) {
                called.entry(found.object()).or_insert((*found, None));
            }
        }
        for found in named {
            let Found::Hop(hop) = found else { continue };
            if !hop.group || !self.settings.groups {
                continue;
            }
            for outlet in &hop.to {
                for found in self.resolve(&outlet.to, namespace) {
                    called.entry(found.object()).or_insert((found, Some(Step { hop, outlet })));
                }
            }
        }
        called
    }

    /// What a target refers to, for callers in this namespace.
    fn resolve(&self, target: &'a Target, namespace: &'a str) -> Vec<Found<'a>> {
        match target {
            Target::Object(object) => self.named(object),
            Target::InCallersNamespace { kind, name } => {
                self.hop_named(*kind, namespace, name).map(Found::Hop).into_iter().collect()
            }
            Target::Every { kind, namespace: there } => {
                let there = there.as_deref().unwrap_or(namespace);
                let known = self.world.links().every(*kind, there).filter_map(|object| self.hop(object));
                let laid = self
                    .laid_hops()
                    .filter(|hop| hop.is_service() && hop.object.is_a(*kind) && hop.object.namespace() == there);
                let mut all: Vec<&Hop> = known.chain(laid).collect();
                all.sort_by_key(|hop| &hop.object);
                all.dedup_by_key(|hop| &hop.object);
                all.into_iter().map(Found::Hop).collect()
            }
            Target::Outside => Vec::new(),
        }
    }

    /// What an object's name leads to: itself, or the members behind a Service.
    pub(super) fn named(&self, object: &ObjectRef) -> Vec<Found<'a>> {
        match self.found(object) {
            None if object.is_a(SERVICE) => self.behind(object).into_iter().map(Found::Member).collect(),
            found => found.into_iter().collect(),
        }
    }

    fn found(&self, object: &ObjectRef) -> Option<Found<'a>> {
        self.hop(object).map(Found::Hop).or_else(|| self.member(object).map(Found::Member))
    }

    fn hop_named(&self, kind: TypeRef, namespace: &str, name: &str) -> Option<&'a Hop> {
        let is_it = |object: &ObjectRef| object.is_a(kind) && object.namespace() == namespace && object.name == name;
        let laid = self.laid_hops().find(|hop| is_it(&hop.object));
        let key = ObjectKey::new(kind.api_version, kind.kind, namespace, name);
        laid.or_else(|| self.world.hop_named(&key).filter(|hop| self.counts(&hop.object)))
    }

    pub(super) fn laid_hops(&self) -> impl Iterator<Item = &'a Hop> + use<'a> {
        self.laid().filter_map(|fact| match fact {
            Fact::Hop(hop) => Some(&**hop),
            _ => None,
        })
    }

    /// Where a hop leads callers in this namespace.
    fn ways_on(&self, hop: &'a Hop, namespace: &'a str) -> Vec<Reached<'a>> {
        let mut reached = Vec::new();
        for outlet in &hop.to {
            for found in self.resolve(&outlet.to, namespace) {
                reached.extend(self.down(found, namespace, vec![Step { hop, outlet }]));
            }
        }
        reached
    }

    /// The members to which something leads callers in this namespace.
    pub(super) fn down(&self, found: Found<'a>, namespace: &'a str, via: Vec<Step<'a>>) -> Vec<Reached<'a>> {
        let hop = match found {
            Found::Member(server) => return vec![Reached { server, via }],
            Found::Hop(hop) => hop,
        };
        let mut reached = Vec::new();
        if via.len() < MOST_STEPS {
            for outlet in &hop.to {
                for found in self.resolve(&outlet.to, namespace) {
                    let via = via.iter().copied().chain([Step { hop, outlet }]).collect();
                    reached.extend(self.down(found, namespace, via));
                }
            }
        }
        reached
    }

    /// The hops that a gateway takes: those that name it, then those that it selects.
    pub(crate) fn hops_of(&self, gateway: &Member) -> Vec<&'a Hop> {
        let known = self.world.links().hops_of(&gateway.object).filter_map(|object| self.hop(object));
        let mut hops: Vec<&Hop> = known.chain(self.laid_hops()).filter(|hop| self.is_taken_by(hop, gateway)).collect();
        hops.sort_by_key(|hop| (hop.from.contains(&Inlet::Selected), &hop.object));
        hops.dedup_by_key(|hop| &hop.object);
        hops
    }

    fn is_taken_by(&self, hop: &Hop, gateway: &Member) -> bool {
        hop.from.iter().any(|inlet| match inlet {
            Inlet::Callers => false,
            Inlet::Named { parent, .. } => *parent == gateway.object,
            Inlet::Selected => gateway.takes(hop, self.namespace(hop.object.namespace())),
        })
    }

    /// Every caller of an object, with its path: by service, members before gateways, then by name.
    pub(super) fn callers(&self, object: &'a ObjectRef) -> Vec<Caller<'a>> {
        let mut callers = Vec::new();
        self.up(object, None, &[], &mut callers);
        in_order(&mut callers);
        callers
    }

    /// Every caller that enters a hop.
    fn callers_in(&self, hop: &'a Hop) -> Vec<Caller<'a>> {
        let mut callers = Vec::new();
        self.enter(hop, None, &[], &mut callers);
        in_order(&mut callers);
        callers
    }

    fn up(&self, object: &'a ObjectRef, within: Within<'a>, below: &[Step<'a>], callers: &mut Vec<Caller<'a>>) {
        for source in self.sources(object) {
            match source {
                Found::Member(client) => {
                    let namespace = client.object.namespace();
                    let meant = client.backends.iter().filter_map(|backend| backend.to.leads_to(object));
                    if meant.chain([within]).all(|within| within.is_none_or(|within| within == namespace)) {
                        callers.push(Caller { client, via: below.to_vec() });
                    }
                }
                Found::Hop(hop) if below.len() < MOST_STEPS && (!hop.group || self.settings.groups) => {
                    for outlet in &hop.to {
                        let Some(meant) = outlet.to.leads_to(object) else { continue };
                        let via: Vec<_> = [Step { hop, outlet }].into_iter().chain(below.iter().copied()).collect();
                        self.enter(hop, meant.or(within), &via, callers);
                    }
                }
                Found::Hop(_) => {}
            }
        }
        for service in self.services_before(object) {
            self.up(service, within, below, callers);
        }
    }

    fn enter(&self, hop: &'a Hop, within: Within<'a>, via: &[Step<'a>], callers: &mut Vec<Caller<'a>>) {
        for inlet in &hop.from {
            match inlet {
                Inlet::Callers => self.up(&hop.object, within, via, callers),
                Inlet::Named { parent, .. } => {
                    let gateway = self.member(parent).filter(|member| member.is_gateway());
                    callers.extend(gateway.map(|client| Caller { client, via: via.to_vec() }));
                }
                Inlet::Selected => {
                    let labels = self.namespace(hop.object.namespace());
                    let gateways = self.gateways().into_iter().filter(|gateway| gateway.takes(hop, labels));
                    callers.extend(gateways.map(|client| Caller { client, via: via.to_vec() }));
                }
            }
        }
    }

    /// The members and hops that may lead to an object, by name.
    pub(super) fn sources(&self, object: &ObjectRef) -> Vec<Found<'a>> {
        let known = self.world.links().sources(object).filter(|source| self.counts(source));
        let known = known.filter_map(|source| self.found(source));
        let members = self
            .laid_members()
            .filter(|member| member.backends.iter().any(|backend| backend.to.leads_to(object).is_some()));
        let hops = self.laid_hops().filter(|hop| hop.to.iter().any(|outlet| outlet.to.leads_to(object).is_some()));
        let mut sources: Vec<Found<'a>> = known.chain(members.map(Found::Member)).chain(hops.map(Found::Hop)).collect();
        sources.sort_by_key(|source| source.object());
        sources.dedup_by_key(|source| source.object());
        sources
    }
}

/// The listeners that a path may reach: that of the port it names; else those of the ports at which requests arrive on the path, since
/// a proxy forwards them to the same port; else all.
fn meant<'a>(via: &[Step<'a>], listeners: &'a [ServerEnd]) -> Vec<&'a ServerEnd> {
    let on = |port: u16| listeners.iter().find(move |listener| listener.port == Some(port));
    if let Some(port) = via.iter().find_map(|step| step.outlet.port) {
        return on(port).into_iter().collect();
    }
    if listeners.len() > 1 {
        let arriving = via.iter().rev().map(|step| &step.outlet.arriving).find(|ports| !ports.is_empty());
        let same: Vec<_> = arriving.into_iter().flatten().filter_map(|port| on(*port)).collect();
        if !same.is_empty() {
            return same;
        }
    }
    listeners.iter().collect()
}

fn in_order(callers: &mut [Caller<'_>]) {
    callers.sort_by(|one, other| one.rank().cmp(&other.rank()));
}
