//! The world as one judgement sees it: the shared snapshot, with an overlay and the object under review laid over it.

mod aws;
mod behind;
mod gates;
mod links;
mod membership;
mod places;
mod promises;
mod services;
mod touched;

use std::collections::{BTreeMap, HashSet};

use crate::aws::AwsFacts;
use crate::k8s::{ObjectKey, ObjectRef};
use crate::mesh::attached::Attached;
use crate::mesh::facts::{Fact, FactId};
use crate::mesh::hop::Hop;
use crate::mesh::member::Member;
use crate::mesh::overlay::Overlay;
use crate::mesh::paths::PathCache;
use crate::mesh::secrets::SecretAccess;
use crate::mesh::settings::Settings;
use crate::mesh::state::StoreState;
use crate::mesh::store::StoreKey;
use crate::mesh::unlisted::{Gap, Sort};
use crate::mesh::workload::Workload;
use crate::mesh::world::World;

pub(crate) use gates::{Listening, takes};
pub use membership::Belonging;
pub use places::Place;
pub use services::Front;

/// What the rules read.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    world: &'a World,
    overlay: Option<&'a Overlay>,
    subject: &'a [Fact],
    aws: Option<&'a AwsFacts>,
    settings: Settings<'a>,
}

impl<'a> View<'a> {
    /// A view of the world as it is.
    pub fn new(world: &'a World) -> Self {
        Self { world, overlay: None, subject: &[], aws: None, settings: Settings::default() }
    }

    /// The same, with changes laid over it.
    #[must_use]
    pub fn over(self, overlay: &'a Overlay) -> Self {
        Self { overlay: Some(overlay).filter(|overlay| !overlay.is_empty()), ..self }
    }

    /// The same, with what AWS has answered.
    #[must_use]
    pub fn answered(self, facts: &'a AwsFacts) -> Self {
        Self { aws: Some(facts), ..self }
    }

    /// The same, with these settings.
    #[must_use]
    pub fn under(self, settings: Settings<'a>) -> Self {
        Self { settings, ..self }
    }

    /// Whether where a member has its files from is told: see [`Settings::told_to`].
    pub(crate) fn tells_stores_of(&self, member: &Member) -> bool {
        self.settings.tells_stores_of(member)
    }

    /// The same, with these facts for the object under review, whatever else is known of it.
    #[must_use]
    pub fn about(self, subject: &'a [Fact]) -> Self {
        Self { subject, ..self }
    }

    /// The facts that replace the world's: the subject's first.
    fn laid(&self) -> impl Iterator<Item = &'a Fact> + use<'a> {
        self.subject.iter().chain(self.overlay.map_or(&[][..], |overlay| &overlay.learnt))
    }

    /// Whether the world's facts about an object count.
    fn counts(&self, object: &ObjectRef) -> bool {
        !self.subject.iter().any(|fact| fact.is_of(object))
            && !self.overlay.is_some_and(|overlay| overlay.hides(object))
    }

