//! From one kind's watch events to facts in the world. No I/O.

use std::collections::HashMap;
use std::sync::Arc;

use kube::runtime::watcher::Event;

use crate::apis::{Entry, Subject, Undecodable};
use crate::mesh::{Fact, FactId};
use crate::sources::cluster::kinds::WatchedKind;
use crate::sources::cluster::object::{RawObject, decode};
use crate::sources::cluster::stats::{Held, KindStats};
use crate::sources::cluster::weight::weight;
use crate::sources::{Inventory, SharedWorld, Step};
use crate::text;

/// The longest reason that is logged, in characters: a message may quote the object.
const MAX_REASON: usize = 300;

/// What one kind's watch has put into the world.
pub(super) struct Tracker {
    kind: &'static WatchedKind,
    world: SharedWorld,
    stats: Arc<KindStats>,
    /// What the world knows.
    seen: HashMap<FactId, Seen>,
    unreadable: HashMap<FactId, Unreadable>,
    /// The number of the current list: what the last list didn't contain is gone.
    round: u32,
    /// The memory of all facts.
    bytes: usize,
    /// What this watch has added to the metrics.
    counted: Held,
}

struct Seen {
    round: u32,
    /// The memory of its facts. Four bytes do: an object is small, and these are many.
    bytes: u32,
}

/// An object that couldn't be read.
struct Unreadable {
    round: u32,
    why: Box<str>,
}

/// What an object says.
struct Learnt {
    facts: Vec<Fact>,
    subject: Option<Box<Subject>>,
    uid: Uid,
    /// The length of its JSON.
    json: usize,
}

enum Change {
    Learn(Vec<Fact>, Option<Box<Subject>>, Uid),
    Forget,
    Skip(Undecodable, Uid),
}

type Uid = Option<Box<str>>;
type Changes = Vec<(FactId, Change)>;

/// A change for the inventory.
enum Noted {
    Object(Option<Box<Subject>>, Uid),
    Unreadable(Undecodable, Uid),
    Gone,
}

impl Tracker {
    pub(super) fn new(kind: &'static WatchedKind, world: SharedWorld, stats: Arc<KindStats>) -> Self {
        let (seen, unreadable) = (HashMap::new(), HashMap::new());
        Self { kind, world, stats, seen, unreadable, round: 0, bytes: 0, counted: Held::default() }
    }

    /// The number of this watch's objects in the world.
    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    /// Applies these events in one step of the world; true when a list has been completed.
    ///
    /// While a list is read again, known objects stay; those not in the list are forgotten in the step that completes it. An
    /// aborted list forgets nothing.
    pub(super) fn follow(&mut self, events: impl IntoIterator<Item = Event<RawObject>>) -> bool {
        let mut changes = Vec::new();
        let mut listed = false;
        for event in events {
            match event {
                Event::Init => self.round += 1,
                Event::InitApply(object) | Event::Apply(object) => self.take(&object, &mut changes),
                Event::Delete(object) => self.lose(object.id(self.kind), &mut changes),
                Event::InitDone => {
                    listed = true;
                    self.lose_all_before(self.round, &mut changes);
                }
            }
        }
        self.commit(changes);
        listed
    }

    /// Forgets everything: the kind itself is gone.
    pub(super) fn clear(&mut self) {
        let mut changes = Vec::new();
        self.lose_all_before(u32::MAX, &mut changes);
        self.commit(changes);
    }

    fn take(&mut self, object: &RawObject, changes: &mut Changes) {
        let id = object.id(self.kind);
        let uid = object.uid().map(Into::into);
        match decode(self.kind, object) {
            Ok(Entry::Subject(subject)) => {
                // The name that its facts have already, not another copy of it.
                let own = FactId::Object(subject.object.clone());
                let id = if id == own { own } else { id };
                let learnt = Learnt { facts: subject.facts.clone(), subject: Some(subject), uid, json: object.len() };
                self.learn(id, learnt, changes);
            }
            Ok(Entry::Fact(fact)) => {
                let learnt = Learnt { facts: vec![fact], subject: None, uid, json: object.len() };
                self.learn(id, learnt, changes);
            }
            Ok(Entry::Nothing(_) | Entry::Other) => self.lose(id, changes),
            Err(undecodable) => self.skip(id, *undecodable, uid, changes),
        }
    }

