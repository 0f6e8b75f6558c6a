//! What the schema of a CustomResourceDefinition refuses of an object: the API server's own judgement, by recorded constraints.
//!
//! As the API server has it, a null is no value (it is dropped before anything is validated), fields that the schema doesn't have are
//! dropped too, and characters are counted, not bytes.

use std::fmt;

use serde_json::{Map, Value};

use crate::k8s::FieldPath;

/// How many faults of one object are reported.
const MOST_FAULTS: usize = 50;

/// The keywords that are understood; of others nothing is said.
#[cfg(test)]
pub(in crate::apis) const UNDERSTOOD: [&str; 15] = [
    "type",
    "properties",
    "items",
    "additionalProperties",
    "required",
    "enum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
];

/// One thing that the API server refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFault {
    /// Where it is; of what is missing, where it should.
    pub field: FieldPath,
    /// What is wrong there.
    pub refusal: SchemaRefusal,
}

/// What a schema says of a value. Displays in the API server's words, without the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaRefusal {
    /// A required field isn't there.
    Missing {
        /// Where a dash too many makes an item of its own of what belongs to the one before: that item's place.
        split_from: Option<FieldPath>,
    },
    /// It is of another type.
    Type {
        /// The type that it should be of: `integer`, `array`.
        expected: String,
        /// The type that it is of.
        found: &'static str,
    },
    /// It is none of the values that there are.
    NotOneOf {
        /// The values that there are.
        allowed: Vec<String>,
        /// What is there.
        found: String,
    },
    /// It has fewer characters.
    TooShort {
        /// How many it must have.
        least: u64,
        /// How many it has.
        found: u64,
    },
    /// It has more characters.
    TooLong {
        /// How many it may have.
        most: u64,
        /// How many it has.
        found: u64,
    },
    /// It has fewer items.
    TooFew {
        /// How many it must have.
        least: u64,
        /// How many it has.
        found: u64,
    },
    /// It has more items.
    TooMany {
        /// How many it may have.
        most: u64,
        /// How many it has.
        found: u64,
    },
    /// It is a lower number.
    TooSmall {
        /// The lowest.
        least: i64,
        /// What is there.
        found: String,
    },
    /// It is a higher number.
    TooLarge {
        /// The highest.
        most: i64,
        /// What is there.
        found: String,
    },
}

impl SchemaRefusal {
    /// Whether nothing stands there: whatever is said of the field's value would be said of a default that the API server never
    /// sees.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Missing { .. } => true,
            Self::TooShort { found, .. } | Self::TooFew { found, .. } => *found == 0,
            _ => false,
        }
    }
}

impl fmt::Display for SchemaRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { .. } => f.write_str("Required value"),
            Self::Type { expected, found } => write!(f, "Invalid value: {found:?}: must be of type {expected}"),
            Self::NotOneOf { allowed, found } => {
                let allowed: Vec<String> = allowed.iter().map(|value| format!("{value:?}")).collect();
                write!(f, "Unsupported value: {found:?}: supported values: {}", allowed.join(", "))
            }
            Self::TooShort { least, found } => {
                write!(f, "Invalid value: {found} characters: should be at least {least} chars long")
            }
            Self::TooLong { most, .. } => write!(f, "Too long: may not be more than {most} bytes"),
            Self::TooFew { least, found } => write!(f, "Invalid value: {found}: should have at least {least} items"),
            Self::TooMany { most, found } => write!(f, "Too many: {found}: must have at most {most} items"),
            Self::TooSmall { least, found } => {
                write!(f, "Invalid value: {found}: should be greater than or equal to {least}")
            }
            Self::TooLarge { most, found } => {
                write!(f, "Invalid value: {found}: should be less than or equal to {most}")
            }
        }
    }
}

/// What this schema refuses of an object, in the order of its fields; the first of them where they are many.
pub(in crate::apis) fn faults(schema: &Value, object: &Value) -> Vec<SchemaFault> {
    let mut found = Vec::new();
    check(schema, object, &FieldPath::root(), &mut found);
    found.truncate(MOST_FAULTS);
    found
}

