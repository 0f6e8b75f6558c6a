//! Where facts come from: a cluster's watches, manifests in files. Here bytes become facts, once, when they arrive.

pub mod cluster;
pub mod manifests;
mod objects;
mod shared;
mod stores;
mod volumes;
mod workloads;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::appmesh::decode::UnknownField;
use crate::appmesh::{BackendGroup, GatewayRoute, Mesh, VirtualRouter, VirtualService};
use crate::mesh::{Fact, Member, ObjectRef, Workload};

pub use objects::{Entry, Undecodable, decode_object, decode_reviewed};
pub use shared::{Inventory, NoReader, SharedWorld, StoreReader};
pub use stores::{config_map_store, secret_store, store_of_files};

/// One object that rules judge, with what decoding it showed.
#[derive(Clone, Debug)]
pub struct Reviewed {
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

impl Reviewed {
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
