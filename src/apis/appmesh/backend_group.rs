//! BackendGroup: virtual services that several virtual nodes call.

use schemars::JsonSchema;
use serde::Deserialize;

use super::opaque::Opaque;
use super::{MeshReference, Reference};
use crate::k8s::Metadata;

/// Virtual services that several virtual nodes call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct BackendGroup {
    /// Metadata.
    pub metadata: Metadata,
    /// What is wanted.
    pub spec: BackendGroupSpec,
    /// Always empty.
    pub status: Option<Opaque>,
}

/// The wanted state of a backend group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BackendGroupSpec {
    /// The virtual services. The name `*` stands for every virtual service of its namespace.
    #[serde(rename = "virtualservices")]
    pub virtual_services: Vec<Reference>,
    /// The mesh; filled in by the controller.
    pub mesh_ref: Option<MeshReference>,
}
