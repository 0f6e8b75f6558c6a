//! Ports and health checks of listeners.

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

/// The port that a listener listens on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["port", "protocol"]))]
pub struct PortMapping {
    /// The port, 1 to 65535. Numbers outside decode, so that they can be reported.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i64,
    /// `grpc`, `http`, `http2`, or `tcp` (not on gateways).
    #[schemars(extend("enum" = ["grpc", "http", "http2", "tcp"]))]
    pub protocol: String,
}

/// How App Mesh's proxies check that an endpoint of this listener is healthy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = [
    "healthyThreshold", "intervalMillis", "protocol", "timeoutMillis", "unhealthyThreshold"
]))]
pub struct HealthCheckPolicy {
    /// Successes in a row that make an endpoint healthy, 2 to 10. A gateway may leave it out.
    #[schemars(range(min = 2, max = 10))]
    pub healthy_threshold: Option<i64>,
    /// Milliseconds between checks, 5000 to 300000.
    #[schemars(range(min = 5000, max = 300_000))]
    pub interval_millis: i64,
    /// The path of an HTTP check.
    pub path: Option<String>,
    /// The port to check; it must be the listener's.
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i64>,
    /// `grpc`, `http`, `http2`, or `tcp` (not on gateways).
    #[schemars(extend("enum" = ["grpc", "http", "http2", "tcp"]))]
    pub protocol: String,
    /// Milliseconds to wait for an answer, 2000 to 60000.
    #[schemars(range(min = 2000, max = 60000))]
    pub timeout_millis: i64,
    /// Failures in a row that make an endpoint unhealthy, 2 to 10.
    #[schemars(range(min = 2, max = 10))]
    pub unhealthy_threshold: i64,
}

/// Narrows the schema of a listener's part to what a gateway takes: no `tcp`, and `healthyThreshold` optional.
pub(super) fn for_gateway(schema: &mut Schema) {
    if let Some(protocols) =
        schema.pointer_mut("/properties/protocol/enum").and_then(|protocols| protocols.as_array_mut())
    {
        protocols.retain(|protocol| protocol != "tcp");
    }
    if let Some(required) = schema.pointer_mut("/required").and_then(|required| required.as_array_mut()) {
        required.retain(|field| field != "healthyThreshold");
    }
}
