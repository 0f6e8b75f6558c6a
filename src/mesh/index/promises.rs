//! Who is about to make which Secret or ConfigMap.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::k8s::ObjectRef;
use crate::mesh::index::Links;
use crate::mesh::promise::{Namespaces, Promise, PromisedStore};
use crate::mesh::store::StoreKey;

/// All promises, by who makes them and by what they are of.
#[derive(Debug, Default)]
pub(crate) struct PromiseIndex {
    promises: HashMap<ObjectRef, Arc<Promise>>,
    /// By the store; where it is made in several namespaces, by one without namespace.
    stores: Links<StoreKey, ObjectRef>,
    /// By the store's name alone.
    names: Links<String, ObjectRef>,
    /// By the one namespace in which it is made.
    namespaces: Links<String, ObjectRef>,
}

impl PromiseIndex {
    pub(crate) fn insert(&mut self, promise: Arc<Promise>) {
        self.remove(&promise.object);
        for store in &promise.stores {
            self.stores.insert(listed_as(store), promise.object.clone());
            self.names.insert(store.name.clone(), promise.object.clone());
            if let Namespaces::One(namespace) = &store.namespaces {
                self.namespaces.insert(namespace.clone(), promise.object.clone());
            }
        }
        self.promises.insert(promise.object.clone(), promise);
    }

    pub(crate) fn remove(&mut self, object: &ObjectRef) {
        let Some(old) = self.promises.remove(object) else { return };
        for store in &old.stores {
            self.stores.remove(&listed_as(store), object);
            self.names.remove(&store.name, object);
            if let Namespaces::One(namespace) = &store.namespaces {
                self.namespaces.remove(namespace, object);
            }
        }
    }

    pub(crate) fn get(&self, object: &ObjectRef) -> Option<&Arc<Promise>> {
        self.promises.get(object)
    }

    /// Who promises anything.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &ObjectRef> {
        self.promises.keys()
    }

    /// What may come to be this store, where its namespace is one of those in which it is made.
    pub(crate) fn of(&self, store: &StoreKey) -> impl Iterator<Item = &Arc<PromisedStore>> {
        let anywhere = StoreKey { namespace: String::new(), ..store.clone() };
        let objects = self.stores.of(store).chain(self.stores.of(&anywhere));
        let (kind, name) = (store.kind, store.name.clone());
        self.made_by(objects).filter(move |made| made.kind == kind && made.name == name)
    }

    /// What is made under this name, wherever.
    pub(crate) fn named(&self, name: &str) -> impl Iterator<Item = &Arc<PromisedStore>> {
        self.made_by(self.names.of(name))
    }

    /// What is made in this one namespace.
    pub(crate) fn within(&self, namespace: &str) -> impl Iterator<Item = &Arc<PromisedStore>> {
        self.made_by(self.namespaces.of(namespace))
    }

    fn made_by<'s>(
        &'s self,
        objects: impl Iterator<Item = &'s ObjectRef>,
    ) -> impl Iterator<Item = &'s Arc<PromisedStore>> {
        objects.filter_map(|object| self.promises.get(object)).flat_map(|promise| &promise.stores)
    }
}

fn listed_as(store: &PromisedStore) -> StoreKey {
    let anywhere = || StoreKey { kind: store.kind, namespace: String::new(), name: store.name.clone() };
    store.key().unwrap_or_else(anywhere)
}
