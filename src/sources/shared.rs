//! The world that a source writes while reviews read it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::apis::{Subject, Undecodable};
use crate::aws::{AwsFacts, CallStats, Question};
use crate::k8s::ObjectRef;
use crate::mesh::{Fact, FactId, FreshStores, Service, StoreKey, Version, Workload, World};
use crate::sources::feed::{Step, Touched, object};

/// One world, written by watches and read by reviews. Its lock is held for look-ups only, never across an await.
#[derive(Clone, Debug, Default)]
pub struct SharedWorld(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    world: RwLock<World>,
    inventory: Option<RwLock<Inventory>>,
    changes: watch::Sender<u64>,
    /// What changes have affected since it was last taken; None if nothing follows the changes.
    touched: Mutex<Option<Touched>>,
}

/// The objects behind a world's facts that rules judge: kept where everything is judged, not only single reviews.
#[derive(Debug, Default)]
pub struct Inventory {
    reviewed: BTreeMap<ObjectRef, Arc<Subject>>,
    undecodable: BTreeMap<FactId, Arc<Undecodable>>,
    /// The UIDs of both, where the source knows them.
    uids: BTreeMap<ObjectRef, Uid>,
    /// Forgets what nobody will ask of an object.
    trim: Option<fn(&mut Subject)>,
}

impl SharedWorld {
    /// Shares a world.
    pub fn new(world: World) -> Self {
        Self::of(world, None)
    }

    /// Shares a world, and keeps the objects behind its facts.
    pub fn with_inventory(world: World) -> Self {
        Self::of(world, Some(RwLock::default()))
    }

    /// The same, with less of each object: `trim` forgets what nobody will ask of it.
    pub fn with_trimmed_inventory(world: World, trim: fn(&mut Subject)) -> Self {
        Self::of(world, Some(RwLock::new(Inventory { trim: Some(trim), ..Inventory::default() })))
    }

    fn of(world: World, inventory: Option<RwLock<Inventory>>) -> Self {
        Self(Arc::new(Shared { world: RwLock::new(world), inventory, ..Shared::default() }))
    }

