//! What a judgement leaves out because something isn't known that more objects or the policy file can tell.

use std::collections::BTreeMap;

use crate::mesh::{Aim, Backend, CertificateSource, Fact, Inlet, Loads, PlaneOf, Sort, StoreState, Target, View};
use crate::policy::{CLASSES_KEY, Policy};
use crate::rules::context::Context;

/// What is left out of judgements, summed up over objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many objects call by groups of services, which the policy doesn't count.
    pub by_groups: usize,
    /// The classes of gateways whose controller is unknown, and how many gateways each has: only the specification counts for these.
    pub classes: BTreeMap<String, usize>,
    /// How many routes name only gateways that aren't known: their hosts are compared with no certificate.
    pub routes: usize,
    /// How many policies for calls have a target that no known gateway calls: they are compared with no certificate.
    pub policies: usize,
}

impl LeftOut {
    /// Of one object.
    pub(super) fn of(cx: &Context<'_>) -> Self {
        let attached = cx.subject.facts.iter().filter_map(Fact::as_attached);
        let uncalled = |aims: &[Aim]| aims.iter().all(|aim| cx.view.planes_before(&aim.target).is_empty());
        Self {
            by_groups: usize::from(calls_by_groups(cx)),
            classes: unknown_class(cx).map(|class| (class, 1)).into_iter().collect(),
            routes: usize::from(cx.subject.hop().is_some_and(|hop| {
                let mut parents = hop.from.iter().filter_map(Inlet::parent).peekable();
                parents.peek().is_some() && parents.all(|parent| cx.view.member(parent).is_none()) && sees_entrances(cx)
            })),
            policies: attached.filter(|attached| uncalled(&attached.aims) && sees_entrances(cx)).count(),
        }
    }

    /// Adds what is left out elsewhere.
    pub fn add(&mut self, other: Self) {
        self.by_groups += other.by_groups;
        self.routes += other.routes;
        self.policies += other.policies;
        for (class, count) in other.classes {
            *self.classes.entry(class).or_default() += count;
        }
    }
}

/// Whether gateways and their routes could all be listed: one that couldn't is told elsewhere.
fn sees_entrances(cx: &Context<'_>) -> bool {
    cx.view.unlisted(Sort::Entrances, "").is_empty()
}

fn calls_by_groups(cx: &Context<'_>) -> bool {
    let is_group = |backend: &Backend| match &backend.to {
        Target::Object(object) => cx.view.hop(object).is_some_and(|hop| hop.group),
        _ => false,
    };
    !cx.policy.settings().groups && cx.member().is_some_and(|member| member.backends.iter().any(is_group))
}

/// The class of a gateway with TLS of which nobody knows what its controller does.
fn unknown_class(cx: &Context<'_>) -> Option<String> {
    let member = cx.member().filter(|member| matches!(member.plane, PlaneOf::Class(_)) && member.uses_tls())?;
    let class = member.class.clone().filter(|_| member.is_gateway())?;
    (cx.view.plane_of(member).loads == Loads::Unknown).then_some(class)
}

/// What the policy file names and that isn't there, one sentence each.
pub fn unmet(view: View<'_>, policy: &Policy) -> Vec<String> {
    let effective = policy.effective("", view);
    let view = view.under(effective.settings());
    let mut unmet = Vec::new();
    for (class, plane) in effective.settings().classes {
        if plane.loads == Loads::Unknown {
            unmet
                .push(format!("{CLASSES_KEY}.{class} in the policy names a controller that meshvet has no profile of"));
        }
    }
    for backend in effective.settings().backends {
        let service = &backend.object;
        let key = format!("backends.{}/{} in the policy", service.namespace(), service.name);
        let others = view.services_in(service.namespace());
        if !others.is_empty() && view.service(service).is_none() {
            unmet.push(format!("{key}: there is no {service}"));
        } else if view.has_policies(service) {
            let certificates =
                backend.servers.iter().filter_map(|end| end.tls.as_ref()).flat_map(|tls| &tls.certificates);
            let mut stores = certificates.filter_map(|certificate| match certificate {
                CertificateSource::Keys { chain, .. } => Some(&chain.store),
                _ => None,
            });
            let missing = stores.find(|store| matches!(view.store(store), StoreState::Absent));
            unmet.extend(missing.map(|store| {
                format!("{key}: there is no {store}, so what policies require of {service} wasn't compared with it")
            }));
        }
    }
    unmet
}
