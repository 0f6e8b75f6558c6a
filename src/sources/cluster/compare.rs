//! Compares the world that the watches write with the cluster, by listing everything again.
//!
//! Works page by page, so that it needs no second world. A watch always lags a little, so one look proves nothing: what differs
//! is checked again after a pause, and counts only if the cluster still has the same resourceVersion.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use kube::Client;
use kube::Resource as _;

use crate::apis::Entry;
use crate::mesh::{FactId, Sort, StoreKind};
use crate::sources::SharedWorld;
use crate::sources::cluster::ClusterOptions;
use crate::sources::cluster::failure::{status_of, told};
use crate::sources::cluster::kinds::{self, WatchedKind};
use crate::sources::cluster::metadata::{self, Read, Whole};
use crate::sources::cluster::object::decode;
use crate::sources::cluster::pages::{Pages, begun_anew, is_expired};
use crate::sources::cluster::place::Place;

/// The result of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many of the cluster's objects were compared.
    pub objects: usize,
    /// What differs, sorted.
    pub differences: Vec<Difference>,
    /// Kinds that could not be compared, one sentence each.
    pub problems: Vec<String>,
}

/// One object that differs from the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub id: FactId,
    /// How it differs.
    pub what: What,
}

/// How a cached object differs from the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It is in the cluster, but not cached.
    Unknown,
    /// The cached object differs.
    Other,
    /// It is cached, but no longer in the cluster, or no longer yields a fact there.
    Outlived,
}

impl fmt::Display for Difference {
    /// `Secret shop/blue-cert is known as it isn't`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            FactId::Object(object) => object.fmt(f)?,
            FactId::Store(store) => store.fmt(f)?,
            FactId::Namespace(name) => write!(f, "Namespace {name}")?,
        }
        f.write_str(match self.what {
            What::Unknown => " is not known",
            What::Other => " is known as it isn't",
            What::Outlived => " is known though it is gone",
        })
    }
}

/// Compares `world`, which watches of `client` write, with the cluster. What differs is checked again after `pause`.
pub async fn compare(client: &Client, options: ClusterOptions, world: &SharedWorld, pause: Duration) -> Comparison {
    let mut comparison = Comparison::default();
    let mut suspects = Vec::new();
    let scope = world.read(|world| world.secret_scope().clone());
    let places = kinds::watched(options).flat_map(|kind| Place::all(kind, &scope).map(move |place| (kind, place)));
    let answer = options.pace.answer;
    for (kind, place) in places {
        match look(client, answer, kind, &place, world).await {
            Ok(look) => {
                comparison.objects += look.objects;
                if !look.differing.is_empty() {
                    suspects.push((kind, place, look.differing));
                }
            }
            Err(problem) => comparison.problems.push(problem),
        }
    }
    if !suspects.is_empty() {
        tokio::time::sleep(pause).await;
    }
    for (kind, place, before) in suspects {
        match look(client, answer, kind, &place, world).await {
            Ok(again) => {
                let same = again.differing.into_iter().filter(|(id, differs)| before.get(id) == Some(differs));
                let differences = same.map(|(id, Differs { what, .. })| Difference { kind: kind.name, id, what });
                comparison.differences.extend(differences);
            }
            Err(problem) => comparison.problems.push(problem),
        }
    }
    comparison.differences.sort_unstable();
    comparison
}

/// The result of one look at a kind.
#[derive(Default)]
struct Look {
    objects: usize,
    differing: HashMap<FactId, Differs>,
}

#[derive(PartialEq, Eq)]
struct Differs {
    what: What,
    /// The cluster's version of it.
    version: Option<String>,
}

/// Compares a kind, in the first of its versions that is served.
async fn look(
    client: &Client,
    answer: Duration,
    kind: &'static WatchedKind,
    place: &Place,
    world: &SharedWorld,
) -> Result<Look, String> {
    let mut look = Look::default();
    for kind in kind.versions() {
        let whole = Whole { client: client.clone(), kind, answer };
        let (verb, error) = match begun_anew(|| look_once(&whole, place, world), |(_, error)| is_expired(error)).await {
            Ok(found) => {
                look.objects += found.objects;
                look.differing.extend(found.differing);
                return Ok(look);
            }
            Err(failed) => failed,
        };
        match status_of(&error) {
            // The kind isn't installed: the world must not have any of it.
            Some(status) if status.code == 404 => look.outlived(kind, place, world, &HashSet::new()),
            // The world has noted that the kind is unknown.
            Some(status) if status.is_forbidden() && kind.optional => return Ok(look),
            _ if is_expired(&error) => return Err(format!("could not list {}: it changed too often", place.of(kind))),
            _ => return Err(format!("could not {verb} {}: {}", place.of(kind), told(&error))),
        }
    }
    Ok(look)
}

/// An error carries the verb that failed.
async fn look_once(whole: &Whole, place: &Place, world: &SharedWorld) -> Result<Look, (&'static str, kube::Error)> {
    let kind = whole.kind;
    let api = place.api(metadata::listing(whole.client.clone(), kind), kind);
    let mut pages = Pages::of(kind);
    let (mut look, mut listed) = (Look::default(), HashSet::new());
    while let Some(page) = pages.next(&api).await.map_err(|error| ("list", error))? {
        look.objects += page.len();
        for read in whole.objects(page).await.map_err(|error| ("get", error))? {
            let (object, said) = match read {
                Read::Nothing(object) => (object, Vec::new()),
                Read::Whole(object) => {
                    let said = match decode(kind, &object) {
                        Ok(Entry::Subject(subject)) => subject.facts,
                        Ok(Entry::Fact(fact)) => vec![fact],
                        Ok(Entry::Nothing(_) | Entry::Other) | Err(_) => Vec::new(),
                    };
                    (object, said)
                }
            };
            let id = object.id(kind);
            let known = world.read(|world| world.facts_of(&id));
            let what = match (said.is_empty(), known.is_empty()) {
                (false, true) => Some(What::Unknown),
                (true, false) => Some(What::Outlived),
                _ => (said != known).then_some(What::Other),
            };
            if let Some(what) = what {
                look.differing.insert(id.clone(), Differs { what, version: object.meta().resource_version.clone() });
            }
            listed.insert(id);
        }
    }
    look.outlived(kind, place, world, &listed);
    Ok(look)
}

impl Look {
    /// Notes cached objects of a kind in this place that weren't listed.
    fn outlived(&mut self, kind: &WatchedKind, place: &Place, world: &SharedWorld, listed: &HashSet<FactId>) {
        let is_there = |id: &FactId| match (place, id) {
            (Place::Namespace(namespace), FactId::Store(store)) => store.namespace == *namespace,
            _ => true,
        };
        let is_gone = |id: &FactId| is_of(id, kind) && is_there(id) && !listed.contains(id);
        let gone: Vec<FactId> = world.read(|world| world.ids().filter(is_gone).collect());
        self.differing.extend(gone.into_iter().map(|id| (id, Differs { what: What::Outlived, version: None })));
    }
}

fn is_of(id: &FactId, kind: &WatchedKind) -> bool {
    match id {
        FactId::Namespace(_) => kind.sort() == Sort::Namespaces,
        FactId::Store(key) => match key.kind {
            StoreKind::Secret => kind.sort() == Sort::Secrets,
            StoreKind::ConfigMap => kind.sort() == Sort::ConfigMaps,
            StoreKind::Folder => false,
        },
        FactId::Object(object) => object.kind == kind.kind && object.api_version == kind.api_version,
    }
}
