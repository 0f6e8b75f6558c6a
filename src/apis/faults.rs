//! What can be wrong with an object before any rule looks at it.

use crate::apis::DecodeError;
use crate::k8s::{FieldPath, ObjectRef};

/// A field that an object's API doesn't know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    /// Where it stands, such as `/spec/listeners/0/tlss`.
    pub field: FieldPath,
    /// Its name, such as `tlss`.
    pub name: String,
    /// The field that was probably meant: a name (`tls`) for one that belongs in its place, a path in Kubernetes'
    /// notation (`spec.listeners[].tls`) for one that belongs elsewhere.
    pub meant: Option<String>,
}

/// An object that can't be read (MV006).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// Which object, as far as it says.
    pub object: ObjectRef,
    /// Where in it; the root for the object as a whole.
    pub field: FieldPath,
    /// Why.
    pub message: String,
}

impl Undecodable {
    /// Of an object, what its decoder says.
    pub(in crate::apis) fn new(object: ObjectRef, error: DecodeError) -> Self {
        Self { object, field: error.field, message: error.message }
    }
}
