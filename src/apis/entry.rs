//! An object as it comes, and what it is to meshvet.

use serde_json::Value;

use crate::apis::subject::Subject;
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
}

impl Input<'_> {
    /// The value. Text that is no JSON is no object either.
    pub(in crate::apis) fn into_value(self) -> Value {
        match self {
            Input::Value(value) => value,
            Input::Json(json) => serde_json::from_slice(json).unwrap_or_default(),
        }
    }
}
