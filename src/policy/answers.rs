//! How much of a verdict is told, as a policy says it.

use schemars::JsonSchema;
use serde::Deserialize;

/// How much the webhook tells whoever applies an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Answers {
    /// `full` (default): what was expected and found, what would happen and how to mend it. `brief`: the rule, the field, and what
    /// the rule says in general; no key of a Secret, no name of a certificate, no object of another namespace.
    pub detail: Option<Detail>,
}

/// What becomes of what would refuse an object at admission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Enforcement {
    /// The object is refused.
    #[default]
    Deny,
    /// It passes, with a warning which says that it would be refused. How careful people start.
    Warn,
}

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Detail {
    /// All that is known.
    #[default]
    Full,
    /// Nothing that the applied object doesn't say itself.
    Brief,
}
