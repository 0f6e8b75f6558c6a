//! One object that rules judge.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::apis::appmesh::decode::UnknownField;
use crate::apis::appmesh::{BackendGroup, GatewayRoute, Mesh, VirtualRouter, VirtualService};
use crate::k8s::ObjectRef;
use crate::mesh::{Fact, Marks, Member, Routing, Workload};

/// One object that rules judge, with what decoding it showed.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its name.
    pub object: ObjectRef,
    /// Its own annotations.
    pub annotations: BTreeMap<String, String>,
    /// Fields that its API doesn't have.
    pub unknown_fields: Vec<UnknownField>,
    /// What it says.
    pub body: Body,
}

/// What an object under review says.
#[derive(Clone, Debug)]
pub enum Body {
    /// A virtual node or gateway.
    Member(Arc<Member>),
    /// A VirtualService.
    Service(Arc<VirtualService>),
    /// A VirtualRouter.
    Router(Arc<VirtualRouter>),
    /// A GatewayRoute.
    GatewayRoute(Arc<GatewayRoute>),
    /// A BackendGroup.
    BackendGroup(Arc<BackendGroup>),
    /// A Mesh.
    Mesh(Arc<Mesh>),
    /// A workload.
    Workload(Arc<Workload>),
}

impl Subject {
    /// The object, where it leads callers to nodes without being one; with what says which release it is of.
    pub fn routing(&self) -> Option<(Routing<'_>, Marks<'_>)> {
        let object = &self.object;
        let (routing, metadata) = match &self.body {
            Body::Service(service) => (Routing::Service(object, service), &service.metadata),
            Body::Router(router) => (Routing::Router(object, router), &router.metadata),
            Body::GatewayRoute(route) => (Routing::GatewayRoute(object, route), &route.metadata),
            Body::BackendGroup(group) => (Routing::BackendGroup(object, group), &group.metadata),
            Body::Member(_) | Body::Mesh(_) | Body::Workload(_) => return None,
        };
        Some((routing, Marks { labels: &metadata.labels, annotations: &metadata.annotations }))
    }

    /// What the world learns of it.
    pub fn fact(&self) -> Fact {
        let object = self.object.clone();
        match &self.body {
            Body::Member(member) => Fact::Member(Arc::clone(member)),
            Body::Service(service) => Fact::Service(object, Arc::clone(service)),
            Body::Router(router) => Fact::Router(object, Arc::clone(router)),
            Body::GatewayRoute(route) => Fact::GatewayRoute(object, Arc::clone(route)),
            Body::BackendGroup(group) => Fact::BackendGroup(object, Arc::clone(group)),
            Body::Mesh(mesh) => Fact::Mesh(object, Arc::clone(mesh)),
            Body::Workload(workload) => Fact::Workload(Arc::clone(workload)),
        }
    }
}
