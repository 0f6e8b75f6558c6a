//! Secrets and ConfigMaps that will be created, as one judgement sees them.

use std::sync::Arc;

use crate::k8s::ObjectRef;
use crate::mesh::facts::Fact;
use crate::mesh::promise::{Namespaces, PromisedStore, StoreFields};
use crate::mesh::store::{Awaited, Store, StoreKey, StoreKind};
use crate::mesh::view::View;
use crate::pki::FileForm;

/// Where the keys of a Secret or ConfigMap itself are.
const OWN: StoreFields = StoreFields { name: "metadata.name", keys: "data" };

impl<'a> View<'a> {
    /// What is promised of a store that doesn't exist.
    pub(super) fn promised(&self, key: &StoreKey) -> Option<Arc<PromisedStore>> {
        PromisedStore::agreed(&self.promises_of(key))
    }

    /// What is still to be filled in of a store whose other values are known.
    pub(crate) fn filled_in_later(&self, key: &StoreKey, store: &Store) -> Option<Arc<PromisedStore>> {
        if let Some(awaited) = store.awaited {
            return Some(awaited_by(key, store, awaited));
        }
        self.promises_of(key).into_iter().find(|made| made.filled_in_by.is_some()).cloned()
    }

    /// The objects that have a certificate issued for a store, by name.
    pub(crate) fn issuers_of(&self, key: &StoreKey) -> Vec<&'a ObjectRef> {
        let issuing = self.promises_of(key).into_iter().filter(|made| made.certificate.is_some());
        let mut all: Vec<_> = issuing.map(|made| &made.by).collect();
        all.sort();
        all.dedup();
        all
    }

    fn promises_of(&self, key: &StoreKey) -> Vec<&'a Arc<PromisedStore>> {
        let labels = self.namespace(&key.namespace);
        let is_it = |made: &&Arc<PromisedStore>| {
            made.kind == key.kind && made.name == key.name && made.is_made_in(&key.namespace, labels)
        };
        let known = self.world.promises().of(key).filter(|made| self.counts(&made.by));
        self.laid_promises().chain(known).filter(is_it).collect()
    }

    /// The promise that was probably intended by a store that nothing creates: one with its name in another namespace, else one with a
    /// similar name in its own.
    pub(crate) fn promised_instead(&self, key: &StoreKey) -> Option<&'a Arc<PromisedStore>> {
        // A store that is itself in a file isn't created by another object.
        let is_made = |made: &&Arc<PromisedStore>| made.kind == key.kind && made.filled_in_by.is_none();
        let counts = |made: &&Arc<PromisedStore>| is_made(made) && self.counts(&made.by);
        let namesakes = self.world.promises().named(&key.name).filter(counts);
        let laid = || self.laid_promises().filter(is_made);
        let elsewhere = namesakes.chain(laid().filter(|made| made.name == key.name)).min_by_key(|made| &made.by);
        elsewhere.or_else(|| {
            let here = |made: &&Arc<PromisedStore>| made.key().is_some_and(|made| made.namespace == key.namespace);
            let within = self.world.promises().within(&key.namespace).filter(counts);
            let mut all: Vec<_> = within.chain(laid()).filter(here).collect();
            all.sort_by_key(|made| &made.by);
            let nearest = crate::pki::nearest_name(&key.name, all.iter().map(|made| made.name.as_str()))?;
            all.iter().find(|made| made.name == nearest).copied()
        })
    }

    fn laid_promises(&self) -> impl Iterator<Item = &'a Arc<PromisedStore>> + use<'a> {
        self.laid()
            .filter_map(|fact| match fact {
                Fact::Promise(promise) => Some(&promise.stores),
                _ => None,
            })
            .flatten()
    }
}

/// A store that promises a key to itself.
fn awaited_by(key: &StoreKey, store: &Store, awaited: Awaited) -> Arc<PromisedStore> {
    let kind = if key.kind == StoreKind::Secret { "Secret" } else { "ConfigMap" };
    let keys = store.files.keys().map(str::to_owned).chain([awaited.key.to_owned()]);
    Arc::new(PromisedStore {
        by: ObjectRef::new("v1", kind, &key.namespace, &key.name),
        kind: key.kind,
        namespaces: Namespaces::One(key.namespace.to_string()),
        name: key.name.to_string(),
        keys: Some(keys.map(|key| (key, FileForm::Unknown)).collect()),
        certificate: None,
        fields: &OWN,
        filled_in_by: Some(awaited.by),
    })
}
