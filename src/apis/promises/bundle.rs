//! trust-manager's Bundle: a ConfigMap or Secret of its own name in every namespace, or in those that it selects.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::k8s::{LabelSelector, ObjectRef};
use crate::mesh::{Namespaces, PromisedStore, StoreFields, StoreKind};
use crate::pki::FileForm;

const FIELDS: StoreFields = StoreFields { name: "metadata.name", keys: "spec.target" };

/// What is read of the spec.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Spec {
    target: Option<Target>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Target {
    config_map: Option<Key>,
    secret: Option<Key>,
    additional_formats: Option<Formats>,
    namespace_selector: Option<LabelSelector>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Formats {
    jks: Option<Key>,
    pkcs12: Option<Key>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Key {
    key: String,
}

pub(super) fn stores(object: &ObjectRef, spec: Spec) -> Vec<PromisedStore> {
    let Target { config_map, secret, additional_formats, namespace_selector } = spec.target.unwrap_or_default();
    let formats = additional_formats.unwrap_or_default();
    let binary = [(formats.jks, FileForm::JavaKeyStore), (formats.pkcs12, FileForm::Pkcs12)];
    let binary: BTreeMap<String, FileForm> =
        binary.into_iter().filter_map(|(key, form)| Some((key?.key, form))).collect();
    let namespaces =
        Namespaces::Several { names: BTreeSet::new(), selectors: vec![namespace_selector.unwrap_or_default()] };
    let targets = [(StoreKind::ConfigMap, config_map), (StoreKind::Secret, secret)];
    let made = targets.into_iter().filter_map(|(kind, key)| {
        let keys = binary.clone().into_iter().chain([(key?.key, FileForm::Authorities)]);
        Some(PromisedStore {
            by: object.clone(),
            kind,
            namespaces: namespaces.clone(),
            name: object.name.to_string(),
            keys: Some(keys.collect()),
            certificate: None,
            fields: &FIELDS,
            filled_in_by: None,
        })
    });
    made.collect()
}
