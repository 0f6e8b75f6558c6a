//! Secrets and ConfigMaps, reduced to facts about the files they become when mounted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::pki::FileFacts;

/// The kinds of objects that hold files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreKind {
    /// A Kubernetes Secret.
    Secret,
    /// A Kubernetes ConfigMap.
    ConfigMap,
    /// A folder on this machine that stands in for a mount (`check --files`).
    Folder,
}

/// The name of a store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreKey {
    /// What kind of object it is.
    pub kind: StoreKind,
    /// Its namespace; empty for a folder.
    pub namespace: String,
    /// Its name; the path of a folder.
    pub name: String,
}

impl StoreKey {
    /// A Secret's name.
    pub fn secret(namespace: &str, name: &str) -> Self {
        Self { kind: StoreKind::Secret, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// A ConfigMap's name.
    pub fn config_map(namespace: &str, name: &str) -> Self {
        Self { kind: StoreKind::ConfigMap, namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl fmt::Display for StoreKey {
    /// `Secret shop/blue-cert`, `folder ./certs`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            StoreKind::Secret => write!(f, "Secret {}/{}", self.namespace, self.name),
            StoreKind::ConfigMap => write!(f, "ConfigMap {}/{}", self.namespace, self.name),
            StoreKind::Folder => write!(f, "folder {}", self.name),
        }
    }
}

/// What is known of one store: its keys, and what a proxy would find in each. Holds none of the values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// One entry for each key.
    pub files: BTreeMap<String, Arc<FileFacts>>,
    /// Its type; None where it has none.
    pub of_type: Option<Arc<str>>,
    /// What a controller will add to it, if it says so itself.
    pub awaited: Option<Awaited>,
}

/// A key that a controller adds to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// Who adds it: `OpenShift`.
    pub by: &'static str,
    /// The key.
    pub key: &'static str,
}
