//! What is known of a Secret or ConfigMap that is mounted or referred to.

use std::sync::Arc;

use crate::mesh::promise::PromisedStore;
use crate::mesh::store::Store;

/// What is known of a store that is mounted or referred to.
#[derive(Clone, Debug)]
pub enum StoreState {
    /// It exists, with these keys.
    Present(Arc<Store>),
    /// It doesn't exist.
    Absent,
    /// It doesn't exist yet, and a known object will create it.
    Promised(Arc<PromisedStore>),
    /// Unknown, because meshvet didn't read it.
    Unread(Unread),
}

/// Why a store was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Reading Secrets is switched off (`--secrets none`), or excludes this namespace (`--secret-namespaces`).
    NotAllowed,
    /// It is read when a review needs it, and this review hasn't done so yet.
    OnDemand,
    /// It couldn't be read, for this reason.
    Failed(String),
}
