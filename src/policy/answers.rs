//! How much of a verdict is reported, as a policy says it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::finding::Severity;

/// How much detail the webhook gives to the user who applies an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Answers {
    /// `full` (default): what was expected and found, what would happen and how to fix it. `brief`: the rule, the field, and what
    /// the rule says in general; no key of a Secret, no name of a certificate, no object of another namespace.
    pub detail: Option<Detail>,
}

/// Whether denials refuse objects at admission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Enforcement {
    /// The object is refused.
    #[default]
    Deny,
    /// It passes, with a warning which says that it would be refused: a careful way to start.
    Warn,
}

/// The highest severity when a change of one of these breaks a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Changes {
    /// Deployments and other workloads. Default `warn`; they are never refused for the dates of a certificate.
    pub workloads: Option<Severity>,
    /// Secrets, ConfigMaps. Default `warn`.
    pub secrets: Option<Severity>,
    /// Labels of namespaces. Default `warn`.
    pub namespaces: Option<Severity>,
    /// Services in front of nodes and gateways. Default `warn`.
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

/// How much is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Detail {
    /// All that is known.
    #[default]
    Full,
    /// Only what the applied object itself says.
    Brief,
}
