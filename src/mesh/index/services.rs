//! Services, by the pods that they select and by the hostnames that name them.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::k8s::{Labels, ObjectRef};
use crate::mesh::end::Discovery;
use crate::mesh::index::{Links, SelectorIndex};
use crate::mesh::member::Member;
use crate::mesh::service::{SERVICE, Service, ServiceName};

/// All Services, and the members whose hostname names one, whether it exists or not.
#[derive(Debug, Default)]
pub(crate) struct ServiceIndex {
    services: HashMap<ObjectRef, Arc<Service>>,
    in_namespace: Links<String, ObjectRef>,
    selectors: SelectorIndex,
    /// Members by the Service that their hostname names.
    behind: Links<ObjectRef, ObjectRef>,
    /// The Services that hostnames name, by their namespace.
    named_in: Links<String, ObjectRef>,
}

impl ServiceIndex {
    pub(crate) fn insert(&mut self, service: Arc<Service>) {
        self.remove(&service.object);
        self.in_namespace.insert(service.object.namespace().to_owned(), service.object.clone());
        if let Some(selector) = &service.selector {
            self.selectors.insert(&service.object, selector);
        }
        self.services.insert(service.object.clone(), service);
    }

    pub(crate) fn remove(&mut self, object: &ObjectRef) {
        let Some(old) = self.services.remove(object) else { return };
        self.in_namespace.remove(&object.namespace().to_owned(), object);
        if let Some(selector) = &old.selector {
            self.selectors.remove(object, selector);
        }
    }

    pub(crate) fn add_member(&mut self, member: &Member) {
        let Some(service) = named_by(member) else { return };
        self.named_in.insert(service.namespace().to_owned(), service.clone());
        self.behind.insert(service, member.object.clone());
    }

    pub(crate) fn remove_member(&mut self, member: &Member) {
        let Some(service) = named_by(member) else { return };
        self.behind.remove(&service, &member.object);
        if self.behind.of(&service).next().is_none() {
            self.named_in.remove(&service.namespace().to_owned(), &service);
        }
    }

    pub(crate) fn get(&self, object: &ObjectRef) -> Option<&Arc<Service>> {
        self.services.get(object)
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = &ObjectRef> {
        self.services.keys()
    }

    /// Those of a namespace, in order.
    pub(crate) fn of_namespace<'s>(&'s self, namespace: &str) -> impl Iterator<Item = &'s Service> + use<'s> {
        self.in_namespace.of(namespace).filter_map(|object| self.services.get(object)).map(AsRef::as_ref)
    }

    /// Those that may select pods of these labels: a superset.
    pub(crate) fn candidates<'s>(&'s self, namespace: &str, labels: &'s Labels) -> impl Iterator<Item = &'s Service> {
        let objects = self.selectors.candidates(namespace, labels);
        objects.filter_map(|object| self.services.get(object)).map(AsRef::as_ref)
    }

    /// The members whose hostname names a Service.
    pub(crate) fn members_behind<'s>(&'s self, service: &ObjectRef) -> impl Iterator<Item = &'s ObjectRef> + use<'s> {
        self.behind.of(service)
    }

    /// The Services of a namespace that hostnames name.
    pub(crate) fn named_in<'s>(&'s self, namespace: &str) -> impl Iterator<Item = &'s ObjectRef> + use<'s> {
        self.named_in.of(namespace)
    }
}

/// The Service that a member's hostname may name. One without a namespace is looked for in the member's own.
pub(in crate::mesh) fn named_by(member: &Member) -> Option<ObjectRef> {
    let Discovery::Dns { hostname, .. } = &member.discovery else { return None };
    let ServiceName { name, namespace, .. } = ServiceName::of(hostname)?;
    let namespace = namespace.as_deref().unwrap_or_else(|| member.object.namespace());
    Some(ObjectRef::new(SERVICE.api_version, SERVICE.kind, namespace, &name))
}
