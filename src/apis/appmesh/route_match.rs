//! What a route matches: parts shared between VirtualRouter and GatewayRoute.

use schemars::JsonSchema;
use serde::Deserialize;

/// Matches one header of a request, or one entry of a gRPC request's metadata.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name"]))]
pub struct HeaderMatch {
    /// Name of the header.
    #[schemars(length(min = 1, max = 50))]
    pub name: String,
    /// Whether the match is turned into its opposite.
    pub invert: Option<bool>,
    /// What the value must be; absent means anything.
    pub r#match: Option<ValueMatch>,
}

/// What a header's value must be. App Mesh takes exactly one of the alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ValueMatch {
    /// Equal to this.
    #[schemars(length(min = 1, max = 255))]
    pub exact: Option<String>,
    /// Begins with this.
    #[schemars(length(min = 1, max = 255))]
    pub prefix: Option<String>,
    /// A number in this range.
    pub range: Option<RangeMatch>,
    /// Matched whole by this regular expression.
    #[schemars(length(min = 1, max = 255))]
    pub regex: Option<String>,
    /// Ends with this.
    #[schemars(length(min = 1, max = 255))]
    pub suffix: Option<String>,
}

/// A range of numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["end", "start"]))]
pub struct RangeMatch {
    /// The first number in the range.
    pub start: i64,
    /// The first number behind the range.
    pub end: i64,
}

/// What a request's path must be. App Mesh takes exactly one of the alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PathMatch {
    /// Equal to this.
    #[schemars(length(min = 1, max = 255))]
    pub exact: Option<String>,
    /// Matched whole by this regular expression.
    #[schemars(length(min = 1, max = 255))]
    pub regex: Option<String>,
}

/// Matches one query parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name"]))]
pub struct QueryParameterMatch {
    /// Name of the parameter.
    pub name: String,
    /// What the value must be; absent means anything.
    pub r#match: Option<QueryValueMatch>,
}

/// What a query parameter's value must be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct QueryValueMatch {
    /// Equal to this.
    pub exact: Option<String>,
}
