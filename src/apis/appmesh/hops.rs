//! App Mesh's virtual services, routers, gateway routes and backend groups as hops, and its meshes as classes.
//!
//! Source: the App Mesh controller (`pkg/virtualservice`, `virtualrouter`, `gatewayroute`, and the conversion of backends): an ARN beats a
//! reference and leads out of what can be known here, a reference's namespace defaults to the object's own.

use crate::apis::appmesh::names::explicit;
use crate::apis::appmesh::{
    API_VERSION, BackendGroup, GatewayRoute, Kind, Mesh, Reference, VirtualRouter, VirtualService,
};
use crate::k8s::{FieldPath, Labels, Metadata, ObjectRef, TypeRef};
use crate::mesh::{Class, Hop, Inlet, Outlet, Release, Target};

/// The name that stands for every service of a namespace, in a backend group.
const EVERY_SERVICE: &str = "*";

/// A virtual service: callers name it, and its provider answers.
pub(super) fn service_hop(service: &VirtualService, namespace: &str) -> Hop {
    let provider = service.spec.provider.as_ref();
    let at = spec().key("provider");
    let outlet = provider.and_then(|provider| match (&provider.virtual_node, &provider.virtual_router) {
        (Some(node), None) if node.virtual_node_arn.is_none() => {
            let to = object(Kind::VirtualNode, node.virtual_node_ref.as_ref()?, namespace);
            Some(outlet(to, at.key("virtualNode")))
        }
        (None, Some(router)) if router.virtual_router_arn.is_none() => {
            let to = object(Kind::VirtualRouter, router.virtual_router_ref.as_ref()?, namespace);
            Some(outlet(to, at.key("virtualRouter")))
        }
        _ => None,
    });
    hop(Kind::VirtualService, &service.metadata, namespace, vec![Inlet::Callers], outlet.into_iter().collect())
}

/// A virtual router: its services lead to it, and it to the targets of its routes.
pub(super) fn router_hop(router: &VirtualRouter, namespace: &str) -> Hop {
    let mut to = Vec::new();
    let listening: Vec<u16> =
        router.spec.listeners.iter().filter_map(|listener| port(Some(listener.port_mapping.port))).collect();
    for (route, it) in router.spec.routes.iter().enumerate() {
        for (kind, action, matched) in it.actions() {
            let arriving = port(matched).map_or_else(|| listening.clone(), |port| vec![port]);
            let list = spec().key("routes").index(route).keys([kind, "action", "weightedTargets"]);
            for (index, target) in action.weighted_targets.iter().enumerate() {
                let Some(reference) = target.virtual_node_ref.as_ref().filter(|_| target.virtual_node_arn.is_none())
                else {
                    continue;
                };
                to.push(Outlet {
                    to: object(Kind::VirtualNode, reference, namespace),
                    port: port(target.port),
                    arriving: arriving.clone(),
                    idle: target.weight == 0,
                    field: list.index(index),
                });
            }
        }
    }
    // Nobody but a virtual service leads to a router: it is no service that a policy may be for.
    hop(Kind::VirtualRouter, &router.metadata, namespace, vec![Inlet::Callers], to)
}

/// A gateway route: the gateway that it names takes it, else those that select it.
pub(super) fn gateway_route_hop(route: &GatewayRoute, namespace: &str) -> Hop {
    let from = match &route.spec.virtual_gateway_ref {
        Some(named) => {
            let there = named.namespace.as_deref().filter(|there| !there.is_empty()).unwrap_or(namespace);
            Inlet::Named {
                section: None,
                port: None,
                parent: ObjectRef::new(API_VERSION, Kind::VirtualGateway.as_str(), there, &named.name),
                field: spec().key("virtualGatewayRef"),
            }
        }
        // Manifests give no reference: the controller fills it in.
        None => Inlet::Selected,
    };
    let to = route.spec.targets().filter_map(|(kind, target)| {
        let service = &target.virtual_service;
        let reference = service.virtual_service_ref.as_ref().filter(|_| service.virtual_service_arn.is_none())?;
        Some(Outlet {
            to: object(Kind::VirtualService, reference, namespace),
            port: port(target.port),
            arriving: Vec::new(),
            idle: false,
            field: spec().keys([kind, "action", "target", "virtualService"]),
        })
    });
    let labels = route.metadata.labels.clone().into();
    Hop { labels, ..hop(Kind::GatewayRoute, &route.metadata, namespace, vec![from], to.collect()) }
}

/// A backend group: it stands for the services that it lists. One without a namespace means that of the virtual node which names the
/// group, not the group's own (App Mesh controller, backend conversion).
pub(super) fn group_hop(group: &BackendGroup, namespace: &str) -> Hop {
    let services = TypeRef { api_version: API_VERSION, kind: Kind::VirtualService.as_str() };
    let list = spec().key("virtualservices");
    let to = group.spec.virtual_services.iter().enumerate().map(|(index, entry)| {
        let there = entry.namespace.clone().filter(|there| !there.is_empty());
        let to = match there {
            namespace if entry.name == EVERY_SERVICE => Target::Every { kind: services, namespace },
            Some(namespace) => Target::Object(ObjectRef::new(API_VERSION, services.kind, &namespace, &entry.name)),
            None => Target::InCallersNamespace { kind: services, name: entry.name.clone() },
        };
        outlet(to, list.index(index))
    });
    Hop { group: true, ..hop(Kind::BackendGroup, &group.metadata, namespace, vec![Inlet::Callers], to.collect()) }
}

/// A mesh: what its members belong to.
pub(super) fn mesh_class(mesh: &Mesh) -> Class {
    Class {
        object: ObjectRef::cluster_scoped(API_VERSION, Kind::Mesh.as_str(), &mesh.metadata.name),
        namespaces: mesh.spec.namespace_selector.clone(),
        settings: None,
        one_proxy: false,
        plane: None,
        aws_name: explicit(mesh.spec.aws_name.as_ref()),
        aws_owner: mesh.spec.mesh_owner.clone(),
    }
}

fn hop(kind: Kind, metadata: &Metadata, namespace: &str, from: Vec<Inlet>, to: Vec<Outlet>) -> Hop {
    Hop {
        object: ObjectRef::new(API_VERSION, kind.as_str(), namespace, &metadata.name),
        // No gateway selects it: only routes are selected.
        labels: Labels::default(),
        release: Release::of(&metadata.labels, &metadata.annotations),
        from,
        to,
        hosts: Vec::new(),
        group: false,
        raw: false,
    }
}

fn outlet(to: Target, field: FieldPath) -> Outlet {
    Outlet { to, port: None, arriving: Vec::new(), idle: false, field }
}

fn spec() -> FieldPath {
    FieldPath::root().key("spec")
}

/// What a reference of an object in `namespace` names.
pub(super) fn object(kind: Kind, reference: &Reference, namespace: &str) -> Target {
    Target::Object(ObjectRef::new(API_VERSION, kind.as_str(), reference.namespace_or(namespace), &reference.name))
}

fn port(port: Option<i64>) -> Option<u16> {
    port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0)
}
