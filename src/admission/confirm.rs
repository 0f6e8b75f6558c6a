//! What a verdict rests on, held against the API server once more: watches are a few milliseconds behind whoever applies, or minutes where
//! they are cut off.
//!
//! Whatever decides, the Secrets and ConfigMaps that the object's proxies read are compared by their versions, and its workloads by what
//! they say. Before a denial the same is done with the Service in front, the namespaces, and what a refused call leads through. Where
//! something differs, the object is judged anew by it. What can't be read refuses nothing; a pass stays one.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::stream::{self, StreamExt as _};
use tokio::time::{Instant, timeout_at};

use crate::admission::ages::Ages;
use crate::admission::verdict::Verdict;
use crate::finding::{Finding, Trait};
use crate::k8s::ObjectRef;
use crate::mesh::{Fact, FactId, Overlay, StoreKey, StoreState, Version, World};
use crate::rules::Basis;
use crate::sources::{FreshObject, NamespaceReader, StoreReader};

/// Stores compared for one review.
const MOST_STORES: usize = 64;
/// Objects read for one review, each time that it is judged.
const MOST_OBJECTS: usize = 64;
/// Objects read at a time.
const AT_ONCE: usize = 8;

/// What one judgement rests on, as it was known then: by the same look at the world, since a watch may change that in the meantime.
#[derive(Debug, Default)]
pub(super) struct Rests {
    basis: Basis,
    /// Of each store the version.
    stores: Vec<(StoreKey, Version)>,
    /// Of each object what it said.
    objects: Vec<(ObjectRef, Vec<Fact>)>,
}

/// What is to be compared.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    versions: HashMap<StoreKey, Version>,
    objects: Vec<(ObjectRef, Vec<Fact>)>,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Stores that aren't what they were judged by any more.
    pub(super) outdated: Vec<StoreKey>,
    /// Each with what it said, and what it says.
    objects: Vec<(ObjectRef, Vec<Fact>, FreshObject)>,
}

/// What was confirmed for one review, and what could not be.
#[derive(Debug, Default)]
pub(super) struct Confirmed {
    stores: HashSet<StoreKey>,
    objects: HashSet<ObjectRef>,
    basis: Basis,
    failed: HashMap<ObjectRef, String>,
}

impl Rests {
    /// What a verdict on an object of namespace `own` rests on.
    pub(super) fn of(basis: Basis, own: &str, verdict: &Verdict, world: &World) -> Self {
        let version = |key: &StoreKey| match world.store(key) {
            StoreState::Present(store) => Some((key.clone(), store.version)),
            _ => None,
        };
        let stores = basis.stores.iter().filter_map(version).take(MOST_STORES).collect();
        let mut objects: BTreeSet<ObjectRef> = basis.workloads.iter().cloned().collect();
        if !verdict.allows() {
            let denied: Vec<_> = verdict.denials.iter().filter_map(|it| it.problem.site.call.as_deref()).collect();
            let calls = basis.calls.iter().filter(|(call, _)| denied.contains(&call));
            objects.extend(calls.flat_map(|(_, through)| through).chain(&basis.service).cloned());
            // Their labels may decide who belongs to what.
            let namespaces = denied.iter().flat_map(|call| [call.client.namespace(), call.server.namespace()]);
            let namespaces = namespaces.chain([own]).filter(|name| !name.is_empty());
            objects.extend(namespaces.map(|name| ObjectRef::cluster_scoped("v1", "Namespace", name)));
        }
        let known = |object: ObjectRef| {
            let facts = world.facts_of(&id_of(&object));
            (object, facts)
        };
        let objects = objects.into_iter().take(MOST_OBJECTS).map(known).collect();
        Self { basis, stores, objects }
    }
}

