//! From a Deployment, a Pod or any other owner of pods to the proxy that its pods would carry.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::apis::DecodeError;
use crate::apis::appmesh::annotations;
use crate::apis::appmesh::annotations::{
    ENVOY_CONTAINER, PORTS, SDS, SECRET_MOUNTS, SIDECAR_INJECTOR_WEBHOOK, VOLUME_MOUNTS,
};
use crate::apis::core::volumes::{PodVolume, VolumeMount, annotated_mount, mount, secret_mount};
use crate::k8s::FieldPath;
use crate::k8s::ObjectRef;
use crate::mesh::{AnnotationProblem, Mounts, Probe, Workload};

/// Whether meshvet reads objects of this kind for their pods.
pub(in crate::apis) fn is_workload(api_version: &str, kind: &str) -> bool {
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

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Owned {
    owner_references: Option<Vec<OwnerReference>>,
    deletion_timestamp: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct OwnerReference {
    api_version: String,
    kind: String,
    controller: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Template {
    metadata: TemplateMetadata,
    spec: PodSpec,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TemplateMetadata {
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PodSpec {
    containers: Option<Vec<Container>>,
    volumes: Option<Vec<PodVolume>>,
    service_account_name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Container {
    name: String,
    volume_mounts: Option<Vec<VolumeMount>>,
    ports: Option<Vec<ContainerPort>>,
    liveness_probe: Option<ProbeSpec>,
    readiness_probe: Option<ProbeSpec>,
    startup_probe: Option<ProbeSpec>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ContainerPort {
    name: Option<String>,
    container_port: i64,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ProbeSpec {
    http_get: Option<HttpGet>,
    grpc: Option<Grpc>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HttpGet {
    port: Value,
    scheme: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Grpc {
    port: Value,
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
    if owned.deletion_timestamp.is_some() {
        return true;
    }
    let owners = owned.owner_references.unwrap_or_default();
    if owners.iter().any(|owner| owner.controller == Some(true) && is_workload(&owner.api_version, &owner.kind)) {
        return true;
    }
    if value.pointer("/spec/replicas").and_then(Value::as_i64) == Some(0) {
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
    let namespace = object.namespace().to_owned();

    // An init container of that name doesn't count, for the injector either.
    let own_proxy = containers.iter().find(|container| container.name == ENVOY_CONTAINER);
    let mut annotation_problems = Vec::new();
    let mounts = match own_proxy {
        Some(envoy) => {
            let wanted = envoy.volume_mounts.iter().flatten();
            Mounts::new(wanted.map(|entry| mount(&volumes, &namespace, entry)).collect())
        }
        None => injected_mounts(&annotations, &volumes, &namespace, &metadata, &mut annotation_problems),
    };
    Workload {
        brings_proxy: own_proxy.is_some(),
        mounts,
        annotation_problems,
        plaintext_probes: containers
            .iter()
            .enumerate()
            .filter(|(_, container)| container.name != ENVOY_CONTAINER)
            .flat_map(|(index, container)| {
                plaintext_probes(container, &field.keys(["spec", "containers"]).index(index))
            })
            .collect(),
        service_account: spec.service_account_name.unwrap_or_else(|| "default".to_owned()),
        annotations: annotations.into_iter().filter(|(key, _)| INJECTOR_READS.contains(&key.as_str())).collect(),
        template_metadata: metadata,
        labels,
        object,
    }
}

/// The annotations that decide on a pod's proxy, besides its mounts.
const INJECTOR_READS: [&str; 3] = [SIDECAR_INJECTOR_WEBHOOK, PORTS, SDS];

/// The mounts that the injector gives the proxy, and what is wrong with the annotations that ask for them.
fn injected_mounts(
    annotations: &BTreeMap<String, String>,
    volumes: &[PodVolume],
    namespace: &str,
    metadata: &FieldPath,
    problems: &mut Vec<AnnotationProblem>,
) -> Mounts {
    let said = annotations;
    let mut report = |key: &str, problem: &annotations::AnnotationProblem| {
        problems.push(AnnotationProblem {
            field: metadata.keys(["annotations", key]),
            annotation: key.to_owned(),
            message: problem.to_string(),
            mended: said.get(key).and_then(|said| Some((said.clone(), problem.mended(said)?))),
        });
    };
    let read = |key: &str, parse: fn(&str) -> annotations::Mounts| {
        annotations.get(key).map(|text| parse(text)).unwrap_or_default()
    };
    let secrets = read(SECRET_MOUNTS, annotations::parse_secret_mounts);
    let wanted = read(VOLUME_MOUNTS, annotations::parse_volume_mounts);
    secrets.problems.iter().for_each(|problem| report(SECRET_MOUNTS, problem));
    wanted.problems.iter().for_each(|problem| report(VOLUME_MOUNTS, problem));
    let names = volumes.iter().map(|volume| volume.name.as_str());
    for problem in annotations::conflicts(&secrets, &wanted, names) {
        let key = match problem {
            annotations::AnnotationProblem::VolumeExists { .. } => SECRET_MOUNTS,
            _ => VOLUME_MOUNTS,
        };
        report(key, &problem);
    }
    let by_secret = secrets.mounts.iter().map(|entry| secret_mount(namespace, &entry.name, &entry.path));
    let by_volume = wanted.mounts.iter().map(|entry| {
        let added = secrets.mounts.iter().any(|secret| secret.name == entry.name);
        match added && !volumes.iter().any(|volume| volume.name == entry.name) {
            // The injector names the volume of a mounted Secret after it.
            true => secret_mount(namespace, &entry.name, &entry.path),
            false => annotated_mount(volumes, namespace, &entry.name, &entry.path),
        }
    });
    Mounts::new(by_secret.chain(by_volume).collect())
}

fn plaintext_probes(container: &Container, field: &FieldPath) -> Vec<Probe> {
    let probes = [
        ("livenessProbe", &container.liveness_probe),
        ("readinessProbe", &container.readiness_probe),
        ("startupProbe", &container.startup_probe),
    ];
    let mut found = Vec::new();
    for (kind, probe) in probes {
        let Some(probe) = probe else { continue };
        let https = |get: &HttpGet| get.scheme.as_deref().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let (action, port) = match (&probe.http_get, &probe.grpc) {
            (Some(get), _) if !https(get) => ("httpGet", &get.port),
            (_, Some(grpc)) => ("grpc", &grpc.port),
            _ => continue,
        };
        if let Some(port) = resolve_port(port, container) {
            let field = field.keys([kind, action, "port"]);
            found.push(Probe { kind, action, container: container.name.clone(), port, field });
        }
    }
    found
}

/// A port by number, or by the name that the container gives it.
fn resolve_port(port: &Value, container: &Container) -> Option<u16> {
    if let Some(number) = port.as_i64() {
        return u16::try_from(number).ok();
    }
    let name = port.as_str()?;
    let named = container.ports.iter().flatten().find(|known| known.name.as_deref() == Some(name));
    u16::try_from(named?.container_port).ok()
}