    /// Reads from the world, all in one snapshot.
    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.0.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the world in an unknown way: everything counts as affected.
    pub fn write<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let done = change(&mut self.0.world.write().unwrap_or_else(PoisonError::into_inner));
        self.changed(Touched::everybody());
        done
    }

    /// Replaces what is known of an object that rules judge.
    pub fn learn(&self, subject: Subject) {
        let id = FactId::Object(subject.object.clone());
        self.write(|world| world.replace(&id, subject.facts.clone()));
        self.take_stock(|inventory| inventory.note(&id, Some(subject)));
    }

    /// Changes what is known of some objects in one step, and then the inventory.
    pub fn step<T>(&self, change: impl FnOnce(&mut Step<'_>) -> T, stock: impl FnOnce(&mut Inventory, T)) {
        let (done, touched) = {
            let mut world = self.0.world.write().unwrap_or_else(PoisonError::into_inner);
            let mut step = Step::new(&mut world, self.is_followed());
            (change(&mut step), step.into_touched())
        };
        self.take_stock(|inventory| stock(inventory, done));
        // Only after both have changed, so that affected objects are judged by their new state.
        self.changed(touched);
    }

    /// From now on records what changes affect; initially everything.
    pub fn follow(&self) {
        *self.0.touched.lock().unwrap_or_else(PoisonError::into_inner) = Some(Touched::everybody());
    }

    fn is_followed(&self) -> bool {
        self.0.touched.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// What changes have affected since the last call.
    pub fn touched(&self) -> Touched {
        let mut noted = self.0.touched.lock().unwrap_or_else(PoisonError::into_inner);
        noted.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn changed(&self, touched: Touched) {
        if let Some(noted) = &mut *self.0.touched.lock().unwrap_or_else(PoisonError::into_inner) {
            noted.merge(touched);
        }
        self.0.changes.send_modify(|count| *count += 1);
    }

    /// Changes the inventory, if one is kept.
    pub(crate) fn take_stock(&self, change: impl FnOnce(&mut Inventory)) {
        if let Some(inventory) = &self.0.inventory {
            change(&mut inventory.write().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// The objects that rules judge, by kind, namespace and name; empty without an inventory.
    pub fn reviewed(&self) -> Vec<Arc<Subject>> {
        self.stock(|inventory| inventory.reviewed.values().cloned().collect())
    }

    /// The objects among these that rules judge, in order; empty without an inventory.
    pub fn subjects<'o>(&self, objects: impl IntoIterator<Item = &'o ObjectRef>) -> Vec<Arc<Subject>> {
        self.stock(|inventory| {
            objects.into_iter().filter_map(|object| inventory.reviewed.get(object).cloned()).collect()
        })
    }

    /// The UID of an object that rules judge or that can't be read, if known.
    pub(crate) fn uid(&self, object: &ObjectRef) -> Option<Box<str>> {
        self.stock(|inventory| inventory.uids.get(object).map(Uid::text))
    }

    /// The objects that can't be read; empty without an inventory.
    pub fn undecodable(&self) -> Vec<Arc<Undecodable>> {
        self.stock(|inventory| inventory.undecodable.values().cloned().collect())
    }

    fn stock<T: Default>(&self, look: impl FnOnce(&Inventory) -> T) -> T {
        let inventory = self.0.inventory.as_ref();
        inventory.map(|it| look(&it.read().unwrap_or_else(PoisonError::into_inner))).unwrap_or_default()
    }

    /// Counts the changes of the world from now on.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }
}

/// An object's UID. Kubernetes' own are UUIDs, of which sixteen bytes say all; an API server of another kind may have others.
#[derive(Debug, PartialEq)]
enum Uid {
    Uuid(Uuid),
    Other(Box<str>),
}

impl Uid {
    fn of(text: Box<str>) -> Self {
        match Uuid::try_parse(&text) {
            Ok(uuid) if *uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == *text => Self::Uuid(uuid),
            _ => Self::Other(text),
        }
    }

    fn text(&self) -> Box<str> {
        match self {
            Self::Uuid(uuid) => uuid.hyphenated().to_string().into(),
            Self::Other(text) => text.clone(),
        }
    }
}

impl Inventory {
    /// Records an object, replacing an earlier one with its name.
    pub fn note(&mut self, id: &FactId, reviewed: Option<Subject>) {
        self.lose(id);
        if let Some(mut reviewed) = reviewed {
            // kubectl's annotation is as large as the object itself; only meshvet's own annotations are read.
            reviewed.annotations.retain(|key, _| key.starts_with("meshvet.dev/"));
            if reviewed.annotations.is_empty() {
                // A map keeps its room for eleven, half a kilobyte.
                reviewed.annotations = BTreeMap::new();
            }
            if let Some(trim) = self.trim {
                trim(&mut reviewed);
            }
            self.reviewed.insert(reviewed.object.clone(), Arc::new(reviewed));
        }
    }

    /// Records an object that can't be read.
    pub(crate) fn skip(&mut self, id: &FactId, why: Undecodable) {
        self.lose(id);
        self.undecodable.insert(id.clone(), Arc::new(why));
    }

    /// Records an object's UID, after the object itself.
    pub(crate) fn identify(&mut self, id: &FactId, uid: Option<Box<str>>) {
        let object = object(id);
        if let Some(uid) = uid
            && (self.reviewed.contains_key(&object) || self.undecodable.contains_key(id))
        {
            self.uids.insert(object, Uid::of(uid));
        }
    }

    /// Forgets an object.
    pub fn lose(&mut self, id: &FactId) {
        self.undecodable.remove(id);
        self.uids.remove(&object(id));
        if let FactId::Object(object) = id {
            self.reviewed.remove(object);
        }
    }
}

/// Reads Secrets and ConfigMaps at the source, bypassing every cache.
pub trait StoreReader: Send + Sync + 'static {
    /// Reads each store, or reports why it couldn't be read. Stores that need no fresh read may be left out.
    fn read(&self, keys: Vec<StoreKey>) -> BoxFuture<'_, FreshStores>;

    /// The current version of each store, without its contents; None for one that doesn't exist. Stores of which that can't be read, and
    /// those that need no fresh read, are left out.
    fn versions(&self, _keys: Vec<StoreKey>) -> BoxFuture<'_, HashMap<StoreKey, Option<Version>>> {
        Box::pin(async { HashMap::new() })
    }
}

/// One object as it is now.
#[derive(Clone, Debug)]
pub enum FreshObject {
    /// It exists, and this is what it says.
    There(Vec<Fact>),
    /// It doesn't exist, or says nothing.
    Gone,
    /// It couldn't be read: why, and since when what is known of it is what is known.
    Failed(String),
}

/// Which of the kinds that own pods to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kinds {
    /// Kinds whose objects are read in full: Deployments and similar.
    Owners,
    /// Kinds most of whose objects belong to one of the former: Pods, ReplicaSets and Jobs. Only the others are read.
    MostlyOwned,
}

/// The current workloads of a namespace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FreshWorkloads {
    /// The workloads that were read.
    pub workloads: Arc<[Arc<Workload>]>,
    /// Why there may be more.
    pub failed: Option<String>,
}

