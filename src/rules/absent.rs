//! What a judgement misses that a read at the source could show: it may have been applied a moment ago.

use crate::k8s::{LabelSelector, ObjectRef};
use crate::mesh::{Member, Place, StoreKey, StoreKind};
use crate::rules::context::Context;
use crate::rules::fronts::missing_service;
use crate::rules::loads::Files;

/// What a judgement misses. Each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absent {
    /// The object's namespace, where nobody knows its labels.
    pub namespace: Option<String>,
    /// Pods that a member selects, and no workload has: a namespace, and the selector. First the object's own.
    pub pods: Vec<(String, LabelSelector)>,
    /// Stores that files come from.
    pub stores: Vec<StoreKey>,
    /// Services by whose names members are found.
    pub services: Vec<ObjectRef>,
}

/// What the object, and the other ends of its calls, rest on and nobody has seen.
pub(super) fn absent(cx: &Context<'_>) -> Absent {
    let mut absent = Absent { services: missing_service(cx).into_iter().collect(), ..Absent::default() };
    let namespace = cx.subject.object.namespace();
    if !namespace.is_empty() && cx.view.namespace(namespace).is_none() {
        absent.namespace = Some(namespace.to_owned());
    }
    for place in cx.every_place() {
        let store = match place {
            Place::StoreMissing { store, .. } | Place::StorePromised { store, .. } => store,
            _ => continue,
        };
        if store.kind != StoreKind::Folder && !absent.stores.contains(store) {
            absent.stores.push(StoreKey::clone(store));
        }
    }
    if let Some(member) = cx.member()
        && cx.workloads.is_empty()
        && cx.files().any(|using| matches!(using.place, Place::Unknown))
    {
        absent.note(member);
    }
    for pair in &cx.pairs {
        for (member, files) in [(pair.link.server, &pair.server), (pair.link.client, &pair.client)] {
            if is_unplaced(files) && cx.view.workloads_of(member).is_empty() {
                absent.note(member);
            }
        }
    }
    absent
}

impl Absent {
    /// With what another judgement misses.
    pub(crate) fn extend(&mut self, other: Self) {
        self.namespace = self.namespace.take().or(other.namespace);
        for pods in other.pods {
            if !self.pods.contains(&pods) {
                self.pods.push(pods);
            }
        }
        for service in other.services {
            if !self.services.contains(&service) {
                self.services.push(service);
            }
        }
        for store in other.stores {
            if !self.stores.contains(&store) {
                self.stores.push(store);
            }
        }
    }

    fn note(&mut self, member: &Member) {
        let Some(selector) = &member.pod_selector else { return };
        let pods = (member.object.namespace().to_owned(), selector.clone());
        if !self.pods.contains(&pods) {
            self.pods.push(pods);
        }
    }
}

/// Whether there are files by path, and no workload to find them in.
fn is_unplaced(files: &Files<'_>) -> bool {
    let certificates = files
        .certificates
        .iter()
        .any(|using| using.workload.is_none() && !using.is_acm() && matches!(using.chain_place, Place::Unknown));
    let trusts = files.trusts.iter();
    certificates || trusts.into_iter().any(|using| using.workload.is_none() && matches!(using.place, Place::Unknown))
}
