//! Everything known of a cluster (or of a set of manifests), indexed for the questions that the rules ask.

mod facts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;

use crate::apis::appmesh::{BackendGroup, GatewayRoute, Mesh, VirtualRouter, VirtualService};
use crate::k8s::{ObjectKey, ObjectRef};
use crate::mesh::index::{LabelIndex, SelectorIndex};
use crate::mesh::member::Member;
use crate::mesh::mounts::{Mount, Mounts, Part, Volume, clean_path};
use crate::mesh::paths::PathCache;
use crate::mesh::routes::{EVERY_SERVICE, GroupEntry, Name, RouteIndex, group_entries};
use crate::mesh::secrets::{SecretAccess, SecretScope};
use crate::mesh::store::{Store, StoreKey, StoreKind, StoreState, Unread};
use crate::mesh::workload::Workload;

/// One thing learnt about the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A virtual node or gateway.
    Member(Arc<Member>),
    /// A VirtualService.
    Service(ObjectRef, Arc<VirtualService>),
    /// A VirtualRouter.
    Router(ObjectRef, Arc<VirtualRouter>),
    /// A GatewayRoute.
    GatewayRoute(ObjectRef, Arc<GatewayRoute>),
    /// A BackendGroup.
    BackendGroup(ObjectRef, Arc<BackendGroup>),
    /// A Mesh.
    Mesh(ObjectRef, Arc<Mesh>),
    /// A top owner of pods.
    Workload(Arc<Workload>),
    /// A Secret or ConfigMap.
    Store(StoreKey, Arc<Store>),
    /// A ServiceAccount, and the role that its annotation gives it at AWS.
    ServiceAccount(ObjectRef, Option<String>),
    /// A namespace and its labels.
    Namespace(String, BTreeMap<String, String>),
}

/// The name of a fact, by which it is forgotten again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactId {
    /// An object other than the two below.
    Object(ObjectRef),
    /// A Secret or ConfigMap.
    Store(StoreKey),
    /// A namespace.
    Namespace(String),
}

impl Fact {
    /// What to forget when this fact no longer holds.
    pub fn id(&self) -> FactId {
        match self {
            Fact::Member(member) => FactId::Object(member.object.clone()),
            Fact::Workload(workload) => FactId::Object(workload.object.clone()),
            Fact::Service(object, _)
            | Fact::Router(object, _)
            | Fact::GatewayRoute(object, _)
            | Fact::BackendGroup(object, _)
            | Fact::ServiceAccount(object, _)
            | Fact::Mesh(object, _) => FactId::Object(object.clone()),
            Fact::Store(key, _) => FactId::Store(key.clone()),
            Fact::Namespace(name, _) => FactId::Namespace(name.clone()),
        }
    }
}

/// A local folder that stands in for a mount (`check --files`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMount {
    /// The namespace and name of the one member it holds for; None: for all.
    pub member: Option<(String, String)>,
    /// Where the proxy would have it mounted, cleaned.
    pub at: String,
    /// The folder's store.
    pub store: StoreKey,
}

/// The model that the rules read. Pure data: sources write it, rules look things up.
#[derive(Debug, Default)]
pub struct World {
    members: HashMap<ObjectRef, Arc<Member>>,
    workloads: HashMap<ObjectRef, Arc<Workload>>,
    stores: HashMap<StoreKey, Arc<Store>>,
    namespaces: HashMap<String, BTreeMap<String, String>>,
    services: HashMap<ObjectRef, Arc<VirtualService>>,
    /// In order, so that those of one namespace stand together.
    service_names: BTreeSet<Name>,
    routers: HashMap<ObjectRef, Arc<VirtualRouter>>,
    gateway_routes: HashMap<ObjectRef, Arc<GatewayRoute>>,
    backend_groups: HashMap<ObjectRef, Arc<BackendGroup>>,
    meshes: HashMap<ObjectRef, Arc<Mesh>>,
    service_accounts: HashMap<ObjectRef, Option<String>>,
    gateways: BTreeSet<ObjectRef>,
    workload_labels: LabelIndex,
    member_selectors: SelectorIndex,
    route_index: RouteIndex,
    path_cache: PathCache,
    local_mounts: Vec<(LocalMount, Mounts)>,
    secrets: SecretAccess,
    secret_scope: SecretScope,
}

