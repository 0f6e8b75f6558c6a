//! VirtualNode: a workload in the mesh, with what it listens on and what it calls.

use schemars::JsonSchema;
use serde::Deserialize;

use super::opaque::Opaque;
use super::{
    ClientPolicy, Condition, HealthCheckPolicy, ListenerTls, MeshReference, PortMapping, Reference,
    tls::NodeListenerTls,
};
use crate::k8s::{LabelSelector, Metadata};

/// A workload in the mesh.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct VirtualNode {
    /// Metadata.
    pub metadata: Metadata,
    /// What is wanted.
    pub spec: VirtualNodeSpec,
    /// What the controller reports.
    pub status: Option<VirtualNodeStatus>,
}

/// The wanted state of a virtual node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualNodeSpec {
    /// Name of the virtual node in App Mesh; absent means `name_namespace`.
    pub aws_name: Option<String>,
    /// Selects the pods, in the node's own namespace, that are this node. Absent selects none, empty selects all.
    pub pod_selector: Option<LabelSelector>,
    /// What the node listens on.
    #[schemars(length(min = 0))]
    pub listeners: Vec<Listener>,
    /// How others find the node.
    pub service_discovery: Option<ServiceDiscovery>,
    /// What holds for every backend that has no policy of its own.
    pub backend_defaults: Option<BackendDefaults>,
    /// The virtual services that the node calls.
    pub backends: Vec<Backend>,
    /// Groups of virtual services that the node calls. Their default namespace is the node's.
    pub backend_groups: Vec<Reference>,
    /// Where the proxy logs.
    pub logging: Option<Opaque>,
    /// The mesh; filled in by the controller.
    pub mesh_ref: Option<MeshReference>,
}

/// One thing that a virtual node listens on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["portMapping"]))]
pub struct Listener {
    /// The port.
    pub port_mapping: PortMapping,
    /// How endpoints are checked.
    pub health_check: Option<HealthCheckPolicy>,
    /// TLS; absent means plaintext.
    #[serde(deserialize_with = "NodeListenerTls::deserialize_option")]
    #[schemars(with = "Option<NodeListenerTls>")]
    pub tls: Option<ListenerTls>,
    /// Limits on connections and requests.
    pub connection_pool: Option<Opaque>,
    /// When an endpoint is taken out for its failures.
    pub outlier_detection: Option<Opaque>,
    /// How long requests and idle connections may last.
    pub timeout: Option<Opaque>,
}

/// How others find a virtual node. App Mesh takes exactly one of the alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceDiscovery {
    /// By AWS Cloud Map.
    pub aws_cloud_map: Option<AwsCloudMapServiceDiscovery>,
    /// By DNS.
    pub dns: Option<DnsServiceDiscovery>,
}

/// Discovery by AWS Cloud Map.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["namespaceName", "serviceName"]))]
pub struct AwsCloudMapServiceDiscovery {
    /// Name of the Cloud Map namespace, such as `apps.local`.
    #[schemars(length(min = 1, max = 1024))]
    pub namespace_name: String,
    /// Name of the Cloud Map service in it.
    #[schemars(length(min = 1, max = 1024))]
    pub service_name: String,
    /// Attributes that an instance must have to be an endpoint of the node.
    pub attributes: Vec<AwsCloudMapInstanceAttribute>,
}

/// One attribute of a Cloud Map instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["key", "value"]))]
pub struct AwsCloudMapInstanceAttribute {
    /// The attribute's key.
    #[schemars(length(min = 1, max = 255))]
    pub key: String,
    /// The attribute's value.
    #[schemars(length(min = 1, max = 1024))]
    pub value: String,
}

/// Discovery by DNS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["hostname"]))]
pub struct DnsServiceDiscovery {
    /// The hostname that callers resolve, and that the node's certificate must carry.
    pub hostname: String,
    /// `ENDPOINTS` or `LOADBALANCER`; absent means the latter.
    #[schemars(extend("enum" = ["ENDPOINTS", "LOADBALANCER"]))]
    pub response_type: Option<String>,
}

/// What holds for every backend that has no policy of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BackendDefaults {
    /// The client policy.
    pub client_policy: Option<Box<ClientPolicy>>,
}

/// A virtual service that the node calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["virtualService"]))]
pub struct Backend {
    /// The virtual service.
    pub virtual_service: VirtualServiceBackend,
}

/// Which virtual service a backend is, and how it is called. App Mesh takes a reference or an ARN; an ARN wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualServiceBackend {
    /// The virtual service in the cluster.
    pub virtual_service_ref: Option<Reference>,
    /// The virtual service's ARN.
    #[serde(rename = "virtualServiceARN")]
    pub virtual_service_arn: Option<String>,
    /// The client policy for this backend; it replaces that of `backendDefaults` whole.
    pub client_policy: Option<Box<ClientPolicy>>,
}

/// What the controller reports of a virtual node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VirtualNodeStatus {
    /// ARN of the virtual node in App Mesh.
    #[serde(rename = "virtualNodeARN")]
    pub virtual_node_arn: Option<String>,
    /// The generation that the rest of the status speaks of.
    pub observed_generation: Option<i64>,
    /// Conditions.
    pub conditions: Vec<Condition>,
}
