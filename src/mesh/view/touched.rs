//! Whom an object touches: the members that have to be judged again when it changes.

use std::collections::BTreeSet;

use crate::k8s::ObjectRef;
use crate::mesh::facts::FactId;
use crate::mesh::member::Member;
use crate::mesh::store::StoreKey;
use crate::mesh::view::View;

impl<'a> View<'a> {
    /// The members that an object touches, as the view has it: itself, those that select it, that read it or what mounts it,
    /// that call by it or are called, that stand in it. Costs what the object touches; a class's change touches all members.
    ///
    /// Of a change both views count: the one before and the one after.
    pub fn touched_by(&self, id: &FactId) -> BTreeSet<&'a ObjectRef> {
        let mut touched = BTreeSet::new();
        match id {
            FactId::Store(store) => touched.extend(self.readers_of(store)),
            FactId::Namespace(name) => {
                touched.extend(self.members_in(name).map(|member| &member.object));
                // What stands there a gateway may select by the namespace's labels.
                touched.extend(self.gateways().into_iter().map(|gateway| &gateway.object));
            }
            FactId::Object(object) => self.touched_by_object(object, &mut touched),
        }
        touched
    }

    fn touched_by_object(&self, object: &ObjectRef, touched: &mut BTreeSet<&'a ObjectRef>) {
        if let Some(member) = self.member(object) {
            touched.insert(&member.object);
            touched.extend(self.links_from(member).into_iter().map(|link| &link.server.object));
            touched.extend(self.links_to(member).into_iter().map(|link| &link.client.object));
        }
        if let Some(hop) = self.hop(object) {
            touched.extend(self.links_by(hop).into_iter().flat_map(|link| [&link.client.object, &link.server.object]));
        }
        if let Some(workload) = self.workload(object) {
            touched.extend(self.members_of(workload).into_iter().map(|member| &member.object));
        }
        if let Some(attached) = self.attachment(object) {
            if let Some(hop) = self.hop(&attached.target) {
                let links = self.links_by(hop);
                touched.extend(links.into_iter().flat_map(|link| [&link.client.object, &link.server.object]));
            }
            touched.extend(self.member(&attached.target).map(|member| &member.object));
        }
        if self.world.classes().any(|class| class.object == *object) {
            touched.extend(self.members().map(|member| &member.object));
        }
        if object.kind == "ServiceAccount" {
            let runs_as = |member: &&Member| {
                self.workloads_of(member).iter().any(|workload| workload.service_account == object.name)
            };
            touched.extend(self.members_in(object.namespace()).filter(runs_as).map(|member| &member.object));
        }
    }

    /// The members whose proxies read a store: by a mount of a workload, or because an end names it.
    fn readers_of(&self, store: &StoreKey) -> Vec<&'a ObjectRef> {
        let readers = self.world.readers().of(store).filter(|reader| self.counts(reader));
        let mut members = Vec::new();
        for reader in readers {
            members.extend(self.member(reader).map(|member| &member.object));
            if let Some(workload) = self.workload(reader) {
                members.extend(self.members_of(workload).into_iter().map(|member| &member.object));
            }
        }
        members
    }

    fn members_in(&self, namespace: &str) -> impl Iterator<Item = &'a Member> {
        self.world.members_in(namespace).filter_map(|object| self.member(object))
    }
}
