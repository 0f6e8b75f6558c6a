//! Which objects a change touches: the members that have to be judged again.

use std::collections::BTreeSet;

use crate::k8s::ObjectRef;
use crate::mesh::facts::FactId;
use crate::mesh::grant::Grant;
use crate::mesh::hop::Inlet;
use crate::mesh::index::reads;
use crate::mesh::link::Link;
use crate::mesh::member::Member;
use crate::mesh::promise::PromisedStore;
use crate::mesh::service::SERVICE;
use crate::mesh::store::StoreKey;
use crate::mesh::view::View;

/// Members, each once, in order.
type Touched<'a> = BTreeSet<&'a ObjectRef>;

impl<'a> View<'a> {
    /// The members whose judgement may depend on an object: those that it belongs to, that select it, read it or are part of it, with
    /// the members they call and are called by, since a call is judged by both ends; for a hop, the ends of the calls through
    /// it. Costs what the object touches; a class touches every member.
    ///
    /// After a change, ask both views: the one before and the one after.
    pub fn touched_by(&self, id: &FactId) -> Touched<'a> {
        let mut touched = Touched::new();
        match id {
            FactId::Store(store) => {
                self.readers_of(store).into_iter().for_each(|it| self.add(it, &mut touched));
                self.add_touched_backends(store, &mut touched);
            }
            FactId::Namespace(name) => {
                self.members_in(name).for_each(|member| self.add(member, &mut touched));
                touched.extend(self.found_in(name));
                // Whether a gateway accepts a route may depend on the labels of the route's namespace.
                let by_labels = self.gateways().into_iter().filter(|gateway| gateway.goes_by_labels());
                by_labels.for_each(|gateway| self.add(gateway, &mut touched));
                // So may whether a store is created in it, which a gateway of another namespace may refer to.
                for made in self.world.promises().in_several() {
                    let store = StoreKey::new(made.kind, name, &made.name);
                    self.readers_of(&store).into_iter().for_each(|it| self.add(it, &mut touched));
                    self.add_touched_backends(&store, &mut touched);
                }
            }
            FactId::Object(object) => self.add_touched_by_object(object, &mut touched),
        }
        touched
    }

    /// Whether an object is a class.
    pub(crate) fn is_class(&self, object: &ObjectRef) -> bool {
        self.world.classes().any(|class| class.object == *object)
    }

    /// The workload whose template an object uses, if any: its own judgement depends on whether it runs.
    pub(crate) fn taken_by(&self, object: &ObjectRef) -> Option<&'a ObjectRef> {
        self.workload(object)?.takes.as_ref()
    }

    fn add_touched_by_object(&self, object: &ObjectRef, touched: &mut Touched<'a>) {
        if let Some(member) = self.member(object) {
            self.add(member, touched);
            self.add_touched_by_gateway(member, touched);
            // A pod that two members select concerns both.
            let pods = self.workloads_of(member).into_iter();
            touched.extend(pods.flat_map(|workload| self.members_of(workload)).map(|other| &other.object));
        }
        let attached = self.attachment(object);
        touched.extend(attached.map(|attached| &attached.object));
        let aims = || attached.into_iter().flat_map(|attached| &attached.aims);
        for hop in self.hop(object).into_iter().chain(aims().filter_map(|aim| self.hop(&aim.target))) {
            let links = self.links_by(hop).into_iter();
            touched.extend(links.flat_map(|link| ends_of(&link)));
            // Who checks a backend's name, and how, depends on the gateways in front of it.
            let led = hop.to.iter().filter_map(|outlet| outlet.to.object());
            touched.extend(led.flat_map(|led| self.policies_for(led)).map(|policy| &policy.object));
            // Which names a listener's certificate must cover depends on the routes to it.
            let parents = hop.from.iter().filter_map(Inlet::parent).filter_map(|parent| self.member(parent));
            touched.extend(parents.map(|parent| &parent.object));
        }
        for aim in aims() {
            if let Some(member) = self.member(&aim.target) {
                self.add(member, touched);
            }
            touched.extend(self.behind(&aim.target).into_iter().map(|server| &server.object));
            // Of several policies for one target only one wins.
            touched.extend(self.policies_for(&aim.target).into_iter().map(|policy| &policy.object));
            touched.extend(self.gateways_before(&aim.target).into_iter().map(|gateway| &gateway.object));
        }
        if let Some(workload) = self.workload(object) {
            let taken = workload.takes.as_ref().and_then(|taken| self.workload(taken));
            let selecting = self.members_of(taken.unwrap_or(workload));
            selecting.into_iter().for_each(|member| self.add(member, touched));
        }
        if object.is_a(SERVICE) {
            touched.extend(self.touched_by_service(object));
        }
        if let Some(grant) = self.grants().find(|grant| grant.object == *object) {
            self.add_touched_by_grant(grant, touched);
        }
        if self.is_class(object) {
            touched.extend(self.members().map(|member| &member.object));
            touched.extend(self.attachments().map(|attached| &attached.object));
        }
        let promised = self.world.promises().get(object).into_iter().flat_map(|promise| &promise.stores);
        promised.for_each(|made| self.add_touched_by_promise(made, touched));
        let runs_as =
            |member: &&Member| self.workloads_of(member).iter().any(|workload| workload.service_account == object.name);
        if object.kind == "ServiceAccount" {
            touched.extend(self.members_in(object.namespace()).filter(runs_as).map(|member| &member.object));
        }
    }

    /// A gateway and what adds listeners to it share ports, and a class. Gateways of one class may share their proxies.
    fn add_touched_by_gateway(&self, member: &'a Member, touched: &mut Touched<'a>) {
        for gateway in self.gateways_with(member) {
            touched.insert(&gateway.object);
            touched.extend(self.extensions_of(&gateway.object).iter().map(|extension| &extension.object));
        }
        let gateway = member.extends.as_ref().unwrap_or(&member.object);
        touched.extend(self.member(gateway).map(|gateway| &gateway.object));
        let extensions = self.extensions_of(gateway);
        touched.extend(extensions.iter().map(|extension| &extension.object));
        for gateway in self.member(gateway).into_iter().chain(extensions) {
            let policies = self.backends_of(gateway).into_iter().flat_map(|backend| self.policies_for(backend));
            touched.extend(policies.map(|policy| &policy.object));
        }
    }

    /// The members that a grant lets refer to something, with the other ends of their calls.
    fn add_touched_by_grant(&self, grant: &Grant, touched: &mut Touched<'a>) {
        for (_, kind, namespace) in &grant.from {
            let given = self.members_in(namespace).filter(|member| member.object.kind == *kind);
            // What a gateway presents to its backends may be among what it is given leave for.
            given.for_each(|member| self.add(member, touched));
        }
        // A route of another namespace may call a Service of this one by a policy.
        let here = grant.object.namespace();
        for attached in self.attachments().filter(|attached| attached.object.namespace() == here) {
            touched.insert(&attached.object);
            for aim in &attached.aims {
                touched.extend(self.gateways_before(&aim.target).into_iter().map(|gateway| &gateway.object));
                touched.extend(self.behind(&aim.target).into_iter().map(|server| &server.object));
            }
        }
    }

    /// The members that read the store, and those that may have intended it: by its name from another namespace, or by another name
    /// from its own.
    fn add_touched_by_promise(&self, made: &PromisedStore, touched: &mut Touched<'a>) {
        let Some(store) = made.key() else {
            touched.extend(self.members().map(|member| &member.object));
            return;
        };
        self.members_in(&store.namespace).for_each(|member| self.add(member, touched));
        let namesakes = self.world.readers().named(&made.name);
        let readers = namesakes.flat_map(|namesake| self.readers_of(namesake));
        readers.for_each(|member| self.add(member, touched));
    }

    /// Adds a member with the other ends of its calls.
    fn add(&self, member: &'a Member, touched: &mut Touched<'a>) {
        touched.insert(&member.object);
        touched.extend(self.links_from(member).iter().flat_map(ends_of));
        touched.extend(self.links_to(member).iter().flat_map(ends_of));
    }

    /// The policies that take their CAs from a store, or whose Service has its certificate there, with the gateways that use them.
    fn add_touched_backends(&self, store: &StoreKey, touched: &mut Touched<'a>) {
        let readers = self.world.readers().of(store).filter_map(|reader| self.attachment(reader));
        let of_backends = self.settings.backends.iter().filter(|backend| reads(backend, store));
        let of_backends = of_backends.flat_map(|backend| self.policies_for(&backend.object));
        for attached in readers.chain(of_backends) {
            touched.insert(&attached.object);
            touched.extend(self.links_under(attached).iter().flat_map(ends_of));
            for aim in &attached.aims {
                touched.extend(self.gateways_before(&aim.target).into_iter().map(|gateway| &gateway.object));
            }
        }
    }

    /// What reads a store: workloads, members and policies.
    pub(crate) fn readers(&self, store: &StoreKey) -> impl Iterator<Item = &'a ObjectRef> + use<'a> {
        self.world.readers().of(store)
    }

    /// The members whose proxies read a store: through a workload's mount, or because an end refers to it.
    fn readers_of(&self, store: &StoreKey) -> Vec<&'a Member> {
        let mut members = Vec::new();
        for reader in self.world.readers().of(store).filter(|reader| self.counts(reader)) {
            members.extend(self.member(reader));
            members.extend(self.workload(reader).into_iter().flat_map(|workload| self.members_of(workload)));
        }
        members
    }

    fn members_in(&self, namespace: &str) -> impl Iterator<Item = &'a Member> {
        self.world.members_in(namespace).filter_map(|object| self.member(object))
    }
}

/// The objects by which a call is judged: its ends, and the policy in between if it is an object of its own.
fn ends_of<'a>(link: &Link<'a>) -> impl Iterator<Item = &'a ObjectRef> + use<'a> {
    [&link.client.object, &link.server.object].into_iter().chain(link.attached.map(|attached| &attached.object))
}
