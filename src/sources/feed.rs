//! What changes of the world affect, and a watcher has to judge again.

use std::collections::BTreeSet;

use crate::k8s::ObjectRef;
use crate::mesh::{Fact, FactId, Settings, StoreKind, View, World};

/// What changes have affected, by the world before and after each of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Whether it may be everything.
    pub everybody: bool,
    /// These objects, whether they still exist or not.
    pub objects: BTreeSet<ObjectRef>,
    /// Everything in these namespaces.
    pub namespaces: BTreeSet<String>,
}

impl Touched {
    /// Everything.
    pub fn everybody() -> Self {
        Self { everybody: true, ..Self::default() }
    }

    /// Whether nothing is affected.
    pub fn is_empty(&self) -> bool {
        !self.everybody && self.objects.is_empty() && self.namespaces.is_empty()
    }

    /// Adds what an object affects in a world.
    fn add(&mut self, world: &World, id: &FactId) {
        if self.everybody {
            return;
        }
        // With groups of services enabled there are more calls than without.
        let view = View::new(world).under(Settings { groups: true, ..Settings::default() });
        self.objects.insert(object(id));
        match id {
            FactId::Namespace(name) => drop(self.namespaces.insert(name.clone())),
            FactId::Object(id) if view.is_class(id) => self.everybody = true,
            FactId::Object(id) => self.objects.extend(view.taken_by(id).cloned()),
            FactId::Store(_) => {}
        }
        if !self.everybody {
            self.objects.extend(view.touched_by(id).into_iter().cloned());
        }
    }

    /// Adds another's contents.
    pub(crate) fn merge(&mut self, other: Self) {
        self.everybody |= other.everybody;
        if self.everybody {
            self.objects.clear();
            self.namespaces.clear();
            return;
        }
        self.objects.extend(other.objects);
        self.namespaces.extend(other.namespaces);
    }
}

/// Changes of the world that become visible together, with what they affect.
#[derive(Debug)]
pub struct Step<'w> {
    world: &'w mut World,
    touched: Touched,
}

impl<'w> Step<'w> {
    /// No change yet. If nothing follows the changes, what they affect isn't computed.
    pub(super) fn new(world: &'w mut World, is_followed: bool) -> Self {
        Self { world, touched: if is_followed { Touched::default() } else { Touched::everybody() } }
    }

    /// What the changes affected.
    pub(super) fn into_touched(self) -> Touched {
        self.touched
    }

    /// Replaces everything that came from an object by these facts.
    pub fn replace(&mut self, id: &FactId, facts: impl IntoIterator<Item = Fact>) {
        self.change(id, |world| world.replace(id, facts));
    }

    /// Forgets everything that came from an object.
    pub fn forget(&mut self, id: &FactId) {
        self.change(id, |world| world.forget(id));
    }

    /// The object is replaced by another one with its name, without facts before or after.
    pub fn touch(&mut self, id: &FactId) {
        self.change(id, |_| {});
    }

    /// One by one, since another change in the same step may cut the path from an object to what it affects.
    fn change(&mut self, id: &FactId, change: impl FnOnce(&mut World)) {
        self.touched.add(self.world, id);
        change(self.world);
        self.touched.add(self.world, id);
    }
}

/// The object that facts come from.
pub(crate) fn object(id: &FactId) -> ObjectRef {
    match id {
        FactId::Object(object) => object.clone(),
        FactId::Namespace(name) => ObjectRef::cluster_scoped("v1", "Namespace", name),
        FactId::Store(store) => {
            let kind = if store.kind == StoreKind::ConfigMap { "ConfigMap" } else { "Secret" };
            ObjectRef::new("v1", kind, &store.namespace, &store.name)
        }
    }
}
