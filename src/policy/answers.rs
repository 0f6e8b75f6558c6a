//! How much of a verdict is told, as a policy says it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::finding::Severity;

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

/// What the webhook makes of changes to what mesh objects rest on, by what is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Changes {
    /// Deployments and other workloads. Default `warn`; rules about time never refuse one.
    pub workloads: Option<Severity>,
    /// Secrets, ConfigMaps. Default `warn`.
    pub secrets: Option<Severity>,
    /// Labels of namespaces. Default `warn`.
    pub namespaces: Option<Severity>,
    /// Services before nodes and gateways. Default `warn`.
    pub services: Option<Severity>,
    /// Meshes. Default `warn`.
    pub meshes: Option<Severity>,
}

impl Changes {
    /// These, laid over others.
    pub(super) fn over(self, other: Self) -> Self {
        Self {
            workloads: self.workloads.or(other.workloads),
            secrets: self.secrets.or(other.secrets),
            namespaces: self.namespaces.or(other.namespaces),
            services: self.services.or(other.services),
            meshes: self.meshes.or(other.meshes),
        }
    }
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
