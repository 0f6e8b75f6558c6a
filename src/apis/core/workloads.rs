//! From a Deployment, a Pod or any other owner of pods to the proxy that its pods would carry.

use serde::Deserialize;
use serde_json::Value;

use crate::apis::core::pods::{Pod, Template, probes_of};
use crate::apis::{DecodeError, proxies};
use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::Workload;

/// Whether meshvet reads objects of this kind for their pods.
fn is_workload(api_version: &str, kind: &str) -> bool {
    template_path(api_version, kind).is_some()
}

/// Where the pod template stands in each kind of workload.
fn template_path(api_version: &str, kind: &str) -> Option<&'static [&'static str]> {
    match (api_version, kind) {
        ("v1", "Pod") => Some(&[]),
        ("apps/v1", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch/v1", "Job") => {
            Some(&["spec", "template"])
        }
        ("batch/v1", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template"]),
        _ => None,
    }
}

/// What an object's metadata says of who has its pods.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Owned {
    owner_references: Option<Vec<OwnerReference>>,
    deletion_timestamp: Option<String>,
}

impl Owned {
    /// Whether nothing else in the object matters: it is being deleted, or the workload that controls it has the pod template.
    pub(crate) fn is_idle(&self) -> bool {
        self.deletion_timestamp.is_some()
            || self
                .owner_references
                .iter()
                .flatten()
                .any(|owner| owner.controller == Some(true) && is_workload(&owner.api_version, &owner.kind))
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct OwnerReference {
    api_version: String,
    kind: String,
    controller: Option<bool>,
}

/// Decodes a workload. None when it says nothing about proxies now: another workload owns it, it is finished, being
/// deleted or has no replicas.
///
/// # Errors
/// The place, and what is wrong there.
pub(in crate::apis) fn decode(value: Value, object: ObjectRef) -> Result<Option<Workload>, DecodeError> {
    let path = template_path(&object.api_version, &object.kind).unwrap_or(&[]);
    if is_idle(&value, &object) {
        return Ok(None);
    }
    let mut field = FieldPath::root();
    let mut template = value;
    for key in path {
        field = field.key(key);
        template = template.get_mut(key).map(Value::take).unwrap_or_default();
    }
    if template.is_null() {
        template = Value::Object(serde_json::Map::new());
    }
    let template: Template = serde_path_to_error::deserialize(template)
        .map_err(|error| DecodeError::new(field.join(&FieldPath::of(error.path())), &error.inner().to_string()))?;
    Ok(Some(workload(template, &field, object)))
}

/// Whether no pod of its own comes of the object, now or until it changes.
fn is_idle(value: &Value, object: &ObjectRef) -> bool {
    let owned = value.get("metadata").and_then(|metadata| Owned::deserialize(metadata).ok()).unwrap_or_default();
    if owned.is_idle() || value.pointer("/spec/replicas").and_then(Value::as_i64) == Some(0) {
        return true;
    }
    match object.kind.as_str() {
        "Pod" => {
            let phase = value.pointer("/status/phase").and_then(Value::as_str);
            matches!(phase, Some("Succeeded" | "Failed"))
        }
        "Job" => value.pointer("/status/conditions").and_then(Value::as_array).is_some_and(|conditions| {
            conditions.iter().any(|condition| {
                let text = |key| condition.get(key).and_then(Value::as_str);
                matches!(text("type"), Some("Complete" | "Failed")) && text("status") == Some("True")
            })
        }),
        _ => false,
    }
}

fn workload(template: Template, field: &FieldPath, object: ObjectRef) -> Workload {
    let labels = template.metadata.labels.unwrap_or_default();
    let annotations = template.metadata.annotations.unwrap_or_default();
    let spec = template.spec;
    let volumes = spec.volumes.unwrap_or_default();
    let containers = spec.containers.unwrap_or_default();
    let metadata = field.key("metadata");
    let pod = Pod {
        namespace: object.namespace(),
        metadata: &metadata,
        annotations: &annotations,
        containers: &containers,
        volumes: &volumes,
    };
    let is_proxy = |container: &str| proxies().any(|proxy| proxy.container == container);
    Workload {
        proxies: proxies().map(|proxy| (proxy.of)(&pod)).collect(),
        plaintext_probes: probes_of(&containers, &field.key("spec"), is_proxy),
        service_account: spec.service_account_name.unwrap_or_else(|| "default".to_owned()),
        template_metadata: metadata,
        labels,
        object,
    }
}
