//! From one Kubernetes object, as JSON, to what meshvet keeps of it.

use serde::Deserialize;
use serde_json::Value;

use crate::apis::entry::{Entry, Input};
use crate::apis::faults::Undecodable;
use crate::apis::lists::{MOST_LISTED, lists_too_much};
use crate::apis::registry::Row;
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

/// Decodes any object. `namespace` is where it stands when it doesn't say.
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

/// Decodes an object of a known kind from JSON text.
///
/// # Errors
/// [`Undecodable`], with the place in the object.
pub(crate) fn decode_listed(row: &'static Row, json: &[u8], namespace: &str) -> Result<Entry, Undecodable> {
    (row.decode)(row, Input::Json(json), namespace)
}

/// Decodes an object that is reviewed, from JSON text: the path of an admission review.
///
/// # Errors
/// [`Undecodable`], with the place in the object.
pub fn decode_subject(row: &'static Row, json: &[u8], namespace: &str) -> Result<Subject, Undecodable> {
    let refused =
        |message: String| Undecodable { object: row.object(namespace, ""), field: FieldPath::root(), message };
    if lists_too_much(json) {
        return Err(refused(format!("its lists hold more than {MOST_LISTED} values, which is more than are read")));
    }
    match (row.decode)(row, Input::Json(json), namespace)? {
        Entry::Subject(subject) => Ok(*subject),
        Entry::Fact(_) | Entry::Nothing(_) | Entry::Other => {
            Err(refused(format!("a {} is not reviewed", row.kind.kind)))
        }
    }
}
