//! What the watches have counted, for metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sources::cluster::kinds;

/// Figures of all watches. Clones share them.
#[derive(Clone, Debug)]
pub struct WatchStats(Arc<BTreeMap<&'static str, Arc<KindStats>>>);

/// Figures of one kind's watch.
#[derive(Debug, Default)]
pub struct KindStats {
    objects: AtomicU64,
    undecodable: AtomicU64,
    errors: AtomicU64,
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

    /// One watch of the kind knows of `now` objects and undecodable ones, where it knew of `before`.
    pub(super) fn moved(&self, before: (usize, usize), now: (usize, usize)) {
        // Atomics wrap, so that a difference below zero counts down.
        let difference = |before: usize, now: usize| (now as u64).wrapping_sub(before as u64);
        self.objects.fetch_add(difference(before.0, now.0), Ordering::Relaxed);
        self.undecodable.fetch_add(difference(before.1, now.1), Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }
}
