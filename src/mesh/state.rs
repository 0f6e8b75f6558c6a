//! What is known of a Secret or ConfigMap that something mounts.

use std::sync::Arc;

use crate::mesh::promise::PromisedStore;
use crate::mesh::store::Store;

/// What is known of a store that something mounts.
#[derive(Clone, Debug)]
pub enum StoreState {
    /// It is there, and these are its keys.
    Present(Arc<Store>),
    /// It isn't there.
    Absent,
    /// It isn't there, and somebody is about to make it.
    Promised(Arc<PromisedStore>),
    /// Nobody knows: why meshvet did not read it.
    Unread(Unread),
}

/// Why a store was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// meshvet was told not to read Secrets (`--secrets none`), or not those of this namespace (`--secret-namespaces`).
    NotAllowed,
    /// It is read when a review needs it, and this review has not asked yet.
    OnDemand,
    /// The API server did not give it: its own words.
    Failed(String),
}
