//! Everything known of a cluster or of a set of manifests, indexed for the rules' questions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;

use crate::k8s::{ObjectKey, ObjectRef};
use crate::mesh::attached::Attached;
use crate::mesh::class::Class;
use crate::mesh::facts::{Fact, FactId};
use crate::mesh::folders::{Folders, LocalMount};
use crate::mesh::grant::Grant;
use crate::mesh::hop::Hop;
use crate::mesh::index::{LabelIndex, LinkIndex, Links, PromiseIndex, ReaderIndex, SelectorIndex, ServiceIndex};
use crate::mesh::looked;
use crate::mesh::member::Member;
use crate::mesh::mounts::Mounts;
use crate::mesh::paths::PathCache;
use crate::mesh::secrets::{SecretAccess, SecretScope};
use crate::mesh::state::{StoreState, Unread};
use crate::mesh::store::{Store, StoreKey, StoreKind};
use crate::mesh::unlisted::{Gap, Sort, Unlisted};
use crate::mesh::workload::Workload;

/// The shared facts. Pure data: sources write it; rules read it through a [`View`](crate::mesh::View).
#[derive(Debug, Default)]
pub struct World {
    members: HashMap<ObjectRef, Arc<Member>>,
    hops: HashMap<ObjectRef, Arc<Hop>>,
    attached: HashMap<ObjectRef, Arc<Attached>>,
    classes: BTreeMap<ObjectRef, Arc<Class>>,
    grants: BTreeMap<ObjectRef, Arc<Grant>>,
    workloads: HashMap<ObjectRef, Arc<Workload>>,
    stores: HashMap<StoreKey, Arc<Store>>,
    promises: PromiseIndex,
    services: ServiceIndex,
    namespaces: HashMap<String, BTreeMap<String, String>>,
    service_accounts: HashMap<ObjectRef, Option<String>>,
    gateways: BTreeSet<ObjectRef>,
    /// For each gateway: the members that add listeners to it.
    extensions: Links<ObjectRef, ObjectRef>,
    workload_labels: LabelIndex,
    member_selectors: SelectorIndex,
    members_in: Links<String, ObjectRef>,
    /// For each workload: those that use its template.
    takers: Links<ObjectRef, ObjectRef>,
    unlisted: Unlisted,
    links: LinkIndex,
    readers: ReaderIndex,
    paths: PathCache,
    folders: Folders,
    secrets: SecretAccess,
    secret_scope: SecretScope,
}

impl World {
    /// A world whose Secrets are read as `secrets` says.
    pub fn new(secrets: SecretAccess) -> Self {
        Self::reading(secrets, SecretScope::Everywhere)
    }

    /// The same, for the Secrets of these namespaces only.
    pub fn reading(secrets: SecretAccess, scope: SecretScope) -> Self {
        Self { secrets, secret_scope: scope, ..Self::default() }
    }

    /// Adds one fact, replacing an earlier one of the same kind and name.
    pub fn learn(&mut self, fact: Fact) {
        match fact {
            Fact::Member(member) => self.learn_member(member),
            Fact::Hop(hop) => {
                self.forget_hop(&hop.object);
                self.links.add_hop(&hop);
                self.hops.insert(hop.object.clone(), hop);
            }
            Fact::Attached(attached) => {
                self.forget_attached(&attached.object);
                self.links.add_attached(&attached);
                self.readers.add_attached(&attached);
                self.attached.insert(attached.object.clone(), attached);
            }
            Fact::Workload(workload) => {
                self.forget_workload(&workload.object);
                self.workload_labels.insert(&workload.object, &workload.labels);
                self.readers.add_workload(&workload);
                if let Some(taken) = &workload.takes {
                    self.takers.insert(taken.clone(), workload.object.clone());
                }
                self.workloads.insert(workload.object.clone(), workload);
            }
            Fact::Promise(promise) => self.promises.insert(promise),
            Fact::Service(service) => self.services.insert(service),
            Fact::Class(class) => drop(self.classes.insert(class.object.clone(), class)),
            Fact::Grant(grant) => drop(self.grants.insert(grant.object.clone(), grant)),
            Fact::ServiceAccount(object, role) => drop(self.service_accounts.insert(object, role)),
            Fact::Store(key, store) => {
                if let Some(old) = self.stores.insert(key, Arc::clone(&store)) {
                    self.paths.forget(&old, Some(&store));
                }
            }
            Fact::Namespace(name, labels) => drop(self.namespaces.insert(name, labels)),
        }
    }

