//! Decoding of objects whose spec is read leniently: what isn't known is skipped, and `null` stands for absent.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::apis::DecodeError;
use crate::apis::entry::Input;
use crate::apis::faults::Undecodable;
use crate::apis::lenient::or_default;
use crate::apis::registry::Row;
use crate::k8s::{FieldPath, Metadata, ObjectRef};

/// An object of which the spec is read.
#[derive(Deserialize, Default)]
#[serde(default, bound = "S: DeserializeOwned + Default")]
pub(super) struct Resource<S> {
    pub(super) metadata: Metadata,
    #[serde(deserialize_with = "or_default")]
    pub(super) spec: S,
}

/// Decodes an object of a row, with the name by which it is known.
///
/// # Errors
/// [`Undecodable`], with the place of a value that has the wrong type.
pub(super) fn decode<S: DeserializeOwned + Default>(
    row: &'static Row,
    input: Input<'_>,
    namespace: &str,
) -> Result<(ObjectRef, Resource<S>), Undecodable> {
    let value = input.into_value();
    let field = |name: &str| value.pointer(name).and_then(|name| name.as_str()).unwrap_or_default();
    let name = match (field("/metadata/name"), field("/metadata/generateName")) {
        ("", prefix) if !prefix.is_empty() => format!("{prefix}…"),
        (name, _) => name.to_owned(),
    };
    let object = row.object(namespace, &name);
    let decoded: Result<Resource<S>, _> = serde_path_to_error::deserialize(value);
    match decoded {
        Ok(resource) => Ok((object, resource)),
        Err(error) => {
            let field = FieldPath::of(error.path());
            Err(Undecodable::new(object, DecodeError::new(field, &error.inner().to_string())))
        }
    }
}
