//! A snapshot of a cluster: everything listed once, page by page.

use std::time::Duration;

use futures::{StreamExt, stream};
use kube::Client;
use kube::runtime::watcher::Event;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::mesh::{Gap, Sort};
use crate::sources::SharedWorld;
use crate::sources::cluster::ClusterOptions;
use crate::sources::cluster::failure::{status_of, told};
use crate::sources::cluster::kinds::{self, WatchedKind};
use crate::sources::cluster::lacking::Lacking;
use crate::sources::cluster::metadata::{self, Whole};
use crate::sources::cluster::pages::{Pages, begun_anew, is_expired};
use crate::sources::cluster::place::Place;
use crate::sources::cluster::served;
use crate::sources::cluster::stats::KindStats;
use crate::sources::cluster::tracker::Tracker;

/// The most kinds listed at a time: one kind's page is fetched while another's is decoded.
const KINDS_AT_ONCE: usize = 4;

/// The progress of listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The kind of the last page.
    pub kind: &'static str,
    /// The number of objects listed so far, of all kinds.
    pub objects: usize,
}

/// What couldn't be read, or only in part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Kinds that couldn't be listed, one sentence each: verdicts may be wrong because of them.
    pub problems: Vec<String>,
    /// What a user should know, one sentence each.
    pub notes: Vec<String>,
    /// The role that lets the user list what is missing.
    pub role: Option<String>,
}

/// Lists everything that verdicts depend on into `world`. If a kind may not be listed in all namespaces, it is listed in
/// `namespace`, where one is given.
pub(crate) async fn list_all(
    client: &Client,
    options: ClusterOptions,
    namespace: Option<&str>,
    world: &SharedWorld,
    tell: &(dyn Fn(Listed) + Sync),
) -> Gaps {
    let total = std::sync::atomic::AtomicUsize::new(0);
    let lists = kinds::watched(options).map(|kind| {
        let counted = |objects: usize| {
            let objects = total.fetch_add(objects, std::sync::atomic::Ordering::Relaxed) + objects;
            tell(Listed { kind: kind.name, objects });
        };
        async move { (kind, List { client, kind, world, answer: options.pace.answer }.run(namespace, &counted).await) }
    });
    let mut outcomes: Vec<_> = stream::iter(lists).buffer_unordered(KINDS_AT_ONCE).collect().await;
    outcomes.sort_by_key(|(kind, _)| kind.name);
    let told = outcomes.into_iter().map(|(kind, found)| {
        world.write(|world| world.note_unlisted(&kind.resource(), found.gap(kind, namespace)));
        (kind, found)
    });
    gaps(told.collect(), namespace)
}

