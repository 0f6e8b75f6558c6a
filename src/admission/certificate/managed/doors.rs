//! The doors of one replica: those that the Secret has, and those that callers may still be sent to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bundle::Bundles;
use super::state::Doors;
use crate::admission::paths::{Door, Paths, own_path};

/// How many times longer than others plain paths stay: for as long as replicas of an older version may be around, which know no others.
const OLDER: u32 = 20;

/// What a replica knows of doors: its own, and the configuration's.
pub(super) struct OpenDoors {
    paths: Arc<Paths>,
    settling: Duration,
    /// The Secret's.
    known: Option<Doors>,
    /// Those that the Secret had before, each since when it hasn't.
    retired: Vec<(Door, Instant)>,
    /// The next one, since when it is known.
    next: Option<(Door, Instant)>,
    /// The one that every webhook calls, since when they do.
    called: Option<(Door, Instant)>,
    /// Where webhooks send reviews, as it was seen last.
    sent: Vec<String>,
}

impl OpenDoors {
    /// None is open yet; `settling`: how long until every API server has heard of a change.
    pub(super) fn new(paths: Arc<Paths>, settling: Duration) -> Self {
        Self { paths, settling, known: None, retired: Vec::new(), next: None, called: None, sent: Vec::new() }
    }

    /// Opens the Secret's doors. Those that it had before stay open for a while, and for as long as reviews are sent there.
    pub(super) fn learn(&mut self, doors: &Doors) {
        let (now, open) = (Instant::now(), doors.open());
        let gone = self.known.iter().flat_map(Doors::open).filter(|door| !open.contains(door));
        let gone: Vec<(Door, Instant)> = gone.map(|door| (door, now)).collect();
        self.retired.extend(gone);
        self.retired.retain(|(door, _)| !open.contains(door));
        if doors.next.as_ref() != self.next.as_ref().map(|(door, _)| door) {
            self.next = doors.next.clone().map(|door| (door, now));
        }
        self.known = Some(doors.clone());
        self.open();
    }

    /// Notes where webhooks send reviews; `written`: they were just made to call the current door.
    pub(super) fn see(&mut self, bundles: &Bundles, written: bool) {
        let current = self.known.as_ref().map(|doors| &doors.current);
        let called = current.filter(|door| written || bundles.call(door)).cloned();
        self.sent = match &called {
            Some(door) => bundles.own_paths().map(|own| door.path(own)).collect(),
            None => bundles.paths().map(str::to_owned).collect(),
        };
        if called.as_ref() != self.called.as_ref().map(|(door, _)| door) {
            self.called = called.map(|door| (door, Instant::now()));
        }
        self.open();
    }

    fn open(&mut self) {
        let (sent, settling) = (&self.sent, self.settling);
        let is_called = |door: &Door| sent.iter().any(|path| own_path(path).is_some_and(|own| door.path(own) == *path));
        self.retired.retain(|(door, since)| since.elapsed() < settling || is_called(door));
        let Some(known) = &self.known else { return };
        let retired = self.retired.iter().map(|(door, _)| door.clone());
        self.paths.serve(&known.open().into_iter().chain(retired).collect::<Vec<_>>());
    }

    /// Whether every replica has heard of the next door.
    pub(super) fn is_known(&self, doors: &Doors, next: &Door) -> bool {
        let enough = if doors.current == Door::Plain { self.settling * OLDER } else { self.settling };
        self.next.as_ref().is_some_and(|(door, since)| door == next && since.elapsed() >= enough)
    }

    /// Whether no API server sends reviews to a door other than the current one.
    pub(super) fn is_unused(&self, door: &Door) -> bool {
        self.called.as_ref().is_some_and(|(called, since)| called != door && since.elapsed() >= self.settling)
    }

    /// Whether reviews are sent where this replica takes none.
    pub(super) fn misses(&self) -> bool {
        self.sent.iter().any(|path| self.paths.at(path).is_none())
    }
}
