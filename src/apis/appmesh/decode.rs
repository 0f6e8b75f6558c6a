//! Decoding that is lenient to unknown fields, and tells of them.
//!
//! The API server prunes a field that a custom resource's schema doesn't know, and says so only under strict field
//! validation, so that `tlss:` leaves a listener without TLS. Decoding reports each such field with the one that was
//! probably meant. Values of the wrong type are errors that say where they stand.

use super::{Kind, Resource, hint};
use crate::apis::tape::Tape;
use crate::apis::typed::{Typed, typed};
use crate::apis::{DecodeError, UnknownField};
use crate::k8s::Step;

/// How many unknown fields of one object are reported.
pub(crate) const MAX_UNKNOWN_FIELDS: usize = 50;

/// An object, and the fields of it that App Mesh doesn't know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded<T> {
    /// The object.
    pub object: T,
    /// The unknown fields in the order of the input, at most [`MAX_UNKNOWN_FIELDS`]. Those of `metadata` and `status`
    /// are not among them: their types belong to others.
    pub unknown_fields: Vec<UnknownField>,
    /// How many unknown fields there are beyond those.
    pub more_unknown_fields: usize,
}

/// Decodes an object.
///
/// # Errors
/// When a value has the wrong type.
pub(in crate::apis) fn decode<T: Resource>(tape: &Tape<'_>) -> Result<Decoded<T>, DecodeError> {
    let Typed { object, unknown } = typed::<T>(tape)?;
    let (mut unknown_fields, mut more_unknown_fields) = (Vec::new(), 0);
    for way in unknown.into_iter().map(|place| tape.way_to(place)).filter(|way| !is_others(way)) {
        if unknown_fields.len() < MAX_UNKNOWN_FIELDS {
            unknown_fields.push(unknown_field(T::KIND, &way));
        } else {
            more_unknown_fields += 1;
        }
    }
    Ok(Decoded { object, unknown_fields, more_unknown_fields })
}

/// Whether the types of others define a field.
fn is_others(way: &[Step]) -> bool {
    match way.first() {
        Some(Step::Key(field)) => matches!(field.as_str(), "apiVersion" | "kind" | "metadata" | "status"),
        Some(Step::Index(_)) | None => true,
    }
}

fn unknown_field(kind: Kind, path: &[Step]) -> UnknownField {
    let name = match path.last() {
        Some(Step::Key(name)) => name.clone(),
        Some(Step::Index(index)) => index.to_string(),
        None => String::new(),
    };
    UnknownField { field: path.iter().collect(), meant: hint::meant(kind, path), name }
}

/// Decodes an object from its text.
#[cfg(test)]
pub(super) fn decode_json<T: Resource>(text: impl AsRef<[u8]>) -> Result<Decoded<T>, DecodeError> {
    decode(&crate::apis::entry::Input::Json(text.as_ref()).tape()?)
}

/// Decodes an object from its value.
#[cfg(test)]
pub(super) fn decode_value<T: Resource>(value: &serde_json::Value) -> Result<Decoded<T>, DecodeError> {
    decode(&Tape::of(value))
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "decode_property_tests.rs"]
mod property_tests;
