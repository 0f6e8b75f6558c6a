//! What is read of a pod, whether it stands by itself or as a template.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::apis::core::volumes::{PodVolume, VolumeMount};
use crate::k8s::FieldPath;
use crate::k8s::some_null_is_empty;
use crate::mesh::Probe;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::apis) struct Template {
    pub(in crate::apis) metadata: TemplateMetadata,
    pub(in crate::apis) spec: PodSpec,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::apis) struct TemplateMetadata {
    // As the API server reads them: `null` for an empty string.
    #[serde(deserialize_with = "some_null_is_empty")]
    pub(in crate::apis) labels: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "some_null_is_empty")]
    pub(in crate::apis) annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::apis) struct PodSpec {
    pub(in crate::apis) containers: Option<Vec<Container>>,
    init_containers: Option<Vec<Container>>,
    pub(in crate::apis) volumes: Option<Vec<PodVolume>>,
    pub(in crate::apis) service_account_name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::apis) struct Container {
    pub(in crate::apis) name: String,
    pub(in crate::apis) volume_mounts: Option<Vec<VolumeMount>>,
    ports: Option<Vec<ContainerPort>>,
    restart_policy: Option<String>,
    liveness_probe: Option<ProbeSpec>,
    readiness_probe: Option<ProbeSpec>,
    startup_probe: Option<ProbeSpec>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ContainerPort {
    pub(in crate::apis) name: Option<String>,
    container_port: i64,
    protocol: Option<String>,
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
    host: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Grpc {
    port: Value,
}

/// A pod, for the APIs that give it a proxy.
pub(in crate::apis) struct Pod<'p> {
    /// Its namespace.
    pub(in crate::apis) namespace: &'p str,
    /// Where its metadata is in the object.
    pub(in crate::apis) metadata: &'p FieldPath,
    /// Its annotations.
    pub(in crate::apis) annotations: &'p BTreeMap<String, String>,
    /// The annotations of the object that it is made by, where that isn't the pod itself.
    pub(in crate::apis) owners: &'p BTreeMap<String, String>,
    /// Its containers, without the init containers.
    pub(in crate::apis) containers: &'p [Container],
    /// Its volumes.
    pub(in crate::apis) volumes: &'p [PodVolume],
}

/// A list without room for more, as a fact keeps it.
pub(super) fn tight<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut list: Vec<T> = items.collect();
    list.shrink_to_fit();
    list
}

/// The TCP ports to which containers give names. A Service knows those of sidecars too: init containers that run on.
pub(super) fn named_ports(spec: &PodSpec) -> Vec<(String, u16)> {
    let is_sidecar = |it: &&Container| it.restart_policy.as_deref() == Some("Always");
    let sidecars = spec.init_containers.iter().flatten().filter(is_sidecar);
    let ports = spec.containers.iter().flatten().chain(sidecars).flat_map(|container| container.ports.iter().flatten());
    let tcp = ports.filter(|port| port.protocol.as_deref().is_none_or(|protocol| protocol == "TCP"));
    tight(tcp.filter_map(|port| Some((port.name.clone()?, u16::try_from(port.container_port).ok()?))))
}

/// The probes that the kubelet makes by HTTP or gRPC. `spec`: where the pod's spec is.
pub(super) fn probes_of(containers: &[Container], spec: &FieldPath, is_proxy: impl Fn(&str) -> bool) -> Vec<Probe> {
    let all = containers.iter().enumerate().flat_map(|(index, container)| {
        let of_proxy = is_proxy(&container.name);
        let found = probes(container, &spec.key("containers").index(index)).into_iter();
        found.map(move |probe| Probe { of_proxy, ..probe })
    });
    tight(all)
}

/// The probes of a container that the kubelet makes by HTTP or gRPC. One with a `host` isn't for the pod.
fn probes(container: &Container, field: &FieldPath) -> Vec<Probe> {
    let probes = [
        ("livenessProbe", &container.liveness_probe),
        ("readinessProbe", &container.readiness_probe),
        ("startupProbe", &container.startup_probe),
    ];
    let mut found = Vec::new();
    for (kind, probe) in probes {
        let Some(probe) = probe else { continue };
        let https = |get: &HttpGet| get.scheme.as_deref().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let is_elsewhere = |get: &HttpGet| get.host.as_deref().is_some_and(|host| !host.is_empty());
        let (action, port, tls) = match (&probe.http_get, &probe.grpc) {
            (Some(get), _) if is_elsewhere(get) => continue,
            (Some(get), _) => ("httpGet", &get.port, https(get)),
            (None, Some(grpc)) => ("grpc", &grpc.port, false),
            (None, None) => continue,
        };
        if let Some(port) = resolve_port(port, container) {
            let field = field.keys([kind, action, "port"]);
            found.push(Probe { kind, action, container: container.name.clone(), port, tls, of_proxy: false, field });
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
