//! From the events of one kind's watch to what the world knows. No I/O.

use std::collections::HashMap;
use std::sync::Arc;

use kube::runtime::watcher::Event;

use crate::apis::{Entry, Subject, Undecodable};
use crate::mesh::{Fact, FactId};
use crate::sources::SharedWorld;
use crate::sources::cluster::kinds::WatchedKind;
use crate::sources::cluster::object::{RawObject, decode};
use crate::sources::cluster::stats::{Held, KindStats};
use crate::sources::cluster::weight::weight;
use crate::text;

/// The longest reason that is logged, in characters: a message may quote what it is about.
const MAX_REASON: usize = 300;

/// What one kind's watch has put into the world.
pub(super) struct Tracker {
    kind: &'static WatchedKind,
    world: SharedWorld,
    stats: Arc<KindStats>,
    seen: HashMap<FactId, Seen>,
    /// Which list is being read: what the last one didn't name is gone.
    round: u64,
    undecodable: usize,
    /// What all facts weigh.
    bytes: usize,
    /// What the figures have from this watch.
    counted: Held,
}

struct Seen {
    round: u64,
    /// What the fact weighs.
    bytes: usize,
    /// None: the world knows it. Otherwise why it could not be read.
    unreadable: Option<String>,
}

enum Change {
    Learn(FactId, Vec<Fact>, Option<Box<Subject>>),
    Forget(FactId),
    Skip(FactId, Undecodable),
}

/// What the inventory hears of an object.
enum Noted {
    Object(Option<Box<Subject>>),
    Unreadable(Undecodable),
    Gone,
}

impl Tracker {
    pub(super) fn new(kind: &'static WatchedKind, world: SharedWorld, stats: Arc<KindStats>) -> Self {
        Self { kind, world, stats, seen: HashMap::new(), round: 0, undecodable: 0, bytes: 0, counted: Held::default() }
    }

    /// How many objects of the kind the world knows through this watch.
    pub(super) fn len(&self) -> usize {
        self.seen.len() - self.undecodable
    }

    /// Follows these events, in one step of the world; true when a list has been completed.
    ///
    /// While a list is read again, what is known stays; what the list doesn't name is forgotten in the step that ends it. A list
    /// that breaks off forgets nothing.
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
        self.lose_all_before(u64::MAX, &mut changes);
        self.commit(changes);
    }

    fn take(&mut self, object: &RawObject, changes: &mut Vec<Change>) {
        let id = object.id(self.kind);
        match decode(self.kind, object) {
            Ok(Entry::Subject(subject)) => self.learn(id, subject.facts.clone(), Some(subject), changes),
            Ok(Entry::Fact(fact)) => self.learn(id, vec![fact], None, changes),
            Ok(Entry::Nothing(_) | Entry::Other) => self.lose(id, changes),
            Err(undecodable) => self.skip(id, *undecodable, changes),
        }
    }

    fn learn(&mut self, id: FactId, facts: Vec<Fact>, subject: Option<Box<Subject>>, changes: &mut Vec<Change>) {
        debug_assert!(facts.iter().all(|fact| fact.id() == id), "what is learnt can be forgotten again");
        let bytes = facts.iter().map(weight).sum();
        let old = self.seen.insert(id.clone(), Seen { round: self.round, bytes, unreadable: None });
        self.bytes += bytes;
        if let Some(old) = old {
            self.bytes -= old.bytes;
            self.undecodable -= usize::from(old.unreadable.is_some());
        }
        changes.push(Change::Learn(id, facts, subject));
    }

    /// Notes an object that can't be read. What it said before is forgotten too: it doesn't say so any more.
    fn skip(&mut self, id: FactId, why: Undecodable, changes: &mut Vec<Change>) {
        let reason = reason(&why);
        let old = self.seen.remove(&id);
        match &old {
            Some(Seen { unreadable: Some(told), .. }) if *told == reason => {}
            _ => tracing::warn!(
                kind = self.kind.name,
                object = %why.object,
                pointer = %why.field.pointer().escape_debug(),
                reason,
                "skipped an object that can't be read: verdicts don't count on it"
            ),
        }
        match old {
            Some(Seen { unreadable: None, bytes, .. }) => {
                self.bytes -= bytes;
                self.undecodable += 1;
                changes.push(Change::Forget(id.clone()));
            }
            Some(_) => {}
            None => self.undecodable += 1,
        }
        self.seen.insert(id.clone(), Seen { round: self.round, bytes: 0, unreadable: Some(reason) });
        changes.push(Change::Skip(id, why));
    }

    fn lose(&mut self, id: FactId, changes: &mut Vec<Change>) {
        match self.seen.remove(&id) {
            Some(Seen { unreadable: None, bytes, .. }) => {
                self.bytes -= bytes;
                changes.push(Change::Forget(id));
            }
            Some(_) => {
                self.undecodable -= 1;
                changes.push(Change::Forget(id));
            }
            None => {}
        }
    }

    fn lose_all_before(&mut self, round: u64, changes: &mut Vec<Change>) {
        for (id, seen) in self.seen.extract_if(|_, seen| seen.round < round) {
            self.bytes -= seen.bytes;
            self.undecodable -= usize::from(seen.unreadable.is_some());
            changes.push(Change::Forget(id));
        }
    }

    fn commit(&mut self, changes: Vec<Change>) {
        if !changes.is_empty() {
            let mut stock = Vec::new();
            self.world.write(|world| {
                for change in changes {
                    match change {
                        Change::Learn(id, facts, subject) => {
                            world.replace(&id, facts);
                            stock.push((id, Noted::Object(subject)));
                        }
                        Change::Forget(id) => {
                            world.forget(&id);
                            stock.push((id, Noted::Gone));
                        }
                        Change::Skip(id, why) => stock.push((id, Noted::Unreadable(why))),
                    }
                }
            });
            self.world.take_stock(|inventory| {
                for (id, noted) in stock {
                    match noted {
                        Noted::Object(reviewed) => inventory.note(&id, reviewed.map(|reviewed| *reviewed)),
                        Noted::Unreadable(why) => inventory.skip(&id, why),
                        Noted::Gone => inventory.lose(&id),
                    }
                }
            });
        }
        let now = Held { objects: self.len(), undecodable: self.undecodable, bytes: self.bytes };
        self.stats.moved(std::mem::replace(&mut self.counted, now), now);
    }
}

/// The reason on one line of bounded length.
fn reason(why: &Undecodable) -> String {
    text::cut(&why.message, MAX_REASON).chars().flat_map(char::escape_debug).collect()
}
