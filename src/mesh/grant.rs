//! Permission to name what is in another namespace.

use crate::k8s::ObjectRef;

/// Permission that one namespace gives to objects of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The object that gives it, in the namespace whose objects may be named.
    pub object: ObjectRef,
    /// Who may name them: each by its group, its kind and its namespace.
    pub from: Vec<(String, String, String)>,
    /// What may be named: each by its group, its kind, and its name where only one object is meant.
    pub to: Vec<Granted>,
}

/// What may be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The one object that is meant; None: all of the kind.
    pub name: Option<String>,
}

impl Grant {
    /// Whether it lets an object name this one of its own namespace.
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
