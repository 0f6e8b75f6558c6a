//! Who talks to whom, as App Mesh has it.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::appmesh::GatewayRoute;
use crate::mesh::end::{Backend, ClientEnd, ServerEnd};
use crate::mesh::member::{Definition, Member, OwnPolicy};
use crate::mesh::object::ObjectRef;
use crate::mesh::routes::{Name, Provider, gateway_of, provider, services_routed, targets};
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

/// Where a service leads: a node, and the port where the way says.
struct Reached<'a> {
    server: &'a Member,
    port: Option<u16>,
    idle: bool,
}

/// The world with one object as it is about to be.
#[derive(Clone, Copy, Debug)]
pub struct Calls<'a> {
    world: &'a World,
    subject: &'a Member,
    by_groups: bool,
}

impl<'a> Calls<'a> {
    /// Asks about one member, which stands in for what the world knows under its name. Backend groups count where the
    /// App Mesh controller has them enabled.
    pub fn new(world: &'a World, subject: &'a Member, by_groups: bool) -> Self {
        Self { world, subject, by_groups }
    }

    /// The calls that the member makes.
    pub fn made(&self) -> Vec<Call<'a>> {
        let mut calls = Vec::new();
        for (service, port, policy) in self.services_called() {
            for reached in self.reached(&service) {
                self.push(&mut calls, self.subject, policy, &service, port, reached);
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
        for service in self.world.routes().services_to(&me) {
            let reached: Vec<Reached<'a>> =
                self.reached(service).into_iter().filter(|r| r.server.object == self.subject.object).collect();
            let by_group = self.by_groups.then(|| self.world.routes().callers_by_group(service));
            let callers: BTreeSet<_> =
                self.world.routes().callers_of(service).chain(by_group.into_iter().flatten()).collect();
            for caller in callers {
                // A node that calls itself is told once, as a client.
                let Some(client) = self.world.member(caller).filter(|client| client.object != self.subject.object)
                else {
                    continue;
                };
                for reached in &reached {
                    let policy = policy_for(client, service);
                    self.push(&mut calls, client, policy, service, None, Reached { ..*reached });
                }
            }
            for (gateway, port) in self.gateways_calling(service) {
                for reached in &reached {
                    let policy = gateway.clients.first();
                    self.push(&mut calls, gateway, policy, service, port, Reached { ..*reached });
                }
            }
        }
        calls
    }

    /// The services that the member calls, each with the port that the way there names and the policy for it.
    fn services_called(&self) -> Vec<(Name, Option<u16>, Option<&'a ClientEnd>)> {
        if !self.subject.is_gateway() {
            let named = self.subject.backends.iter().filter_map(|entry| match &entry.target {
                Backend::Service { namespace, name } => Some(Name::new(namespace, name)),
                Backend::Arn(_) => None,
            });
            let groups = self.subject.backend_groups.iter().filter(|_| self.by_groups);
            let grouped = groups.flat_map(|group| self.world.services_of_group(group, self.subject.object.namespace()));
            let unique: BTreeSet<Name> = named.chain(grouped).collect();
            return unique.into_iter().map(|name| (name.clone(), None, policy_for(self.subject, &name))).collect();
        }
        let me = Name::of(&self.subject.object);
        let policy = self.subject.clients.first();
        let routes = self.world.routes().gateway_routes_from(&me);
        routes
            .filter_map(|object| Some((object, self.world.gateway_route(object)?)))
            .filter(|(object, route)| self.is_route_of(object, route, self.subject))
            .flat_map(|(object, route)| services_routed(object, route))
            .map(|(service, port)| (service, port, policy))
            .collect()
    }

    /// The gateways whose routes lead to a service.
    fn gateways_calling(&self, service: &Name) -> Vec<(&'a Member, Option<u16>)> {
        let mut found = Vec::new();
        for object in self.world.routes().gateway_routes_to(service) {
            let Some(route) = self.world.gateway_route(object) else { continue };
            let ports = services_routed(object, route).filter(|(name, _)| name == service).map(|(_, port)| port);
            for port in ports {
                let gateways = self.world.gateways().filter(|gateway| self.is_route_of(object, route, gateway));
                found.extend(gateways.map(|gateway| (gateway, port)));
            }
        }
        found
    }

    /// Whether a gateway takes a route: the route names it, or the gateway selects the route and its namespace (an absent
    /// namespaceSelector selects none, an absent gatewayRouteSelector every route).
    fn is_route_of(&self, object: &ObjectRef, route: &GatewayRoute, gateway: &Member) -> bool {
        let Definition::VirtualGateway(spec) = &gateway.definition else { return false };
        if let Some(named) = gateway_of(object, route) {
            return named == Name::of(&gateway.object);
        }
        let by_namespace = spec.namespace_selector.as_ref().is_some_and(|selector| {
            selector.is_empty()
                || self.world.namespace(object.namespace()).is_some_and(|labels| selector.matches(labels))
        });
        by_namespace
            && spec.gateway_route_selector.as_ref().is_none_or(|selector| selector.matches(&route.metadata.labels))
    }

    /// Where a service leads.
    fn reached(&self, service: &Name) -> Vec<Reached<'a>> {
        let Some((object, found)) = self.world.service(service) else { return Vec::new() };
        match provider(object, found) {
            None => Vec::new(),
            Some(Provider::Node(node)) => {
                self.node(&node).map(|server| Reached { server, port: None, idle: false }).into_iter().collect()
            }
            Some(Provider::Router(router)) => {
                let Some((object, router)) = self.world.router(&router) else { return Vec::new() };
                targets(object, router)
                    .filter_map(|target| {
                        Some(Reached { server: self.node(&target.node)?, port: target.port, idle: target.idle })
                    })
                    .collect()
            }
        }
    }

