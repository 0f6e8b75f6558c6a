//! GatewayRoute: which virtual service a gateway's requests go to.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Condition, HeaderMatch, MeshReference, PathMatch, QueryParameterMatch, Reference, VirtualGatewayReference,
};
use crate::k8s::Metadata;

/// Which virtual service a gateway's requests go to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct GatewayRoute {
    /// Metadata.
    pub metadata: Metadata,
    /// What is wanted.
    pub spec: GatewayRouteSpec,
    /// What the controller reports.
    pub status: Option<GatewayRouteStatus>,
}

/// The wanted state of a gateway route. App Mesh takes exactly one of the three kinds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GatewayRouteSpec {
    /// Name of the gateway route in App Mesh; absent means `name_namespace`.
    pub aws_name: Option<String>,
    /// Routes with lower numbers are tried first.
    #[schemars(range(min = 0, max = 1000))]
    pub priority: Option<i64>,
    /// A route for gRPC.
    pub grpc_route: Option<GrpcGatewayRoute>,
    /// A route for HTTP/1.1.
    pub http_route: Option<HttpGatewayRoute>,
    /// A route for HTTP/2.
    pub http2_route: Option<HttpGatewayRoute>,
    /// The virtual gateway; filled in by the controller.
    pub virtual_gateway_ref: Option<VirtualGatewayReference>,
    /// The mesh; filled in by the controller.
    pub mesh_ref: Option<MeshReference>,
}

impl GatewayRouteSpec {
    /// The target of the route with the field of its kind. App Mesh takes one kind; should there be several, all count.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (&'static str, &GatewayRouteTarget)> {
        let targets = [
            ("grpcRoute", self.grpc_route.as_ref().map(|route| &route.action.target)),
            ("httpRoute", self.http_route.as_ref().map(|route| &route.action.target)),
            ("http2Route", self.http2_route.as_ref().map(|route| &route.action.target)),
        ];
        targets.into_iter().filter_map(|(kind, target)| Some((kind, target?)))
    }
}

/// A gateway's route for HTTP/1.1 or HTTP/2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["action", "match"]))]
pub(crate) struct HttpGatewayRoute {
    /// Where matching requests go.
    pub action: HttpGatewayRouteAction,
    /// The requests that the route is for.
    pub r#match: HttpGatewayRouteMatch,
}

/// A gateway's route for gRPC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["action", "match"]))]
pub(crate) struct GrpcGatewayRoute {
    /// Where matching requests go.
    pub action: GrpcGatewayRouteAction,
    /// The requests that the route is for.
    pub r#match: GrpcGatewayRouteMatch,
}

/// Where a gateway's HTTP requests go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["target"]))]
pub(crate) struct HttpGatewayRouteAction {
    /// The target.
    pub target: GatewayRouteTarget,
    /// How requests are changed on the way.
    pub rewrite: Option<HttpGatewayRouteRewrite>,
}

/// Where a gateway's gRPC requests go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["target"]))]
pub(crate) struct GrpcGatewayRouteAction {
    /// The target.
    pub target: GatewayRouteTarget,
    /// How requests are changed on the way.
    pub rewrite: Option<GrpcGatewayRouteRewrite>,
}

/// The target of a gateway route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["virtualService"]))]
pub(crate) struct GatewayRouteTarget {
    /// The virtual service.
    pub virtual_service: GatewayRouteVirtualService,
    /// The listener of the provider that is called; absent means the one listener.
    #[schemars(range(min = 0))]
    pub port: Option<i64>,
}

/// A virtual service as a target. App Mesh takes a reference or an ARN; an ARN wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GatewayRouteVirtualService {
    /// The virtual service in the cluster.
    pub virtual_service_ref: Option<Reference>,
    /// The virtual service's ARN.
    #[serde(rename = "virtualServiceARN")]
    pub virtual_service_arn: Option<String>,
}

/// How HTTP requests are changed on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct HttpGatewayRouteRewrite {
    /// The hostname.
    pub hostname: Option<HostnameRewrite>,
    /// The path.
    pub path: Option<PathRewrite>,
    /// The path's prefix.
    pub prefix: Option<PrefixRewrite>,
}

/// How gRPC requests are changed on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GrpcGatewayRouteRewrite {
    /// The hostname.
    pub hostname: Option<HostnameRewrite>,
}

/// How a request's hostname is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct HostnameRewrite {
    /// `ENABLED` or `DISABLED`: whether the virtual service's name replaces it.
    #[schemars(extend("enum" = ["ENABLED", "DISABLED"]))]
    pub default_target_hostname: Option<String>,
}

/// How a request's path is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PathRewrite {
    /// What the path becomes.
    #[schemars(length(min = 1, max = 255))]
    pub exact: Option<String>,
}

/// How the matched prefix of a request's path is changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PrefixRewrite {
    /// `ENABLED` or `DISABLED`: whether `/` replaces it.
    #[schemars(extend("enum" = ["ENABLED", "DISABLED"]))]
    pub default_prefix: Option<String>,
    /// What the prefix becomes.
    #[schemars(length(min = 1, max = 255))]
    pub value: Option<String>,
}

/// The HTTP requests that a gateway route is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct HttpGatewayRouteMatch {
    /// Headers, one to ten, that must all match.
    #[schemars(length(min = 1, max = 10))]
    pub headers: Option<Vec<HeaderMatch>>,
    /// The hostname.
    pub hostname: Option<HostnameMatch>,
    /// The method.
    #[schemars(extend("enum" = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]))]
    pub method: Option<String>,
    /// The path.
    pub path: Option<PathMatch>,
    /// The gateway's port that the request came to.
    #[schemars(range(min = 0))]
    pub port: Option<i64>,
    /// What the path begins with.
    pub prefix: Option<String>,
    /// Query parameters, one to ten, that must all match.
    #[schemars(length(min = 1, max = 10))]
    pub query_parameters: Option<Vec<QueryParameterMatch>>,
}

/// The gRPC requests that a gateway route is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GrpcGatewayRouteMatch {
    /// The hostname.
    pub hostname: Option<HostnameMatch>,
    /// Metadata entries, one to ten, that must all match.
    #[schemars(length(min = 1, max = 10))]
    pub metadata: Option<Vec<HeaderMatch>>,
    /// The gateway's port that the request came to.
    #[schemars(range(min = 0))]
    pub port: Option<i64>,
    /// The fully qualified service.
    pub service_name: Option<String>,
}

/// What a request's hostname must be. App Mesh takes exactly one of the alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct HostnameMatch {
    /// Equal to this.
    #[schemars(length(min = 1, max = 253))]
    pub exact: Option<String>,
    /// Ends with this.
    #[schemars(length(min = 1, max = 253))]
    pub suffix: Option<String>,
}

/// What the controller reports of a gateway route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GatewayRouteStatus {
    /// ARN of the gateway route in App Mesh.
    #[serde(rename = "gatewayRouteARN")]
    pub gateway_route_arn: Option<String>,
    /// The generation that the rest of the status speaks of.
    pub observed_generation: Option<i64>,
    /// Conditions.
    pub conditions: Vec<Condition>,
}
