//! Names of Kubernetes objects.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use hashbrown::Equivalent;

use crate::k8s::word::Word;

/// One object of a cluster, named as `kubectl` would. Cheap to clone and a word in size: indexes hold each name many times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef(Arc<ObjectName>);

/// The parts of an [`ObjectRef`], which are its fields by dereference.
#[derive(Clone, Debug, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::derived_hash_with_manual_eq, reason = "both go by all fields, in another order")]
pub struct ObjectName {
    /// `group/version`, or `v1` for the core group.
    pub api_version: Word,
    /// `VirtualNode`, `Deployment`, …
    pub kind: Word,
    /// None for cluster-scoped objects.
    pub namespace: Option<Word>,
    /// The object's name.
    pub name: Word,
}

impl PartialEq for ObjectName {
    /// The last part first: most objects that are compared differ in it alone.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.namespace == other.namespace
            && self.kind == other.kind
            && self.api_version == other.api_version
    }
}

impl Deref for ObjectRef {
    type Target = ObjectName;

    fn deref(&self) -> &ObjectName {
        &self.0
    }
}

impl DerefMut for ObjectRef {
    /// A change is this name's alone, not its copies'.
    fn deref_mut(&mut self) -> &mut ObjectName {
        Arc::make_mut(&mut self.0)
    }
}

impl ObjectRef {
    /// A namespaced object.
    pub fn new(api_version: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self::of(api_version, kind, Some(namespace), name)
    }

    /// An object that belongs to no namespace.
    pub(crate) fn cluster_scoped(api_version: &str, kind: &str, name: &str) -> Self {
        Self::of(api_version, kind, None, name)
    }

    fn of(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        Self(Arc::new(ObjectName {
            api_version: Word::shared(api_version),
            kind: Word::shared(kind),
            namespace: namespace.map(Word::shared),
            name: name.into(),
        }))
    }

    /// Whether it is of this type.
    pub(crate) fn is_a(&self, kind: TypeRef) -> bool {
        self.kind == kind.kind && self.api_version == kind.api_version
    }

    /// The API group, empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// The namespace, empty for cluster-scoped objects.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("")
    }
}

/// A type of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeRef {
    /// `group/version`, or `v1` for the core group.
    pub api_version: &'static str,
    /// `Secret`, `Deployment`, …
    pub kind: &'static str,
}

/// An object's name, borrowed: what a table of objects is asked by, without making an [`ObjectRef`] for the question.
#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct ObjectKey<'a> {
    // The fields of ObjectRef in their order, so that both have one hash.
    api_version: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
}

impl<'a> ObjectKey<'a> {
    /// An object in a namespace.
    pub(crate) fn new(api_version: &'a str, kind: &'a str, namespace: &'a str, name: &'a str) -> Self {
        Self { api_version, kind, namespace: Some(namespace), name }
    }
}

impl Equivalent<ObjectRef> for ObjectKey<'_> {
    fn equivalent(&self, object: &ObjectRef) -> bool {
        self.name == object.name
            && self.namespace == object.namespace.as_deref()
            && self.kind == object.kind
            && self.api_version == object.api_version
    }
}

impl fmt::Display for ObjectRef {
    /// `Deployment shop/blue`, `Mesh apps`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {}/{}", self.kind, namespace, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use hashbrown::HashSet;

    use super::*;

    #[test]
    fn a_borrowed_name_finds_its_object() {
        let gadget = ObjectRef::new("example.com/v1", "Gadget", "shop", "blue");
        let objects: HashSet<ObjectRef> = [gadget.clone()].into_iter().collect();
        let key = ObjectKey::new;
        assert_eq!(objects.get(&key("example.com/v1", "Gadget", "shop", "blue")), Some(&gadget));
        for (api_version, kind, namespace, name) in [
            ("example.com/v1", "Widget", "shop", "blue"),
            ("example.com/v1", "Gadget", "shop2", "blue"),
            ("example.com/v1", "Gadget", "shop", "green"),
            ("v1", "Gadget", "shop", "blue"),
        ] {
            assert_eq!(objects.get(&key(api_version, kind, namespace, name)), None);
        }
    }
}
