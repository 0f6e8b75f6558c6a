//! Members of a mesh: what has proxies of its own, whatever the mesh API calls it.

use std::collections::BTreeMap;

use crate::apis::appmesh::{VirtualGatewaySpec, VirtualNodeSpec};
use crate::k8s::LabelSelector;
use crate::k8s::ObjectRef;
use crate::mesh::end::{Backend, ClientEnd, Discovery, ServerEnd};
use crate::mesh::release::Marks;
use crate::mesh::routes::Name;

/// A virtual node or gateway, reduced to its ends.
#[derive(Clone, Debug, PartialEq)]
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
    /// The services that it says it calls. A gateway says so by its routes.
    pub backends: Vec<BackendEntry>,
    /// The backend groups that it names: more services that it calls, where the policy says that groups are enabled.
    pub backend_groups: Vec<Name>,
    /// The mesh that it names; the controller fills it in.
    pub mesh_ref: Option<String>,
    /// The ARN that App Mesh gave it, from its status: there once the controller has created it.
    pub arn: Option<String>,
    /// The object's own words, for the rules on the App Mesh API itself.
    pub definition: Definition,
}

/// One service that a member says it calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendEntry {
    /// The service.
    pub target: Backend,
    /// Which policy holds for it.
    pub policy: OwnPolicy,
}

/// Which policy holds for a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnPolicy {
    /// That of the backend defaults, where there is one.
    Inherited,
    /// Its own, which replaces the defaults whole: the place in [`Member::clients`], None when it says nothing of TLS.
    Own(Option<usize>),
}

/// A member in the words of its mesh API.
#[derive(Clone, Debug, PartialEq)]
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

    /// What says which release it is of.
    pub fn marks(&self) -> Marks<'_> {
        Marks { labels: &self.labels, annotations: &self.annotations }
    }

    /// Whether any of its ends loads certificates or trust.
    pub fn uses_tls(&self) -> bool {
        self.servers.iter().any(|server| server.active_tls().is_some()) || !self.clients.is_empty()
    }
}
