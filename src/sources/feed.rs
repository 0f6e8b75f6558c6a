//! Whom changes of the world touch: what a watcher has to judge again.

use std::collections::BTreeSet;

use crate::k8s::ObjectRef;
use crate::mesh::{Fact, FactId, Settings, StoreKind, View, World};

/// Whom changes have touched. A change counts by the world before it and by the world after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Whether it may be anybody.
    pub everybody: bool,
    /// These objects, whether they are still there or not.
    pub objects: BTreeSet<ObjectRef>,
    /// Everything in these namespaces.
    pub namespaces: BTreeSet<String>,
}

impl Touched {
    /// Everybody.
    pub fn everybody() -> Self {
        Self { everybody: true, ..Self::default() }
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        !self.everybody && self.objects.is_empty() && self.namespaces.is_empty()
    }

    /// Adds those whom an object touches in a world.
    fn add(&mut self, world: &World, id: &FactId) {
        if self.everybody {
            return;
        }
        // Where groups of services count there are more calls than where they don't.
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

    /// Adds what another holds.
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

/// Changes of the world that are seen together, with whom they touch.
#[derive(Debug)]
pub struct Step<'w> {
    world: &'w mut World,
    touched: Touched,
}

impl<'w> Step<'w> {
    /// No change yet. Where nobody asks, whom changes touch isn't looked for.
    pub(super) fn new(world: &'w mut World, is_followed: bool) -> Self {
        Self { world, touched: if is_followed { Touched::default() } else { Touched::everybody() } }
    }

    /// Whom the changes touched.
    pub(super) fn into_touched(self) -> Touched {
        self.touched
    }

    /// Learns all that an object comes to now, and forgets what it came to before.
    pub fn replace(&mut self, id: &FactId, facts: impl IntoIterator<Item = Fact>) {
        self.change(id, |world| world.replace(id, facts));
    }

    /// Forgets what was known under a name.
    pub fn forget(&mut self, id: &FactId) {
        self.change(id, |world| world.forget(id));
    }

    /// Nothing is known of an object, nor was before; it is another one all the same.
    pub fn touch(&mut self, id: &FactId) {
        self.change(id, |_| {});
    }

    /// One by one, since another change of the same step may cut the way from an object to whom it touches.
    fn change(&mut self, id: &FactId, change: impl FnOnce(&mut World)) {
        self.touched.add(self.world, id);
        change(self.world);
        self.touched.add(self.world, id);
    }
}

/// The object that a fact was read from.
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
