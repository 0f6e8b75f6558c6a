//! Permission to refer to objects in another namespace.

use crate::k8s::ObjectRef;

/// Permission that one namespace gives to objects of other namespaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The object that gives it, in the namespace whose objects may be referred to.
    pub object: ObjectRef,
    /// Which objects may refer to them: group, kind and namespace.
    pub from: Vec<(String, String, String)>,
    /// Which objects may be referred to.
    pub to: Vec<Granted>,
}

/// What may be referred to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The one object; None: all of the kind.
    pub name: Option<String>,
}

impl Grant {
    /// Whether it lets `from` refer to this object of the grant's own namespace.
    pub(crate) fn allows(&self, from: &ObjectRef, group: &str, kind: &str, name: &str) -> bool {
        let of = |(group, kind, namespace): &(String, String, String)| {
            group == from.group() && *kind == from.kind && namespace == from.namespace()
        };
        let to = |granted: &Granted| {
            granted.group == group && granted.kind == kind && granted.name.as_deref().is_none_or(|only| only == name)
        };
        self.from.iter().any(of) && self.to.iter().any(to)
    }
}