    /// Replaces everything that came from an object by these facts.
    pub fn replace(&mut self, id: &FactId, facts: impl IntoIterator<Item = Fact>) {
        let mut facts = facts.into_iter().peekable();
        // What a new state of a store leaves as it was is not forgotten.
        if !matches!((id, facts.peek()), (FactId::Store(old), Some(Fact::Store(new, _))) if old == new) {
            self.forget(id);
        }
        self.extend(facts);
    }

    /// Forgets everything that came from an object.
    pub fn forget(&mut self, id: &FactId) {
        match id {
            FactId::Store(key) => {
                if let Some(old) = self.stores.remove(key) {
                    self.paths.forget(&old, None);
                }
            }
            FactId::Namespace(name) => drop(self.namespaces.remove(name)),
            FactId::Object(object) => {
                self.forget_member(object);
                self.forget_hop(object);
                self.forget_attached(object);
                self.forget_workload(object);
                self.promises.remove(object);
                self.services.remove(object);
                self.classes.remove(object);
                self.grants.remove(object);
                self.service_accounts.remove(object);
            }
        }
    }

    fn learn_member(&mut self, member: Arc<Member>) {
        self.forget_member(&member.object);
        if let Some(selector) = &member.pod_selector {
            self.member_selectors.insert(&member.object, selector);
        }
        self.links.add_member(&member);
        self.readers.add_member(&member);
        self.services.add_member(&member);
        self.members_in.insert(member.object.namespace().to_owned(), member.object.clone());
        if member.is_gateway() {
            self.gateways.insert(member.object.clone());
        }
        if let Some(extended) = &member.extends {
            self.extensions.insert(extended.clone(), member.object.clone());
        }
        self.members.insert(member.object.clone(), member);
    }

    fn forget_member(&mut self, object: &ObjectRef) {
        let Some(old) = self.members.remove(object) else { return };
        self.links.remove_member(&old);
        self.readers.remove_member(&old);
        self.services.remove_member(&old);
        self.members_in.remove(&object.namespace().to_owned(), object);
        self.gateways.remove(object);
        if let Some(extended) = &old.extends {
            self.extensions.remove(extended, object);
        }
        if let Some(selector) = &old.pod_selector {
            self.member_selectors.remove(object, selector);
        }
    }

    fn forget_hop(&mut self, object: &ObjectRef) {
        if let Some(old) = self.hops.remove(object) {
            self.links.remove_hop(&old);
        }
    }

    fn forget_attached(&mut self, object: &ObjectRef) {
        if let Some(old) = self.attached.remove(object) {
            self.links.remove_attached(&old);
            self.readers.remove_attached(&old);
        }
    }

    fn forget_workload(&mut self, object: &ObjectRef) {
        if let Some(old) = self.workloads.remove(object) {
            self.workload_labels.remove(object, &old.labels);
            self.readers.remove_workload(&old);
            if let Some(taken) = &old.takes {
                self.takers.remove(taken, object);
            }
        }
    }

    /// Notes that objects of a kind may be missing because they couldn't be listed; `None`: all are known again.
    pub fn note_unlisted(&mut self, resource: &str, gap: Option<Gap>) {
        self.unlisted.note(resource, gap);
    }

    /// The kinds that couldn't be listed.
    pub(crate) fn unlisted(&self) -> &Unlisted {
        &self.unlisted
    }

    /// Lets a local folder stand in for a mount.
    pub(crate) fn mount_folder(&mut self, mount: LocalMount) {
        self.folders.add(mount);
    }

