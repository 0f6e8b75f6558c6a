//! What a verdict on an object rests on besides the object: read afresh where it decides, since watches may be behind.

use jiff::Timestamp;

use crate::apis::Subject;
use crate::k8s::ObjectRef;
use crate::mesh::{CallKey, Front, Link, StoreKey, StoreKind, View};
use crate::policy::Policy;
use crate::rules::context::{Context, Surface};

/// What a verdict on one object rests on. Each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// The Secrets and ConfigMaps that the object's proxies get their files from, as far as they were read.
    pub stores: Vec<StoreKey>,
    /// The workloads by which the files are found.
    pub workloads: Vec<ObjectRef>,
    /// The Service by whose name callers find the object.
    pub service: Option<ObjectRef>,
    /// The calls, each with what it leads through: the other end, what routes to it, the policy for it, and the other end's workloads.
    pub calls: Vec<(CallKey, Vec<ObjectRef>)>,
}

/// What a verdict on an object rests on, with the calls if a verdict rests on these too.
pub fn basis(subject: &Subject, view: View<'_>, policy: &Policy, now: Timestamp, with_calls: bool) -> Basis {
    let policy = policy.effective(subject.object.namespace(), view);
    let cx = Context::new(subject, view, &policy, now, Surface::Admission);
    let mut basis = Basis {
        workloads: cx.workloads.iter().map(|workload| workload.object.clone()).collect(),
        service: match &cx.front {
            Front::Service(service) => Some(service.object.clone()),
            Front::Missing(_) | Front::Unknown => None,
        },
        ..Basis::default()
    };
    for using in cx.files() {
        let store = using.place.store().filter(|store| store.kind != StoreKind::Folder);
        let store = store.filter(|store| !basis.stores.contains(store));
        basis.stores.extend(store.cloned());
    }
    if with_calls {
        basis.calls = cx.pairs.iter().map(|pair| (pair.key(), of_call(&cx, &pair.link))).collect();
    }
    basis
}

/// The objects of a call, but for the one under review.
fn of_call(cx: &Context<'_>, link: &Link<'_>) -> Vec<ObjectRef> {
    let hops = link.via.iter().map(|step| &step.hop.object);
    let ends = [link.client, link.server];
    let pods = ends.into_iter().flat_map(|end| cx.view.workloads_of(end)).map(|workload| &workload.object);
    let ends = ends.into_iter().map(|end| &end.object);
    let policy = link.attached.map(|attached| &attached.object);
    let mut all = Vec::new();
    for object in ends.chain(hops).chain(policy).chain(pods) {
        if *object != cx.subject.object && !all.contains(object) {
            all.push(object.clone());
        }
    }
    all
}
