//! Figures of the watches, for metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::sources::cluster::kinds;

/// Figures of all watches. Clones share them.
#[derive(Clone, Debug)]
pub struct WatchStats(Arc<BTreeMap<&'static str, Arc<KindStats>>>);

/// What one watch holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    pub(super) objects: usize,
    pub(super) undecodable: usize,
    /// The approximate memory.
    pub(super) bytes: usize,
}

/// Figures of one kind's watches.
#[derive(Debug, Default)]
pub struct KindStats {
    objects: AtomicU64,
    undecodable: AtomicU64,
    errors: AtomicU64,
    bytes: AtomicU64,
    ears: Mutex<Vec<Arc<Ear>>>,
}

/// When the API server last sent anything to one watch.
#[derive(Debug)]
pub(super) struct Ear {
    began: Instant,
    /// In milliseconds since `began`.
    heard: AtomicU64,
}

impl Ear {
    /// Records that something arrived.
    pub(super) fn hear(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now, Ordering::Relaxed);
    }

    fn age(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.heard.load(Ordering::Relaxed)))
    }
}

impl Default for WatchStats {
    /// Zero for each kind that may be watched.
    fn default() -> Self {
        Self(Arc::new(kinds::all().map(|kind| (kind.name, Arc::default())).collect()))
    }
}

impl WatchStats {
    /// The metrics of each kind (`VirtualNode`, `Secret`, …), by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &KindStats)> {
        self.0.iter().map(|(kind, stats)| (*kind, stats.as_ref()))
    }

    /// The metrics of one kind.
    pub fn kind(&self, kind: &str) -> Option<&KindStats> {
        self.0.get(kind).map(AsRef::as_ref)
    }

    pub(super) fn shared(&self, kind: &str) -> Arc<KindStats> {
        self.0.get(kind).cloned().unwrap_or_default()
    }
}

impl KindStats {
    /// The number of objects that yield facts: a gauge. Pods owned by a Deployment, for example, aren't counted.
    pub fn objects(&self) -> u64 {
        self.objects.load(Ordering::Relaxed)
    }

    /// The number of objects that can't be read: a gauge.
    pub fn undecodable(&self) -> u64 {
        self.undecodable.load(Ordering::Relaxed)
    }

    /// How often listing or watching has failed: a counter.
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// The approximate memory of the kind's facts, in bytes: a gauge.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The time since the API server last sent anything about the kind: a page of a list, an event, a bookmark, or that the kind
    /// doesn't exist. Of several watches the one that was silent for longest counts; one that never received anything counts from its
    /// start. None: the kind isn't watched.
    pub fn age(&self) -> Option<Duration> {
        self.ears.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|ear| ear.age()).max()
    }

    /// Adds a watch of the kind.
    pub(super) fn listen(&self) -> Arc<Ear> {
        let ear = Arc::new(Ear { began: Instant::now(), heard: AtomicU64::default() });
        self.ears.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&ear));
        ear
    }

    /// Adds a watch that heard last at this time.
    #[cfg(test)]
    pub(crate) fn heard_at(&self, began: Instant) {
        let ear = Ear { began, heard: AtomicU64::default() };
        self.ears.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(ear));
    }

    /// Adds the difference between `before` and `now` of one watch.
    pub(super) fn moved(&self, before: Held, now: Held) {
        // Atomics wrap, so that a negative difference subtracts.
        let step = |count: &AtomicU64, before: usize, now: usize| {
            count.fetch_add((now as u64).wrapping_sub(before as u64), Ordering::Relaxed);
        };
        step(&self.objects, before.objects, now.objects);
        step(&self.undecodable, before.undecodable, now.undecodable);
        step(&self.bytes, before.bytes, now.bytes);
    }

    pub(super) fn failed(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_watches_of_a_kind_add_up() {
        let stats = KindStats::default();
        let held = |objects, bytes| Held { objects, undecodable: 0, bytes };
        stats.moved(Held::default(), held(3, 30));
        stats.moved(Held::default(), held(4, 40));
        stats.moved(held(3, 30), held(1, 10));
        assert_eq!((stats.objects(), stats.bytes()), (5, 50));
    }

    #[test]
    fn a_kind_is_as_old_as_the_watch_that_has_heard_nothing_for_longest() {
        let stats = KindStats::default();
        assert_eq!(stats.age(), None, "it isn't watched");
        let [one, other] = [stats.listen(), stats.listen()];
        std::thread::sleep(Duration::from_millis(20));
        one.hear();
        assert!(stats.age() >= Some(Duration::from_millis(20)));
        other.hear();
        assert!(stats.age() < Some(Duration::from_secs(60)));
        assert!(one.age() >= other.age());
    }
}