/// What to report about kinds that couldn't be listed.
fn gaps(outcomes: Vec<(&'static WatchedKind, Found)>, namespace: Option<&str>) -> Gaps {
    let mut gaps = Gaps::default();
    let (mut narrowed, mut absent, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    let mut lacking: Option<Lacking> = None;
    for (kind, found) in outcomes {
        match found {
            Found::All => {}
            Found::InNamespace(_) => narrowed.push(kind.resource()),
            Found::Nothing(_) if kind.sort() == Sort::Namespaces => gaps.notes.push(
                "the labels of the namespace could not be read: nothing is said of pods that get no proxy, and scopes of the policy \
                 go by its name alone"
                    .to_owned(),
            ),
            Found::Nothing(_) => unknown.push(kind.resource()),
            // Clusters may lack it.
            Found::Absent if kind.optional => {}
            Found::Absent => absent.push(kind.resource()),
            Found::Denied(why) => {
                // Cluster-scoped kinds need a ClusterRole, whichever namespace was asked for.
                let of = lacking.unwrap_or_else(|| Lacking::new(&why, namespace));
                lacking = Some(of.of(kind.group, kind.plural, &["list"]));
            }
            Found::Failed(problem) => gaps.problems.push(problem),
        }
    }
    if let Some(lacking) = lacking {
        gaps.problems.push(lacking.told());
        gaps.role = Some(lacking.role());
    }
    if let Some(namespace) = namespace.filter(|_| !narrowed.is_empty()) {
        gaps.notes.push(format!(
            "{} may be listed in namespace {namespace} alone: calls from and to other namespaces aren't judged",
            narrowed.join(", ")
        ));
    }
    if !unknown.is_empty() {
        gaps.notes
            .push(format!("{} may not be listed: nothing is claimed that they could contradict", unknown.join(", ")));
    }
    if !absent.is_empty() {
        gaps.notes.push(format!("the cluster has no {}: their CRDs aren't installed", absent.join(", ")));
    }
    gaps
}

/// How much of a kind was listed.
enum Found {
    All,
    /// Only the namespace's objects, with the reason.
    InNamespace(String),
    /// Nothing, of a kind that isn't needed, with the reason.
    Nothing(String),
    Absent,
    /// Nothing, for a missing right: verdicts may be wrong because of it.
    Denied(String),
    /// Nothing: verdicts may be wrong because of it.
    Failed(String),
}

impl Found {
    /// The gap for the world.
    fn gap(&self, kind: &WatchedKind, namespace: Option<&str>) -> Option<Gap> {
        let (except, why) = match self {
            Found::All | Found::Absent => return None,
            Found::InNamespace(why) => (namespace, why),
            Found::Nothing(why) | Found::Denied(why) | Found::Failed(why) => (None, why),
        };
        Some(Gap { sort: kind.sort(), except: except.map(str::to_owned), why: why.clone() })
    }
}

struct List<'a> {
    client: &'a Client,
    kind: &'static WatchedKind,
    world: &'a SharedWorld,
    /// The longest time for one object.
    answer: Duration,
}

impl List<'_> {
    /// Lists the first version that is served.
    async fn run(mut self, namespace: Option<&str>, counted: &(dyn Fn(usize) + Sync)) -> Found {
        for kind in self.kind.versions() {
            self.kind = kind;
            match self.version(namespace, counted).await {
                Found::Absent => {}
                found => return found,
            }
        }
        Found::Absent
    }

    async fn version(&self, namespace: Option<&str>, counted: &(dyn Fn(usize) + Sync)) -> Found {
        let why = match self.pages(&Place::Everywhere, counted).await {
            Ok(()) => return Found::All,
            Err(Refusal::Absent) => return Found::Absent,
            Err(Refusal::Other(why)) => return Found::Failed(why),
            Err(Refusal::Expired) => {
                return Found::Failed(format!("could not list {}: it changed too often", self.kind.resource()));
            }
            Err(Refusal::Forbidden(why)) => why,
        };
        if self.kind.optional && served::is_served(self.client, self.kind).await == Some(false) {
            return Found::Absent;
        }
        let in_namespace = match (namespace, self.kind.sort()) {
            (None, _) => false,
            // Classes are cluster-scoped.
            (Some(_), Sort::Classes) => return Found::Nothing(why),
            (Some(namespace), Sort::Namespaces) if self.only(namespace).await => return Found::InNamespace(why),
            (Some(_), Sort::Namespaces) => return Found::Nothing(why),
            (Some(namespace), _) => self.pages(&Place::Namespace(namespace.to_owned()), counted).await.is_ok(),
        };
        match (in_namespace, self.kind.optional) {
            (true, _) => Found::InNamespace(why),
            (false, true) => Found::Nothing(why),
            (false, false) => Found::Denied(why),
        }
    }

    /// Reads only this namespace, by name. False if that isn't allowed.
    async fn only(&self, namespace: &str) -> bool {
        let api = Place::Everywhere.api(self.client.clone(), self.kind);
        let found = api.get(namespace).with_subscriber(Dispatch::none()).await;
        let is_read = found.is_ok();
        if let Ok(object) = found {
            self.tracker().follow([Event::Init, Event::InitApply(object), Event::InitDone]);
        }
        is_read
    }

    /// All pages, restarted from the first if the continue token expires.
    async fn pages(&self, place: &Place, counted: &(dyn Fn(usize) + Sync)) -> Result<(), Refusal> {
        begun_anew(|| self.pages_once(place, counted), |refusal| matches!(refusal, Refusal::Expired)).await
    }

    async fn pages_once(&self, place: &Place, counted: &(dyn Fn(usize) + Sync)) -> Result<(), Refusal> {
        let mut api = place.api(metadata::listing(self.client.clone(), self.kind), self.kind);
        let mut whole = Some(Whole { client: self.client.clone(), kind: self.kind, answer: self.answer });
        let mut tracker = self.tracker();
        tracker.follow([Event::Init]);
        let mut pages = Pages::of(self.kind);
        while let Some(page) = pages.next(&api).await.map_err(|error| self.refusal(&error))? {
            let objects = page.len();
            let mut events = page.into_iter().map(Event::InitApply).collect();
            if let Some(reads) = &whole {
                events = match reads.events(events).await {
                    Ok(events) => events,
                    Err(error) if status_of(&error).is_some_and(|status| status.is_forbidden()) => {
                        // A user who may list objects but not get them reads this page and later ones in full.
                        whole = None;
                        api = place.api(self.client.clone(), self.kind);
                        pages.again();
                        continue;
                    }
                    Err(error) => {
                        let resource = self.kind.resource();
                        return Err(Refusal::Other(format!("could not get {resource}: {}", told(&error))));
                    }
                };
            }
            counted(objects);
            tracker.follow(events);
        }
        tracker.follow([Event::InitDone]);
        Ok(())
    }

    fn tracker(&self) -> Tracker {
        Tracker::new(self.kind, self.world.clone(), KindStats::default().into())
    }

    fn refusal(&self, error: &kube::Error) -> Refusal {
        match status_of(error) {
            Some(status) if status.code == 404 => Refusal::Absent,
            _ if is_expired(error) => Refusal::Expired,
            Some(status) if status.is_forbidden() => {
                let resource = self.kind.resource();
                Refusal::Forbidden(format!(
                    "{resource} may not be listed: {}; a role that allows list on {resource} is needed",
                    status.message.trim()
                ))
            }
            _ => Refusal::Other(format!("could not list {}: {}", self.kind.resource(), told(error))),
        }
    }
}

enum Refusal {
    Absent,
    Forbidden(String),
    /// The continue token has expired: the list has to be restarted.
    Expired,
    Other(String),
}
