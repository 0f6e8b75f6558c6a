//! What one judgement knows beyond the world that all share.

use std::collections::HashMap;

use crate::k8s::ObjectRef;
use crate::mesh::facts::{Fact, FactId};
use crate::mesh::state::StoreState;
use crate::mesh::store::StoreKey;

/// Secrets and ConfigMaps read for one judgement, newer than the world's.
pub type FreshStores = HashMap<StoreKey, StoreState>;

/// Changes laid over a world: what an object under review will be, or was; what was read afresh. Nothing is written to the
/// world itself.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    /// What holds in place of all that the world knows of the same objects.
    pub learnt: Vec<Fact>,
    /// What doesn't hold any more.
    pub forgotten: Vec<FactId>,
    /// Stores as they were read, with the reason where one couldn't be.
    pub stores: FreshStores,
}

impl Overlay {
    /// Whether what the world knows of an object doesn't count.
    pub(crate) fn hides(&self, object: &ObjectRef) -> bool {
        let forgotten = |id: &FactId| matches!(id, FactId::Object(forgotten) if forgotten == object);
        self.learnt.iter().any(|fact| fact.is_of(object)) || self.forgotten.iter().any(forgotten)
    }
}
