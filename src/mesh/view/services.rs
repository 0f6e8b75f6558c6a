//! Services in front of pods, and the Service that a member's hostname names.

use std::collections::BTreeMap;

use crate::k8s::ObjectRef;
use crate::mesh::end::Discovery;
use crate::mesh::facts::Fact;
use crate::mesh::index::named_by;
use crate::mesh::member::Member;
use crate::mesh::service::{Service, ServiceName};
use crate::mesh::unlisted::Sort;
use crate::mesh::view::View;
use crate::mesh::workload::Workload;

/// What is behind the name that clients use for a member.
#[derive(Clone, Debug, PartialEq)]
pub enum Front<'a> {
    /// A Service.
    Service(&'a Service),
    /// The name of a Service that doesn't exist.
    Missing(ObjectRef),
    /// Not a Service's name, or that of one which may or may not exist.
    Unknown,
}

impl<'a> View<'a> {
    /// The Service with this name.
    pub(crate) fn service(&self, object: &ObjectRef) -> Option<&'a Service> {
        let laid = self.laid_services().find(|service| service.object == *object);
        let known = || self.world.services().get(object).filter(|_| self.counts(object)).map(AsRef::as_ref);
        laid.or_else(known)
    }

    /// All Services of a namespace.
    pub(crate) fn services_in(&self, namespace: &str) -> Vec<&'a Service> {
        let known = self.world.services().of_namespace(namespace);
        self.with_laid(known, |service| service.object.namespace() == namespace)
    }

    /// The Services that certainly select a workload's pods, by name.
    pub(crate) fn services_of(&self, workload: &'a Workload) -> Vec<&'a Service> {
        let known = self.world.services().candidates(workload.object.namespace(), &workload.labels);
        self.with_laid(known, |service| service.selects(workload) == Some(true))
    }

    /// What is behind a member's hostname, as far as the cluster's DNS decides it.
    pub(crate) fn front_of(&self, member: &Member) -> Front<'a> {
        let Some(object) = named_by(member) else { return Front::Unknown };
        if let Some(service) = self.service(&object) {
            return Front::Service(service);
        }
        let namespace = object.namespace();
        let Discovery::Dns { hostname, .. } = &member.discovery else { return Front::Unknown };
        let is_a_services = ServiceName::of(hostname).is_some_and(|name| name.is_certain)
            || namespace == member.object.namespace()
            || self.namespace(namespace).is_some();
        match is_a_services && self.world.unlisted().hides(Sort::Services, namespace).is_none() {
            true => Front::Missing(object),
            false => Front::Unknown,
        }
    }

    /// The members to judge again when a Service changes: those whose pods it selects, those whose hostname names it, and those
    /// whose hostname names a missing Service, since that only matters where there are others.
    pub(super) fn touched_by_service(&self, object: &ObjectRef) -> Vec<&'a ObjectRef> {
        let services = self.world.services();
        let named =
            services.named_in(object.namespace()).filter(|named| *named == object || self.service(named).is_none());
        let mut members: Vec<&ObjectRef> = named.flat_map(|named| services.members_behind(named)).collect();
        let laid = self.laid_members().filter(|member| {
            named_by(member).is_some_and(|named| {
                named == *object || (named.namespace() == object.namespace() && self.service(&named).is_none())
            })
        });
        members.extend(laid.map(|member| &member.object));
        members.extend(self.policies_for(object).into_iter().map(|policy| &policy.object));
        members.extend(self.gateways_before(object).into_iter().map(|gateway| &gateway.object));
        if let Some(service) = self.service(object) {
            members
                .extend(self.selected_by(service).into_iter().flat_map(|it| self.members_of(it)).map(|it| &it.object));
        }
        members
    }

    /// The members whose hostname names a Service of this namespace: whether it is one depends on whether the namespace exists.
    pub(super) fn found_in(&self, namespace: &str) -> impl Iterator<Item = &'a ObjectRef> + use<'a> {
        let services = self.world.services();
        services.named_in(namespace).flat_map(|named| services.members_behind(named))
    }

    /// The workloads whose pods a Service certainly selects.
    pub(super) fn selected_by(&self, service: &Service) -> Vec<&'a Workload> {
        let Some(selector) = &service.selector else { return Vec::new() };
        let candidates = self.world.workload_labels().candidates(service.object.namespace(), selector);
        let known = candidates.filter(|object| self.counts(object)).filter_map(|object| self.world.workload(object));
        let all = known.chain(self.laid_workloads());
        all.filter(|workload| service.selects(workload) == Some(true)).collect()
    }

    fn laid_services(&self) -> impl Iterator<Item = &'a Service> + use<'a> {
        self.laid().filter_map(|fact| match fact {
            Fact::Service(service) => Some(&**service),
            _ => None,
        })
    }

    /// The world's Services that count, with those laid over it, each once and sorted.
    fn with_laid(
        &self,
        known: impl Iterator<Item = &'a Service>,
        is_wanted: impl Fn(&Service) -> bool,
    ) -> Vec<&'a Service> {
        let known = known.filter(|service| self.counts(&service.object));
        let all = known.chain(self.laid_services()).filter(|service| is_wanted(service));
        let all: BTreeMap<&ObjectRef, &Service> = all.map(|service| (&service.object, service)).collect();
        all.into_values().collect()
    }
}
