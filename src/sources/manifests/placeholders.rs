//! Unfilled placeholders: `${NAME}`.

use serde_json::Value;

use crate::k8s::FieldPath;
pub(super) use crate::text::placeholder as first;

use super::positions::{Mark, Positions};

/// An object's first placeholder.
#[derive(Debug)]
pub(super) struct Unfilled {
    /// Where its field is.
    pub(super) at: Mark,
    pub(super) name: String,
    /// How many other fields of the object have one.
    pub(super) more: usize,
}

/// The first placeholder of an object, if it has any.
pub(super) fn unfilled(object: &Value, positions: &Positions) -> Option<Unfilled> {
    // Few objects have any: the paths are only for them.
    let found = if has_any(object) { of(object) } else { Vec::new() };
    let (field, name) = found.first()?;
    Some(Unfilled { at: positions.nearest(field), name: name.clone(), more: found.len() - 1 })
}

fn has_any(value: &Value) -> bool {
    match value {
        Value::String(text) => first(text).is_some(),
        Value::Array(items) => items.iter().any(has_any),
        Value::Object(members) => members.values().any(has_any),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The fields of an object that contain one, each with its first placeholder.
fn of(object: &Value) -> Vec<(FieldPath, String)> {
    let mut found = Vec::new();
    collect(object, &FieldPath::root(), &mut found);
    found
}

fn collect(value: &Value, at: &FieldPath, found: &mut Vec<(FieldPath, String)>) {
    match value {
        Value::String(text) => found.extend(first(text).map(|name| (at.clone(), name.to_owned()))),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect(item, &at.index(index), found))
        }
        Value::Object(members) => members.iter().for_each(|(name, member)| collect(member, &at.key(name), found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placeholder_is_a_name_in_braces_behind_a_dollar() {
        assert_eq!(first("${HOST}"), Some("${HOST}"));
        assert_eq!(first("a.${HOST_1:-b}.c ${D}"), Some("${HOST_1:-b}"));
        for none in ["", "$HOST", "$(HOST)", "${}", "${1}", "${A B}", "${HOST", "a{b}"] {
            assert_eq!(first(none), None, "{none}");
        }
    }

    #[test]
    fn the_fields_that_hold_one_are_named() {
        let object = serde_json::json!({"a": ["x", "${B}"], "c": {"d": "${E}", "f": 1}});
        let found: Vec<_> = of(&object).into_iter().map(|(field, name)| (field.pointer().to_owned(), name)).collect();
        assert_eq!(found, [("/a/1".to_owned(), "${B}".to_owned()), ("/c/d".to_owned(), "${E}".to_owned())]);
    }
}
