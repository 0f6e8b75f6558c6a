//! VirtualGateway: where traffic from outside enters the mesh.

use schemars::JsonSchema;
use serde::Deserialize;

use super::opaque::Opaque;
use super::{BackendDefaults, Condition, HealthCheckPolicy, ListenerTls, MeshReference, PortMapping, port};
use crate::k8s::{LabelSelector, Metadata};

/// Where traffic from outside enters the mesh.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct VirtualGateway {
    /// Metadata.
    pub metadata: Metadata,
    /// What is wanted.
    pub spec: VirtualGatewaySpec,
    /// What the controller reports.
    pub status: Option<VirtualGatewayStatus>,
}

/// The wanted state of a virtual gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualGatewaySpec {
    /// Name of the virtual gateway in App Mesh; absent means `name_namespace`.
    pub aws_name: Option<String>,
    /// Selects the namespaces whose gateway routes may belong to this gateway. Absent selects none, empty selects all.
    pub namespace_selector: Option<LabelSelector>,
    /// Selects the gateway routes, in those namespaces, that belong to this gateway. Absent selects all.
    pub gateway_route_selector: Option<LabelSelector>,
    /// Selects the pods, in the gateway's own namespace, that are this gateway. Absent selects none, empty selects all.
    pub pod_selector: Option<LabelSelector>,
    /// What the gateway listens on.
    #[schemars(length(min = 0))]
    pub listeners: Vec<GatewayListener>,
    /// What holds for every virtual service that the gateway calls.
    pub backend_defaults: Option<BackendDefaults>,
    /// Where the proxy logs.
    pub logging: Option<Opaque>,
    /// The mesh; filled in by the controller.
    pub mesh_ref: Option<MeshReference>,
}

/// One thing that a virtual gateway listens on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["portMapping"]))]
pub struct GatewayListener {
    /// The port.
    #[schemars(transform = port::for_gateway)]
    pub port_mapping: PortMapping,
    /// How endpoints are checked.
    #[schemars(transform = port::for_gateway)]
    pub health_check: Option<HealthCheckPolicy>,
    /// TLS; absent means plaintext.
    pub tls: Option<ListenerTls>,
    /// Limits on connections and requests.
    pub connection_pool: Option<Opaque>,
}

/// What the controller reports of a virtual gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VirtualGatewayStatus {
    /// ARN of the virtual gateway in App Mesh.
    #[serde(rename = "virtualGatewayARN")]
    pub virtual_gateway_arn: Option<String>,
    /// The generation that the rest of the status speaks of.
    pub observed_generation: Option<i64>,
    /// Conditions.
    pub conditions: Vec<Condition>,
}
