//! Who talks to whom, as App Mesh has it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::k8s::FieldPath;
use crate::k8s::ObjectRef;
use crate::mesh::end::{Backend, ClientEnd, ServerEnd};
use crate::mesh::member::Member;
use crate::mesh::routes::{GroupEntry, Name, group_entries, provider, services_routed};
use crate::mesh::ways::{Caller, Reached, Routing, StandIn, Ways, gateway_calls, names, policy_for};
use crate::mesh::world::World;

/// One way by which a client reaches a listener.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The one that calls.
    pub client: &'a Member,
    /// What its policy says of this call.
    pub policy: PolicyInForce<'a>,
    /// The virtual service it calls.
    pub service: Name,
    /// The one that is called.
    pub server: &'a Member,
    /// The listener that is reached.
    pub listener: &'a ServerEnd,
    /// Whether the route there has weight 0, so that no request takes it now.
    pub idle: bool,
}

/// What a client's policy says of one call.
#[derive(Clone, Copy, Debug)]
pub enum PolicyInForce<'a> {
    /// TLS, as this policy has it: it is enforced, and holds for the listener's port.
    Enforced(&'a ClientEnd),
    /// There is a policy that isn't enforced or holds for other ports: the server decides.
    NotEnforced(&'a ClientEnd),
    /// None: the server decides.
    None,
}

impl<'a> PolicyInForce<'a> {
    /// The policy that counts, if one does.
    pub fn enforced(&self) -> Option<&'a ClientEnd> {
        match self {
            PolicyInForce::Enforced(end) => Some(end),
            PolicyInForce::NotEnforced(_) | PolicyInForce::None => None,
        }
    }

    /// The policy, whether it counts or not.
    pub fn end(&self) -> Option<&'a ClientEnd> {
        match self {
            PolicyInForce::Enforced(end) | PolicyInForce::NotEnforced(end) => Some(end),
            PolicyInForce::None => None,
        }
    }
}

/// What tells one call from another: two services that lead to one listener by one policy are the same call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    /// The one that calls.
    pub client: ObjectRef,
    /// The one that is called.
    pub server: ObjectRef,
    /// The [anchor](ServerEnd::anchor) of the listener.
    pub listener: Arc<str>,
    /// The [anchor](ClientEnd::anchor) of the client's policy for it, enforced or not; None where there is none.
    pub policy: Option<Arc<str>>,
}

impl Call<'_> {
    /// What tells this call from others.
    pub fn key(&self) -> CallKey {
        CallKey {
            client: self.client.object.clone(),
            server: self.server.object.clone(),
            listener: Arc::clone(&self.listener.anchor),
            policy: self.policy.end().map(|end| Arc::clone(&end.anchor)),
        }
    }
}

/// The calls of one member, which is as it is about to be.
#[derive(Clone, Copy, Debug)]
pub struct Calls<'a> {
    ways: Ways<'a>,
    subject: &'a Member,
}

impl<'a> Calls<'a> {
    /// Asks about one member, which stands in for what the world knows under its name. Backend groups count where the
    /// App Mesh controller has them enabled.
    pub fn new(world: &'a World, subject: &'a Member, by_groups: bool) -> Self {
        Self { ways: Ways { world, by_groups, stand_in: StandIn::Member(subject) }, subject }
    }

    /// The calls that the member makes.
    pub fn made(&self) -> Vec<Call<'a>> {
        let mut calls = Vec::new();
        for (service, caller) in self.services_called() {
            for reached in self.ways.reached(&service) {
                push(&mut calls, self.ways.call(caller, &service, &reached));
            }
        }
        calls
    }

    /// The calls that others make to the member. A gateway is called from outside the mesh alone.
    pub fn received(&self) -> Vec<Call<'a>> {
        let mut calls = Vec::new();
        if self.subject.is_gateway() {
            return calls;
        }
        let me = Name::of(&self.subject.object);
        for service in self.ways.world.routes().services_to(&me) {
            let reached: Vec<Reached<'a>> =
                self.ways.reached(service).into_iter().filter(|r| r.server.object == self.subject.object).collect();
            // A node that calls itself is told once, as a client.
            let others = self.ways.callers(service).into_iter().filter(|it| it.client.object != self.subject.object);
            for caller in others {
                for reached in &reached {
                    push(&mut calls, self.ways.call(caller, service, reached));
                }
            }
        }
        calls
    }

    /// The services that the member calls, each with the port that the way there names and the policy for it.
    fn services_called(&self) -> Vec<(Name, Caller<'a>)> {
        let (world, client) = (self.ways.world, self.subject);
        if !client.is_gateway() {
            let named = client.backends.iter().filter_map(|entry| match &entry.target {
                Backend::Service { namespace, name } => Some(Name::new(namespace, name)),
                Backend::Arn(_) => None,
            });
            let groups = client.backend_groups.iter().filter(|_| self.ways.by_groups);
            let grouped = groups.flat_map(|group| world.services_of_group(group, client.object.namespace()));
            let unique: BTreeSet<Name> = named.chain(grouped).collect();
            let caller = |service: &Name| Caller { client, policy: policy_for(client, service), port: None };
            return unique.into_iter().map(|service| (service.clone(), caller(&service))).collect();
        }
        let me = Name::of(&client.object);
        let routes = world.routes().gateway_routes_from(&me);
        routes
            .filter_map(|object| Some((object, world.gateway_route(object)?)))
            .filter(|(object, route)| self.ways.is_route_of(object, route, client))
            .flat_map(|(object, route)| services_routed(object, route))
            .map(|routed| (routed.service, gateway_calls(client, routed.port)))
            .collect()
    }
}

