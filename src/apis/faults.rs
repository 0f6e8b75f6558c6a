//! What can be wrong with an object before any rule looks at it.

use crate::k8s::ObjectRef;

/// A field that an object's API doesn't know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    /// Where it stands: a JSON pointer (RFC 6901) such as `/spec/listeners/0/tlss`.
    pub pointer: String,
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
    /// Where in it, as a JSON pointer.
    pub pointer: String,
    /// Why.
    pub message: String,
}
