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
    // Where the values of fields begin and end whose types are others'.
    let others: Vec<(usize, usize)> =
        tape.entries(0).filter(|(key, _)| is_others(key)).map(|(_, value)| (value, tape.after(value))).collect();
    let is_own = |place: &usize| {
        let before = others.partition_point(|(value, _)| value <= place);
        before.checked_sub(1).and_then(|last| others.get(last)).is_none_or(|(_, end)| end <= place)
    };
    let mut unknown = unknown.into_iter().filter(is_own);
    let told = unknown.by_ref().take(MAX_UNKNOWN_FIELDS).map(|place| unknown_field(T::KIND, &tape.way_to(place)));
    Ok(Decoded { object, unknown_fields: told.collect(), more_unknown_fields: unknown.count() })
}

/// Whether the types of others define a field of the object's root.
fn is_others(field: &str) -> bool {
    matches!(field, "apiVersion" | "kind" | "metadata" | "status")
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
