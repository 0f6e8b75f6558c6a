//! References from one object to another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Names a virtual node, service, router or backend group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name"]))]
pub struct Reference {
    /// Name of the referenced object.
    pub name: String,
    /// Namespace of the referenced object; absent means that of the object that refers to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

impl Reference {
    /// The referenced object's namespace, given that of the object that refers to it. An empty string is taken for
    /// absent, as the controller does.
    #[must_use]
    pub(crate) fn namespace_or<'a>(&'a self, own: &'a str) -> &'a str {
        match self.namespace.as_deref() {
            None | Some("") => own,
            Some(namespace) => namespace,
        }
    }
}

/// Names the mesh that an object belongs to. The controller's webhook fills it in; users leave it out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "uid"]))]
pub struct MeshReference {
    /// Name of the Mesh.
    pub name: String,
    /// UID of the Mesh.
    pub uid: String,
}

/// Names the virtual gateway that a route belongs to. The controller's webhook fills it in; users leave it out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "uid"]))]
pub(crate) struct VirtualGatewayReference {
    /// Name of the VirtualGateway.
    pub name: String,
    /// Namespace of the VirtualGateway; absent means that of the route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// UID of the VirtualGateway.
    pub uid: String,
}