impl Doubts {
    pub(super) fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.objects.is_empty()
    }

    /// Reads the versions of the stores, and the objects.
    pub(super) async fn read(self, stores: &dyn StoreReader, spaces: &dyn NamespaceReader, deadline: Instant) -> Held {
        let Self { versions, objects } = self;
        let outdated = async {
            let keys = versions.keys().cloned().collect();
            let current = timeout_at(deadline, stores.versions(keys)).await.unwrap_or_default();
            let differs = |(key, version): &(StoreKey, Option<Version>)| {
                !version.is_some_and(|version| versions.get(key).is_some_and(|known| known.is(version)))
            };
            current.into_iter().filter(differs).map(|(key, _)| key).collect()
        };
        let objects = stream::iter(objects)
            .map(|(object, known)| async move {
                let fresh = read(spaces, &object, deadline).await?;
                Some((object, known, fresh))
            })
            .buffer_unordered(AT_ONCE);
        let objects = objects.filter_map(std::future::ready).collect();
        let (outdated, objects) = tokio::join!(outdated, objects);
        Held { outdated, objects }
    }
}

impl Confirmed {
    /// What of that wasn't confirmed yet for this review. `asked`: the stores that were read whole for it.
    pub(super) fn doubts(&mut self, rests: Rests, overlay: &Overlay, asked: &HashSet<StoreKey>) -> Doubts {
        let Rests { basis, stores, objects } = rests;
        self.basis = basis;
        let stores = stores.into_iter().filter(|(key, _)| !asked.contains(key));
        let versions = stores.filter(|(key, _)| self.stores.insert(key.clone())).collect();
        // What was read for this review already is as fresh.
        let objects = objects.into_iter().filter(|(object, _)| !overlay.hides(object));
        let objects = objects.filter(|(object, _)| self.objects.insert(object.clone())).collect();
        Doubts { versions, objects }
    }

    /// Lays what differs from what was known over the world; whether anything does.
    pub(super) fn take(&mut self, held: Held, overlay: &mut Overlay, ages: &Ages) -> bool {
        let mut is_news = false;
        for (object, known, fresh) in held.objects {
            match fresh {
                FreshObject::There(facts) if facts == known => {}
                FreshObject::There(facts) => {
                    overlay.learnt.extend(facts);
                    is_news = true;
                }
                FreshObject::Gone if known.is_empty() => {}
                FreshObject::Gone => {
                    overlay.forgotten.push(id_of(&object));
                    is_news = true;
                }
                FreshObject::Failed(why) => {
                    let since = ages.since(&object.kind);
                    let since = since.map(|since| format!("{object} is known as of {since}: ")).unwrap_or_default();
                    self.failed.insert(object, since + &why);
                }
            }
        }
        is_news
    }

    /// Why a denial isn't certain: something that it rests on could not be read.
    pub(super) fn doubt(&self, finding: &Finding) -> Option<String> {
        if self.failed.is_empty() {
            return None;
        }
        let site = &finding.problem.site;
        let by_files = !site.rests_on.is_empty() || finding.rule.has(Trait::Unknown) || site.call.is_some();
        let workloads = self.basis.workloads.iter().filter(|_| by_files);
        // Who has a proxy, and who belongs to what.
        let namespaces = self.failed.keys().filter(|it| by_files && it.kind == "Namespace");
        let service = self.basis.service.iter().filter(|_| finding.rule.has(Trait::Hostname));
        let calls = self.basis.calls.iter().filter(|(call, _)| site.call.as_deref() == Some(call));
        let through = calls.flat_map(|(_, through)| through);
        workloads.chain(namespaces).chain(service).chain(through).find_map(|object| self.failed.get(object).cloned())
    }
}

/// An object as it is now; None where the world is complete as it is.
pub(super) async fn read(spaces: &dyn NamespaceReader, object: &ObjectRef, deadline: Instant) -> Option<FreshObject> {
    match timeout_at(deadline, spaces.object(object)).await {
        Ok(fresh) => fresh,
        Err(_) => Some(FreshObject::Failed(format!("took too long to read {object}"))),
    }
}

fn id_of(object: &ObjectRef) -> FactId {
    match (object.api_version.as_ref(), object.kind.as_ref()) {
        ("v1", "Namespace") => FactId::Namespace(object.name.to_string()),
        _ => FactId::Object(object.clone()),
    }
}
