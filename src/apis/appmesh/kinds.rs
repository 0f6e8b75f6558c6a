//! One row a kind, and how its objects become subjects.

use std::sync::Arc;

use crate::apis::appmesh::annotations::{ENVOY_CONTAINER, SECRET_MOUNTS};
use crate::apis::appmesh::constraints::constraints;
use crate::apis::appmesh::crd::custom_resource_definitions;
use crate::apis::appmesh::decode::{self, Decoded};
use crate::apis::appmesh::hops::{gateway_route_hop, group_hop, mesh_class, router_hop, service_hop};
use crate::apis::appmesh::members::{gateway_member, node_member};
use crate::apis::appmesh::proxy::{is_injected, proxy};
use crate::apis::appmesh::{
    API_VERSION, BackendGroup, GROUP, GatewayRoute, Kind, Mesh, Resource, Spec, VERSION, VirtualGateway, VirtualNode,
    VirtualRouter, VirtualService,
};
use crate::apis::entry::{Entry, Input};
use crate::apis::faults::Undecodable;
use crate::apis::proxy::ProxyOf;
use crate::apis::registry::{Api, Names, Part, Row};
use crate::apis::schema::faults;
use crate::apis::subject::{Native, Subject};
use crate::k8s::{ObjectRef, TypeRef};
use crate::mesh::Fact;

/// AWS App Mesh.
pub static API: Api = Api {
    names: Some(Names {
        api: "App Mesh",
        object: "an App Mesh object",
        member: "virtual node or gateway",
        caller: "virtual node",
        controller: "the App Mesh controller",
        mount_annotation: SECRET_MOUNTS,
        webhook: "virtualnodes.meshvet.dev",
    }),
    folder: "appmesh",
    group: GROUP,
    kinds: &[
        row(Kind::Mesh, Part::Class, |row, input, namespace| entry(row, input, namespace, mesh)),
        row(Kind::VirtualNode, Part::Member, |row, input, namespace| entry(row, input, namespace, node)),
        row(Kind::VirtualGateway, Part::Member, |row, input, namespace| entry(row, input, namespace, gateway)),
        row(Kind::VirtualService, Part::Hop, |row, input, namespace| entry(row, input, namespace, service)),
        row(Kind::VirtualRouter, Part::Hop, |row, input, namespace| entry(row, input, namespace, router)),
        row(Kind::GatewayRoute, Part::Hop, |row, input, namespace| entry(row, input, namespace, route)),
        row(Kind::BackendGroup, Part::Hop, |row, input, namespace| entry(row, input, namespace, group)),
    ],
    proxy: Some(ProxyOf { container: ENVOY_CONTAINER, of: proxy, is_given: is_injected }),
    crds: custom_resource_definitions,
};

type Decode = fn(&'static Row, Input<'_>, &str) -> Result<Entry, Undecodable>;

const fn row(kind: Kind, part: Part, decode: Decode) -> Row {
    Row {
        kind: TypeRef { api_version: API_VERSION, kind: kind.as_str() },
        known_as: API_VERSION,
        group: GROUP,
        version: VERSION,
        plural: kind.plural(),
        singular: kind.singular(),
        namespaced: kind.is_namespaced(),
        part,
        mostly_owned: false,
        optional: false,
        decode,
    }
}

fn node(node: VirtualNode, namespace: &str) -> (Fact, Spec) {
    let member = node_member(&node, namespace);
    (Fact::Member(Arc::new(member)), Spec::VirtualNode(Box::new(node.spec)))
}

fn gateway(gateway: VirtualGateway, namespace: &str) -> (Fact, Spec) {
    let member = gateway_member(&gateway, namespace);
    (Fact::Member(Arc::new(member)), Spec::VirtualGateway(Box::new(gateway.spec)))
}

fn service(service: VirtualService, namespace: &str) -> (Fact, Spec) {
    let hop = service_hop(&service, namespace);
    (Fact::Hop(Arc::new(hop)), Spec::VirtualService(Box::new(service.spec)))
}

fn router(router: VirtualRouter, namespace: &str) -> (Fact, Spec) {
    let hop = router_hop(&router, namespace);
    (Fact::Hop(Arc::new(hop)), Spec::VirtualRouter(Box::new(router.spec)))
}

fn route(route: GatewayRoute, namespace: &str) -> (Fact, Spec) {
    (Fact::Hop(Arc::new(gateway_route_hop(&route, namespace))), Spec::Other)
}

fn group(group: BackendGroup, namespace: &str) -> (Fact, Spec) {
    (Fact::Hop(Arc::new(group_hop(&group, namespace))), Spec::Other)
}

fn mesh(mesh: Mesh, _: &str) -> (Fact, Spec) {
    (Fact::Class(Arc::new(mesh_class(&mesh))), Spec::Other)
}

/// Decodes an object, and makes a subject of it.
fn entry<T: Resource>(
    row: &'static Row,
    input: Input<'_>,
    namespace: &str,
    make: fn(T, &str) -> (Fact, Spec),
) -> Result<Entry, Undecodable> {
    let schema_faults = match &input {
        Input::Value(value) => constraints(row.kind.kind).map(|schema| faults(schema, value)).unwrap_or_default(),
        Input::Json(_) | Input::Ahead(..) => Vec::new(),
    };
    let Decoded { object, unknown_fields, .. } = decode::<T>(row, &input, namespace)?;
    let annotations = object.metadata().annotations.clone();
    let (fact, mut spec) = make(object, namespace);
    spec.shrink();
    let name = match &fact {
        Fact::Member(member) => member.object.clone(),
        Fact::Hop(hop) => hop.object.clone(),
        Fact::Class(class) => class.object.clone(),
        _ => row.object(namespace, ""),
    };
    let native = Native::AppMesh(spec);
    let facts = vec![fact];
    Ok(Entry::Subject(Box::new(Subject { object: name, annotations, unknown_fields, schema_faults, facts, native })))
}

fn decode<T: Resource>(row: &'static Row, input: &Input<'_>, namespace: &str) -> Result<Decoded<T>, Undecodable> {
    // Of a mesh too with a namespace: that is how it was asked about.
    let object = |name: &str| ObjectRef::new(API_VERSION, row.kind.kind, namespace, name);
    let tape = input.tape().map_err(|error| Undecodable::new(object(""), error))?;
    decode::decode(&tape)
        .map_err(|error| Undecodable::new(object(tape.text_at(&["metadata", "name"]).unwrap_or_default()), error))
}
