//! The part of `ObjectMeta` that meshvet reads.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::k8s::lenient::{annotations, null_is_empty};

/// An object's metadata: what meshvet reads of `meta/v1 ObjectMeta`.
///
/// Everything else (`managedFields` first of all, which is often larger than the object) is skipped without being
/// stored. `null` stands for absent, as it does for the API server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// The name; empty in a manifest that uses `generateName`.
    pub name: String,
    /// The prefix that the API server makes a name from. At admission the name is already filled in.
    pub generate_name: Option<String>,
    /// The namespace; absent for cluster-scoped objects and for manifests that leave it to kubectl.
    pub namespace: Option<String>,
    /// Unique in space and time; absent in manifests.
    pub uid: Option<String>,
    /// Counts changes of the spec; absent in manifests.
    pub generation: Option<i64>,
    /// The opaque version of the stored object; absent in manifests.
    pub resource_version: Option<String>,
    /// When it was created (RFC 3339); absent in manifests.
    pub creation_timestamp: Option<String>,
    /// When deletion was asked for (RFC 3339). Present means that the object is on its way out.
    pub deletion_timestamp: Option<String>,
    /// Labels.
    #[serde(deserialize_with = "null_is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations, without kubectl's copy of the object.
    #[serde(deserialize_with = "annotations")]
    pub annotations: BTreeMap<String, String>,
}

impl Metadata {
    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(String::as_str)
    }
}
