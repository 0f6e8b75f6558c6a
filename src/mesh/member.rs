//! Members of a mesh: what has proxies of its own, whatever the mesh API calls it.

use std::collections::BTreeMap;

use crate::appmesh::{LabelSelector, VirtualGatewaySpec, VirtualNodeSpec};
use crate::mesh::end::{ClientEnd, Discovery, ServerEnd};
use crate::mesh::object::ObjectRef;

/// A virtual node or gateway, reduced to its ends.
#[derive(Clone, Debug)]
pub struct Member {
    /// The object.
    pub object: ObjectRef,
    /// The object's own labels.
    pub labels: BTreeMap<String, String>,
    /// The object's own annotations.
    pub annotations: BTreeMap<String, String>,
    /// Which pods of its namespace are its proxies. Absent selects none, empty selects all.
    pub pod_selector: Option<LabelSelector>,
    /// What clients know it by.
    pub discovery: Discovery,
    /// Its listeners.
    pub servers: Vec<ServerEnd>,
    /// Its client policies.
    pub clients: Vec<ClientEnd>,
    /// The object's own words, for the rules on the App Mesh API itself.
    pub definition: Definition,
}

/// A member in the words of its mesh API.
#[derive(Clone, Debug)]
pub enum Definition {
    /// An App Mesh virtual node.
    VirtualNode(Box<VirtualNodeSpec>),
    /// An App Mesh virtual gateway.
    VirtualGateway(Box<VirtualGatewaySpec>),
}

impl Member {
    /// Whether this is a gateway: its pods always bring their own envoy container.
    pub fn is_gateway(&self) -> bool {
        matches!(self.definition, Definition::VirtualGateway(_))
    }

    /// `virtual node` or `virtual gateway`, for messages.
    pub fn noun(&self) -> &'static str {
        if self.is_gateway() { "virtual gateway" } else { "virtual node" }
    }

    /// Whether any of its ends loads certificates or trust.
    pub fn uses_tls(&self) -> bool {
        self.servers.iter().any(|server| server.active_tls().is_some()) || !self.clients.is_empty()
    }
}
