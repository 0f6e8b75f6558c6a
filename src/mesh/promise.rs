//! Secrets and ConfigMaps that aren't there yet, and that somebody is known to make.

use std::collections::BTreeSet;

use crate::k8s::ObjectRef;
use crate::mesh::store::StoreKey;

/// What an object promises to make: a cert-manager Certificate its Secret, a SealedSecret the Secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The object that makes it.
    pub object: ObjectRef,
    /// What it makes.
    pub store: StoreKey,
    /// The keys that it will have, where these are known beforehand.
    pub keys: Option<BTreeSet<String>>,
}
