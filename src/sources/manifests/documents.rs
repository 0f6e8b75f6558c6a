//! Objects one by one, as kubectl submits them, for callers that handle each in turn.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use crate::apis::{self, Part, Row};
use crate::k8s::ObjectRef;
use crate::mesh::Fact;

use super::{Loader, Seen, SourceId};

/// What PEM begins with.
const BEGIN: &str = "-----BEGIN";

/// An object as the API server gets it.
#[derive(Debug)]
pub struct Document {
    /// Its kind, one that facts come from.
    pub row: &'static Row,
    /// Its reference.
    pub object: ObjectRef,
    /// The object as JSON, with its namespace, and with a Secret's `stringData` merged into `data` as the API server does. Wiped after use.
    pub json: Zeroizing<Vec<u8>>,
    /// Whether it contains PEM, if it is a store: stores without PEM are never reviewed.
    pub holds_pem: bool,
    /// Its file.
    pub source: SourceId,
}

impl Loader {
    /// Keeps an object as it would be submitted.
    pub(super) fn keep_document(&mut self, mut value: Value, seen: Seen) {
        let text = |pointer| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let Some(row) = apis::row(text("/apiVersion"), text("/kind")) else { return };
        let namespace =
            if row.namespaced { Some(text("/metadata/namespace")).filter(|it| !it.is_empty()) } else { None };
        let namespace = namespace.unwrap_or(if row.namespaced { &self.namespace } else { "" }).to_owned();
        let object = row.object(&namespace, text("/metadata/name"));
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut).filter(|_| row.namespaced) {
            metadata.entry("namespace").or_insert_with(|| namespace.into());
        }
        let holds_pem = match row.kind.kind {
            "Secret" => store_secret(&mut value),
            _ => texts(&value, "data").any(|(_, text)| text.contains(BEGIN)),
        };
        let json = Zeroizing::new(serde_json::to_vec(&value).unwrap_or_default());
        if row.part == Part::Store {
            wipe(value);
        }
        self.out.documents.push(Document { row, object, json, holds_pem, source: seen.source });
    }

    /// Keeps what is known before any document.
    pub(super) fn keep_promised(&mut self, fact: Option<&Fact>) {
        if self.in_order {
            self.out.promised.extend(fact.cloned());
        }
    }
}

/// The fields of a map that are strings.
fn texts<'v>(object: &'v Value, map: &str) -> impl Iterator<Item = (&'v String, &'v str)> {
    let fields = object.get(map).and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key, value.as_str()?)))
}

/// Merges a Secret's `stringData` into its `data`, as the API server does. Returns whether it contains PEM.
fn store_secret(secret: &mut Value) -> bool {
    let plain: Vec<(String, String)> =
        texts(secret, "stringData").map(|(key, text)| (key.clone(), STANDARD.encode(text))).collect();
    if let Some(members) = secret.as_object_mut()
        && !plain.is_empty()
    {
        if let Some(taken) = members.remove("stringData") {
            wipe(taken);
        }
        let data = members.entry("data").or_insert_with(|| Value::Object(Map::new()));
        if let Some(data) = data.as_object_mut() {
            data.extend(plain.into_iter().map(|(key, text)| (key, Value::String(text))));
        }
    }
    texts(secret, "data").any(|(_, text)| {
        let decoded = Zeroizing::new(STANDARD.decode(text).unwrap_or_default());
        decoded.windows(BEGIN.len()).any(|part| part == BEGIN.as_bytes())
    })
}

fn wipe(value: Value) {
    match value {
        Value::String(mut text) => text.zeroize(),
        Value::Array(items) => items.into_iter().for_each(wipe),
        Value::Object(members) => members.into_iter().for_each(|(_, value)| wipe(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
