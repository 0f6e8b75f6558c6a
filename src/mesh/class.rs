//! The meshes and gateway classes that members belong to.

use crate::k8s::{LabelSelector, ObjectRef};
use crate::mesh::plane::Plane;

/// A boundary within which members reach each other: a mesh, a class of gateways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The object.
    pub object: ObjectRef,
    /// The namespaces whose members belong to it without naming it. None: no namespace; an empty selector: all.
    pub namespaces: Option<LabelSelector>,
    /// Another object whose settings count for it: a class too, which no member names.
    pub settings: Option<ObjectRef>,
    /// Whether the same proxies serve all its members.
    pub one_proxy: bool,
    /// Which control plane gives certificates to its members' proxies, where that is known.
    pub plane: Option<&'static Plane>,
    /// Its name in AWS, where it differs from the object's.
    pub aws_name: Option<String>,
    /// The AWS account that owns it, where that is another account.
    pub aws_owner: Option<String>,
}
