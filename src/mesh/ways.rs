//! Where a service leads and who calls it, in a world in which one object is as it is about to be.

use std::collections::BTreeSet;

use crate::apis::appmesh::{BackendGroup, GatewayRoute, VirtualRouter, VirtualService};
use crate::k8s::ObjectRef;
use crate::mesh::calls::{Call, PolicyInForce};
use crate::mesh::end::{Backend, ClientEnd, ServerEnd};
use crate::mesh::member::{Definition, Member, OwnPolicy};
use crate::mesh::routes::{Name, Provider, Target, gateway_of, provider, services_routed, targets};
use crate::mesh::world::World;

/// An object that leads callers to nodes without being a node, with its name.
#[derive(Clone, Copy, Debug)]
pub enum Routing<'a> {
    /// A VirtualService.
    Service(&'a ObjectRef, &'a VirtualService),
    /// A VirtualRouter.
    Router(&'a ObjectRef, &'a VirtualRouter),
    /// A GatewayRoute.
    GatewayRoute(&'a ObjectRef, &'a GatewayRoute),
    /// A BackendGroup.
    BackendGroup(&'a ObjectRef, &'a BackendGroup),
}

/// The object that stands in for what the world knows under its name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StandIn<'a> {
    Member(&'a Member),
    Routing(Routing<'a>),
}

/// Look-ups in a world, with one object as it is about to be. Backend groups count where the App Mesh controller has them
/// enabled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ways<'a> {
    pub(crate) world: &'a World,
    pub(crate) by_groups: bool,
    pub(crate) stand_in: StandIn<'a>,
}

/// Where a service leads: a node, and the port where the way says.
#[derive(Clone, Debug)]
pub(crate) struct Reached<'a> {
    pub(crate) server: &'a Member,
    pub(crate) port: Option<u16>,
    pub(crate) idle: bool,
}

/// Who calls a service, by which policy, and the port where the way says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) client: &'a Member,
    pub(crate) policy: Option<&'a ClientEnd>,
    pub(crate) port: Option<u16>,
}

