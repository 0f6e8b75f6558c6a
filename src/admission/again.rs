//! What a change seems to break is read afresh before it is said: the stores that it rests on or lacks, the workloads by which a store is read,
//! and Services. Watches are a few milliseconds behind whoever applies, or deletes, one object after the other.

use std::collections::{BTreeSet, HashMap};

use futures::stream::{self, StreamExt as _};
use tokio::time::{Instant, timeout_at};

use crate::admission::confirm::read;
use crate::admission::reading::Readers;
use crate::admission::timeout::before;
use crate::finding::Finding;
use crate::k8s::ObjectRef;
use crate::mesh::{Fact, FactId, Overlay, StoreKey, StoreState, Unread};
use crate::sources::{FreshObject, Kinds};

/// Namespaces whose workloads are read for one review.
const MOST_NAMESPACES: usize = 4;
/// Objects of calls read for one review, and how many at a time.
const MOST_OBJECTS: usize = 32;
const OBJECTS_AT_ONCE: usize = 8;
/// Kinds that aren't read here: most of their objects belong to others.
const MOSTLY_OWNED: [&str; 3] = ["Pod", "ReplicaSet", "Job"];

/// What is to be read afresh.
#[derive(Clone, Debug, Default)]
pub(super) struct Doubted {
    /// Each once.
    pub(super) stores: Vec<StoreKey>,
    /// Workloads that may have gone, or changed, a moment ago.
    pub(super) workloads: BTreeSet<ObjectRef>,
    /// Services that are taken for missing.
    pub(super) services: Vec<ObjectRef>,
    /// What calls that seem to break lead through: the other end, and what routes to it.
    pub(super) objects: BTreeSet<ObjectRef>,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// To be laid over the world.
    pub(super) overlay: Overlay,
    /// Stores that could not be read, and why.
    pub(super) failed: HashMap<StoreKey, String>,
    /// Other objects, likewise.
    pub(super) unread: HashMap<ObjectRef, String>,
}

impl Doubted {
    pub(super) fn is_empty(&self) -> bool {
        self.stores.is_empty() && self.workloads.is_empty() && self.services.is_empty() && self.objects.is_empty()
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.stores.extend(other.stores);
        self.workloads.extend(other.workloads);
        self.services.extend(other.services);
        self.objects.extend(other.objects);
    }

    /// No store could be read.
    pub(super) fn unread(&self, why: &str) -> HashMap<StoreKey, String> {
        self.stores.iter().map(|store| (store.clone(), format!("{why} {store}"))).collect()
    }
}

impl Again {
    /// Why a finding isn't certain: something that it rests on could not be read.
    pub(super) fn doubt(&self, finding: &Finding) -> Option<String> {
        let site = &finding.problem.site;
        let ends = site.call.as_deref().into_iter().flat_map(|call| [&call.client, &call.server]);
        let stores = site.rests_on.iter().find_map(|store| self.failed.get(store));
        stores.or_else(|| ends.into_iter().find_map(|end| self.unread.get(end))).cloned()
    }

    pub(super) fn is_news(&self) -> bool {
        let Overlay { learnt, forgotten, stores } = &self.overlay;
        !(learnt.is_empty() && forgotten.is_empty() && stores.is_empty())
    }
}

impl Readers<'_> {
    /// Reads what is doubted, for a review that came at `since`. What takes too long stays what it was taken for.
    pub(super) async fn again(self, doubted: &Doubted, since: Instant, deadline: Instant) -> Again {
        let deadline = before(deadline);
        let mut again = Again::default();
        let stores = async {
            match doubted.stores.is_empty() {
                true => Some(HashMap::new()),
                false => timeout_at(deadline, self.stores.read(doubted.stores.clone())).await.ok(),
            }
        };
        let listed = doubted.workloads.iter().filter(|it| !MOSTLY_OWNED.contains(&it.kind.as_str()));
        let namespaces: BTreeSet<String> = listed.clone().map(|it| it.namespace().to_owned()).collect();
        let lists = stream::iter(namespaces.into_iter().take(MOST_NAMESPACES))
            .map(|namespace| async move {
                let read = timeout_at(deadline, self.spaces.workloads(&namespace, Kinds::Owners, since)).await;
                // Where one kind can't be listed, what isn't seen may be there.
                let fresh = read.ok()??;
                fresh.failed.is_none().then_some((namespace, fresh.workloads))
            })
            .buffer_unordered(MOST_NAMESPACES);
        let services = self.services(doubted.services.clone(), deadline);
        let objects = stream::iter(doubted.objects.iter().take(MOST_OBJECTS).cloned().collect::<Vec<_>>())
            .map(|object| async move {
                let fresh = read(self.spaces, &object, deadline).await?;
                Some((object, fresh))
            })
            .buffer_unordered(OBJECTS_AT_ONCE);
        let objects = objects.filter_map(std::future::ready).collect::<Vec<_>>();
        let (stores, lists, services, objects) = tokio::join!(stores, lists.collect::<Vec<_>>(), services, objects);
        for (object, fresh) in objects {
            match fresh {
                FreshObject::There(facts) => again.overlay.learnt.extend(facts),
                FreshObject::Gone => again.overlay.forgotten.push(FactId::Object(object)),
                FreshObject::Failed(why) => drop(again.unread.insert(object, why)),
            }
        }
        again.overlay.learnt.extend(services.into_iter().map(Fact::Service));
        match stores {
            None => again.failed = doubted.unread("took too long to read"),
            Some(read) => {
                for (store, state) in read {
                    match state {
                        StoreState::Unread(Unread::Failed(why)) => drop(again.failed.insert(store, why)),
                        state => drop(again.overlay.stores.insert(store, state)),
                    }
                }
            }
        }
        let lists: HashMap<_, _> = lists.into_iter().flatten().collect();
        for known in listed {
            let Some(fresh) = lists.get(known.namespace()) else { continue };
            match fresh.iter().find(|workload| workload.object == *known) {
                Some(workload) => again.overlay.learnt.push(Fact::Workload(workload.clone())),
                None => again.overlay.forgotten.push(FactId::Object(known.clone())),
            }
        }
        again
    }
}
