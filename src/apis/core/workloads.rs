//! From a Deployment, a Pod or any other owner of pods to the proxy that its pods would carry.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::apis::core::owns_pods;
use crate::apis::core::pods::{Pod, Template, named_ports, probes_of, tight};
use crate::apis::registry::Pods;
use crate::apis::tape::Tape;
use crate::apis::typed::typed;
use crate::apis::{DecodeError, proxies};
use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::Workload;

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
                .any(|owner| owner.controller == Some(true) && owns_pods(&owner.api_version, &owner.kind))
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct OwnerReference {
    api_version: String,
    kind: String,
    controller: Option<bool>,
}

/// Decodes a workload. None when it says nothing about proxies: another workload owns it, it is finished, or it is being deleted; or it
/// takes another's template, and has no replicas.
///
/// # Errors
/// The place, and what is wrong there.
pub(in crate::apis) fn decode(value: Value, object: ObjectRef, pods: Pods) -> Result<Option<Workload>, DecodeError> {
    if is_idle(&value, &object) {
        return Ok(None);
    }
    let at_rest = value.pointer("/spec/replicas").and_then(Value::as_i64) == Some(0);
    if let Some(takes) = taken(&value, &object, pods) {
        return Ok((!at_rest).then(|| Workload { takes: Some(takes), ..bare(object) }));
    }
    let more = labels_beside_the_template(&value, &object, pods);
    let there = pods.templates.iter().find(|pointer| value.pointer(pointer).is_some()).or(pods.templates.first());
    let keys: Vec<String> = there.map_or("", |pointer| *pointer).split('/').skip(1).map(unescaped).collect();
    let field = keys.iter().fold(FieldPath::root(), |field, key| field.key(key));
    let owners = match keys.is_empty() {
        true => BTreeMap::new(),
        false => annotations(&value),
    };
    let mut template =
        keys.iter().fold(value, |mut value, key| value.get_mut(key).map(Value::take).unwrap_or_default());
    if template.is_null() {
        template = Value::Object(serde_json::Map::new());
    }
    let template = typed::<Template>(&Tape::of(&template))
        .map_err(|error| DecodeError { field: field.join(&error.field), ..error })?;
    let mut workload = workload(template.object, &field, &owners, object);
    if !more.is_empty() {
        let own = workload.labels.iter().map(|(key, label)| (key.to_owned(), label.to_owned()));
        workload.labels = more.into_iter().chain(own).collect();
    }
    Ok(Some(Workload { at_rest, ..workload }))
}

/// A step of a JSON pointer, without its escapes.
fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// The workload whose template an object takes.
fn taken(value: &Value, object: &ObjectRef, pods: Pods) -> Option<ObjectRef> {
    let named = value.pointer(pods.takes?)?;
    let text = |key: &str| named.get(key).and_then(Value::as_str);
    Some(ObjectRef::new(text("apiVersion")?, text("kind")?, object.namespace(), text("name")?))
}

/// The labels that pods have though their template doesn't say so.
fn labels_beside_the_template(value: &Value, object: &ObjectRef, pods: Pods) -> BTreeMap<String, String> {
    let selector = pods.selector.and_then(|pointer| value.pointer(pointer));
    // The old form of a selector is a map of labels.
    let labels = selector.map(|selector| match ["matchLabels", "matchExpressions"].map(|key| selector.get(key)) {
        [None, None] => Some(selector),
        [labels, _] => labels,
    });
    let mut labels: BTreeMap<String, String> =
        labels.flatten().and_then(|labels| BTreeMap::deserialize(labels).ok()).unwrap_or_default();
    labels.extend(pods.name_label.map(|label| (label.to_owned(), object.name.to_string())));
    labels
}

/// Whether no pod of its own comes of the object ever again, or of it alone.
fn is_idle(value: &Value, object: &ObjectRef) -> bool {
    let owned = value.get("metadata").and_then(|metadata| Owned::deserialize(metadata).ok()).unwrap_or_default();
    if owned.is_idle() {
        return true;
    }
    match object.kind.as_str() {
        "Pod" => {
            let phase = value.pointer("/status/phase").and_then(Value::as_str);
            matches!(phase, Some("Succeeded" | "Failed"))
        }
        "Job" | "BroadcastJob" => {
            value.pointer("/status/conditions").and_then(Value::as_array).is_some_and(|conditions| {
                conditions.iter().any(|condition| {
                    let text = |key| condition.get(key).and_then(Value::as_str);
                    matches!(text("type"), Some("Complete" | "Failed")) && text("status") == Some("True")
                })
            })
        }
        _ => false,
    }
}

/// A workload of which only its name is known.
fn bare(object: ObjectRef) -> Workload {
    workload(Template::default(), &FieldPath::root(), &BTreeMap::new(), object)
}

/// An object's own annotations.
fn annotations(value: &Value) -> BTreeMap<String, String> {
    let found = value.pointer("/metadata/annotations");
    found.and_then(|annotations| BTreeMap::deserialize(annotations).ok()).unwrap_or_default()
}

fn workload(template: Template, field: &FieldPath, owners: &BTreeMap<String, String>, object: ObjectRef) -> Workload {
    let labels = template.metadata.labels.unwrap_or_default().into();
    let annotations = template.metadata.annotations.unwrap_or_default();
    let spec = template.spec;
    let ports = named_ports(&spec);
    let volumes = spec.volumes.unwrap_or_default();
    let containers = spec.containers.unwrap_or_default();
    let metadata = field.key("metadata");
    let pod = Pod {
        namespace: object.namespace(),
        metadata: &metadata,
        annotations: &annotations,
        owners,
        containers: &containers,
        volumes: &volumes,
    };
    let is_proxy = |container: &str| proxies().any(|proxy| proxy.container == container);
    Workload {
        proxies: tight(proxies().map(|proxy| (proxy.of)(&pod))),
        ports,
        probes: probes_of(&containers, &field.key("spec"), is_proxy),
        service_account: spec.service_account_name.unwrap_or_else(|| "default".to_owned()),
        template_metadata: metadata,
        labels,
        at_rest: false,
        takes: None,
        object,
    }
}
