//! An object that can't be read, as far as it can.

use crate::apis::DecodeError;
use crate::apis::subject::Subject;
use crate::k8s::{FieldPath, ObjectRef};

/// An object that can't be read (MV006).
#[derive(Clone, Debug)]
pub struct Undecodable {
    /// Which object, as far as it says.
    pub object: ObjectRef,
    /// Where in it; the root for the object as a whole.
    pub field: FieldPath,
    /// Why.
    pub message: String,
    /// Where else, and why.
    pub more: Vec<DecodeError>,
    /// The object without the values at these places, where rules judge such objects. No facts for others: they would be half of it.
    pub rest: Option<Box<Subject>>,
}

impl Undecodable {
    /// Of an object, what its decoder says.
    pub(in crate::apis) fn new(object: ObjectRef, error: DecodeError) -> Self {
        Self::at(object, error.field, error.message)
    }

    /// At one place, and nothing is known of others.
    pub(crate) fn at(object: ObjectRef, field: FieldPath, message: String) -> Self {
        Self { object, field, message, more: Vec::new(), rest: None }
    }

    /// Every place that can't be decoded.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &FieldPath> {
        std::iter::once(&self.field).chain(self.more.iter().map(|error| &error.field))
    }
}
