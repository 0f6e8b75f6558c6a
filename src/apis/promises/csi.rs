//! SecretProviderClass, of the Secrets Store CSI driver: the Secrets that it keeps beside the volume while a pod mounts it.

use serde::Deserialize;

use crate::k8s::ObjectRef;
use crate::mesh::{Namespaces, PromisedStore, StoreFields, StoreKind};
use crate::pki::FileForm;

const FIELDS: StoreFields = StoreFields { name: "spec.secretObjects[].secretName", keys: "spec.secretObjects[].data" };

/// What is read of the spec.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    secret_objects: Option<Vec<SecretObject>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct SecretObject {
    secret_name: String,
    data: Option<Vec<Data>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Data {
    key: String,
}

pub(super) fn stores(object: &ObjectRef, spec: Spec) -> Vec<PromisedStore> {
    let made = spec.secret_objects.unwrap_or_default().into_iter().map(|made| PromisedStore {
        by: object.clone(),
        kind: StoreKind::Secret,
        namespaces: Namespaces::One(object.namespace().to_owned()),
        name: made.secret_name,
        keys: Some(made.data.unwrap_or_default().into_iter().map(|data| (data.key, FileForm::Unknown)).collect()),
        certificate: None,
        fields: &FIELDS,
        filled_in_by: None,
    });
    made.collect()
}
