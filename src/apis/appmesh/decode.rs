//! Decoding that is lenient to unknown fields, and tells of them.
//!
//! The API server prunes a field that a custom resource's schema doesn't know, and says so only under strict field
//! validation, so that `tlss:` leaves a listener without TLS. Decoding reports each such field with the one that was
//! probably meant. Values of the wrong type are errors that say where they stand.

use std::cell::Cell;

use serde::de::Deserializer;
use serde_ignored::Path;
use serde_json::Value;
use serde_json::error::Category;
use serde_path_to_error::{Segment, Track};
use thiserror::Error;

use super::objects::{Objects, is_others};
use super::{Kind, Resource, hint};
use crate::apis::UnknownField;

/// How many unknown fields of one object are reported.
pub const MAX_UNKNOWN_FIELDS: usize = 50;

/// An object, and the fields of it that App Mesh doesn't know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<T> {
    /// The object.
    pub object: T,
    /// The unknown fields in the order of the input, at most [`MAX_UNKNOWN_FIELDS`]. Those of `metadata` and `status`
    /// are not among them: their types belong to others.
    pub unknown_fields: Vec<UnknownField>,
    /// How many unknown fields there are beyond those.
    pub more_unknown_fields: usize,
}

/// Why an object can't be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{pointer}{}{message}", if .pointer.is_empty() { "" } else { ": " })]
pub struct DecodeError {
    /// Where the decoder gave up: a JSON pointer (RFC 6901) such as `/spec/listeners/0/portMapping/port`; empty for
    /// the document as a whole.
    pub pointer: String,
    /// What is wrong there, without the place.
    pub message: String,
}

/// Decodes an object from any self-describing format, in one pass.
///
/// [`decode_json`] is faster: it looks for the place of an error, and for the names of unknown fields, only where there are any.
///
/// # Errors
/// When a value has the wrong type, or the input is malformed.
pub fn decode<'de, T, D>(deserializer: D) -> Result<Decoded<T>, DecodeError>
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
        Err(error) => {
            Err(DecodeError { pointer: error_pointer(&track.path()), message: in_plain_words(&error.to_string()) })
        }
    }
}

/// Decodes an object from JSON text.
///
/// # Errors
/// When the text is no JSON (in which case the message gives line and column), or a value has the wrong type.
pub fn decode_json<T: Resource>(json: impl AsRef<[u8]>) -> Result<Decoded<T>, DecodeError> {
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
pub fn decode_value<T: Resource>(value: &Value) -> Result<Decoded<T>, DecodeError> {
    decode(value)
}

/// Finds the place of an error. By way of a value: a decoder for text that keeps the place would be a twentieth of the binary.
fn locate<T: Resource>(json: &[u8], error: &serde_json::Error) -> DecodeError {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let pointer = match serde_path_to_error::deserialize::<_, Value>(&mut deserializer) {
        // What decodes as a value is followed by more than the object.
        Ok(value) => decode_value::<T>(&value).err().map(|error| error.pointer).unwrap_or_default(),
        Err(broken) => error_pointer(broken.path()),
    };
    let mut message = error.to_string();
    if error.classify() == Category::Data {
        // The pointer says it better, and the text may be part of a larger one.
        let place = format!(" at line {} column {}", error.line(), error.column());
        if let Some(shorter) = message.strip_suffix(&place) {
            message.truncate(shorter.len());
        }
    }
    DecodeError { pointer, message: in_plain_words(&message) }
}

/// Longer messages are cut: they quote the value that is wrong.
const MAX_MESSAGE: usize = 300;

/// Turns the decoder's words for what it found and expected into those of JSON.
fn in_plain_words(message: &str) -> String {
    let mut message = match message.rsplit_once(", expected ") {
        Some((found, expected)) => {
            let found = found
                .replace("invalid type: map", "invalid type: object")
                .replace("invalid type: sequence", "invalid type: list");
            let expected = match expected {
                "i64" => "an integer",
                "a sequence" => "a list",
                "a map" => "an object",
                _ if expected.starts_with("struct ") => "an object",
                _ => expected,
            };
            format!("{found}, expected {expected}")
        }
        None => message.to_owned(),
    };
    if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE) {
        message.truncate(end);
        message.push('…');
    }
    message
}

#[derive(Default)]
struct Unknown {
    /// Each with its path from the root.
    paths: Vec<Vec<Step>>,
    more: usize,
}

/// One step of the way from an object's root to a field.
pub(super) enum Step {
    Key(String),
    Index(usize),
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
    UnknownField {
        pointer: pointer(path.iter().map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Index(index) => index.to_string(),
        })),
        meant: hint::meant(kind, path),
        name,
    }
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

fn error_pointer(path: &serde_path_to_error::Path) -> String {
    pointer(path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    }))
}

/// A JSON pointer, with `~` and `/` escaped as RFC 6901 has it.
fn pointer(steps: impl Iterator<Item = String>) -> String {
    steps.fold(String::new(), |mut pointer, step| {
        pointer.push('/');
        pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        pointer
    })
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "decode_property_tests.rs"]
mod property_tests;
