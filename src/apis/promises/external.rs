//! ExternalSecret and ClusterExternalSecret, of the External Secrets Operator.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::k8s::{LabelSelector, ObjectRef};
use crate::mesh::{Namespaces, PromisedStore, StoreFields, StoreKind};
use crate::pki::FileForm;

const FIELDS: StoreFields = StoreFields { name: "spec.target.name", keys: "spec.data" };
const CLUSTER_FIELDS: StoreFields =
    StoreFields { name: "spec.externalSecretSpec.target.name", keys: "spec.externalSecretSpec.data" };

/// What is read of an ExternalSecret's spec.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    target: Option<Target>,
    data: Option<Vec<Data>>,
    data_from: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Target {
    name: Option<String>,
    creation_policy: Option<String>,
    template: Option<Template>,
    /// What to make in place of a Secret.
    manifest: Option<Manifest>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Manifest {
    kind: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Template {
    data: Option<BTreeMap<String, IgnoredAny>>,
    template_from: Option<Vec<IgnoredAny>>,
    merge_policy: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Data {
    secret_key: String,
}

/// What is read of a ClusterExternalSecret's spec.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ClusterSpec {
    external_secret_spec: Spec,
    external_secret_name: Option<String>,
    namespace_selector: Option<LabelSelector>,
    namespace_selectors: Option<Vec<LabelSelector>>,
    namespaces: Option<Vec<String>>,
}

pub(super) fn stores(object: &ObjectRef, spec: Spec) -> Vec<PromisedStore> {
    let namespaces = Namespaces::One(object.namespace().to_owned());
    spec.store(object, &object.name, namespaces, &FIELDS).into_iter().collect()
}

pub(super) fn cluster_stores(object: &ObjectRef, spec: ClusterSpec) -> Vec<PromisedStore> {
    let selectors = spec.namespace_selector.into_iter().chain(spec.namespace_selectors.into_iter().flatten());
    let names: BTreeSet<String> = spec.namespaces.unwrap_or_default().into_iter().collect();
    let namespaces = Namespaces::Several { names, selectors: selectors.collect() };
    let name = spec.external_secret_name.as_deref().unwrap_or(&object.name);
    spec.external_secret_spec.store(object, name, namespaces, &CLUSTER_FIELDS).into_iter().collect()
}

impl Spec {
    /// The Secret, where the operator makes one: with `Merge` it adds to one that somebody else makes, with `None` to nothing.
    fn store(
        self,
        object: &ObjectRef,
        own_name: &str,
        namespaces: Namespaces,
        fields: &'static StoreFields,
    ) -> Option<PromisedStore> {
        let target = self.target.unwrap_or_default();
        if matches!(target.creation_policy.as_deref(), Some("Merge" | "None")) {
            return None;
        }
        let kind = match &target.manifest {
            None => StoreKind::Secret,
            Some(manifest) if manifest.kind == "ConfigMap" => StoreKind::ConfigMap,
            Some(_) => return None,
        };
        let name = target.name.filter(|name| !name.is_empty()).unwrap_or_else(|| own_name.to_owned());
        let fetched = self.data.unwrap_or_default().into_iter().map(|data| data.secret_key);
        let fetched = if self.data_from.is_some_and(|from| !from.is_empty()) { None } else { Some(fetched.collect()) };
        let keys = target.template.unwrap_or_default().keys(fetched);
        let keys = keys.map(|keys| keys.into_iter().map(|key| (key, FileForm::Unknown)).collect());
        Some(PromisedStore {
            by: object.clone(),
            kind,
            namespaces,
            name,
            keys,
            certificate: None,
            fields,
            filled_in_by: None,
        })
    }
}

impl Template {
    /// The keys that come of what was fetched: a template replaces it, unless it is merged or has no data.
    fn keys(self, fetched: Option<BTreeSet<String>>) -> Option<BTreeSet<String>> {
        let data = self.data.unwrap_or_default();
        let from_elsewhere = self.template_from.is_some_and(|from| !from.is_empty());
        if from_elsewhere {
            return None;
        }
        if data.is_empty() {
            return fetched;
        }
        let merged = self.merge_policy.as_deref() == Some("Merge");
        let fetched = if merged { fetched? } else { BTreeSet::new() };
        Some(fetched.into_iter().chain(data.into_keys()).collect())
    }
}