/// Reads a namespace's contents at the source, bypassing every cache.
pub trait NamespaceReader: Send + Sync + 'static {
    /// Reads its workloads, starting after `since`. None: the world is already complete.
    fn workloads(&self, namespace: &str, kinds: Kinds, since: Instant) -> BoxFuture<'_, Option<FreshWorkloads>>;

    /// Reads its labels; None where that adds nothing.
    fn labels(&self, namespace: &str) -> BoxFuture<'_, Option<BTreeMap<String, String>>>;

    /// Reads one of its Services by name; None if there is none, or if it can't be read.
    fn service(&self, namespace: &str, name: &str) -> BoxFuture<'_, Option<Arc<Service>>>;

    /// Reads an object of a watched kind other than Secrets and ConfigMaps. None: the world is already complete.
    fn object(&self, _object: &ObjectRef) -> BoxFuture<'_, Option<FreshObject>> {
        Box::pin(async { None })
    }
}

/// Reads nothing: for worlds that are already complete.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReader;

impl StoreReader for NoReader {
    fn read(&self, _keys: Vec<StoreKey>) -> BoxFuture<'_, FreshStores> {
        Box::pin(async { FreshStores::new() })
    }
}

impl NamespaceReader for NoReader {
    fn workloads(&self, _namespace: &str, _kinds: Kinds, _since: Instant) -> BoxFuture<'_, Option<FreshWorkloads>> {
        Box::pin(async { None })
    }

    fn labels(&self, _namespace: &str) -> BoxFuture<'_, Option<BTreeMap<String, String>>> {
        Box::pin(async { None })
    }

    fn service(&self, _namespace: &str, _name: &str) -> BoxFuture<'_, Option<Arc<Service>>> {
        Box::pin(async { None })
    }
}

/// Asks AWS, through a cache.
pub trait AwsReader: Send + Sync + 'static {
    /// Whether AWS is asked at all.
    fn asks(&self) -> bool {
        true
    }

    /// The outcomes of calls so far.
    fn calls(&self) -> CallStats {
        CallStats::default()
    }

    /// Answers every question by the deadline; a late one is answered as timed out.
    fn ask(&self, questions: Vec<Question>, deadline: Instant) -> BoxFuture<'_, AwsFacts>;
}

/// Asks nothing: what can be judged without AWS is judged, and the rest is skipped.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAws;

impl AwsReader for NoAws {
    fn asks(&self) -> bool {
        false
    }

    fn ask(&self, _questions: Vec<Question>, _deadline: Instant) -> BoxFuture<'_, AwsFacts> {
        Box::pin(async { AwsFacts::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_told_as_it_was_given() {
        for (text, is_uuid) in [
            ("705ab4f5-6393-11e8-b7cc-42010a800002", true),
            ("705AB4F5-6393-11E8-B7CC-42010A800002", false),
            ("705ab4f5639311e8b7cc42010a800002", false),
            ("{705ab4f5-6393-11e8-b7cc-42010a800002}", false),
            ("u-1", false),
            ("", false),
        ] {
            let uid = Uid::of(text.into());
            assert_eq!((&*uid.text(), matches!(uid, Uid::Uuid(_))), (text, is_uuid));
        }
    }
}