    fn learn(&mut self, id: FactId, learnt: Learnt, changes: &mut Changes) {
        let Learnt { facts, subject, uid, json } = learnt;
        debug_assert!(facts.iter().all(|fact| fact.id() == id), "what is learnt can be forgotten again");
        let bytes: usize = facts.iter().map(|fact| weight(fact, json)).sum();
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.unreadable.remove(&id);
        self.bytes += bytes as usize;
        if let Some(old) = self.seen.insert(id.clone(), Seen { round: self.round, bytes }) {
            self.bytes -= old.bytes as usize;
        }
        changes.push((id, Change::Learn(facts, subject, uid)));
    }

    /// Notes an object that can't be read, and forgets its earlier facts, which no longer hold.
    fn skip(&mut self, id: FactId, why: Undecodable, uid: Uid, changes: &mut Changes) {
        let reason = reason(&why);
        let round = self.round;
        let told = self.unreadable.insert(id.clone(), Unreadable { round, why: reason.as_str().into() });
        if told.is_none_or(|told| *told.why != *reason) {
            tracing::warn!(
                kind = self.kind.name,
                object = %why.object,
                pointer = %why.field.pointer().escape_debug(),
                reason,
                "skipped an object that can't be read: verdicts don't take it into account"
            );
        }
        if let Some(old) = self.seen.remove(&id) {
            self.bytes -= old.bytes as usize;
            changes.push((id.clone(), Change::Forget));
        }
        changes.push((id, Change::Skip(why, uid)));
    }

    fn lose(&mut self, id: FactId, changes: &mut Changes) {
        let known = self.seen.remove(&id);
        self.bytes -= known.as_ref().map_or(0, |old| old.bytes as usize);
        if known.is_some() || self.unreadable.remove(&id).is_some() {
            changes.push((id, Change::Forget));
        }
    }

    fn lose_all_before(&mut self, round: u32, changes: &mut Changes) {
        for (id, old) in self.seen.extract_if(|_, seen| seen.round < round) {
            self.bytes -= old.bytes as usize;
            changes.push((id, Change::Forget));
        }
        let unread = self.unreadable.extract_if(|_, unread| unread.round < round);
        changes.extend(unread.map(|(id, _)| (id, Change::Forget)));
    }

    fn commit(&mut self, changes: Changes) {
        if !changes.is_empty() {
            self.world.step(|step| changes.into_iter().map(|(id, change)| change.learn(id, step)).collect(), note_all);
        }
        let now = Held { objects: self.len(), undecodable: self.unreadable.len(), bytes: self.bytes };
        self.stats.moved(std::mem::replace(&mut self.counted, now), now);
    }
}

impl Change {
    /// Applies the change to the world, and returns the one for the inventory.
    fn learn(self, id: FactId, step: &mut Step<'_>) -> (FactId, Noted) {
        let noted = match self {
            Self::Learn(facts, subject, uid) => {
                step.replace(&id, facts);
                Noted::Object(subject, uid)
            }
            Self::Forget => {
                step.forget(&id);
                Noted::Gone
            }
            Self::Skip(why, uid) => {
                step.touch(&id);
                Noted::Unreadable(why, uid)
            }
        };
        (id, noted)
    }
}

fn note_all(inventory: &mut Inventory, all: Vec<(FactId, Noted)>) {
    for (id, noted) in all {
        let uid = match noted {
            Noted::Object(reviewed, uid) => {
                inventory.note(&id, reviewed.map(|reviewed| *reviewed));
                uid
            }
            Noted::Unreadable(why, uid) => {
                inventory.skip(&id, why);
                uid
            }
            Noted::Gone => {
                inventory.lose(&id);
                None
            }
        };
        inventory.identify(&id, uid);
    }
}

/// The reason on one line of bounded length.
fn reason(why: &Undecodable) -> String {
    text::cut(&why.message, MAX_REASON).chars().flat_map(char::escape_debug).collect()
}
