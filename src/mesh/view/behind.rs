//! What is behind the Services that routes lead to: the members whose pods they select, and what the policy file sets for others.

use crate::k8s::ObjectRef;
use crate::mesh::attached::Attached;
use crate::mesh::end::ServerEnd;
use crate::mesh::link::{Link, Step};
use crate::mesh::member::Member;
use crate::mesh::service::Arrival;
use crate::mesh::view::View;
use crate::mesh::view::links::Collected;

impl<'a> View<'a> {
    /// The members behind a Service: those in the settings, else those whose pods it selects.
    pub(crate) fn behind(&self, service: &ObjectRef) -> Vec<&'a Member> {
        if let Some(given) = self.settings.backends.iter().find(|backend| backend.object == *service) {
            return vec![given];
        }
        let Some(service) = self.service(service) else { return Vec::new() };
        let pods = self.selected_by(service).into_iter();
        let mut members: Vec<&Member> = pods.flat_map(|workload| self.members_of(workload)).collect();
        members.sort_by_key(|member| &member.object);
        members.dedup_by_key(|member| &member.object);
        members
    }

    /// The Services that lead to a member's pods, if any route leads to a Service at all.
    pub(super) fn services_before(&self, object: &ObjectRef) -> Vec<&'a ObjectRef> {
        if !self.world.links().lead_to_services() && self.laid_hops().all(|hop| !hop.leads_to_services()) {
            return Vec::new();
        }
        let Some(member) = self.member(object) else { return Vec::new() };
        let pods = self.workloads_of(member).into_iter();
        let mut services: Vec<&ObjectRef> =
            pods.flat_map(|workload| self.services_of(workload)).map(|service| &service.object).collect();
        services.sort();
        services.dedup();
        // For a Service in the settings, only the settings decide what is behind it.
        services.retain(|service| self.settings.backends.iter().all(|backend| backend.object != **service));
        services
    }

    /// The listeners of a server that get the requests for this step's Service and port.
    pub(super) fn arriving(&self, step: Step<'a>, server: &'a Member) -> Vec<&'a ServerEnd> {
        let (Some(service), port) = (step.to_service(), step.outlet.port) else { return Vec::new() };
        if server.object == *service {
            return server.servers.iter().filter(|end| end.port.is_none() || end.port == port).collect();
        }
        let Some(service) = self.service(service) else { return Vec::new() };
        let Some(port) = service.ports.iter().find(|known| Some(known.port) == port) else { return Vec::new() };
        let pods = self.workloads_of(server).into_iter().filter(|workload| service.selects(workload) == Some(true));
        let mut arriving: Vec<u16> = pods
            .filter_map(|workload| match port.arrives_at(workload) {
                Arrival::Port(port) => Some(port),
                Arrival::NoPortNamed(_) | Arrival::Unknown => None,
            })
            .collect();
        arriving.sort_unstable();
        arriving.dedup();
        let on = |port: u16| server.servers.iter().find(move |listener| listener.port == Some(port));
        arriving.into_iter().filter_map(on).collect()
    }

    /// The policy attached to the Service port that a step leads to, else to the whole Service. Also None where the port's name is
    /// unknown and a policy is attached to a port by name.
    pub(crate) fn attached_by(&self, step: Step<'a>) -> Option<&'a Attached> {
        let service = step.to_service()?;
        let policies = self.policies_for(service);
        let first = |section: Option<&str>| {
            let meant = policies.iter().copied().filter(|policy| policy.means(service, section));
            meant.min_by_key(|policy| (policy.rank, &policy.object))
        };
        let by_section = policies.iter().any(|policy| !policy.is_for(service));
        if !by_section {
            return first(None);
        }
        let port = self.service(service)?.ports.iter().find(|port| Some(port.port) == step.outlet.port)?;
        port.name.as_deref().and_then(|name| first(Some(name))).or_else(|| first(None))
    }

    /// The calls governed by an attached policy.
    pub(crate) fn links_under(&self, attached: &'a Attached) -> Vec<Link<'a>> {
        let mut links = Collected::default();
        for aim in &attached.aims {
            for caller in self.callers(&aim.target) {
                let namespace = caller.client.object.namespace();
                let found = self.named(&aim.target).into_iter();
                for reached in found.flat_map(|found| self.down(found, namespace, Vec::new())) {
                    let via = caller.via.iter().copied().chain(reached.via).collect();
                    self.link(caller.client, via, reached.server, &mut links);
                }
            }
        }
        links.0.retain(|link| link.attached.is_some_and(|by| by.object == attached.object));
        links.0
    }
}
