//! VirtualService: the name that callers call, and who provides it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Condition, MeshReference, Reference};
use crate::k8s::Metadata;

/// The name that callers call, and who provides it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct VirtualService {
    /// Metadata.
    pub metadata: Metadata,
    /// What is wanted.
    pub spec: VirtualServiceSpec,
    /// What the controller reports.
    pub status: Option<VirtualServiceStatus>,
}

/// The wanted state of a virtual service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualServiceSpec {
    /// Name of the virtual service in App Mesh; absent means `name.namespace`.
    pub aws_name: Option<String>,
    /// Who provides the service; absent means nobody yet.
    pub provider: Option<VirtualServiceProvider>,
    /// The mesh; filled in by the controller.
    pub mesh_ref: Option<MeshReference>,
}

/// Who provides a virtual service. App Mesh takes exactly one of the alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualServiceProvider {
    /// A virtual node.
    pub virtual_node: Option<VirtualNodeServiceProvider>,
    /// A virtual router.
    pub virtual_router: Option<VirtualRouterServiceProvider>,
}

/// A virtual node as the provider. App Mesh takes a reference or an ARN; an ARN wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualNodeServiceProvider {
    /// The virtual node in the cluster.
    pub virtual_node_ref: Option<Reference>,
    /// The virtual node's ARN.
    #[serde(rename = "virtualNodeARN")]
    pub virtual_node_arn: Option<String>,
}

/// A virtual router as the provider. App Mesh takes a reference or an ARN; an ARN wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualRouterServiceProvider {
    /// The virtual router in the cluster.
    pub virtual_router_ref: Option<Reference>,
    /// The virtual router's ARN.
    #[serde(rename = "virtualRouterARN")]
    pub virtual_router_arn: Option<String>,
}

/// What the controller reports of a virtual service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VirtualServiceStatus {
    /// ARN of the virtual service in App Mesh.
    #[serde(rename = "virtualServiceARN")]
    pub virtual_service_arn: Option<String>,
    /// The generation that the rest of the status speaks of.
    pub observed_generation: Option<i64>,
    /// Conditions.
    pub conditions: Vec<Condition>,
}
