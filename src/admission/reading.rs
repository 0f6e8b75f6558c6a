//! What is read afresh for one review, and what comes of it.
//!
//! Two things are read. The stores that a denial rests on: they may have been corrected a moment ago. And what the judgement finds absent,
//! since watches may not have delivered it yet: stores by their names, the workloads of a namespace by a list that begins after the
//! review came, Services by their names. What isn't there then isn't there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};
use tokio::time::{Instant, timeout_at};

use crate::admission::ages::Ages;
use crate::admission::confirm::{Confirmed, Doubts, Held, Rests};
use crate::admission::timeout::before;
use crate::admission::verdict::{Because, Verdict, Warned};
use crate::aws::AwsFacts;
use crate::finding::Finding;
use crate::finding::catalogue::WORKLOAD_UNKNOWN;
use crate::k8s::{LabelSelector, ObjectRef};
use crate::mesh::{Fact, Overlay, Service, StoreKey, StoreState, Unread, Workload};
use crate::operate::metrics::Metrics;
use crate::rules::Absent;
use crate::sources::{Kinds, NamespaceReader, StoreReader};

/// Stores read for one review. Who rests on more has broken enough of them to be refused all the same.
const MOST_STORES: usize = 64;
/// Stores read at a time for one review.
const STORES_AT_ONCE: usize = 16;
/// Namespaces whose workloads are read for one review, each time it is judged: its own, and those of the other ends of its calls.
const MOST_NAMESPACES: usize = 4;

/// Services read at once for one review. An object misses one, and one more as it was; the members that a change touches miss more.
const MOST_SERVICES: usize = 16;

/// What was read for one review, and what came of it.
pub(super) struct Reading {
    /// When the review came: what it reads may have been applied before.
    pub(super) since: Instant,
    pub(super) overlay: Arc<Overlay>,
    pub(super) aws: Arc<AwsFacts>,
    asked: HashSet<StoreKey>,
    looked_for: Vec<(String, LabelSelector)>,
    named: HashSet<String>,
    found_by: HashSet<ObjectRef>,
    /// Denials whose stores could not be read, and why.
    unconfirmed: Vec<(Finding, String)>,
    /// Why there may be workloads that nobody saw.
    unseen: Option<String>,
    confirmed: Confirmed,
}

/// What is still to be read.
#[derive(Default)]
pub(super) struct Wanted {
    stores: Vec<StoreKey>,
    /// Those of the stores that are taken for absent: nothing is lost where they can't be read.
    absent: HashSet<StoreKey>,
    /// Selectors that no workload has the labels for, by namespace.
    pods: BTreeMap<String, Vec<LabelSelector>>,
    namespace: Option<String>,
    services: Vec<ObjectRef>,
}

/// What has been read.
#[derive(Default)]
pub(super) struct Found {
    /// None: its reader leaves it out, as it does where the world is complete.
    stores: Vec<(StoreKey, Option<StoreState>)>,
    absent: HashSet<StoreKey>,
    workloads: Vec<Workloads>,
    namespace: Option<(String, BTreeMap<String, String>)>,
    services: Vec<Arc<Service>>,
}

/// Those of one namespace that somebody looks for.
struct Workloads {
    found: Vec<Arc<Workload>>,
    failed: Option<String>,
}

impl Wanted {
    pub(super) fn is_empty(&self) -> bool {
        self.stores.is_empty() && self.pods.is_empty() && self.namespace.is_none() && self.services.is_empty()
    }
}

/// Who reads.
#[derive(Clone, Copy)]
pub(super) struct Readers<'a> {
    pub(super) stores: &'a dyn StoreReader,
    pub(super) spaces: &'a dyn NamespaceReader,
}

