//! From one object as written to what is learnt of it, as far as it doesn't depend on other objects.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::apis::{self, Entry, Part, Row, Undecodable, decode_written};
use crate::k8s::FieldPath;

use super::kustomize;
use super::later::{self, Later};
use super::node::Fault;
use super::objects::Raw;
use super::placeholders::{Unfilled, unfilled};
use super::positions::{Mark, Positions};
use super::source;

/// What objects are read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    /// The namespace of objects that don't name one.
    pub(super) namespace: &'a str,
    /// Whether the objects are kept one by one.
    pub(super) in_order: bool,
}

/// One object, with its place in its text.
#[derive(Debug)]
pub(super) struct Object {
    /// Its first character.
    pub(super) at: Mark,
    /// Its lines.
    pub(super) lines: RangeInclusive<u32>,
    /// The lines of its document.
    pub(super) document: RangeInclusive<u32>,
    pub(super) is_secret: bool,
    /// The file that it was rendered from, as a comment above it says.
    pub(super) template: Option<String>,
    pub(super) positions: Positions,
    pub(super) what: What,
}

/// What an object is.
#[derive(Debug)]
pub(super) enum What {
    Kustomization(Value),
    /// It has no name but the start of one: it is decoded once it is named.
    Unnamed(Value),
    /// It can't be learnt.
    Fault(Fault),
    Decoded(Box<Decoded>),
}

/// What is learnt of an object.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) unfilled: Option<Unfilled>,
    /// The file that it was built from, as it says itself.
    pub(super) built_from: Option<String>,
    /// What is filled in later, if it is a Secret or ConfigMap.
    pub(super) later: Option<Later>,
    /// The object as written, if it is kept.
    pub(super) kept: Option<Value>,
    pub(super) entry: Result<Entry, Undecodable>,
}

impl Object {
    /// Reads an object of a document with these lines.
    pub(super) fn read(
        raw: Raw,
        document: RangeInclusive<u32>,
        template: Option<String>,
        context: &Context<'_>,
    ) -> Self {
        let Raw { value, positions, at, lines } = raw;
        let is_secret = value.get("kind").and_then(Value::as_str) == Some("Secret");
        let what = if kustomize::is_one(&value) {
            What::Kustomization(value)
        } else if is_named(&value) {
            decode(value, &positions, context)
        } else if prefix(&value).is_some() {
            What::Unnamed(value)
        } else {
            What::Fault(Fault::new(at, "metadata.name is missing"))
        };
        Self { at, lines, document, is_secret, template, positions, what }
    }
}

/// Whether an object has a name, even if it isn't a string: that is reported as such.
fn is_named(object: &Value) -> bool {
    match object.pointer("/metadata/name") {
        None => false,
        Some(Value::String(name)) => !name.is_empty(),
        Some(_) => true,
    }
}

/// What a generated name begins with.
fn prefix(object: &Value) -> Option<&str> {
    object.pointer("/metadata/generateName").and_then(Value::as_str).filter(|prefix| !prefix.is_empty())
}

/// Gives an object with `generateName` its name, as the API server would: the one with this number.
pub(super) fn name(object: &mut Value, number: usize) {
    let Some(name) = prefix(object).map(|prefix| format!("{prefix}{number:05}")) else { return };
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.insert("name".to_owned(), Value::String(name));
    }
}

/// Decodes an object that has a name.
pub(super) fn decode(mut value: Value, positions: &Positions, context: &Context<'_>) -> What {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let row = apis::row(text("apiVersion"), text("kind"));
    if let Err(fault) = texts_of_metadata(&value, positions, row) {
        return What::Fault(fault);
    }
    let unfilled = row.filter(|row| row.is_reviewed()).and_then(|_| unfilled(&value, positions));
    let built_from = source::kustomized(&value);
    let later = later::of(&mut value, context.namespace);
    if later.as_ref().is_some_and(|later| later.whole) {
        return What::Decoded(Box::new(Decoded { unfilled, built_from, later, kept: None, entry: Ok(Entry::Other) }));
    }
    let kept = context.in_order.then(|| value.clone());
    let entry = decode_written(value, context.namespace);
    What::Decoded(Box::new(Decoded { unfilled, built_from, later, kept, entry }))
}

/// A fault for a name or a label that YAML doesn't read as a string: `yes` and `on` are booleans, `1.0` is a number. Kinds that are
/// decoded as a whole report this themselves; of others meshvet reads little else.
fn texts_of_metadata(object: &Value, positions: &Positions, row: Option<&Row>) -> Result<(), Fault> {
    if !row.is_some_and(|row| matches!(row.part, Part::Place | Part::Store | Part::Service)) {
        return Ok(());
    }
    let metadata = FieldPath::root().key("metadata");
    let names = ["name", "namespace"].map(|key| metadata.key(key));
    let maps = ["labels", "annotations"].map(|key| metadata.key(key));
    let below = maps.into_iter().flat_map(|map| {
        let members = object.pointer(map.pointer()).and_then(Value::as_object);
        members.into_iter().flatten().map(move |(key, _)| map.key(key)).collect::<Vec<_>>()
    });
    let wrong = names.into_iter().chain(below).find_map(|field| match object.pointer(field.pointer()) {
        Some(Value::Bool(flag)) => Some((field, format!("the boolean {flag}"))),
        Some(Value::Number(number)) => Some((field, format!("the number {number}"))),
        _ => None,
    });
    let Some((field, read)) = wrong else { return Ok(()) };
    let at = positions.nearest(&field);
    Err(Fault::new(
        at,
        format!("{}: expected a string, and YAML reads {read} here; write it in quotes", field.kubernetes()),
    ))
}
