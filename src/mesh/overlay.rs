//! What one judgement knows in addition to the shared world.

use std::collections::HashMap;

use crate::k8s::ObjectRef;
use crate::mesh::facts::{Fact, FactId};
use crate::mesh::state::StoreState;
use crate::mesh::store::StoreKey;

/// Secrets and ConfigMaps read for one judgement, newer than the world's copies.
pub type FreshStores = HashMap<StoreKey, StoreState>;

/// Changes laid over a world: an object under review before or after the change, and stores read afresh. The world itself
/// isn't changed.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    /// Facts that replace all that the world knows of the same objects.
    pub learnt: Vec<Fact>,
    /// What no longer exists.
    pub forgotten: Vec<FactId>,
    /// Stores as they were read, or why one couldn't be.
    pub stores: FreshStores,
}

impl Overlay {
    /// Whether nothing is laid over the world.
    pub(crate) fn is_empty(&self) -> bool {
        self.learnt.is_empty() && self.forgotten.is_empty() && self.stores.is_empty()
    }

    /// Whether the world's facts about an object are ignored.
    pub(crate) fn hides(&self, object: &ObjectRef) -> bool {
        let forgotten = |id: &FactId| matches!(id, FactId::Object(forgotten) if forgotten == object);
        self.learnt.iter().any(|fact| fact.is_of(object)) || self.forgotten.iter().any(forgotten)
    }
}