impl Readers<'_> {
    /// Reads afresh, each by itself, so that a slow one takes none of the others along.
    pub(super) async fn read(self, wanted: Wanted, since: Instant, deadline: Instant) -> Found {
        let deadline = before(deadline);
        let Wanted { stores, absent, pods, namespace, services } = wanted;
        let stores = stream::iter(stores)
            .map(|store| async move {
                let state = match timeout_at(deadline, self.stores.read(vec![store.clone()])).await {
                    Ok(mut fresh) => fresh.remove(&store),
                    Err(_) => Some(StoreState::Unread(Unread::Failed(format!("took too long to read {store}")))),
                };
                (store, state)
            })
            .buffer_unordered(STORES_AT_ONCE);
        let workloads = stream::iter(pods)
            .map(|(namespace, selectors)| self.workloads(namespace, selectors, since, deadline))
            .buffer_unordered(MOST_NAMESPACES);
        let labels = async {
            let namespace = namespace?;
            let labels = timeout_at(deadline, self.spaces.labels(&namespace)).await.ok()??;
            Some((namespace, labels))
        };
        let workloads = workloads.collect::<Vec<Option<Workloads>>>();
        let services = self.services(services, deadline);
        let (stores, workloads, namespace, services) = tokio::join!(stores.collect(), workloads, labels, services);
        Found { stores, absent, workloads: workloads.into_iter().flatten().collect(), namespace, services }
    }

    /// Those of the Services that are there. One that can't be read in time is left out.
    pub(super) async fn services(self, wanted: Vec<ObjectRef>, deadline: Instant) -> Vec<Arc<Service>> {
        let read = stream::iter(wanted.into_iter().take(MOST_SERVICES)).map(|service| async move {
            timeout_at(deadline, self.spaces.service(service.namespace(), &service.name)).await.ok().flatten()
        });
        let read: Vec<Option<Arc<Service>>> = read.buffer_unordered(STORES_AT_ONCE).collect().await;
        read.into_iter().flatten().collect()
    }

    /// The workloads of a namespace that have the labels for any of the selectors, and those by which such a one may have pods. The kinds
    /// most of whose objects belong to others are read only for selectors that find nothing else.
    async fn workloads(
        self,
        namespace: String,
        selectors: Vec<LabelSelector>,
        since: Instant,
        deadline: Instant,
    ) -> Option<Workloads> {
        let mut all = Workloads { found: Vec::new(), failed: None };
        for kinds in [Kinds::Owners, Kinds::MostlyOwned] {
            let read = timeout_at(deadline, self.spaces.workloads(&namespace, kinds, since)).await;
            let Ok(fresh) = read else {
                all.failed = Some(format!("took too long to list the workloads of namespace {namespace}"));
                break;
            };
            let fresh = fresh?;
            all.failed = all.failed.or(fresh.failed);
            let is_wanted = |workload: &&Arc<Workload>| {
                workload.takes.is_some() || selectors.iter().any(|selector| selector.matches(&workload.labels))
            };
            all.found.extend(fresh.workloads.iter().filter(is_wanted).cloned());
            let is_found = |selector: &LabelSelector| {
                all.found.iter().any(|workload| workload.takes.is_none() && selector.matches(&workload.labels))
            };
            if selectors.iter().all(is_found) {
                break;
            }
        }
        Some(all)
    }
}

impl Reading {
    /// Of a review that came at this time.
    pub(super) fn since(since: Instant) -> Self {
        Self {
            since,
            overlay: Arc::default(),
            aws: Arc::default(),
            asked: HashSet::new(),
            looked_for: Vec::new(),
            named: HashSet::new(),
            found_by: HashSet::new(),
            unconfirmed: Vec::new(),
            unseen: None,
            confirmed: Confirmed::default(),
        }
    }

    /// Those of the stores, and of what is absent, that were not asked for yet, as far as the review may go.
    pub(super) fn still_to_read(&mut self, mut stores: Vec<StoreKey>, absent: Absent) -> Wanted {
        let mut wanted = Wanted::default();
        for store in absent.stores {
            if !stores.contains(&store) {
                wanted.absent.insert(store.clone());
                stores.push(store);
            }
        }
        stores.retain(|store| !self.asked.contains(store));
        stores.truncate(MOST_STORES.saturating_sub(self.asked.len()));
        wanted.stores = stores;
        for (namespace, selector) in absent.pods {
            let pods = (namespace, selector);
            let has_room = wanted.pods.len() < MOST_NAMESPACES || wanted.pods.contains_key(&pods.0);
            if has_room && !self.looked_for.contains(&pods) {
                self.looked_for.push(pods.clone());
                wanted.pods.entry(pods.0).or_default().push(pods.1);
            }
        }
        wanted.services = absent.services.into_iter().filter(|service| self.found_by.insert(service.clone())).collect();
        wanted.namespace = absent.namespace.filter(|namespace| self.named.insert(namespace.clone()));
        wanted
    }