impl World {
    /// A world whose Secrets arrive as `secrets` says.
    pub fn new(secrets: SecretAccess) -> Self {
        Self::reading(secrets, SecretScope::Everywhere)
    }

    /// The same, of these namespaces alone.
    pub fn reading(secrets: SecretAccess, scope: SecretScope) -> Self {
        Self { secrets, secret_scope: scope, ..Self::default() }
    }

    /// Learns one fact, replacing what was known under its name.
    pub fn learn(&mut self, fact: Fact) {
        match fact {
            Fact::Member(member) => {
                self.forget_member(&member.object);
                if let Some(selector) = &member.pod_selector {
                    self.member_selectors.insert(&member.object, selector);
                }
                self.route_index.add_member(&member);
                if member.is_gateway() {
                    self.gateways.insert(member.object.clone());
                }
                self.members.insert(member.object.clone(), member);
            }
            Fact::Workload(workload) => {
                self.forget_workload(&workload.object);
                self.workload_labels.insert(&workload.object, &workload.labels);
                self.workloads.insert(workload.object.clone(), workload);
            }
            Fact::Service(object, service) => {
                self.forget_service(&object);
                self.route_index.add_service(&object, &service);
                self.service_names.insert(Name::of(&object));
                self.services.insert(object, service);
            }
            Fact::Router(object, router) => {
                self.forget_router(&object);
                self.route_index.add_router(&object, &router);
                self.routers.insert(object, router);
            }
            Fact::GatewayRoute(object, route) => {
                self.forget_gateway_route(&object);
                self.route_index.add_gateway_route(&object, &route);
                self.gateway_routes.insert(object, route);
            }
            Fact::BackendGroup(object, group) => {
                self.forget_group(&object);
                self.route_index.add_group(&object, &group);
                self.backend_groups.insert(object, group);
            }
            Fact::Mesh(object, mesh) => drop(self.meshes.insert(object, mesh)),
            Fact::ServiceAccount(object, role) => drop(self.service_accounts.insert(object, role)),
            Fact::Store(key, store) => drop(self.stores.insert(key, store)),
            Fact::Namespace(name, labels) => drop(self.namespaces.insert(name, labels)),
        }
    }

    /// Forgets what was known under a name.
    pub fn forget(&mut self, id: &FactId) {
        match id {
            FactId::Store(key) => drop(self.stores.remove(key)),
            FactId::Namespace(name) => drop(self.namespaces.remove(name)),
            FactId::Object(object) => {
                self.forget_member(object);
                self.forget_workload(object);
                self.forget_service(object);
                self.forget_router(object);
                self.forget_gateway_route(object);
                self.forget_group(object);
                self.meshes.remove(object);
                self.service_accounts.remove(object);
            }
        }
    }

    fn forget_member(&mut self, object: &ObjectRef) {
        let Some(old) = self.members.remove(object) else { return };
        self.route_index.remove_member(&old);
        self.gateways.remove(object);
        if let Some(selector) = &old.pod_selector {
            self.member_selectors.remove(object, selector);
        }
    }

    fn forget_service(&mut self, object: &ObjectRef) {
        if let Some(old) = self.services.remove(object) {
            self.service_names.remove(&Name::of(object));
            self.route_index.remove_service(object, &old);
        }
    }

    fn forget_router(&mut self, object: &ObjectRef) {
        if let Some(old) = self.routers.remove(object) {
            self.route_index.remove_router(object, &old);
        }
    }

    fn forget_group(&mut self, object: &ObjectRef) {
        if let Some(old) = self.backend_groups.remove(object) {
            self.route_index.remove_group(object, &old);
        }
    }

    fn forget_gateway_route(&mut self, object: &ObjectRef) {
        if let Some(old) = self.gateway_routes.remove(object) {
            self.route_index.remove_gateway_route(object, &old);
        }
    }

    fn forget_workload(&mut self, object: &ObjectRef) {
        if let Some(old) = self.workloads.remove(object) {
            self.workload_labels.remove(object, &old.labels);
        }
    }

