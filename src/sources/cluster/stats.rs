//! What the watches have counted, for metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::sources::cluster::kinds;

/// Figures of all watches. Clones share them.
#[derive(Clone, Debug)]
pub struct WatchStats(Arc<BTreeMap<&'static str, Arc<KindStats>>>);

/// What one watch knows of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    /// Objects that say something.
    pub(super) objects: usize,
    /// Objects that can't be read.
    pub(super) undecodable: usize,
    /// What their facts weigh.
    pub(super) bytes: usize,
}

/// Figures of one kind's watches.
#[derive(Debug)]
pub struct KindStats {
    objects: AtomicU64,
    undecodable: AtomicU64,
    errors: AtomicU64,
    bytes: AtomicU64,
    began: Instant,
    /// When the API server last said anything, in milliseconds since `began`; zero: never.
    heard: AtomicU64,
}

impl Default for KindStats {
    fn default() -> Self {
        Self {
            objects: AtomicU64::default(),
            undecodable: AtomicU64::default(),
            errors: AtomicU64::default(),
            bytes: AtomicU64::default(),
            began: Instant::now(),
            heard: AtomicU64::default(),
        }
    }
}

impl Default for WatchStats {
    /// Nothing counted yet, for each kind that may be watched.
    fn default() -> Self {
        Self(Arc::new(kinds::all().map(|kind| (kind.kind, Arc::default())).collect()))
    }
}

impl WatchStats {
    /// The figures of each kind (`VirtualNode`, `Secret`, …), by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &KindStats)> {
        self.0.iter().map(|(kind, stats)| (*kind, stats.as_ref()))
    }

    /// The figures of one kind.
    pub fn kind(&self, kind: &str) -> Option<&KindStats> {
        self.0.get(kind).map(AsRef::as_ref)
    }

    pub(super) fn shared(&self, kind: &str) -> Arc<KindStats> {
        self.0.get(kind).cloned().unwrap_or_default()
    }
}

impl KindStats {
    /// How many objects of the kind say something now: a gauge. Pods that a Deployment owns, say, are not counted.
    pub fn objects(&self) -> u64 {
        self.objects.load(Ordering::Relaxed)
    }

    /// How many objects of the kind can't be read now: a gauge.
    pub fn undecodable(&self) -> u64 {
        self.undecodable.load(Ordering::Relaxed)
    }

    /// How often listing or watching the kind has failed: a counter.
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// About how many bytes of memory the facts of the kind take: a gauge.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How long ago the API server last said anything of the kind: a page of a list, an event, a bookmark, or that there is no such
    /// kind. None: it never has.
    pub fn age(&self) -> Option<Duration> {
        let heard = self.heard.load(Ordering::Relaxed);
        (heard > 0).then(|| self.began.elapsed().saturating_sub(Duration::from_millis(heard)))
    }

    pub(super) fn hear(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now.max(1), Ordering::Relaxed);
    }

    /// One watch of the kind knows of so much `now`, where it knew of so much `before`.
    pub(super) fn moved(&self, before: Counted, now: Counted) {
        // Atomics wrap, so that a difference below zero counts down.
        let difference = |before: usize, now: usize| (now as u64).wrapping_sub(before as u64);
        self.objects.fetch_add(difference(before.objects, now.objects), Ordering::Relaxed);
        self.undecodable.fetch_add(difference(before.undecodable, now.undecodable), Ordering::Relaxed);
        self.bytes.fetch_add(difference(before.bytes, now.bytes), Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }
}
