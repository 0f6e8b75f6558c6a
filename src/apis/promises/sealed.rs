//! SealedSecret: the Secret that it is the sealed form of. The controller gives it its own name and namespace, whatever the
//! template says.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::k8s::ObjectRef;
use crate::mesh::{Namespaces, PromisedStore, StoreFields, StoreKind};
use crate::pki::FileForm;

const FIELDS: StoreFields = StoreFields { name: "metadata.name", keys: "spec.encryptedData" };

/// What is read of the spec. No value is kept.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    encrypted_data: Option<BTreeMap<String, IgnoredAny>>,
    /// The old form: everything in one.
    data: Option<IgnoredAny>,
    template: Option<Template>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Template {
    data: Option<BTreeMap<String, IgnoredAny>>,
}

pub(super) fn stores(object: &ObjectRef, spec: Spec) -> Vec<PromisedStore> {
    let templated = spec.template.and_then(|template| template.data).unwrap_or_default();
    let sealed = spec.encrypted_data.unwrap_or_default();
    let known = spec.data.is_none() || !sealed.is_empty();
    let keys = sealed.into_keys().chain(templated.into_keys()).map(|key| (key, FileForm::Unknown));
    vec![PromisedStore {
        by: object.clone(),
        kind: StoreKind::Secret,
        namespaces: Namespaces::One(object.namespace().to_owned()),
        name: object.name.to_string(),
        keys: known.then(|| keys.collect()),
        certificate: None,
        fields: &FIELDS,
        filled_in_by: None,
    }]
}
