//! Decoding of objects whose spec is read leniently: what isn't known is skipped, and `null` stands for absent.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::apis::entry::Input;
use crate::apis::faults::Undecodable;
use crate::apis::lenient::or_default;
use crate::apis::registry::Row;
use crate::apis::typed::{Typed, typed};
use crate::k8s::{Metadata, ObjectRef};

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
    let tape = input.tape().unwrap_or_default();
    let field = |name| tape.text_at(&["metadata", name]).unwrap_or_default();
    let name = match (field("name"), field("generateName")) {
        ("", prefix) if !prefix.is_empty() => format!("{prefix}…"),
        (name, _) => name.to_owned(),
    };
    let object = row.object(namespace, &name);
    match typed(&tape) {
        Ok(Typed { object: resource, .. }) => Ok((object, resource)),
        Err(error) => Err(Undecodable::new(object, error)),
    }
}
