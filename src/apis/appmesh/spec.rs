//! What an object says in App Mesh's own words, for the rules on its text.

use crate::apis::appmesh::{VirtualGatewaySpec, VirtualNodeSpec, VirtualRouterSpec, VirtualServiceSpec};

/// An object's spec, of the kinds whose text rules look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spec {
    /// A virtual node.
    VirtualNode(Box<VirtualNodeSpec>),
    /// A virtual gateway.
    VirtualGateway(Box<VirtualGatewaySpec>),
    /// A virtual service.
    VirtualService(Box<VirtualServiceSpec>),
    /// A virtual router.
    VirtualRouter(Box<VirtualRouterSpec>),
    /// Of another kind.
    Other,
}