impl<'a> Ways<'a> {
    /// Where a service leads.
    pub(crate) fn reached(&self, service: &Name) -> Vec<Reached<'a>> {
        let Some((object, found)) = self.service(service) else { return Vec::new() };
        match provider(object, found) {
            None => Vec::new(),
            Some(Provider::Node(node)) => {
                self.node(&node).map(|server| Reached { server, port: None, idle: false }).into_iter().collect()
            }
            Some(Provider::Router(router)) => {
                let targets = self.router(&router).map(|found| self.targets(found));
                targets.unwrap_or_default().into_iter().map(|(_, reached)| reached).collect()
            }
        }
    }

    /// Where a router leads, by which of its targets.
    pub(crate) fn targets(&self, (object, router): (&ObjectRef, &VirtualRouter)) -> Vec<(Target, Reached<'a>)> {
        targets(object, router)
            .filter_map(|target| {
                let reached = Reached { server: self.node(&target.node)?, port: target.port, idle: target.idle };
                Some((target, reached))
            })
            .collect()
    }

    /// The members that call a service: by name, by a group, and gateways by their routes.
    pub(crate) fn callers(&self, service: &Name) -> Vec<Caller<'a>> {
        let routes = self.world.routes();
        let by_group = self.by_groups.then(|| routes.callers_by_group(service));
        let named: BTreeSet<_> = routes.callers_of(service).chain(by_group.into_iter().flatten()).collect();
        let members = named.into_iter().filter_map(|caller| self.world.member(caller));
        let mut callers: Vec<Caller<'a>> =
            members.map(|client| Caller { client, policy: policy_for(client, service), port: None }).collect();
        for object in routes.gateway_routes_to(service) {
            let Some(route) = self.world.gateway_route(object) else { continue };
            for routed in services_routed(object, route).filter(|routed| routed.service == *service) {
                callers.extend(self.gateways_of(object, route).map(|client| gateway_calls(client, routed.port)));
            }
        }
        callers
    }

    /// The gateways that take a route.
    pub(crate) fn gateways_of(&self, object: &ObjectRef, route: &GatewayRoute) -> impl Iterator<Item = &'a Member> {
        self.world.gateways().filter(move |gateway| self.is_route_of(object, route, gateway))
    }

    /// Whether a gateway takes a route: the route names it, or the gateway selects the route and its namespace (an absent
    /// namespaceSelector selects none, an absent gatewayRouteSelector every route).
    pub(crate) fn is_route_of(&self, object: &ObjectRef, route: &GatewayRoute, gateway: &Member) -> bool {
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

    /// The call, when it is clear which listener it reaches and both ends are of one mesh.
    pub(crate) fn call(&self, caller: Caller<'a>, service: &Name, reached: &Reached<'a>) -> Option<Call<'a>> {
        let Caller { client, policy, port } = caller;
        let server = reached.server;
        if self.world.mesh_of(client) != self.world.mesh_of(server) {
            return None;
        }
        let listener = listener(server, port.or(reached.port))?;
        let policy = match policy {
            None => PolicyInForce::None,
            Some(end) => {
                let covers = end.ports.is_empty() || listener.port.is_some_and(|port| end.ports.contains(&port));
                if end.enforce && covers { PolicyInForce::Enforced(end) } else { PolicyInForce::NotEnforced(end) }
            }
        };
        Some(Call { client, policy, service: service.clone(), server, listener, idle: reached.idle })
    }

    pub(crate) fn node(&self, name: &Name) -> Option<&'a Member> {
        match self.stand_in {
            StandIn::Member(member) if is(&member.object, "VirtualNode", name) => Some(member),
            _ => self.world.node(name),
        }
    }

    fn service(&self, name: &Name) -> Option<(&'a ObjectRef, &'a VirtualService)> {
        match self.stand_in {
            StandIn::Routing(Routing::Service(object, service)) if is(object, "VirtualService", name) => {
                Some((object, service))
            }
            _ => self.world.service(name),
        }
    }

    fn router(&self, name: &Name) -> Option<(&'a ObjectRef, &'a VirtualRouter)> {
        match self.stand_in {
            StandIn::Routing(Routing::Router(object, router)) if is(object, "VirtualRouter", name) => {
                Some((object, router))
            }
            _ => self.world.router(name),
        }
    }
}

/// A gateway's call by one of its routes: its one policy holds for all that it calls.
pub(crate) fn gateway_calls(client: &Member, port: Option<u16>) -> Caller<'_> {
    Caller { client, policy: client.clients.first(), port }
}

/// The policy that a node has for a service: the backend's own replaces the defaults whole.
pub(crate) fn policy_for<'a>(client: &'a Member, service: &Name) -> Option<&'a ClientEnd> {
    match client.backends.iter().find(|entry| names(&entry.target, service)).map(|entry| entry.policy) {
        Some(OwnPolicy::Own(index)) => index.and_then(|index| client.clients.get(index)),
        Some(OwnPolicy::Inherited) | None => {
            client.clients.iter().find(|end| end.backend.is_none() && end.is_default())
        }
    }
}

/// Whether a backend is this service.
pub(crate) fn names(backend: &Backend, service: &Name) -> bool {
    matches!(backend, Backend::Service { namespace, name }
        if *namespace == service.namespace && *name == service.name)
}

fn is(object: &ObjectRef, kind: &str, name: &Name) -> bool {
    object.kind == kind && object.name == name.name && object.namespace() == name.namespace
}

/// The listener of a port. Where the way there names none, the only one; of several nobody can say which is meant.
fn listener(server: &Member, port: Option<u16>) -> Option<&ServerEnd> {
    match (port, server.servers.as_slice()) {
        (Some(port), listeners) => listeners.iter().find(|listener| listener.port == Some(port)),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}
