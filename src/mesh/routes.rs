//! Which service leads to which node, and who calls which service: both directions, so that a new server is asked about
//! its callers and a new client about its servers at the cost of what they touch.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use crate::apis::appmesh::{BackendGroup, GatewayRoute, VirtualRouter, VirtualService};
use crate::k8s::FieldPath;
use crate::k8s::ObjectRef;
use crate::mesh::end::Backend;
use crate::mesh::member::Member;

/// An object's namespace and name, where its kind is clear.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl Name {
    /// A name in a namespace.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The name of an object.
    pub fn of(object: &ObjectRef) -> Self {
        Self::new(object.namespace(), &object.name)
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Links from one thing to several.
#[derive(Debug)]
struct Links<K, V>(HashMap<K, BTreeSet<V>>);

impl<K, V> Default for Links<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq, V: Ord> Links<K, V> {
    fn insert(&mut self, from: K, to: V) {
        self.0.entry(from).or_default().insert(to);
    }

    fn remove(&mut self, from: &K, to: &V) {
        if let Some(all) = self.0.get_mut(from) {
            all.remove(to);
            if all.is_empty() {
                self.0.remove(from);
            }
        }
    }

    fn of(&self, from: &K) -> impl Iterator<Item = &V> {
        self.0.get(from).into_iter().flatten()
    }
}

/// The links between members, services, routers and gateway routes.
#[derive(Debug, Default)]
pub(crate) struct RouteIndex {
    callers_of_service: Links<Name, ObjectRef>,
    services_of_node: Links<Name, Name>,
    services_of_router: Links<Name, Name>,
    routers_of_node: Links<Name, Name>,
    members_of_group: Links<Name, ObjectRef>,
    groups_of_entry: Links<GroupEntry, Name>,
    gateway_routes_of_service: Links<Name, ObjectRef>,
    gateway_routes_of_gateway: Links<Name, ObjectRef>,
    /// Manifests give no reference to the gateway: the controller fills it in.
    gateway_routes_without_gateway: BTreeSet<ObjectRef>,
}

impl RouteIndex {
    pub(crate) fn add_member(&mut self, member: &Member) {
        for service in services_called(member) {
            self.callers_of_service.insert(service, member.object.clone());
        }
        for group in &member.backend_groups {
            self.members_of_group.insert(group.clone(), member.object.clone());
        }
    }

    pub(crate) fn remove_member(&mut self, member: &Member) {
        for service in services_called(member) {
            self.callers_of_service.remove(&service, &member.object);
        }
        for group in &member.backend_groups {
            self.members_of_group.remove(group, &member.object);
        }
    }

    pub(crate) fn add_group(&mut self, object: &ObjectRef, group: &BackendGroup) {
        for entry in group_entries(group) {
            self.groups_of_entry.insert(entry, Name::of(object));
        }
    }

    pub(crate) fn remove_group(&mut self, object: &ObjectRef, group: &BackendGroup) {
        for entry in group_entries(group) {
            self.groups_of_entry.remove(&entry, &Name::of(object));
        }
    }

    /// The members that name a group which holds a service.
    pub(crate) fn callers_by_group(&self, service: &Name) -> BTreeSet<&ObjectRef> {
        let mut callers = BTreeSet::new();
        for name in [service.name.as_str(), EVERY_SERVICE] {
            for namespace in [Some(service.namespace.clone()), None] {
                // An entry without a namespace means that of whoever names the group.
                let anywhere = namespace.is_some();
                let entry = GroupEntry { namespace, name: name.to_owned() };
                let members = self.groups_of_entry.of(&entry).flat_map(|group| self.members_of_group.of(group));
                callers.extend(members.filter(|member| anywhere || member.namespace() == service.namespace));
            }
        }
        callers
    }

    pub(crate) fn add_service(&mut self, object: &ObjectRef, service: &VirtualService) {
        match provider(object, service) {
            Some(Provider::Node(node)) => self.services_of_node.insert(node, Name::of(object)),
            Some(Provider::Router(router)) => self.services_of_router.insert(router, Name::of(object)),
            None => {}
        }
    }

    pub(crate) fn remove_service(&mut self, object: &ObjectRef, service: &VirtualService) {
        match provider(object, service) {
            Some(Provider::Node(node)) => self.services_of_node.remove(&node, &Name::of(object)),
            Some(Provider::Router(router)) => self.services_of_router.remove(&router, &Name::of(object)),
            None => {}
        }
    }

    pub(crate) fn add_router(&mut self, object: &ObjectRef, router: &VirtualRouter) {
        for target in targets(object, router) {
            self.routers_of_node.insert(target.node, Name::of(object));
        }
    }

    pub(crate) fn remove_router(&mut self, object: &ObjectRef, router: &VirtualRouter) {
        for target in targets(object, router) {
            self.routers_of_node.remove(&target.node, &Name::of(object));
        }
    }

    pub(crate) fn add_gateway_route(&mut self, object: &ObjectRef, route: &GatewayRoute) {
        for routed in services_routed(object, route) {
            self.gateway_routes_of_service.insert(routed.service, object.clone());
        }
        match gateway_of(object, route) {
            Some(gateway) => self.gateway_routes_of_gateway.insert(gateway, object.clone()),
            None => drop(self.gateway_routes_without_gateway.insert(object.clone())),
        }
    }

    pub(crate) fn remove_gateway_route(&mut self, object: &ObjectRef, route: &GatewayRoute) {
        for routed in services_routed(object, route) {
            self.gateway_routes_of_service.remove(&routed.service, object);
        }
        match gateway_of(object, route) {
            Some(gateway) => self.gateway_routes_of_gateway.remove(&gateway, object),
            None => drop(self.gateway_routes_without_gateway.remove(object)),
        }
    }

    /// The virtual services that lead to a node, directly or through a router.
    pub(crate) fn services_to(&self, node: &Name) -> BTreeSet<&Name> {
        let direct = self.services_of_node.of(node);
        let routed = self.routers_of_node.of(node).flat_map(|router| self.services_of_router.of(router));
        direct.chain(routed).collect()
    }

    /// The members that name a service among their backends.
    pub(crate) fn callers_of(&self, service: &Name) -> impl Iterator<Item = &ObjectRef> {
        self.callers_of_service.of(service)
    }

    /// The gateway routes that lead to a service.
    pub(crate) fn gateway_routes_to(&self, service: &Name) -> impl Iterator<Item = &ObjectRef> {
        self.gateway_routes_of_service.of(service)
    }

    /// The virtual services that a router provides.
    pub(crate) fn services_by(&self, router: &Name) -> impl Iterator<Item = &Name> {
        self.services_of_router.of(router)
    }

    /// The members that name a backend group.
    pub(crate) fn members_naming(&self, group: &Name) -> impl Iterator<Item = &ObjectRef> {
        self.members_of_group.of(group)
    }

    /// The gateway routes that may be a gateway's: those that name it, and those that name none.
    pub(crate) fn gateway_routes_from(&self, gateway: &Name) -> impl Iterator<Item = &ObjectRef> {
        self.gateway_routes_of_gateway.of(gateway).chain(&self.gateway_routes_without_gateway)
    }
}

/// What answers for a virtual service.
pub(crate) enum Provider {
    Node(Name),
    Router(Name),
}

impl Provider {
    /// The field that names it.
    pub(crate) fn field(&self) -> FieldPath {
        let kind = match self {
            Provider::Node(_) => "virtualNode",
            Provider::Router(_) => "virtualRouter",
        };
        spec().keys(["provider", kind])
    }
}

fn spec() -> FieldPath {
    FieldPath::root().key("spec")
}

/// The provider of a service. An ARN beats a reference, and leads out of what can be known here.
pub(crate) fn provider(object: &ObjectRef, service: &VirtualService) -> Option<Provider> {
    let provider = service.spec.provider.as_ref()?;
    let own = object.namespace();
    match (&provider.virtual_node, &provider.virtual_router) {
        (Some(node), None) if node.virtual_node_arn.is_none() => {
            let reference = node.virtual_node_ref.as_ref()?;
            Some(Provider::Node(Name::new(reference.namespace_or(own), &reference.name)))
        }
        (None, Some(router)) if router.virtual_router_arn.is_none() => {
            let reference = router.virtual_router_ref.as_ref()?;
            Some(Provider::Router(Name::new(reference.namespace_or(own), &reference.name)))
        }
        _ => None,
    }
}

/// One target of a router.
pub(crate) struct Target {
    pub(crate) node: Name,
    /// The listener that is meant, where the route says.
    pub(crate) port: Option<u16>,
    /// Whether no request goes there now.
    pub(crate) idle: bool,
    /// The route, its kind, and the target in it.
    place: (usize, &'static str, usize),
}

impl Target {
    /// The target's field.
    pub(crate) fn field(&self) -> FieldPath {
        let (route, kind, target) = self.place;
        spec().key("routes").index(route).keys([kind, "action", "weightedTargets"]).index(target)
    }
}

/// The nodes that a router's routes lead to.
pub(crate) fn targets(object: &ObjectRef, router: &VirtualRouter) -> impl Iterator<Item = Target> {
    let own = object.namespace();
    let actions = router
        .spec
        .routes
        .iter()
        .enumerate()
        .flat_map(|(route, it)| it.actions().map(move |(kind, action)| (route, kind, action)));
    let targets = actions.flat_map(|(route, kind, action)| {
        action.weighted_targets.iter().enumerate().map(move |(index, target)| ((route, kind, index), target))
    });
    targets.filter_map(move |(place, target)| {
        let reference = target.virtual_node_ref.as_ref().filter(|_| target.virtual_node_arn.is_none())?;
        Some(Target {
            node: Name::new(reference.namespace_or(own), &reference.name),
            port: port(target.port),
            idle: target.weight == 0,
            place,
        })
    })
}

/// One service that a gateway route leads to.
pub(crate) struct Routed {
    pub(crate) service: Name,
    /// The listener that is meant, where the route says.
    pub(crate) port: Option<u16>,
    /// The kind of route.
    kind: &'static str,
}

impl Routed {
    /// The field that names the service.
    pub(crate) fn field(&self) -> FieldPath {
        spec().keys([self.kind, "action", "target", "virtualService"])
    }
}

/// The services that a gateway route leads to.
pub(crate) fn services_routed(object: &ObjectRef, route: &GatewayRoute) -> impl Iterator<Item = Routed> {
    let own = object.namespace();
    route.spec.targets().filter_map(move |(kind, target)| {
        let service = &target.virtual_service;
        let reference = service.virtual_service_ref.as_ref().filter(|_| service.virtual_service_arn.is_none())?;
        let service = Name::new(reference.namespace_or(own), &reference.name);
        Some(Routed { service, port: port(target.port), kind })
    })
}

fn port(port: Option<i64>) -> Option<u16> {
    port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
}

/// The name that stands for every service of a namespace.
pub(crate) const EVERY_SERVICE: &str = "*";

/// One entry of a backend group. Without a namespace it means that of the virtual node which names the group, not the
/// group's own (App Mesh controller, backend conversion).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GroupEntry {
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl GroupEntry {
    /// The field of a group's entry.
    pub(crate) fn field(index: usize) -> FieldPath {
        spec().key("virtualservices").index(index)
    }
}

/// The entries of a backend group.
pub(crate) fn group_entries(group: &BackendGroup) -> impl Iterator<Item = GroupEntry> {
    group.spec.virtual_services.iter().map(|reference| GroupEntry {
        namespace: reference.namespace.clone().filter(|namespace| !namespace.is_empty()),
        name: reference.name.clone(),
    })
}

/// The gateway that a route names.
pub(crate) fn gateway_of(object: &ObjectRef, route: &GatewayRoute) -> Option<Name> {
    let reference = route.spec.virtual_gateway_ref.as_ref()?;
    let namespace = reference.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    Some(Name::new(namespace.unwrap_or(object.namespace()), &reference.name))
}

fn services_called(member: &Member) -> impl Iterator<Item = Name> {
    member.backends.iter().filter_map(|entry| match &entry.target {
        Backend::Service { namespace, name } => Some(Name::new(namespace, name)),
        Backend::Arn(_) => None,
    })
}
