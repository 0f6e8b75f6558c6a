//! App Mesh's virtual nodes and gateways as members with ends.

use crate::apis::appmesh::ends::{Anchors, client_end, discovery, server_ends};
use crate::apis::appmesh::hops::object;
use crate::apis::appmesh::names::{explicit, underscored};
use crate::apis::appmesh::{API_VERSION, ClientPolicy, GROUP, Kind, VirtualGateway, VirtualNode};
use crate::k8s::{FieldPath, LabelSelector, Metadata, ObjectRef};
use crate::mesh::{
    Admits, AwsResource, Backend, ClientEnd, Covered, DIRECT, Discovery, Gateway, Member, OwnPolicy, PlaneOf, Release,
    RouteSelector, Target,
};

/// The noun for a virtual node.
const NODE: &str = "virtual node";
/// The noun for a virtual gateway.
const GATEWAY: &str = "virtual gateway";
/// The anchor of the client policy that holds for every backend without one of its own.
const BACKEND_DEFAULTS: &str = "backend defaults";

/// A virtual node as a member. `namespace` is where the object is, which its metadata may leave out.
pub(super) fn node_member(node: &VirtualNode, namespace: &str) -> Member {
    let VirtualNode { metadata, spec, status } = node;
    let at = FieldPath::root().key("spec");
    let discovery = discovery(&at, spec.service_discovery.as_ref());
    let listeners = spec.listeners.iter().map(|listener| (&listener.port_mapping, listener.tls.as_ref()));
    let servers = server_ends(&at, listeners, &covered(&discovery));
    let (mut clients, mut backends) = (Vec::new(), Vec::new());
    let defaults = spec.backend_defaults.as_ref().and_then(|defaults| defaults.client_policy.as_deref());
    clients.extend(default_end(&at, defaults));
    let mut anchors = Anchors::default();
    for (index, backend) in spec.backends.iter().enumerate() {
        let service = &backend.virtual_service;
        // An ARN beats a reference (App Mesh controller, backend conversion).
        let (to, anchor) = match (&service.virtual_service_arn, &service.virtual_service_ref) {
            (Some(arn), _) => (Some(Target::Outside), format!("backend {arn}")),
            (None, Some(reference)) => {
                let anchor = format!("backend {}/{}", reference.namespace_or(namespace), reference.name);
                (Some(object(Kind::VirtualService, reference, namespace)), anchor)
            }
            (None, None) => (None, "backend without a service".to_owned()),
        };
        let field = at.key("backends").index(index).keys(["virtualService", "clientPolicy"]);
        let own = client_end(&field, service.client_policy.as_deref(), &anchors.next(anchor));
        let policy = match (&service.client_policy, &own) {
            (None, _) => OwnPolicy::Inherited,
            (Some(_), None) => OwnPolicy::Own(None),
            (Some(_), Some(_)) => OwnPolicy::Own(Some(clients.len())),
        };
        clients.extend(own);
        backends.extend(to.map(|to| Backend { to, policy }));
    }
    let groups = spec.backend_groups.iter().map(|group| object(Kind::BackendGroup, group, namespace));
    backends.extend(groups.map(|to| Backend { to, policy: OwnPolicy::Inherited }));
    // The world keeps them.
    clients.shrink_to_fit();
    backends.shrink_to_fit();
    let object = object_ref(Kind::VirtualNode, namespace, metadata);
    let (pod_selector, revision) = pods(spec.pod_selector.as_ref());
    let own_name = explicit(spec.aws_name.as_ref()).unwrap_or_else(|| underscored(&object.name, namespace));
    Member {
        noun: NODE,
        api: GROUP,
        release: Release::of(&metadata.labels, &metadata.annotations),
        pod_selector,
        revision,
        discovery,
        servers,
        clients,
        backends,
        gateway: None,
        plane: PlaneOf::Own(&DIRECT),
        extends: None,
        class: spec.mesh_ref.as_ref().map(|mesh| mesh.name.clone()).filter(|name| !name.is_empty()),
        aws: AwsResource {
            arn: status.as_ref().and_then(|status| status.virtual_node_arn.clone()),
            path: format!("virtualNode/{own_name}"),
        },
        object,
    }
}

/// A virtual gateway as a member: it has listeners and backend defaults, and no service discovery.
pub(super) fn gateway_member(gateway: &VirtualGateway, namespace: &str) -> Member {
    let VirtualGateway { metadata, spec, status } = gateway;
    let at = FieldPath::root().key("spec");
    let listeners = spec.listeners.iter().map(|listener| (&listener.port_mapping, listener.tls.as_ref()));
    let servers = server_ends(&at, listeners, &[]);
    let defaults = spec.backend_defaults.as_ref().and_then(|defaults| defaults.client_policy.as_deref());
    // An absent namespaceSelector selects no route, an absent gatewayRouteSelector every one.
    let routes = spec.namespace_selector.as_ref().map(|namespaces| RouteSelector {
        namespaces: namespaces.clone(),
        routes: spec.gateway_route_selector.clone(),
    });
    let object = object_ref(Kind::VirtualGateway, namespace, metadata);
    let (pod_selector, revision) = pods(spec.pod_selector.as_ref());
    let own_name = explicit(spec.aws_name.as_ref()).unwrap_or_else(|| underscored(&object.name, namespace));
    Member {
        noun: GATEWAY,
        api: GROUP,
        release: Release::of(&metadata.labels, &metadata.annotations),
        pod_selector,
        revision,
        discovery: Discovery::None,
        servers,
        clients: default_end(&at, defaults).into_iter().collect(),
        backends: Vec::new(),
        gateway: Some(Box::new(Gateway { routes, extended_from: Admits::None })),
        plane: PlaneOf::Own(&DIRECT),
        extends: None,
        class: spec.mesh_ref.as_ref().map(|mesh| mesh.name.clone()).filter(|name| !name.is_empty()),
        aws: AwsResource {
            arn: status.as_ref().and_then(|status| status.virtual_gateway_arn.clone()),
            path: format!("virtualGateway/{own_name}"),
        },
        object,
    }
}

/// Which pods a selector selects, by their template, and of which revision.
fn pods(selector: Option<&LabelSelector>) -> (Option<LabelSelector>, Option<String>) {
    selector
        .cloned()
        .map(LabelSelector::without_revision)
        .map_or((None, None), |(pods, revision)| (Some(pods), revision))
}

/// The policy for every backend without one of its own.
fn default_end(spec: &FieldPath, policy: Option<&ClientPolicy>) -> Option<ClientEnd> {
    let end = client_end(&spec.keys(["backendDefaults", "clientPolicy"]), policy, BACKEND_DEFAULTS)?;
    Some(ClientEnd { is_default: true, ..end })
}

/// What clients check by themselves: App Mesh makes them look for the hostname (User Guide, Transport Layer Security).
fn covered(discovery: &Discovery) -> Vec<Covered> {
    match discovery {
        Discovery::Dns { hostname, field } => {
            vec![Covered { name: hostname.clone(), field: field.clone(), reason: "hostname" }]
        }
        Discovery::CloudMap { .. } | Discovery::None => Vec::new(),
    }
}

fn object_ref(kind: Kind, namespace: &str, metadata: &Metadata) -> ObjectRef {
    let name = match (&metadata.name, &metadata.generate_name) {
        (name, Some(prefix)) if name.is_empty() => format!("{prefix}…"),
        (name, _) => name.clone(),
    };
    ObjectRef::new(API_VERSION, kind.as_str(), namespace, &name)
}
