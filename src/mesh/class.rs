//! What members belong to.

use crate::k8s::{LabelSelector, ObjectRef};
use crate::mesh::plane::Plane;

/// A boundary within which members reach each other: a mesh, a class of gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The object.
    pub object: ObjectRef,
    /// The namespaces whose members belong to it without naming it. Absent: none; empty: all.
    pub namespaces: Option<LabelSelector>,
    /// Who hands certificates to the proxies of its members, where that is known.
    pub plane: Option<&'static Plane>,
    /// Its name at AWS, where that is another than the object's.
    pub aws_name: Option<String>,
    /// The AWS account that owns it, where it is another's.
    pub aws_owner: Option<String>,
}
