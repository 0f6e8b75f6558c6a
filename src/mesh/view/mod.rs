//! The world as one judgement sees it: the shared snapshot, with an overlay and the object under review laid over it.

mod aws;
mod links;
mod places;
mod promises;
mod touched;

use std::collections::BTreeMap;

use crate::aws::AwsFacts;
use crate::k8s::{ObjectKey, ObjectRef};
use crate::mesh::attached::Attached;
use crate::mesh::class::Class;
use crate::mesh::facts::{Fact, FactId};
use crate::mesh::hop::Hop;
use crate::mesh::member::Member;
use crate::mesh::overlay::Overlay;
use crate::mesh::paths::PathCache;
use crate::mesh::secrets::SecretAccess;
use crate::mesh::settings::Settings;
use crate::mesh::state::StoreState;
use crate::mesh::store::StoreKey;
use crate::mesh::workload::Workload;
use crate::mesh::world::World;

pub use places::Place;

/// What the rules look things up in.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    world: &'a World,
    overlay: Option<&'a Overlay>,
    subject: &'a [Fact],
    aws: Option<&'a AwsFacts>,
    settings: Settings,
}

impl<'a> View<'a> {
    /// The world as it stands.
    pub fn new(world: &'a World) -> Self {
        Self { world, overlay: None, subject: &[], aws: None, settings: Settings::default() }
    }

    /// The same, with changes laid over it.
    #[must_use]
    pub fn over(self, overlay: &'a Overlay) -> Self {
        Self { overlay: Some(overlay), ..self }
    }

    /// The same, with what AWS has answered.
    #[must_use]
    pub fn answered(self, facts: &'a AwsFacts) -> Self {
        Self { aws: Some(facts), ..self }
    }

    /// The same under these settings.
    #[must_use]
    pub fn under(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// The same, in which the object under review says this, whatever else is known of it.
    #[must_use]
    pub fn about(self, subject: &'a [Fact]) -> Self {
        Self { subject, ..self }
    }

    /// What holds in place of what the world knows: the subject's facts first.
    fn laid(&self) -> impl Iterator<Item = &'a Fact> + use<'a> {
        self.subject.iter().chain(self.overlay.into_iter().flat_map(|overlay| &overlay.learnt))
    }

    /// Whether what the world knows of an object counts.
    fn counts(&self, object: &ObjectRef) -> bool {
        !self.subject.iter().any(|fact| fact.is_of(object))
            && !self.overlay.is_some_and(|overlay| overlay.hides(object))
    }

    /// The member of this name.
    pub fn member(&self, object: &ObjectRef) -> Option<&'a Member> {
        let laid = self.laid().find_map(|fact| match fact {
            Fact::Member(member) if member.object == *object => Some(&**member),
            _ => None,
        });
        laid.or_else(|| self.world.member(object).filter(|_| self.counts(object)))
    }

