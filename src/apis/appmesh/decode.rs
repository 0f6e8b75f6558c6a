//! Decoding that is lenient to unknown fields, and tells of them.
//!
//! The API server prunes a field that a custom resource's schema doesn't know, and says so only under strict field
//! validation, so that `tlss:` leaves a listener without TLS. Decoding reports each such field with the one that was
//! probably meant. Values of the wrong type are errors that say where they stand.

use std::cell::Cell;

use serde::Deserialize;
use serde::de::Deserializer;
use serde_ignored::Path;
use serde_json::Value;
use serde_json::error::Category;
use serde_path_to_error::Track;

use super::objects::{Objects, is_others};
use super::{Kind, Resource, hint};
use crate::apis::entry::first;
use crate::apis::{DecodeError, UnknownField};
use crate::k8s::{FieldPath, Step};

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

/// Decodes an object from any self-describing format, in one pass.
///
/// [`decode_json`] is faster: it looks for the place of an error, and for the names of unknown fields, only where there are any.
///
/// # Errors
/// When a value has the wrong type, or the input is malformed.
pub(crate) fn decode<'de, T, D>(deserializer: D) -> Result<Decoded<T>, DecodeError>
where
    T: Resource,
    D: Deserializer<'de>,
{
    let mut track = Track::new();
    let deserializer = serde_path_to_error::Deserializer::new(Objects::new(deserializer), &mut track);
    let mut unknown = Unknown::default();
    let object = serde_ignored::deserialize(deserializer, |path| unknown.add(&path));
    match object {
        Ok(object) => Ok(unknown.into_decoded(object)),
        Err(error) => Err(DecodeError::new(FieldPath::of(&track.path()), &error.to_string())),
    }
}

/// Decodes an object from JSON text.
///
/// # Errors
/// When the text is no JSON (in which case the message gives line and column), or a value has the wrong type.
pub(crate) fn decode_json<T: Resource>(json: impl AsRef<[u8]>) -> Result<Decoded<T>, DecodeError> {
    let json = json.as_ref();
    let unknown = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let object = T::deserialize(Objects::watching(&mut deserializer, &unknown))
        .and_then(|object| deserializer.end().map(|()| object))
        .map_err(|error| locate::<T>(json, &error))?;
    if unknown.get() {
        return Ok(name_unknown(json, object));
    }
    Ok(Decoded { object, unknown_fields: Vec::new(), more_unknown_fields: 0 })
}

/// Decodes an object from JSON text that goes on after it; sets its length.
///
/// # Errors
/// As for [`decode_json`], without the place.
pub(crate) fn decode_ahead<T: Resource>(text: &str, length: &Cell<usize>) -> Result<Decoded<T>, DecodeError> {
    let Watched { object, unknown } =
        first(text, length).map_err(|error| DecodeError::new(FieldPath::root(), &error.to_string()))?;
    let object = object.ok_or_else(|| DecodeError::new(FieldPath::root(), "nothing"))?;
    match unknown {
        true => Ok(name_unknown(text.get(..length.get()).unwrap_or_default().as_bytes(), object)),
        false => Ok(Decoded { object, unknown_fields: Vec::new(), more_unknown_fields: 0 }),
    }
}

/// An object, and whether it has fields that its type doesn't know.
struct Watched<T> {
    object: Option<T>,
    unknown: bool,
}

impl<T> Default for Watched<T> {
    fn default() -> Self {
        Self { object: None, unknown: false }
    }
}

impl<'de, T: Resource> Deserialize<'de> for Watched<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unknown = Cell::new(false);
        let object = T::deserialize(Objects::watching(deserializer, &unknown))?;
        Ok(Self { object: Some(object), unknown: unknown.get() })
    }
}

/// Names the unknown fields of an object that was decoded from this text: by decoding it again with every key kept, which only
/// an object that has such fields is worth.
fn name_unknown<T: Resource>(json: &[u8], object: T) -> Decoded<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let mut unknown = Unknown::default();
    // It was decoded once: it doesn't fail.
    let again = serde_ignored::deserialize(Objects::new(&mut deserializer), |path| unknown.add(&path));
    unknown.into_decoded(again.unwrap_or(object))
}

/// Decodes an object from a JSON value. Values that nest too deeply are refused, never followed.
///
/// # Errors
/// When a value has the wrong type.
pub(crate) fn decode_value<T: Resource>(value: &Value) -> Result<Decoded<T>, DecodeError> {
    decode(value)
}

/// Finds the place of an error. By way of a value: a decoder for text that keeps the place would be a twentieth of the binary.
fn locate<T: Resource>(json: &[u8], error: &serde_json::Error) -> DecodeError {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let field = match serde_path_to_error::deserialize::<_, Value>(&mut deserializer) {
        // What decodes as a value is followed by more than the object.
        Ok(value) => decode_value::<T>(&value).err().map(|error| error.field).unwrap_or_default(),
        Err(broken) => FieldPath::of(broken.path()),
    };
    let mut message = error.to_string();
    if error.classify() == Category::Data {
        // The field says it better, and the text may be part of a larger one.
        let place = format!(" at line {} column {}", error.line(), error.column());
        if let Some(shorter) = message.strip_suffix(&place) {
            message.truncate(shorter.len());
        }
    }
    DecodeError::new(field, &message)
}

#[derive(Default)]
struct Unknown {
    /// Each with its path from the root.
    paths: Vec<Vec<Step>>,
    more: usize,
}

impl Unknown {
    fn add(&mut self, path: &Path<'_>) {
        if root(path).is_none_or(is_others) {
            return;
        }
        if self.paths.len() < MAX_UNKNOWN_FIELDS {
            self.paths.push(steps(path));
        } else {
            self.more += 1;
        }
    }

    fn into_decoded<T: Resource>(self, object: T) -> Decoded<T> {
        Decoded {
            object,
            unknown_fields: self.paths.iter().map(|path| unknown_field(T::KIND, path)).collect(),
            more_unknown_fields: self.more,
        }
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

/// The field of the object that a path goes through.
fn root<'a>(path: &'a Path<'a>) -> Option<&'a str> {
    let mut path = path;
    let mut top = None;
    loop {
        path = match path {
            Path::Root => return top,
            Path::Seq { parent, .. } => {
                top = None;
                parent
            }
            Path::Map { parent, key } => {
                top = Some(key.as_str());
                parent
            }
            Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => parent,
        }
    }
}

fn steps(path: &Path<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut path = path;
    loop {
        path = match path {
            Path::Root => break,
            Path::Seq { parent, index } => {
                steps.push(Step::Index(*index));
                parent
            }
            Path::Map { parent, key } => {
                steps.push(Step::Key(key.clone()));
                parent
            }
            Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => parent,
        }
    }
    steps.reverse();
    steps
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "decode_property_tests.rs"]
mod property_tests;