    /// Lets a local folder stand in for a mount.
    pub fn mount_folder(&mut self, mut mount: LocalMount) {
        mount.at = clean_path(&mount.at);
        let part = Part { store: mount.store.clone().into(), items: None, optional: false };
        let mounts =
            Mounts::new(vec![Mount { at: mount.at.clone(), sub_path: None, volume: Volume::Files(vec![part]) }]);
        self.local_mounts.push((mount, mounts));
        self.local_mounts.sort_by_key(|(mount, _)| std::cmp::Reverse((mount.member.is_some(), mount.at.len())));
    }

    /// Folders that stand in for mounts of this member: those named for it first, then the longest path first.
    pub fn folders_for<'a>(&'a self, member: &'a ObjectRef) -> impl Iterator<Item = &'a Mounts> {
        self.local_mounts
            .iter()
            .filter(|(mount, _)| {
                mount
                    .member
                    .as_ref()
                    .is_none_or(|(namespace, name)| namespace == member.namespace() && *name == member.name)
            })
            .map(|(_, mounts)| mounts)
    }

    /// The member of this name.
    pub fn member(&self, object: &ObjectRef) -> Option<&Arc<Member>> {
        self.members.get(object)
    }

    /// All members, in no order.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values()
    }

    /// All workloads, in no order.
    pub fn workloads(&self) -> impl Iterator<Item = &Arc<Workload>> {
        self.workloads.values()
    }

    /// All virtual services, in no order.
    pub fn services(&self) -> impl Iterator<Item = (&ObjectRef, &Arc<VirtualService>)> {
        self.services.iter()
    }

    /// All virtual routers, in no order.
    pub fn routers(&self) -> impl Iterator<Item = (&ObjectRef, &Arc<VirtualRouter>)> {
        self.routers.iter()
    }

    /// Which chain leads to which bundle.
    pub(crate) fn paths(&self) -> &PathCache {
        &self.path_cache
    }

    /// The links between members, services and routers.
    pub(crate) fn routes(&self) -> &RouteIndex {
        &self.route_index
    }

    /// The virtual node of this name.
    pub(crate) fn node(&self, name: &Name) -> Option<&Member> {
        self.members.get(&app_mesh("VirtualNode", name)).map(AsRef::as_ref)
    }

    /// All gateways: a mesh has few.
    pub(crate) fn gateways(&self) -> impl Iterator<Item = &Member> {
        self.gateways.iter().filter_map(|object| self.members.get(object)).map(AsRef::as_ref)
    }

    /// The virtual service of this name.
    pub(crate) fn service(&self, name: &Name) -> Option<(&ObjectRef, &VirtualService)> {
        let (object, service) = self.services.get_key_value(&app_mesh("VirtualService", name))?;
        Some((object, service))
    }

    /// The virtual router of this name.
    pub(crate) fn router(&self, name: &Name) -> Option<(&ObjectRef, &VirtualRouter)> {
        let (object, router) = self.routers.get_key_value(&app_mesh("VirtualRouter", name))?;
        Some((object, router))
    }

    /// The services that a backend group stands for, to a member of this namespace.
    pub(crate) fn services_of_group(&self, group: &Name, namespace: &str) -> Vec<Name> {
        let group = self.backend_groups.get(&app_mesh("BackendGroup", group));
        let entries = group.into_iter().flat_map(|group| group_entries(group));
        entries.flat_map(|entry| self.services_of_entry(&entry, namespace)).collect()
    }

    /// The services that one entry of a backend group stands for, to a member of this namespace.
    pub(crate) fn services_of_entry(&self, entry: &GroupEntry, namespace: &str) -> Vec<Name> {
        let namespace = entry.namespace.as_deref().unwrap_or(namespace);
        if entry.name != EVERY_SERVICE {
            return vec![Name::new(namespace, &entry.name)];
        }
        let there = self.service_names.range(Name::new(namespace, "")..);
        there.take_while(|service| service.namespace == namespace).cloned().collect()
    }

    /// The gateway route of this name.
    pub(crate) fn gateway_route(&self, object: &ObjectRef) -> Option<&GatewayRoute> {
        self.gateway_routes.get(object).map(AsRef::as_ref)
    }

    /// The mesh that a member belongs to: the one it names, else the one whose namespaceSelector fits its namespace (absent:
    /// none; empty: all). None where nobody knows, as in manifests without a Mesh.
    pub(crate) fn mesh_of<'a>(&'a self, member: &'a Member) -> Option<&'a str> {
        if let Some(name) = &member.mesh_ref {
            return Some(name);
        }
        let labels = self.namespaces.get(member.object.namespace());
        let fits = |mesh: &&Arc<Mesh>| {
            mesh.spec
                .namespace_selector
                .as_ref()
                .is_some_and(|selector| selector.is_empty() || labels.is_some_and(|labels| selector.matches(labels)))
        };
        self.meshes.values().find(fits).map(|mesh| mesh.metadata.name.as_str())
    }

    /// The mesh of this name.
    pub(crate) fn mesh(&self, name: &str) -> Option<&Mesh> {
        self.meshes.get(&ObjectKey::mesh(name)).map(AsRef::as_ref)
    }

    /// The role that a ServiceAccount's annotation gives it at AWS; None where there is none, and where nobody knows.
    pub(crate) fn role_of(&self, namespace: &str, service_account: &str) -> Option<&str> {
        self.service_accounts.get(&ObjectKey::new("v1", "ServiceAccount", namespace, service_account))?.as_deref()
    }

    /// The workloads whose pods are this member's proxies, by name.
    pub fn workloads_of<'a>(&'a self, member: &'a Member) -> impl Iterator<Item = &'a Arc<Workload>> {
        member.pod_selector.iter().flat_map(move |selector| {
            self.workload_labels
                .candidates(member.object.namespace(), selector)
                .filter_map(|object| self.workloads.get(object))
                .filter(move |workload| selector.matches(&workload.labels))
        })
    }

    /// The members that select this workload's pods.
    pub fn members_of<'a>(&'a self, workload: &'a Workload) -> impl Iterator<Item = &'a Arc<Member>> {
        self.member_selectors
            .candidates(workload.object.namespace(), &workload.labels)
            .filter_map(|object| self.members.get(object))
            .filter(|member| member.pod_selector.as_ref().is_some_and(|selector| selector.matches(&workload.labels)))
    }

    /// A namespace's labels; None where the namespace isn't known.
    pub fn namespace(&self, name: &str) -> Option<&BTreeMap<String, String>> {
        self.namespaces.get(name)
    }

    /// The names of all namespaces that are known, in no order.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.keys().map(String::as_str)
    }

    /// What is known of a store.
    pub fn store(&self, key: &StoreKey) -> StoreState {
        match self.stores.get(key) {
            Some(store) => StoreState::Present(Arc::clone(store)),
            None if key.kind != StoreKind::Secret => StoreState::Absent,
            None if !self.secret_scope.holds(&key.namespace) => StoreState::Unread(Unread::NotAllowed),
            None => match self.secrets {
                SecretAccess::Complete => StoreState::Absent,
                SecretAccess::OnDemand => StoreState::Unread(Unread::OnDemand),
                SecretAccess::Never => StoreState::Unread(Unread::NotAllowed),
            },
        }
    }

    /// How Secrets reach this world.
    pub fn secret_access(&self) -> SecretAccess {
        self.secrets
    }

    /// Whose Secrets reach this world.
    pub fn secret_scope(&self) -> &SecretScope {
        &self.secret_scope
    }

    /// How many of each are known, for metrics and logs.
    pub fn counts(&self) -> [(&'static str, usize); 5] {
        [
            ("members", self.members.len()),
            ("workloads", self.workloads.len()),
            ("stores", self.stores.len()),
            ("namespaces", self.namespaces.len()),
            (
                "routes",
                self.services.len() + self.routers.len() + self.gateway_routes.len() + self.backend_groups.len(),
            ),
        ]
    }
}

fn app_mesh<'a>(kind: &'a str, name: &'a Name) -> ObjectKey<'a> {
    ObjectKey::app_mesh(kind, &name.namespace, &name.name)
}