    /// The facts that came from an object, in the order of their kinds.
    pub fn facts_of(&self, id: &FactId) -> Vec<Fact> {
        match id {
            FactId::Store(key) => {
                self.stores.get(key).map(|store| Fact::Store(key.clone(), Arc::clone(store))).into_iter().collect()
            }
            FactId::Namespace(name) => self
                .namespaces
                .get(name)
                .map(|labels| Fact::Namespace(name.clone(), labels.clone()))
                .into_iter()
                .collect(),
            FactId::Object(object) => self.facts_of_object(object),
        }
    }

    fn facts_of_object(&self, object: &ObjectRef) -> Vec<Fact> {
        let account = || self.service_accounts.get(object).cloned();
        let facts = [
            self.members.get(object).cloned().map(Fact::Member),
            self.hops.get(object).cloned().map(Fact::Hop),
            self.attached.get(object).cloned().map(Fact::Attached),
            self.classes.get(object).cloned().map(Fact::Class),
            self.grants.get(object).cloned().map(Fact::Grant),
            self.workloads.get(object).cloned().map(Fact::Workload),
            self.promises.get(object).cloned().map(Fact::Promise),
            self.services.get(object).cloned().map(Fact::Service),
            account().map(|role| Fact::ServiceAccount(object.clone(), role)),
        ];
        facts.into_iter().flatten().collect()
    }

    /// Everything that facts come from, in no order.
    pub fn ids(&self) -> impl Iterator<Item = FactId> {
        let objects = self
            .members
            .keys()
            .chain(self.hops.keys())
            .chain(self.attached.keys())
            .chain(self.classes.keys())
            .chain(self.grants.keys())
            .chain(self.workloads.keys())
            .chain(self.promises.objects())
            .chain(self.services.objects())
            .chain(self.service_accounts.keys());
        let stores = self.stores.keys().cloned().map(FactId::Store);
        let namespaces = self.namespaces.keys().cloned().map(FactId::Namespace);
        objects.cloned().map(FactId::Object).chain(stores).chain(namespaces)
    }

    /// All members, in no order.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values().inspect(|_| looked::note())
    }

    /// All workloads that have pods of their own, in no order.
    pub fn workloads(&self) -> impl Iterator<Item = &Arc<Workload>> {
        self.workloads.values().filter(|workload| !workload.at_rest && workload.takes.is_none())
    }

    /// All hops, in no order.
    pub fn hops(&self) -> impl Iterator<Item = &Arc<Hop>> {
        self.hops.values()
    }

    /// A namespace's labels; None where the namespace isn't known.
    pub fn namespace(&self, name: &str) -> Option<&BTreeMap<String, String>> {
        self.namespaces.get(name)
    }

    /// The names of all known namespaces, in no order.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.keys().map(String::as_str)
    }

    /// What is known of a store.
    pub fn store(&self, key: &StoreKey) -> StoreState {
        looked::note();
        match self.stores.get(key) {
            Some(store) => StoreState::Present(Arc::clone(store)),
            None => self.absent(key),
        }
    }

    fn absent(&self, key: &StoreKey) -> StoreState {
        let sort = match key.kind {
            StoreKind::Secret => Some(Sort::Secrets),
            StoreKind::ConfigMap => Some(Sort::ConfigMaps),
            StoreKind::Folder => None,
        };
        if let Some(gap) = sort.and_then(|sort| self.unlisted.hides(sort, &key.namespace)) {
            // What can't be listed may still be read by name.
            return StoreState::Unread(match self.secrets {
                SecretAccess::OnDemand => Unread::OnDemand,
                SecretAccess::Complete | SecretAccess::Never => Unread::Failed(gap.why.clone()),
            });
        }
        if key.kind != StoreKind::Secret {
            return StoreState::Absent;
        }
        if !self.secret_scope.holds(&key.namespace) {
            return StoreState::Unread(Unread::NotAllowed);
        }
        match self.secrets {
            SecretAccess::Complete => StoreState::Absent,
            SecretAccess::OnDemand => StoreState::Unread(Unread::OnDemand),
            SecretAccess::Never => StoreState::Unread(Unread::NotAllowed),
        }
    }

    /// How this world's Secrets are read.
    pub(crate) fn secret_access(&self) -> SecretAccess {
        self.secrets
    }

    /// Which namespaces' Secrets are read.
    pub(crate) fn secret_scope(&self) -> &SecretScope {
        &self.secret_scope
    }

    /// The numbers of known objects, for metrics and logs.
    pub fn counts(&self) -> [(&'static str, usize); 5] {
        [
            ("members", self.members.len()),
            ("workloads", self.workloads.len()),
            ("stores", self.stores.len()),
            ("namespaces", self.namespaces.len()),
            ("routes", self.hops.len()),
        ]
    }
}

