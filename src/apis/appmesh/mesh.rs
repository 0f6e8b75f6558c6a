//! Mesh: the boundary within which virtual nodes, gateways, services and routers reach each other.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Condition;
use crate::k8s::{LabelSelector, Metadata};

/// The boundary within which virtual nodes, gateways, services and routers reach each other. Cluster-scoped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Mesh {
    /// Metadata.
    pub metadata: Metadata,
    /// What is wanted.
    pub spec: MeshSpec,
    /// What the controller reports.
    pub status: Option<MeshStatus>,
}

/// The wanted state of a mesh.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MeshSpec {
    /// Name of the mesh in App Mesh; absent means the object's name.
    pub aws_name: Option<String>,
    /// AWS account that owns the mesh; absent means the controller's own.
    pub mesh_owner: Option<String>,
    /// Selects the namespaces that belong to the mesh. Absent selects none, empty selects all.
    pub namespace_selector: Option<LabelSelector>,
    /// What the proxies do with traffic to the outside.
    pub egress_filter: Option<EgressFilter>,
    /// How the mesh resolves names.
    pub mesh_service_discovery: Option<MeshServiceDiscovery>,
}

/// What the proxies do with traffic to the outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["type"]))]
pub(crate) struct EgressFilter {
    /// `ALLOW_ALL` or `DROP_ALL`. Absent `egressFilter` means the latter.
    #[schemars(extend("enum" = ["ALLOW_ALL", "DROP_ALL"]))]
    pub r#type: String,
}

/// How the mesh resolves names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MeshServiceDiscovery {
    /// `IPv6_ONLY` or `IPv4_ONLY`.
    #[schemars(extend("enum" = ["IPv6_ONLY", "IPv4_ONLY"]))]
    pub ip_preference: Option<String>,
}

/// What the controller reports of a mesh.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MeshStatus {
    /// ARN of the mesh in App Mesh.
    #[serde(rename = "meshARN")]
    pub mesh_arn: Option<String>,
    /// The generation that the rest of the status speaks of.
    pub observed_generation: Option<i64>,
    /// Conditions.
    pub conditions: Vec<Condition>,
}
