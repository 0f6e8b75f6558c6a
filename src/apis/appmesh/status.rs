//! What the controller reports back.

use schemars::JsonSchema;
use serde::Deserialize;

/// One condition of an object, as the controller reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["status", "type"]))]
pub(crate) struct Condition {
    /// The condition, such as `VirtualNodeActive`.
    pub r#type: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word for the reason.
    pub reason: Option<String>,
    /// The reason for people.
    pub message: Option<String>,
    /// When the status last changed, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub last_transition_time: Option<String>,
}
