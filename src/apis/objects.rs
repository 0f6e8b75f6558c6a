//! From one Kubernetes object, as JSON, to what meshvet keeps of it.

use std::cell::Cell;

use serde::Deserialize;
use serde_json::Value;

use crate::apis::entry::{Entry, Input};
use crate::apis::faults::Undecodable;
use crate::apis::lists::{MOST_LISTED, lists_too_much};
use crate::apis::past::read_past;
use crate::apis::registry::{Part, Row};
use crate::apis::subject::Subject;
use crate::k8s::FieldPath;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Head {
    api_version: String,
    kind: String,
    metadata: Name,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Name {
    namespace: Option<String>,
}

/// Decodes any object. `namespace` is where it is when it doesn't say.
///
/// # Errors
/// [`Undecodable`], with the place in the object, when it is of a kind that meshvet reads and its values aren't.
pub fn decode_object(value: Value, namespace: &str) -> Result<Entry, Undecodable> {
    let Head { api_version, kind, metadata } = Head::deserialize(&value).unwrap_or_default();
    let own = metadata.namespace.filter(|own| !own.is_empty()).unwrap_or_else(|| namespace.to_owned());
    match super::row(&api_version, &kind) {
        Some(row) => (row.decode)(row, Input::Value(value), &own),
        None => Ok(Entry::Other),
    }
}

/// As [`decode_object`], and reads on past what can't be decoded: of an object as a person wrote it.
///
/// # Errors
/// [`Undecodable`], with every place in the object.
pub fn decode_written(value: Value, namespace: &str) -> Result<Entry, Undecodable> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    // What holds keys isn't copied.
    let row = super::row(text("apiVersion"), text("kind")).filter(|row| row.part != Part::Store);
    let kept = row.map(|row| (row, value.clone()));
    decode_object(value, namespace).map_err(|error| match kept {
        Some((row, value)) => {
            let own = error.object.namespace.as_deref().unwrap_or(namespace).to_owned();
            read_past(row, value, &own, error)
        }
        None => error,
    })
}

/// Decodes an object of a known kind from JSON text.
///
/// # Errors
/// [`Undecodable`], with the place in the object.
pub(crate) fn decode_listed(row: &'static Row, json: &[u8], namespace: &str) -> Result<Entry, Undecodable> {
    (row.decode)(row, Input::Json(json), namespace)
}

/// Decodes an object that is reviewed, from JSON text that goes on after it, with its length. None where that fails, for whatever reason:
/// [`decode_subject`] says which.
pub(crate) fn decode_ahead(row: &'static Row, text: &str, namespace: &str) -> Option<(Subject, usize)> {
    if lists_too_much(text.as_bytes()) {
        return None;
    }
    let length = Cell::new(0);
    match (row.decode)(row, Input::Ahead(text, &length), namespace) {
        Ok(Entry::Subject(subject)) if length.get() > 0 => Some((*subject, length.get())),
        _ => None,
    }
}

/// Decodes an object that is reviewed, from JSON text: the path of an admission review.
///
/// # Errors
/// [`Undecodable`], with every place in the object.
pub fn decode_subject(row: &'static Row, json: &[u8], namespace: &str) -> Result<Subject, Undecodable> {
    let refused = |message: String| Undecodable::at(row.object(namespace, ""), FieldPath::root(), message);
    if lists_too_much(json) {
        return Err(refused(format!("its lists hold more than {MOST_LISTED} values, which is more than are read")));
    }
    match (row.decode)(row, Input::Json(json), namespace) {
        Ok(Entry::Subject(subject)) => Ok(*subject),
        Ok(Entry::Fact(_) | Entry::Nothing(_) | Entry::Other) => {
            Err(refused(format!("a {} is not reviewed", row.kind.kind)))
        }
        Err(error) => Err(match serde_json::from_slice(json) {
            Ok(value) => read_past(row, value, namespace, error),
            Err(_) => error,
        }),
    }
}
