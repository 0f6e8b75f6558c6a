//! The proxy that App Mesh's injector gives a pod, or that the pod brings for it.

use std::collections::BTreeMap;

use crate::apis::appmesh::GROUP;
use crate::apis::appmesh::annotations::{
    self, ENVOY_CONTAINER, PORTS, SDS, SECRET_MOUNTS, SIDECAR_INJECTOR_WEBHOOK, VOLUME_MOUNTS,
};
use crate::apis::appmesh::injection::{Injection, intercepted};
use crate::apis::core::pods::Pod;
use crate::apis::core::volumes::{PodVolume, annotated_mount, mount, secret_mount};
use crate::k8s::FieldPath;
use crate::mesh::{AnnotationProblem, Mounts, Proxy, Stray};
use crate::text::suggest;

/// The proxy of a pod.
pub(in crate::apis) fn proxy(pod: &Pod<'_>) -> Proxy {
    // An init container of that name doesn't count, for the injector either.
    let own = pod.containers.iter().find(|container| container.name == ENVOY_CONTAINER);
    let mut problems = Vec::new();
    let mounts = match own {
        Some(envoy) => {
            let wanted = envoy.volume_mounts.iter().flatten();
            Mounts::new(wanted.map(|entry| mount(pod.volumes, pod.namespace, entry)).collect())
        }
        None => injected_mounts(pod.annotations, pod.volumes, pod.namespace, pod.metadata, &mut problems),
    };
    let said = pod.annotations.get(SIDECAR_INJECTOR_WEBHOOK);
    let read = pod.annotations.iter().filter(|(key, _)| INJECTOR_READS.contains(&key.as_str()));
    Proxy {
        api: GROUP,
        brought: own.is_some(),
        opted_out: own.is_none() && said.is_some_and(|value| value.eq_ignore_ascii_case("disabled")),
        mounts,
        annotations: read.map(|(key, value)| (key.clone(), value.clone())).collect(),
        problems,
        strays: strays(pod),
        intercepts: intercepted(pod.annotations),
    }
}

/// The annotations for mounts that the injector never sees: those of the object that makes the pods, and misspelt ones.
fn strays(pod: &Pod<'_>) -> Vec<Stray> {
    let mounts = [SECRET_MOUNTS, VOLUME_MOUNTS];
    let elsewhere =
        mounts.into_iter().filter(|key| pod.owners.contains_key(*key) && !pod.annotations.contains_key(*key));
    let elsewhere = elsewhere.map(|key| Stray {
        field: FieldPath::root().keys(["metadata", "annotations", key]),
        annotation: key.to_owned(),
        meant: key,
    });
    let misspelt = pod.annotations.keys().filter(|key| !mounts.contains(&key.as_str())).filter_map(|key| {
        let meant = suggest::nearest(key, mounts.into_iter()).filter(|_| key.contains("ount"))?;
        let field = pod.metadata.keys(["annotations", key]);
        Some(Stray { field, annotation: key.clone(), meant })
    });
    elsewhere.chain(misspelt).collect()
}

/// Whether the injector gives pods that say this a proxy, in a namespace of these labels.
pub(super) fn is_injected(namespace_labels: &BTreeMap<String, String>, proxy: &Proxy) -> bool {
    matches!(Injection::of(namespace_labels, &proxy.annotations), Injection::Required | Injection::WhenSelected)
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
            placeholder: matches!(problem, annotations::AnnotationProblem::Placeholder { .. }),
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
