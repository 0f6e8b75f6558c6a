//! One row a kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::apis::DecodeError;
use crate::apis::core::{injected, services, stores, workloads};
use crate::apis::entry::{Entry, Input};
use crate::apis::faults::Undecodable;
use crate::apis::registry::{Api, Part, Pods, Row};
use crate::apis::subject::{Native, Subject};
use crate::k8s::TypeRef;
use crate::mesh::{Fact, FactId, Store, StoreKey};

/// The annotation by which EKS gives a ServiceAccount a role (IAM roles for service accounts).
const ROLE_ARN: &str = "eks.amazonaws.com/role-arn";

/// Kubernetes' own kinds.
pub static API: Api = Api {
    names: None,
    folder: "core",
    group: "",
    kinds: &[
        Row { namespaced: false, ..core("Namespace", "namespaces", "namespace", Part::Place, namespace) },
        Row { mostly_owned: true, ..core("Pod", "pods", "pod", Part::Workload(Pods::at(&[""])), workload) },
        Row { mostly_owned: true, ..apps("ReplicaSet", "replicasets", "replicaset") },
        apps("Deployment", "deployments", "deployment"),
        apps("StatefulSet", "statefulsets", "statefulset"),
        apps("DaemonSet", "daemonsets", "daemonset"),
        Row { mostly_owned: true, ..batch("Job", "jobs", "job") },
        Row { part: CRON_JOB, ..batch("CronJob", "cronjobs", "cronjob") },
        // Nothing waits for them: without them nothing is claimed of what is before pods.
        Row { optional: true, ..core("Service", "services", "service", Part::Service, service) },
        CONFIG_MAP,
        SECRET,
        SERVICE_ACCOUNT,
    ],
    proxy: None,
    crds: Vec::new,
};

/// A workload whose pod template stands where most have it.
const TEMPLATE: Part = Part::Workload(Pods::at(&["/spec/template"]));
/// One that makes Jobs.
const CRON_JOB: Part = Part::Workload(Pods::at(&["/spec/jobTemplate/spec/template"]));

/// ConfigMaps.
pub(crate) const CONFIG_MAP: Row = core("ConfigMap", "configmaps", "configmap", Part::Store, config_map);
/// Secrets.
pub(crate) const SECRET: Row = core("Secret", "secrets", "secret", Part::Store, secret);
/// ServiceAccounts, for the roles that they have at AWS.
pub(crate) const SERVICE_ACCOUNT: Row =
    core("ServiceAccount", "serviceaccounts", "serviceaccount", Part::Place, service_account);

type Decode = fn(&'static Row, Input<'_>, &str) -> Result<Entry, Undecodable>;

const fn core(kind: &'static str, plural: &'static str, singular: &'static str, part: Part, decode: Decode) -> Row {
    let kind = TypeRef { api_version: "v1", kind };
    Row {
        kind,
        known_as: kind.api_version,
        group: "",
        version: "v1",
        plural,
        singular,
        namespaced: true,
        part,
        mostly_owned: false,
        optional: false,
        decode,
    }
}

const fn apps(kind: &'static str, plural: &'static str, singular: &'static str) -> Row {
    let row = core(kind, plural, singular, TEMPLATE, workload);
    Row { kind: TypeRef { api_version: "apps/v1", kind }, known_as: "apps/v1", group: "apps", ..row }
}

const fn batch(kind: &'static str, plural: &'static str, singular: &'static str) -> Row {
    let row = core(kind, plural, singular, TEMPLATE, workload);
    Row { kind: TypeRef { api_version: "batch/v1", kind }, known_as: "batch/v1", group: "batch", ..row }
}

fn name_of(value: &Value) -> String {
    value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn secret(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    store(row, input, namespace, StoreKey::secret, stores::secret_from_value)
}

fn config_map(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    store(row, input, namespace, StoreKey::config_map, |value| {
        let awaited = injected::authorities(&value);
        Ok(Store { awaited, ..stores::config_map_from_value(value)? })
    })
}

fn store(
    row: &'static Row,
    input: Input<'_>,
    namespace: &str,
    key: fn(&str, &str) -> StoreKey,
    read: impl FnOnce(Value) -> Result<Store, DecodeError>,
) -> Result<Entry, Undecodable> {
    let value = input.into_value();
    let name = name_of(&value);
    let key = key(namespace, &name);
    let read = read(value).map(|store| Entry::Fact(Fact::Store(key, Arc::new(store))));
    read.map_err(|error| Undecodable::new(row.object(namespace, &name), error))
}

fn namespace(_: &'static Row, input: Input<'_>, _: &str) -> Result<Entry, Undecodable> {
    let value = input.into_value();
    let labels = value.pointer("/metadata/labels").and_then(|labels| BTreeMap::deserialize(labels).ok());
    Ok(Entry::Fact(Fact::Namespace(name_of(&value), labels.unwrap_or_default())))
}

fn service(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    let value = input.into_value();
    let object = row.object(namespace, &name_of(&value));
    Ok(Entry::Fact(Fact::Service(Arc::new(services::service(&value, object)))))
}

fn service_account(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    let value = input.into_value();
    let annotations = value.pointer("/metadata/annotations");
    let role = annotations.and_then(|annotations| annotations.get(ROLE_ARN)?.as_str());
    Ok(Entry::Fact(Fact::ServiceAccount(row.object(namespace, &name_of(&value)), role.map(str::to_owned))))
}

/// Of a workload of any kind. One that takes another's template is a fact that is not judged itself.
pub(super) fn workload(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    let value = input.into_value();
    let object = row.object(namespace, &name_of(&value));
    let annotations = value
        .pointer("/metadata/annotations")
        .and_then(|annotations| BTreeMap::deserialize(annotations).ok())
        .unwrap_or_default();
    let Part::Workload(pods) = row.part else { return Ok(Entry::Other) };
    let found = workloads::decode(value, object.clone(), pods);
    let found = found.map_err(|error| Undecodable::new(object.clone(), error))?;
    Ok(match found {
        None => Entry::Nothing(FactId::Object(object)),
        Some(workload) if workload.takes.is_some() => Entry::Fact(Fact::Workload(Arc::new(workload))),
        Some(workload) => Entry::Subject(Box::new(Subject {
            object,
            annotations,
            unknown_fields: Vec::new(),
            schema_faults: Vec::new(),
            facts: vec![Fact::Workload(Arc::new(workload))],
            native: Native::Core,
        })),
    })
}
