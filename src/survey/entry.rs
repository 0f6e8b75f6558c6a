//! A finding in a baseline.

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Severity};
use crate::k8s::ObjectRef;

/// One finding of a baseline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The object.
    pub object: Object,
    /// The rule's code.
    pub rule: String,
    /// The rule's name, for people.
    pub name: String,
    /// The part of the object, in words that survive edits: `listener 8443`.
    pub at: String,
    /// Its severity.
    pub severity: Severity,
    /// How often it occurs.
    pub count: usize,
}

/// An object's reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Object {
    /// `appmesh.k8s.aws/v1beta2`
    pub api_version: String,
    /// `VirtualNode`
    pub kind: String,
    /// None for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Its own name.
    pub name: String,
}

impl From<&ObjectRef> for Object {
    fn from(object: &ObjectRef) -> Self {
        Self {
            api_version: object.api_version.to_string(),
            kind: object.kind.to_string(),
            namespace: object.namespace.as_deref().map(str::to_owned),
            name: object.name.to_string(),
        }
    }
}

impl Entry {
    pub(super) fn of(finding: &Finding) -> Self {
        Self {
            object: Object::from(&finding.object),
            rule: finding.rule.code.to_owned(),
            name: finding.rule.name.to_owned(),
            at: finding.problem.site.anchor.clone(),
            severity: finding.severity,
            count: 1,
        }
    }
}