    /// Lays what was read over the world; whether there is anything to judge again by.
    pub(super) fn take(&mut self, found: Found, verdict: &Verdict, metrics: &Metrics) -> bool {
        let Found { stores, absent, workloads, namespace, services } = found;
        let (mut is_news, mut failed) = (false, HashMap::new());
        let overlay = Arc::make_mut(&mut self.overlay);
        for (store, state) in stores {
            self.asked.insert(store.clone());
            let Some(state) = state else { continue };
            is_news = true;
            let why = match &state {
                StoreState::Unread(Unread::Failed(why)) => Some(why.clone()),
                _ => None,
            };
            metrics.store_read(why.is_some());
            match why {
                // It stays what it was taken for.
                Some(_) if absent.contains(&store) => continue,
                Some(why) => drop(failed.insert(store.clone(), why)),
                None => {}
            }
            overlay.stores.insert(store, state);
        }
        for Workloads { found, failed } in workloads {
            is_news = true;
            metrics.workloads_read(failed.is_some());
            self.unseen = self.unseen.take().or(failed);
            for workload in found {
                overlay.learnt.retain(|fact| !fact.is_of(&workload.object));
                overlay.learnt.push(Fact::Workload(workload));
            }
        }
        if let Some((name, labels)) = namespace {
            is_news = true;
            overlay.learnt.push(Fact::Namespace(name, labels));
        }
        for service in services {
            is_news = true;
            overlay.learnt.push(Fact::Service(service));
        }
        self.doubt(verdict, &failed);
        is_news
    }

    /// What the verdict rests on, as far as it wasn't held against the API server for this review yet.
    pub(super) fn doubts(&mut self, rests: Rests) -> Doubts {
        self.confirmed.doubts(rests, &self.overlay, &self.asked)
    }

    /// Lays what was found to differ over the world; whether anything was.
    pub(super) fn confirm(&mut self, held: Held, ages: &Ages) -> bool {
        self.confirmed.take(held, Arc::make_mut(&mut self.overlay), ages)
    }

    /// Remembers the denials that rest on what could not be read: a judgement that lacks them doesn't clear them.
    fn doubt(&mut self, verdict: &Verdict, failed: &HashMap<StoreKey, String>) {
        for finding in &verdict.denials {
            if let Some(why) = finding.problem.site.rests_on.iter().find_map(|store| failed.get(store)) {
                self.unconfirmed.push((finding.clone(), why.clone()));
            }
        }
    }

    /// The verdict over all that was read. Denials that rest on more than may be read are doubtful too, and what is said of workloads
    /// that nobody saw.
    pub(super) fn finish(self, mut verdict: Verdict) -> Verdict {
        verdict.soften(|finding| {
            let unasked = finding.problem.site.rests_on.iter().find(|store| !self.asked.contains(*store));
            let unseen = self.unseen.as_ref().filter(|_| finding.rule == WORKLOAD_UNKNOWN);
            let unasked = unasked.map(|store| format!("not read afresh: {store}"));
            unasked.or_else(|| unseen.cloned()).or_else(|| self.confirmed.doubt(finding))
        });
        let doubtful = self.unconfirmed.into_iter();
        let doubtful = doubtful.map(|(finding, why)| Warned::new(finding, Because::Unconfirmed(why)));
        verdict.warnings.splice(0..0, doubtful);
        verdict
    }

    /// A verdict that could not be given again over what was read since: what rests on stores is doubtful.
    pub(super) fn cut_short(self, mut verdict: Verdict) -> Verdict {
        verdict.soften(|finding| {
            let rests = finding.problem.site.rests_on.first();
            rests.map(|store| format!("no time left to judge {store} again"))
        });
        verdict
    }
}