/// A call that comes about by an object which is neither of its ends.
#[derive(Clone, Debug)]
pub struct Brought<'a> {
    /// The field of that object which leads to the server.
    pub field: FieldPath,
    /// The call.
    pub call: Call<'a>,
}

/// The calls that come about by an object that leads callers to nodes. It stands in for what the world knows under its name.
/// Costs what the object touches.
pub fn brought_about<'a>(world: &'a World, routing: Routing<'a>, by_groups: bool) -> Vec<Brought<'a>> {
    let ways = Ways { world, by_groups, stand_in: StandIn::Routing(routing) };
    let mut brought = Vec::new();
    match routing {
        Routing::Service(object, service) => {
            let Some(provider) = provider(object, service) else { return brought };
            let name = Name::of(object);
            let reached = ways.reached(&name);
            for caller in ways.callers(&name) {
                for reached in &reached {
                    bring(&mut brought, ways.call(caller, &name, reached), || provider.field());
                }
            }
        }
        Routing::Router(object, router) => {
            let targets = ways.targets((object, router));
            for service in world.routes().services_by(&Name::of(object)) {
                for caller in ways.callers(service) {
                    for (target, reached) in &targets {
                        bring(&mut brought, ways.call(caller, service, reached), || target.field());
                    }
                }
            }
        }
        Routing::GatewayRoute(object, route) => {
            for gateway in ways.gateways_of(object, route) {
                for routed in services_routed(object, route) {
                    let caller = gateway_calls(gateway, routed.port);
                    for reached in ways.reached(&routed.service) {
                        bring(&mut brought, ways.call(caller, &routed.service, &reached), || routed.field());
                    }
                }
            }
        }
        Routing::BackendGroup(object, group) => {
            let name = Name::of(object);
            let members = world.routes().members_naming(&name).filter(|_| by_groups);
            for client in members.filter_map(|member| world.member(member)) {
                let mut told = BTreeSet::new();
                for (index, entry) in group_entries(group).enumerate() {
                    for service in world.services_of_entry(&entry, client.object.namespace()) {
                        // What the member calls by name it calls without the group too.
                        let by_name = client.backends.iter().any(|backend| names(&backend.target, &service));
                        if by_name || !told.insert(service.clone()) {
                            continue;
                        }
                        let caller = Caller { client, policy: policy_for(client, &service), port: None };
                        for reached in ways.reached(&service) {
                            bring(&mut brought, ways.call(caller, &service, &reached), || GroupEntry::field(index));
                        }
                    }
                }
            }
        }
    }
    brought
}

/// Adds a call. Several routes of one service to one listener are one call, which is idle when all of them are.
fn push<'a>(calls: &mut Vec<Call<'a>>, call: Option<Call<'a>>) {
    let Some(call) = call else { return };
    match known(calls.iter(), &call).and_then(|from_the_end| calls.iter_mut().nth_back(from_the_end)) {
        Some(known) => known.idle &= call.idle,
        None => calls.push(call),
    }
}

/// The same for calls with a field: that of the first route that isn't idle, or of the first.
fn bring<'a>(calls: &mut Vec<Brought<'a>>, call: Option<Call<'a>>, field: impl FnOnce() -> FieldPath) {
    let Some(call) = call else { return };
    let place = known(calls.iter().map(|brought| &brought.call), &call);
    match place.and_then(|from_the_end| calls.iter_mut().nth_back(from_the_end)) {
        Some(known) if known.call.idle && !call.idle => *known = Brought { field: field(), call },
        Some(_) => {}
        None => calls.push(Brought { field: field(), call }),
    }
}

/// The place, from the end, of a call like this one. Calls of one client and one service are added one after the other.
fn known<'c, 'a: 'c>(calls: impl DoubleEndedIterator<Item = &'c Call<'a>>, call: &Call<'a>) -> Option<usize> {
    let same = |one: &Member, other: &Member| one.object == other.object;
    calls
        .rev()
        .take_while(|known| known.service == call.service && same(known.client, call.client))
        .position(|known| same(known.server, call.server) && known.listener.anchor == call.listener.anchor)
}
