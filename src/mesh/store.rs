//! Secrets and ConfigMaps, reduced to facts about the files they become when mounted.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU64;
use std::ops::Deref;
use std::sync::Arc;

use crate::k8s::Word;
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

/// The name of a store. Cheap to clone and a word in size: indexes hold each name many times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreKey(Arc<StoreName>);

/// The parts of a [`StoreKey`], which are its fields by dereference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreName {
    /// What kind of object it is.
    pub kind: StoreKind,
    /// Its namespace; empty for a folder.
    pub namespace: Word,
    /// Its name; the path of a folder.
    pub name: Word,
}

impl Deref for StoreKey {
    type Target = StoreName;

    fn deref(&self) -> &StoreName {
        &self.0
    }
}

impl StoreKey {
    /// A store's name.
    pub fn new(kind: StoreKind, namespace: &str, name: &str) -> Self {
        Self(Arc::new(StoreName { kind, namespace: Word::shared(namespace), name: name.into() }))
    }

    /// A Secret's name.
    pub fn secret(namespace: &str, name: &str) -> Self {
        Self::new(StoreKind::Secret, namespace, name)
    }

    /// A ConfigMap's name.
    pub fn config_map(namespace: &str, name: &str) -> Self {
        Self::new(StoreKind::ConfigMap, namespace, name)
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
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// One entry for each key.
    pub files: Files,
    /// Its type; None where it has none.
    pub of_type: Option<Word>,
    /// What a controller will add to it, if it says so itself.
    pub awaited: Option<Awaited>,
    /// The version that was read. Not compared: a store whose labels change holds what it held.
    pub version: Version,
}

impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        let Self { files, of_type, awaited, version: _ } = self;
        (files, of_type, awaited) == (&other.files, &other.of_type, &other.awaited)
    }
}

impl Eq for Store {}

/// An object's `metadata.resourceVersion`: the API server gives another with every change. Kubernetes has made them integers of 64 bits at
/// most, and an object of an API that hasn't has no version here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version(Option<NonZeroU64>);

impl Version {
    /// Of what the API server sent.
    pub fn of(sent: Option<&str>) -> Self {
        Self(sent.and_then(|sent| sent.parse().ok()))
    }

    /// Whether both are known to be the same.
    pub fn is(self, other: Self) -> bool {
        self.0.is_some() && self == other
    }
}

/// Files by key, sorted. A map of the standard library has room for eleven, a third of a kilobyte, and most Secrets have three.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(Box<[(Word, Arc<FileFacts>)]>);

impl Files {
    /// What a proxy would find under a key.
    pub fn get(&self, key: &str) -> Option<&Arc<FileFacts>> {
        let at = self.0.binary_search_by(|(known, _)| (**known).cmp(key)).ok()?;
        self.0.get(at).map(|(_, facts)| facts)
    }

    /// Keys and files, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<FileFacts>)> {
        self.0.iter().map(|(key, facts)| (&**key, facts))
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// The files, by key.
    pub fn values(&self) -> impl Iterator<Item = &Arc<FileFacts>> {
        self.iter().map(|(_, facts)| facts)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Arc<FileFacts>)> for Files {
    /// Of two with one key the later counts.
    fn from_iter<T: IntoIterator<Item = (String, Arc<FileFacts>)>>(files: T) -> Self {
        let sorted: BTreeMap<String, Arc<FileFacts>> = files.into_iter().collect();
        Self(sorted.into_iter().map(|(key, facts)| (Word::shared(&key), facts)).collect())
    }
}

/// A key that a controller adds to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// Who adds it: `OpenShift`.
    pub by: &'static str,
    /// The key.
    pub key: &'static str,
}
