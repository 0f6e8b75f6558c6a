//! VirtualRouter: spreads the requests for a virtual service over virtual nodes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::opaque::Opaque;
use super::{Condition, HeaderMatch, MeshReference, PathMatch, PortMapping, QueryParameterMatch, Reference};
use crate::k8s::Metadata;
use std::collections::BTreeMap;

/// Spreads the requests for a virtual service over virtual nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct VirtualRouter {
    /// Metadata.
    pub metadata: Metadata,
    /// What is wanted.
    pub spec: VirtualRouterSpec,
    /// What the controller reports.
    pub status: Option<VirtualRouterStatus>,
}

/// The wanted state of a virtual router.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VirtualRouterSpec {
    /// Name of the virtual router in App Mesh; absent means `name_namespace`.
    pub aws_name: Option<String>,
    /// What the router listens on.
    #[schemars(length(min = 1))]
    pub listeners: Vec<VirtualRouterListener>,
    /// The routes.
    pub routes: Vec<Route>,
    /// The mesh; filled in by the controller.
    pub mesh_ref: Option<MeshReference>,
}

/// One thing that a virtual router listens on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["portMapping"]))]
pub struct VirtualRouterListener {
    /// The port.
    pub port_mapping: PortMapping,
}

/// One route. App Mesh takes exactly one of the four kinds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name"]))]
pub struct Route {
    /// Name of the route.
    pub name: String,
    /// Routes with lower numbers are tried first.
    #[schemars(range(min = 0, max = 1000))]
    pub priority: Option<i64>,
    /// A route for gRPC.
    pub grpc_route: Option<GrpcRoute>,
    /// A route for HTTP/1.1.
    pub http_route: Option<HttpRoute>,
    /// A route for HTTP/2.
    pub http2_route: Option<HttpRoute>,
    /// A route for TCP.
    pub tcp_route: Option<TcpRoute>,
}

impl Route {
    /// The actions of the route, each with the field of its kind and the router's port that it matches, where it says one. App Mesh takes
    /// one kind; should there be several, all count.
    pub fn actions(&self) -> impl Iterator<Item = (&'static str, &RouteAction, Option<i64>)> {
        let actions = [
            ("grpcRoute", self.grpc_route.as_ref().map(|route| (&route.action, route.r#match.port))),
            ("httpRoute", self.http_route.as_ref().map(|route| (&route.action, route.r#match.port))),
            ("http2Route", self.http2_route.as_ref().map(|route| (&route.action, route.r#match.port))),
            (
                "tcpRoute",
                self.tcp_route
                    .as_ref()
                    .map(|route| (&route.action, route.r#match.as_ref().and_then(|matched| matched.port))),
            ),
        ];
        actions.into_iter().filter_map(|(kind, action)| action.map(|(action, port)| (kind, action, port)))
    }
}

/// A route for HTTP/1.1 or HTTP/2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["action", "match"]))]
pub struct HttpRoute {
    /// Where matching requests go.
    pub action: RouteAction,
    /// The requests that the route is for.
    pub r#match: HttpRouteMatch,
    /// When a failed request is tried again.
    pub retry_policy: Option<Opaque>,
    /// How long a request may last.
    pub timeout: Option<Opaque>,
}

/// A route for gRPC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["action", "match"]))]
pub struct GrpcRoute {
    /// Where matching requests go.
    pub action: RouteAction,
    /// The requests that the route is for.
    pub r#match: GrpcRouteMatch,
    /// When a failed request is tried again.
    pub retry_policy: Option<Opaque>,
    /// How long a request may last.
    pub timeout: Option<Opaque>,
}

/// A route for TCP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["action"]))]
pub struct TcpRoute {
    /// Where matching connections go.
    pub action: RouteAction,
    /// The connections that the route is for; absent means all.
    pub r#match: Option<TcpRouteMatch>,
    /// How long an idle connection may last.
    pub timeout: Option<Opaque>,
}

/// Where matching requests go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["weightedTargets"]))]
pub struct RouteAction {
    /// The targets, one to ten, and how much each gets.
    #[schemars(length(min = 1, max = 10))]
    pub weighted_targets: Vec<WeightedTarget>,
}

/// A virtual node and the weight of its share. App Mesh takes a reference or an ARN; an ARN wins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["weight"]))]
pub struct WeightedTarget {
    /// The virtual node in the cluster.
    pub virtual_node_ref: Option<Reference>,
    /// The virtual node's ARN.
    #[serde(rename = "virtualNodeARN")]
    pub virtual_node_arn: Option<String>,
    /// The share, 0 to 100.
    #[schemars(range(min = 0, max = 100))]
    pub weight: i64,
    /// The listener of the node that is called; absent means the one listener.
    #[schemars(range(min = 0))]
    pub port: Option<i64>,
}

/// The HTTP requests that a route is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpRouteMatch {
    /// Headers, one to ten, that must all match.
    #[schemars(length(min = 1, max = 10))]
    pub headers: Option<Vec<HeaderMatch>>,
    /// The method.
    #[schemars(extend("enum" = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]))]
    pub method: Option<String>,
    /// The path.
    pub path: Option<PathMatch>,
    /// The router's port that the request came to.
    #[schemars(range(min = 0))]
    pub port: Option<i64>,
    /// What the path begins with.
    pub prefix: Option<String>,
    /// Query parameters, one to ten, that must all match.
    #[schemars(length(min = 1, max = 10))]
    pub query_parameters: Option<Vec<QueryParameterMatch>>,
    /// `http` or `https`.
    #[schemars(extend("enum" = ["http", "https"]))]
    pub scheme: Option<String>,
}

/// The gRPC requests that a route is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GrpcRouteMatch {
    /// Metadata entries, one to ten, that must all match.
    #[schemars(length(min = 1, max = 10))]
    pub metadata: Option<Vec<HeaderMatch>>,
    /// The method of the service.
    #[schemars(length(min = 1, max = 50))]
    pub method_name: Option<String>,
    /// The router's port that the request came to.
    #[schemars(range(min = 0))]
    pub port: Option<i64>,
    /// The fully qualified service.
    pub service_name: Option<String>,
}

/// The TCP connections that a route is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpRouteMatch {
    /// The router's port that the connection came to.
    #[schemars(range(min = 0))]
    pub port: Option<i64>,
}

/// What the controller reports of a virtual router.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VirtualRouterStatus {
    /// ARN of the virtual router in App Mesh.
    #[serde(rename = "virtualRouterARN")]
    pub virtual_router_arn: Option<String>,
    /// ARNs of the routes, by name.
    #[serde(rename = "routeARNs")]
    pub route_arns: BTreeMap<String, String>,
    /// The generation that the rest of the status speaks of.
    pub observed_generation: Option<i64>,
    /// Conditions.
    pub conditions: Vec<Condition>,
}