impl Extend<Fact> for World {
    fn extend<T: IntoIterator<Item = Fact>>(&mut self, facts: T) {
        facts.into_iter().for_each(|fact| self.learn(fact));
    }
}

/// What the [`View`](crate::mesh::View) uses.
impl World {
    pub(super) fn member(&self, object: &ObjectRef) -> Option<&Member> {
        looked::note();
        self.members.get(object).map(AsRef::as_ref)
    }

    pub(super) fn hop(&self, object: &ObjectRef) -> Option<&Hop> {
        looked::note();
        self.hops.get(object).map(AsRef::as_ref)
    }

    pub(super) fn hop_named(&self, key: &ObjectKey<'_>) -> Option<&Hop> {
        looked::note();
        self.hops.get(key).map(AsRef::as_ref)
    }

    pub(super) fn attachments(&self) -> impl Iterator<Item = &Attached> {
        self.attached.values().map(AsRef::as_ref)
    }

    pub(super) fn attachment(&self, object: &ObjectRef) -> Option<&Attached> {
        looked::note();
        self.attached.get(object).map(AsRef::as_ref)
    }

    pub(super) fn classes(&self) -> impl Iterator<Item = &Class> {
        self.classes.values().map(AsRef::as_ref).inspect(|_| looked::note())
    }

    pub(super) fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.values().map(AsRef::as_ref).inspect(|_| looked::note())
    }

    pub(super) fn workload(&self, object: &ObjectRef) -> Option<&Workload> {
        looked::note();
        self.workloads.get(object).map(AsRef::as_ref)
    }

    pub(super) fn extensions_of(&self, gateway: &ObjectRef) -> impl Iterator<Item = &Member> {
        self.extensions.of(gateway).filter_map(|object| self.member(object))
    }

    pub(super) fn gateways(&self) -> impl Iterator<Item = &Member> {
        self.gateways.iter().filter_map(|object| self.member(object))
    }

    pub(super) fn promises(&self) -> &PromiseIndex {
        &self.promises
    }

    pub(super) fn services(&self) -> &ServiceIndex {
        &self.services
    }

    pub(super) fn takers_of(&self, workload: &ObjectRef) -> impl Iterator<Item = &ObjectRef> {
        self.takers.of(workload)
    }

    pub(super) fn role_of(&self, account: &ObjectKey<'_>) -> Option<Option<&str>> {
        self.service_accounts.get(account).map(Option::as_deref)
    }

    pub(super) fn members_in(&self, namespace: &str) -> impl Iterator<Item = &ObjectRef> {
        self.members_in.of(namespace)
    }

    pub(super) fn workload_labels(&self) -> &LabelIndex {
        &self.workload_labels
    }

    pub(super) fn member_selectors(&self) -> &SelectorIndex {
        &self.member_selectors
    }

    pub(super) fn links(&self) -> &LinkIndex {
        &self.links
    }

    pub(super) fn readers(&self) -> &ReaderIndex {
        &self.readers
    }

    pub(super) fn paths(&self) -> &PathCache {
        &self.paths
    }

    pub(super) fn folders_for<'a>(&'a self, member: &'a ObjectRef) -> impl Iterator<Item = &'a Mounts> {
        self.folders.of(member)
    }
}
