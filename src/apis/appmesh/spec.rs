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

impl Spec {
    /// Gives back what no rule reads, and what its lists reserved in vain: one that grows as it is read has room for four, and a
    /// listener is half a kilobyte.
    pub(super) fn shrink(&mut self) {
        match self {
            Spec::VirtualNode(node) => {
                // The member has it, and no rule is about its text.
                node.pod_selector = None;
                node.listeners.shrink_to_fit();
                node.backends.shrink_to_fit();
                node.backend_groups.shrink_to_fit();
            }
            Spec::VirtualGateway(gateway) => {
                gateway.pod_selector = None;
                gateway.listeners.shrink_to_fit();
            }
            Spec::VirtualRouter(router) => {
                router.listeners.shrink_to_fit();
                router.routes.shrink_to_fit();
            }
            Spec::VirtualService(_) | Spec::Other => {}
        }
    }
}