fn check(schema: &Value, value: &Value, at: &FieldPath, out: &mut Vec<SchemaFault>) {
    if out.len() >= MOST_FAULTS {
        return;
    }
    let mut refuse = |refusal| out.push(SchemaFault { field: at.clone(), refusal });
    if let Some(expected) = schema.get("type").and_then(Value::as_str)
        && !is_of_type(value, expected)
    {
        return refuse(SchemaRefusal::Type { expected: expected.to_owned(), found: type_of(value) });
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        refuse(SchemaRefusal::NotOneOf { allowed: allowed.iter().map(text).collect(), found: text(value) });
    }
    let limit = |name: &str| schema.get(name).and_then(Value::as_u64);
    match value {
        Value::String(text) => {
            let found = text.chars().count() as u64;
            if let Some(least) = limit("minLength").filter(|least| found < *least) {
                refuse(SchemaRefusal::TooShort { least, found });
            }
            if let Some(most) = limit("maxLength").filter(|most| found > *most) {
                refuse(SchemaRefusal::TooLong { most, found });
            }
        }
        Value::Number(number) => {
            let (wanted, number) = (|name: &str| schema.get(name).and_then(Value::as_i64), number.as_f64());
            let Some(number) = number else { return };
            if let Some(least) = wanted("minimum").filter(|least| number < *least as f64) {
                refuse(SchemaRefusal::TooSmall { least, found: value.to_string() });
            }
            if let Some(most) = wanted("maximum").filter(|most| number > *most as f64) {
                refuse(SchemaRefusal::TooLarge { most, found: value.to_string() });
            }
        }
        Value::Array(items) => {
            let found = items.len() as u64;
            if let Some(least) = limit("minItems").filter(|least| found < *least) {
                refuse(SchemaRefusal::TooFew { least, found });
            }
            if let Some(most) = limit("maxItems").filter(|most| found > *most) {
                refuse(SchemaRefusal::TooMany { most, found });
            }
            check_items(schema, items, at, out);
        }
        Value::Object(fields) => check_fields(schema, fields, at, out),
        Value::Null | Value::Bool(_) => {}
    }
}

fn check_items(schema: &Value, items: &[Value], at: &FieldPath, out: &mut Vec<SchemaFault>) {
    let Some(schema) = schema.get("items") else { return };
    for (index, item) in items.iter().enumerate() {
        let from = out.len();
        let place = at.index(index);
        check(schema, item, &place, out);
        // What this item lacks may be what the item before it has.
        let before = index.checked_sub(1).and_then(|before| Some((before, items.get(before)?)));
        for fault in out.iter_mut().skip(from) {
            let Some((parent, name)) = fault.field.split_last() else { continue };
            if let (SchemaRefusal::Missing { split_from }, Some((number, before))) = (&mut fault.refusal, before)
                && parent == place
                && is_rest_of(item, before, &name)
            {
                *split_from = Some(at.index(number));
            }
        }
    }
}

/// Whether an item that lacks a field reads like the rest of the one before it, which has the field and none of this one's.
fn is_rest_of(item: &Value, before: &Value, lacks: &str) -> bool {
    let (Some(item), Some(before)) = (item.as_object(), before.as_object()) else { return false };
    before.contains_key(lacks) && !item.is_empty() && !item.keys().any(|key| before.contains_key(key))
}

fn check_fields(schema: &Value, fields: &Map<String, Value>, at: &FieldPath, out: &mut Vec<SchemaFault>) {
    let given = |name: &str| fields.get(name).filter(|value| !value.is_null());
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if given(name).is_none() {
            out.push(SchemaFault { field: at.key(name), refusal: SchemaRefusal::Missing { split_from: None } });
        }
    }
    if let Some(known) = schema.get("properties").and_then(Value::as_object) {
        for (name, schema) in known {
            if let Some(value) = given(name) {
                check(schema, value, &at.key(name), out);
            }
        }
    }
    if let Some(schema) = schema.get("additionalProperties").filter(|schema| schema.is_object()) {
        for (name, value) in fields {
            check(schema, value, &at.key(name), out);
        }
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_of_type(value: &Value, expected: &str) -> bool {
    match (expected, type_of(value)) {
        ("number", "integer") => true,
        // 8080.0 is a whole number.
        ("integer", "number") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        (expected, found) => expected == found,
    }
}
