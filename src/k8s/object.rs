//! Names of Kubernetes objects.

use std::fmt;

use hashbrown::Equivalent;

use crate::apis::appmesh::API_VERSION;

/// One object of a cluster, named as `kubectl` would.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `group/version`, or `v1` for the core group.
    pub api_version: String,
    /// `VirtualNode`, `Deployment`, …
    pub kind: String,
    /// None for cluster-scoped objects.
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
}

impl ObjectRef {
    /// A namespaced object.
    pub fn new(api_version: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// An object that belongs to no namespace.
    pub fn cluster_scoped(api_version: &str, kind: &str, name: &str) -> Self {
        Self { api_version: api_version.to_owned(), kind: kind.to_owned(), namespace: None, name: name.to_owned() }
    }

    /// The namespace, empty for cluster-scoped objects.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("")
    }
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

    /// An object of App Mesh in a namespace.
    pub(crate) fn app_mesh(kind: &'a str, namespace: &'a str, name: &'a str) -> Self {
        Self::new(API_VERSION, kind, namespace, name)
    }

    /// A mesh.
    pub(crate) fn mesh(name: &'a str) -> Self {
        Self { api_version: API_VERSION, kind: "Mesh", namespace: None, name }
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
        let node = ObjectRef::new(API_VERSION, "VirtualNode", "shop", "blue");
        let mesh = ObjectRef::cluster_scoped(API_VERSION, "Mesh", "apps");
        let objects: HashSet<ObjectRef> = [node.clone(), mesh.clone()].into_iter().collect();
        assert_eq!(objects.get(&ObjectKey::app_mesh("VirtualNode", "shop", "blue")), Some(&node));
        assert_eq!(objects.get(&ObjectKey::mesh("apps")), Some(&mesh));
        for (kind, namespace, name) in
            [("VirtualGateway", "shop", "blue"), ("VirtualNode", "shop2", "blue"), ("VirtualNode", "shop", "green")]
        {
            assert_eq!(objects.get(&ObjectKey::app_mesh(kind, namespace, name)), None);
        }
        assert_eq!(objects.get(&ObjectKey::new("v1", "VirtualNode", "shop", "blue")), None);
    }
}
