//! The world fact by fact, for whoever compares it with where it comes from.

use std::sync::Arc;

use super::{Fact, FactId, World};
use crate::k8s::ObjectRef;

impl World {
    /// What is known under a name.
    pub fn fact(&self, id: &FactId) -> Option<Fact> {
        match id {
            FactId::Store(key) => self.stores.get(key).map(|store| Fact::Store(key.clone(), Arc::clone(store))),
            FactId::Namespace(name) => {
                self.namespaces.get(name).map(|labels| Fact::Namespace(name.clone(), labels.clone()))
            }
            FactId::Object(object) => self.object(object),
        }
    }

    fn object(&self, object: &ObjectRef) -> Option<Fact> {
        let name = || object.clone();
        let member = || self.members.get(object).cloned().map(Fact::Member);
        let workload = || self.workloads.get(object).cloned().map(Fact::Workload);
        let service = || self.services.get(object).cloned().map(|it| Fact::Service(name(), it));
        let router = || self.routers.get(object).cloned().map(|it| Fact::Router(name(), it));
        let gateway_route = || self.gateway_routes.get(object).cloned().map(|it| Fact::GatewayRoute(name(), it));
        let group = || self.backend_groups.get(object).cloned().map(|it| Fact::BackendGroup(name(), it));
        let mesh = || self.meshes.get(object).cloned().map(|it| Fact::Mesh(name(), it));
        let account = || self.service_accounts.get(object).cloned().map(|it| Fact::ServiceAccount(name(), it));
        member()
            .or_else(workload)
            .or_else(service)
            .or_else(router)
            .or_else(gateway_route)
            .or_else(group)
            .or_else(mesh)
            .or_else(account)
    }

    /// The names of all facts, in no order.
    pub fn ids(&self) -> impl Iterator<Item = FactId> {
        let objects = self
            .members
            .keys()
            .chain(self.workloads.keys())
            .chain(self.services.keys())
            .chain(self.routers.keys())
            .chain(self.gateway_routes.keys())
            .chain(self.backend_groups.keys())
            .chain(self.meshes.keys())
            .chain(self.service_accounts.keys());
        let stores = self.stores.keys().cloned().map(FactId::Store);
        let namespaces = self.namespaces.keys().cloned().map(FactId::Namespace);
        objects.cloned().map(FactId::Object).chain(stores).chain(namespaces)
    }
}
