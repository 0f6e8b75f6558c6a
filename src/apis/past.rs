//! Reads on past what can't be decoded, so that one slip hides no other.
//!
//! The value that can't be decoded is taken out of the object and the rest decoded again, as often as that helps.

use serde_json::{Map, Value};

use crate::apis::decode_error::DecodeError;
use crate::apis::entry::{Entry, Input};
use crate::apis::faults::Undecodable;
use crate::apis::registry::{Part, Row};
use crate::k8s::FieldPath;

/// The most places of one object that are reported. Each costs decoding it once more.
const MOST: usize = 20;

/// What else is wrong with an object of which `first` is known, and what is left of it without all of that.
pub(super) fn read_past(row: &'static Row, mut value: Value, namespace: &str, mut first: Undecodable) -> Undecodable {
    // Of what may hold a key no copy is made.
    if row.part == Part::Store {
        return first;
    }
    let mut at = first.field.clone();
    while first.more.len() < MOST && take_out(&mut value, &at) {
        match (row.decode)(row, Input::Value(value.clone()), namespace) {
            Ok(Entry::Subject(subject)) => {
                first.rest = Some(subject);
                break;
            }
            Ok(_) => break,
            Err(next) => {
                at = next.field.clone();
                // What is there now was put there a moment ago.
                if !first.fields().any(|known| *known == next.field) {
                    first.more.push(DecodeError { field: next.field, message: next.message });
                }
            }
        }
    }
    first
}

/// Takes a value out of its object. An element of a list keeps its place, so that those behind it keep theirs: it becomes an empty value,
/// of another type each time. Whether there was anything left to try.
fn take_out(value: &mut Value, at: &FieldPath) -> bool {
    let Some((parent, last)) = at.split_last() else { return false };
    match value.pointer_mut(parent.pointer()) {
        Some(Value::Object(members)) => members.remove(&last).is_some(),
        Some(Value::Array(items)) => {
            let Some(item) = last.parse::<usize>().ok().and_then(|index| items.get_mut(index)) else { return false };
            let next = match item {
                Value::Object(members) if members.is_empty() => Value::String(String::new()),
                Value::String(text) if text.is_empty() => Value::from(0),
                Value::Number(number) if number.as_u64() == Some(0) => return false,
                _ => Value::Object(Map::new()),
            };
            *item = next;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_taken_out_of_a_list_leaves_the_others_where_they_are() {
        let mut value = json!({"a": [1, ["x"], 3], "b": {"c": 1, "d": 2}});
        let at = |pointer: &str| FieldPath::from_pointer(pointer);
        assert!(take_out(&mut value, &at("/b/c")) && take_out(&mut value, &at("/a/1")));
        assert_eq!(value, json!({"a": [1, {}, 3], "b": {"d": 2}}));
        assert!(take_out(&mut value, &at("/a/1")) && take_out(&mut value, &at("/a/1")));
        for gone in ["/a/1", "/a/7", "/b/c", "/x/y", ""] {
            assert!(!take_out(&mut value, &at(gone)), "{gone}");
        }
    }
}