    /// The hop of this name.
    pub fn hop(&self, object: &ObjectRef) -> Option<&'a Hop> {
        let laid = self.laid().find_map(|fact| match fact {
            Fact::Hop(hop) if hop.object == *object => Some(&**hop),
            _ => None,
        });
        laid.or_else(|| self.world.hop(object).filter(|_| self.counts(object)))
    }

    /// The workload of this name.
    fn workload(&self, object: &ObjectRef) -> Option<&'a Workload> {
        let laid = self.laid_workloads().find(|workload| workload.object == *object);
        laid.or_else(|| self.world.workload(object).filter(|_| self.counts(object)))
    }

    /// All members, in no order.
    pub fn members(&self) -> impl Iterator<Item = &'a Member> + use<'a> {
        let view = *self;
        let known = view.world.members().map(AsRef::as_ref).filter(move |member| view.counts(&member.object));
        known.chain(view.laid_members())
    }

    fn laid_members(&self) -> impl Iterator<Item = &'a Member> + use<'a> {
        self.laid().filter_map(|fact| match fact {
            Fact::Member(member) => Some(&**member),
            _ => None,
        })
    }

    /// All gateways, by name: a mesh has few.
    fn gateways(&self) -> Vec<&'a Member> {
        let known = self.world.gateways().filter(|gateway| self.counts(&gateway.object));
        let mut gateways: Vec<_> = known.chain(self.laid_members().filter(|member| member.is_gateway())).collect();
        gateways.sort_by_key(|gateway| &gateway.object);
        gateways.dedup_by_key(|gateway| &gateway.object);
        gateways
    }

    /// A policy that is attached to something.
    fn attachment(&self, object: &ObjectRef) -> Option<&'a Attached> {
        self.world.attachment(object).filter(|_| self.counts(object))
    }

    /// The workloads whose pods are this member's proxies, by name.
    pub(crate) fn workloads_of(&self, member: &Member) -> Vec<&'a Workload> {
        let Some(selector) = &member.pod_selector else { return Vec::new() };
        let namespace = member.object.namespace();
        let known = self.world.workload_labels().candidates(namespace, selector);
        let known = known.filter(|object| self.counts(object)).filter_map(|object| self.world.workload(object));
        let mut found: Vec<&Workload> = known.filter(|workload| selector.matches(&workload.labels)).collect();
        let before = found.len();
        found.extend(
            self.laid_workloads()
                .filter(|workload| workload.object.namespace() == namespace && selector.matches(&workload.labels)),
        );
        if found.len() > before {
            found.sort_by_key(|workload| &workload.object);
            found.dedup_by_key(|workload| &workload.object);
        }
        found
    }

    fn laid_workloads(&self) -> impl Iterator<Item = &'a Workload> + use<'a> {
        self.laid().filter_map(|fact| match fact {
            Fact::Workload(workload) => Some(&**workload),
            _ => None,
        })
    }

    /// The members that select a workload's pods, in no order.
    pub(crate) fn members_of(&self, workload: &Workload) -> Vec<&'a Member> {
        let namespace = workload.object.namespace();
        let selects = |member: &&Member| {
            member.object.namespace() == namespace
                && member.pod_selector.as_ref().is_some_and(|selector| selector.matches(&workload.labels))
        };
        let known = self.world.member_selectors().candidates(namespace, &workload.labels);
        let known = known.filter(|object| self.counts(object)).filter_map(|object| self.world.member(object));
        let mut members: Vec<&Member> = known.chain(self.laid_members()).filter(selects).collect();
        members.sort_by_key(|member| &member.object);
        members.dedup_by_key(|member| &member.object);
        members
    }

    /// A namespace's labels; None where the namespace isn't known.
    pub fn namespace(&self, name: &str) -> Option<&'a BTreeMap<String, String>> {
        let laid = self.laid().find_map(|fact| match fact {
            Fact::Namespace(laid, labels) if laid == name => Some(labels),
            _ => None,
        });
        let gone = |overlay: &Overlay| {
            overlay.forgotten.iter().any(|id| matches!(id, FactId::Namespace(forgotten) if forgotten == name))
        };
        laid.or_else(|| self.world.namespace(name).filter(|_| !self.overlay.is_some_and(gone)))
    }

    /// The class that a member belongs to: the one that it names, else the one that selects its namespace. None where nobody
    /// knows, as in manifests that don't hold it.
    pub(crate) fn class_of(&self, member: &Member) -> Option<&'a Class> {
        let laid = self.laid().filter_map(|fact| match fact {
            Fact::Class(class) => Some(&**class),
            _ => None,
        });
        let known = self.world.classes().filter(|class| self.counts(&class.object));
        let mut all = laid.chain(known).filter(|class| class.object.api_version == member.object.api_version);
        if let Some(name) = &member.class {
            return all.find(|class| class.object.name == *name);
        }
        let labels = self.namespace(member.object.namespace());
        all.find(|class| {
            class
                .namespaces
                .as_ref()
                .is_some_and(|selector| selector.is_empty() || labels.is_some_and(|labels| selector.matches(labels)))
        })
    }

    /// The name of the mesh that a member belongs to, also of one that it names and that nobody knows.
    pub(crate) fn mesh_of<'m>(&self, member: &'m Member) -> Option<&'m str>
    where
        'a: 'm,
    {
        match &member.class {
            Some(name) => Some(name),
            None => self.class_of(member).map(|class| class.object.name.as_str()),
        }
    }

    /// What is known of a store.
    pub fn store(&self, key: &StoreKey) -> StoreState {
        match self.known_store(key) {
            StoreState::Absent => self.promised(key).map_or(StoreState::Absent, StoreState::Promised),
            state => state,
        }
    }

    /// The same, whoever promises to make it.
    fn known_store(&self, key: &StoreKey) -> StoreState {
        if let Some(read) = self.overlay.and_then(|overlay| overlay.stores.get(key)) {
            return read.clone();
        }
        let laid = self.laid().find_map(|fact| match fact {
            Fact::Store(laid, store) if laid == key => Some(StoreState::Present(store.clone())),
            _ => None,
        });
        if let Some(state) = laid {
            return state;
        }
        let gone = |overlay: &Overlay| {
            overlay.forgotten.iter().any(|id| matches!(id, FactId::Store(forgotten) if forgotten == key))
        };
        if self.overlay.is_some_and(gone) { StoreState::Absent } else { self.world.store(key) }
    }

    /// The role that a ServiceAccount's annotation gives it at AWS; None where there is none, and where nobody knows.
    pub(crate) fn role_of(&self, namespace: &str, service_account: &str) -> Option<&'a str> {
        let laid = self.laid().find_map(|fact| match fact {
            Fact::ServiceAccount(object, role) if object.namespace() == namespace && object.name == service_account => {
                Some(role.as_deref())
            }
            _ => None,
        });
        laid.unwrap_or_else(|| self.world.role_of(&ObjectKey::new("v1", "ServiceAccount", namespace, service_account)))
    }

    /// How Secrets reach the world.
    pub(crate) fn secret_access(&self) -> SecretAccess {
        self.world.secret_access()
    }

    /// Which chain leads to which bundle.
    pub(crate) fn paths(&self) -> &'a PathCache {
        self.world.paths()
    }
}