    /// The member with this name.
    pub fn member(&self, object: &ObjectRef) -> Option<&'a Member> {
        let laid = self.laid().find_map(|fact| match fact {
            Fact::Member(member) if member.object == *object => Some(&**member),
            _ => None,
        });
        laid.or_else(|| self.world.member(object).filter(|_| self.counts(object)))
    }

    /// Whether the change under review deletes an object.
    pub(crate) fn is_deleted(&self, object: &ObjectRef) -> bool {
        let is_it = |id: &FactId| matches!(id, FactId::Object(deleted) if deleted == object);
        self.overlay.is_some_and(|overlay| overlay.forgotten.iter().any(is_it))
    }

    /// The hop with this name.
    pub fn hop(&self, object: &ObjectRef) -> Option<&'a Hop> {
        let laid = self.laid().find_map(|fact| match fact {
            Fact::Hop(hop) if hop.object == *object => Some(&**hop),
            _ => None,
        });
        laid.or_else(|| self.world.hop(object).filter(|_| self.counts(object)))
    }

    /// The workload with this name.
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

    /// All gateways, by name: there are few.
    fn gateways(&self) -> Vec<&'a Member> {
        let known = self.world.gateways().filter(|gateway| self.counts(&gateway.object));
        let mut gateways: Vec<_> = known.chain(self.laid_members().filter(|member| member.is_gateway())).collect();
        gateways.sort_by_key(|gateway| &gateway.object);
        gateways.dedup_by_key(|gateway| &gateway.object);
        gateways
    }

    /// The attached policy with this name.
    fn attachment(&self, object: &ObjectRef) -> Option<&'a Attached> {
        let laid = self.laid().find_map(|fact| match fact {
            Fact::Attached(attached) if attached.object == *object => Some(&**attached),
            _ => None,
        });
        laid.or_else(|| self.world.attachment(object).filter(|_| self.counts(object)))
    }

    /// All attached policies.
    fn attachments(&self) -> impl Iterator<Item = &'a Attached> + use<'a> {
        let view = *self;
        let known = view.world.attachments().filter(move |attached| view.counts(&attached.object));
        known.chain(self.laid().filter_map(Fact::as_attached))
    }

    /// The workloads whose pods are this member's proxies, by name.
    pub(crate) fn workloads_of(&self, member: &Member) -> Vec<&'a Workload> {
        let Some(selector) = &member.pod_selector else { return Vec::new() };
        let namespace = member.object.namespace();
        let known = self.world.workload_labels().candidates(namespace, selector);
        let known = known.filter(|object| self.counts(object)).filter_map(|object| self.world.workload(object));
        let is_selected = |workload: &&Workload| selector.matches(&workload.labels) && self.runs(workload);
        let mut found: Vec<&Workload> = known.filter(is_selected).collect();
        let before = found.len();
        let laid = self.laid_workloads().filter(|workload| workload.object.namespace() == namespace);
        found.extend(laid.filter(is_selected));
        if found.len() > before {
            found.sort_by_key(|workload| &workload.object);
        }
        if found.len() > 1 {
            // One object may be known under several versions of its kind.
            let mut seen = HashSet::new();
            found.retain(|Workload { object, .. }| seen.insert((&object.kind, object.group(), &object.name)));
        }
        found
    }

    /// Whether pods are created from a workload's template: by itself, or by one that uses the template.
    pub(crate) fn runs(&self, workload: &Workload) -> bool {
        let is_taken = || {
            let laid = self.laid_workloads().any(|other| other.takes.as_ref() == Some(&workload.object));
            laid || self.world.takers_of(&workload.object).any(|taker| self.counts(taker))
        };
        workload.takes.is_none() && (!workload.at_rest || is_taken())
    }

    fn laid_workloads(&self) -> impl Iterator<Item = &'a Workload> + use<'a> {
        self.laid().filter_map(|fact| match fact {
            Fact::Workload(workload) => Some(&**workload),
            _ => None,
        })
    }

    /// The members that select a workload's pods, in no order.
    pub(crate) fn members_of(&self, workload: &Workload) -> Vec<&'a Member> {
        if !self.runs(workload) {
            return Vec::new();
        }
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

    /// What is known of a store.
    pub fn store(&self, key: &StoreKey) -> StoreState {
        match self.known_store(key) {
            StoreState::Absent => self.promised(key).map_or(StoreState::Absent, StoreState::Promised),
            state => state,
        }
    }

    /// The same, without promises.
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

    /// The AWS role in a ServiceAccount's annotation; None where there is none.
    ///
    /// # Errors
    /// The ServiceAccount may be one that couldn't be listed.
    pub(crate) fn role_of(&self, namespace: &str, service_account: &str) -> Result<Option<&'a str>, &'a Gap> {
        let laid = self.laid().find_map(|fact| match fact {
            Fact::ServiceAccount(object, role) if object.namespace() == namespace && object.name == service_account => {
                Some(role.as_deref())
            }
            _ => None,
        });
        let known = || self.world.role_of(&ObjectKey::new("v1", "ServiceAccount", namespace, service_account));
        match laid.or_else(known) {
            Some(role) => Ok(role),
            None => self.world.unlisted().hides(Sort::ServiceAccounts, namespace).map_or(Ok(None), Err),
        }
    }

    /// The kinds of a sort that couldn't be listed and may have objects in a namespace, as RBAC names them. For cluster-scoped kinds
    /// the namespace is empty.
    pub fn unlisted(&self, sort: Sort, namespace: &str) -> Vec<(&'a str, &'a Gap)> {
        self.world.unlisted().hiding(sort, namespace).collect()
    }

    /// Whether anything could not be listed.
    pub fn has_gaps(&self) -> bool {
        !self.world.unlisted().is_empty()
    }

    /// Whether a member's callers may be among what couldn't be listed.
    pub fn may_have_hidden_callers(&self) -> bool {
        [Sort::Members, Sort::Hops].into_iter().any(|sort| self.world.unlisted().any(sort))
    }

    /// How Secrets reach the world.
    pub(crate) fn secret_access(&self) -> SecretAccess {
        self.world.secret_access()
    }

    /// The cache of paths from chains to bundles.
    pub(crate) fn paths(&self) -> &'a PathCache {
        self.world.paths()
    }
}
