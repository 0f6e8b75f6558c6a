//! Reverse references: which objects refer to an object.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use hashbrown::Equivalent;

use crate::k8s::{ObjectRef, TypeRef};
use crate::mesh::attached::Attached;
use crate::mesh::hop::{Hop, Inlet, Target};
use crate::mesh::index::few::Few;
use crate::mesh::member::Member;

/// A map from one key to several values.
#[derive(Debug)]
pub(crate) struct Links<K, V>(hashbrown::HashMap<K, Few<V>>);

impl<K, V> Default for Links<K, V> {
    fn default() -> Self {
        Self(hashbrown::HashMap::new())
    }
}

impl<K: Hash + Eq, V: Ord> Links<K, V> {
    pub(crate) fn insert(&mut self, from: K, to: V) {
        self.0.entry(from).or_default().insert(to);
    }

    pub(crate) fn remove(&mut self, from: &K, to: &V) {
        if let Some(all) = self.0.get_mut(from) {
            all.remove(to);
            if all.is_empty() {
                self.0.remove(from);
            }
        }
    }

    pub(crate) fn of<'s, Q: Hash + Equivalent<K> + ?Sized>(
        &'s self,
        from: &Q,
    ) -> impl Iterator<Item = &'s V> + use<'s, Q, K, V> {
        self.0.get(from).into_iter().flatten()
    }
}

/// For each object: the members and hops that lead to it, and the gateways and policies that concern it.
#[derive(Debug, Default)]
pub(crate) struct LinkIndex {
    /// By the object referred to.
    named: Links<ObjectRef, ObjectRef>,
    /// By the type and name referred to in the caller's namespace.
    anywhere: HashMap<TypeRef, Links<String, ObjectRef>>,
    /// By the type whose objects are all referred to, in a namespace; None: the caller's.
    every: Links<(TypeRef, Option<String>), ObjectRef>,
    /// Hops by the gateway that they name.
    of_gateway: Links<ObjectRef, ObjectRef>,
    /// Hops that gateways select.
    selected: BTreeSet<ObjectRef>,
    /// Policies by what they are attached to.
    attached: Links<ObjectRef, ObjectRef>,
    /// Services, sorted: those of one type and namespace are adjacent.
    services: BTreeSet<ObjectRef>,
    /// The hops that lead to Kubernetes Services.
    to_services: BTreeSet<ObjectRef>,
}

impl LinkIndex {
    pub(crate) fn add_member(&mut self, member: &Member) {
        member.backends.iter().for_each(|backend| self.add(&backend.to, &member.object));
    }

    pub(crate) fn remove_member(&mut self, member: &Member) {
        member.backends.iter().for_each(|backend| self.remove(&backend.to, &member.object));
    }

    pub(crate) fn add_hop(&mut self, hop: &Hop) {
        hop.to.iter().for_each(|outlet| self.add(&outlet.to, &hop.object));
        for inlet in &hop.from {
            match inlet {
                Inlet::Callers => {}
                Inlet::Named { parent, .. } => self.of_gateway.insert(parent.clone(), hop.object.clone()),
                Inlet::Selected => drop(self.selected.insert(hop.object.clone())),
            }
        }
        if hop.is_service() {
            self.services.insert(hop.object.clone());
        }
        if hop.leads_to_services() {
            self.to_services.insert(hop.object.clone());
        }
    }

    pub(crate) fn remove_hop(&mut self, hop: &Hop) {
        hop.to.iter().for_each(|outlet| self.remove(&outlet.to, &hop.object));
        for inlet in &hop.from {
            if let Inlet::Named { parent, .. } = inlet {
                self.of_gateway.remove(parent, &hop.object);
            }
        }
        self.selected.remove(&hop.object);
        self.services.remove(&hop.object);
        self.to_services.remove(&hop.object);
    }

    pub(crate) fn add_attached(&mut self, attached: &Attached) {
        for aim in &attached.aims {
            self.attached.insert(aim.target.clone(), attached.object.clone());
        }
    }

    pub(crate) fn remove_attached(&mut self, attached: &Attached) {
        for aim in &attached.aims {
            self.attached.remove(&aim.target, &attached.object);
        }
    }

    fn add(&mut self, target: &Target, source: &ObjectRef) {
        match target {
            Target::Object(object) => self.named.insert(object.clone(), source.clone()),
            Target::InCallersNamespace { kind, name } => {
                self.anywhere.entry(*kind).or_default().insert(name.clone(), source.clone());
            }
            Target::Every { kind, namespace } => self.every.insert((*kind, namespace.clone()), source.clone()),
            Target::Outside => {}
        }
    }

    fn remove(&mut self, target: &Target, source: &ObjectRef) {
        match target {
            Target::Object(object) => self.named.remove(object, source),
            Target::InCallersNamespace { kind, name } => {
                if let Some(names) = self.anywhere.get_mut(kind) {
                    names.remove(name, source);
                }
            }
            Target::Every { kind, namespace } => self.every.remove(&(*kind, namespace.clone()), source),
            Target::Outside => {}
        }
    }

    /// Whether any hop leads to a Kubernetes Service.
    pub(crate) fn lead_to_services(&self) -> bool {
        !self.to_services.is_empty()
    }

    /// The members and hops that may lead to an object, unordered and perhaps repeated; the caller checks their targets.
    pub(crate) fn sources<'s>(&'s self, object: &ObjectRef) -> impl Iterator<Item = &'s ObjectRef> + use<'s> {
        let anywhere = self.anywhere.iter().filter(|(kind, _)| object.is_a(**kind));
        let anywhere: Vec<&ObjectRef> = anywhere.flat_map(|(_, names)| names.of(object.name.as_str())).collect();
        // References to all of a type are rare: don't build a key where there are none.
        let every: Vec<&ObjectRef> = match self.every.0.is_empty() {
            true => Vec::new(),
            false => self.sources_of_every(object),
        };
        self.named.of(object).chain(anywhere).chain(every)
    }

    fn sources_of_every(&self, object: &ObjectRef) -> Vec<&ObjectRef> {
        let meant = self.every.0.iter().filter(|((kind, namespace), _)| {
            object.is_a(*kind) && namespace.as_deref().is_none_or(|namespace| namespace == object.namespace())
        });
        meant.flat_map(|(_, sources)| sources).collect()
    }

    /// The hops that name a gateway, then those that any gateway may select; each in order.
    pub(crate) fn hops_of<'s>(&'s self, gateway: &ObjectRef) -> impl Iterator<Item = &'s ObjectRef> + use<'s> {
        self.of_gateway.of(gateway).chain(&self.selected)
    }

    /// The policies that are attached to an object.
    pub(crate) fn attached_to<'s>(&'s self, object: &ObjectRef) -> impl Iterator<Item = &'s ObjectRef> + use<'s> {
        self.attached.of(object)
    }

    /// Every service of a type in a namespace, in order.
    pub(crate) fn every<'s>(&'s self, kind: TypeRef, namespace: &'s str) -> impl Iterator<Item = &'s ObjectRef> {
        let first = ObjectRef::new(kind.api_version, kind.kind, namespace, "");
        let from_there = self.services.range(first..);
        from_there.take_while(move |service| service.is_a(kind) && service.namespace() == namespace)
    }
}