    fn node(&self, name: &Name) -> Option<&'a Member> {
        let subject = &self.subject.object;
        if subject.kind == "VirtualNode" && *name == Name::of(subject) {
            return Some(self.subject);
        }
        self.world.node(name)
    }

    /// Adds the call, when it is clear which listener it reaches and both ends are of one mesh.
    fn push(
        &self,
        calls: &mut Vec<Call<'a>>,
        client: &'a Member,
        policy: Option<&'a ClientEnd>,
        service: &Name,
        port: Option<u16>,
        reached: Reached<'a>,
    ) {
        let Reached { server, idle, .. } = reached;
        let mesh = |member| self.world.mesh_of(member);
        if mesh(client) != mesh(server) {
            return;
        }
        let Some(listener) = listener(server, port.or(reached.port)) else { return };
        let policy = match policy {
            None => PolicyInForce::None,
            Some(end) => {
                let covers = end.ports.is_empty() || listener.port.is_some_and(|port| end.ports.contains(&port));
                if end.enforce && covers { PolicyInForce::Enforced(end) } else { PolicyInForce::NotEnforced(end) }
            }
        };
        // Several routes of one service to one listener are pushed one after the other: it is idle when all of them are.
        let of_service =
            calls.iter_mut().rev().take_while(|call| call.service == *service && same(call.client, client));
        match { of_service }.find(|call| same(call.server, server) && call.listener.anchor == listener.anchor) {
            Some(call) => call.idle &= idle,
            None => calls.push(Call { client, policy, service: service.clone(), server, listener, idle }),
        }
    }
}

fn same(one: &Member, other: &Member) -> bool {
    one.object == other.object
}

/// The listener of a port. Where the way there names none, the only one; of several nobody can say which is meant.
fn listener(server: &Member, port: Option<u16>) -> Option<&ServerEnd> {
    match (port, server.servers.as_slice()) {
        (Some(port), listeners) => listeners.iter().find(|listener| listener.port == Some(port)),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

/// The policy that a node has for a service: the backend's own replaces the defaults whole.
fn policy_for<'a>(client: &'a Member, service: &Name) -> Option<&'a ClientEnd> {
    let entry = client.backends.iter().find(|entry| {
        matches!(&entry.target, Backend::Service { namespace, name }
            if *namespace == service.namespace && *name == service.name)
    });
    match entry.map(|entry| entry.policy) {
        Some(OwnPolicy::Own(index)) => index.and_then(|index| client.clients.get(index)),
        Some(OwnPolicy::Inherited) | None => {
            client.clients.iter().find(|end| end.backend.is_none() && end.is_default())
        }
    }
}
