//! An object as it comes, and what it is to meshvet.

use std::cell::Cell;

use serde::Deserialize;
use serde_json::Value;

use crate::apis::DecodeError;
use crate::apis::subject::Subject;
use crate::apis::tape::Tape;
use crate::k8s::FieldPath;
use crate::mesh::{Fact, FactId};

/// What an object is to meshvet.
#[derive(Clone, Debug)]
pub enum Entry {
    /// One that rules judge.
    Subject(Box<Subject>),
    /// A fact that is not judged itself: a Secret, a ConfigMap, a namespace.
    Fact(Fact),
    /// Of a kind that meshvet reads, but it says nothing now (a Deployment without replicas): forget it.
    Nothing(FactId),
    /// Of a kind that meshvet doesn't read.
    Other,
}

/// An object, as it comes.
pub(in crate::apis) enum Input<'a> {
    /// As a value.
    Value(Value),
    /// As JSON text.
    Json(&'a [u8]),
    /// As JSON text that goes on after it. Who has read it says how long it is.
    Ahead(&'a str, &'a Cell<usize>),
}

impl Input<'_> {
    /// Its tokens, which types are read from.
    ///
    /// # Errors
    /// It is text that is no JSON.
    pub(in crate::apis) fn tape(&self) -> Result<Tape<'_>, DecodeError> {
        let tape = match self {
            Input::Value(value) => Ok(Tape::of(value)),
            Input::Json(json) => Tape::read(json),
            Input::Ahead(text, length) => first(text, length),
        };
        tape.map_err(|error| DecodeError::new(FieldPath::root(), &error.to_string()))
    }

    /// The value. Text that is no JSON is no object either.
    pub(in crate::apis) fn into_value(self) -> Value {
        match self {
            Input::Value(value) => value,
            Input::Json(json) => serde_json::from_slice(json).unwrap_or_default(),
            Input::Ahead(text, length) => first(text, length).unwrap_or_default(),
        }
    }
}

/// The value that a text begins with; sets its length.
///
/// # Errors
/// It is no such value.
fn first<'a, T: Deserialize<'a> + Default>(text: &'a str, length: &Cell<usize>) -> serde_json::Result<T> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = values.next().transpose()?;
    length.set(values.byte_offset());
    Ok(value.unwrap_or_default())
}
