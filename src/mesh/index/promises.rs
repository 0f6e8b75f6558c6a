//! Which objects will create which Secret or ConfigMap.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::k8s::ObjectRef;
use crate::mesh::index::Links;
use crate::mesh::promise::{Namespaces, Promise, PromisedStore};
use crate::mesh::store::StoreKey;

/// All promises, by the object that makes them and by the promised store.
#[derive(Debug, Default)]
pub(crate) struct PromiseIndex {
    promises: HashMap<ObjectRef, Arc<Promise>>,
    /// By the store; with an empty namespace where it is created in several.
    stores: Links<StoreKey, ObjectRef>,
    /// By the store's name alone.
    names: Links<String, ObjectRef>,
    /// By the one namespace in which it is created; under the empty name what is created in several.
    namespaces: Links<String, ObjectRef>,
}

impl PromiseIndex {
    pub(crate) fn insert(&mut self, promise: Arc<Promise>) {
        self.remove(&promise.object);
        for store in &promise.stores {
            self.stores.insert(listed_as(store), promise.object.clone());
            self.names.insert(store.name.clone(), promise.object.clone());
            self.namespaces.insert(within(store).to_owned(), promise.object.clone());
        }
        self.promises.insert(promise.object.clone(), promise);
    }

    pub(crate) fn remove(&mut self, object: &ObjectRef) {
        let Some(old) = self.promises.remove(object) else { return };
        for store in &old.stores {
            self.stores.remove(&listed_as(store), object);
            self.names.remove(&store.name, object);
            self.namespaces.remove(&within(store).to_owned(), object);
        }
    }

    pub(crate) fn get(&self, object: &ObjectRef) -> Option<&Arc<Promise>> {
        self.promises.get(object)
    }

    /// The objects that promise stores.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &ObjectRef> {
        self.promises.keys()
    }

    /// The promises of this store; whether its namespace is one of theirs is up to the caller.
    pub(crate) fn of(&self, store: &StoreKey) -> impl Iterator<Item = &Arc<PromisedStore>> {
        let anywhere = StoreKey::new(store.kind, "", &store.name);
        let objects = self.stores.of(store).chain(self.stores.of(&anywhere));
        let (kind, name) = (store.kind, store.name.clone());
        self.made_by(objects).filter(move |made| made.kind == kind && made.name == name)
    }

    /// What will be created under this name, in any namespace.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Arc<PromisedStore>> {
        self.made_by(self.names.of(name))
    }

    /// What will be created in this one namespace.
    pub(crate) fn within(&self, namespace: &str) -> impl Iterator<Item = &Arc<PromisedStore>> {
        self.made_by(self.namespaces.of(namespace))
    }

    /// What will be created in several namespaces.
    pub(crate) fn in_several(&self) -> impl Iterator<Item = &Arc<PromisedStore>> {
        self.made_by(self.namespaces.of("")).filter(|made| made.key().is_none())
    }

    fn made_by<'s>(
        &'s self,
        objects: impl Iterator<Item = &'s ObjectRef>,
    ) -> impl Iterator<Item = &'s Arc<PromisedStore>> {
        objects.filter_map(|object| self.promises.get(object)).flat_map(|promise| &promise.stores)
    }
}

fn within(store: &PromisedStore) -> &str {
    match &store.namespaces {
        Namespaces::One(namespace) => namespace,
        Namespaces::Several { .. } => "",
    }
}

fn listed_as(store: &PromisedStore) -> StoreKey {
    let anywhere = || StoreKey::new(store.kind, "", &store.name);
    store.key().unwrap_or_else(anywhere)
}
