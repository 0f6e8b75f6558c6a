//! The connections that are open, and which of them gives way when there is no room for another.
//!
//! Unauthenticated clients can open as many connections as they like. So a full server doesn't make newcomers wait: the connection that
//! matters least ends. That is the oldest one without a review so far (a handshake, a head or a first body that doesn't come),
//! then the one whose last review is the longest ago. One whose review is being judged stays.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// How long to wait for room before looking for it again: where every review is being judged, one will be done soon.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The connections of one server.
#[derive(Debug)]
pub(super) struct Crowd {
    slots: Arc<Semaphore>,
    open: Mutex<HashMap<u64, Arc<Standing>>>,
    next: AtomicU64,
    base: Instant,
}

/// A connection's place: left when dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    number: u64,
    /// How the connection stands.
    pub(super) standing: Arc<Standing>,
    _slot: OwnedSemaphorePermit,
}

/// How one connection stands.
#[derive(Debug)]
pub(crate) struct Standing {
    base: Instant,
    judging: AtomicUsize,
    /// When its last review was answered, in milliseconds from `base`, plus one. Zero: none has been.
    answered: AtomicU64,
    gives_way: CancellationToken,
}

/// A review that is being judged. Answered when dropped, whatever became of it.
pub(crate) struct Judging(Arc<Standing>);

impl Crowd {
    /// Room for so many.
    pub(super) fn new(slots: usize) -> Arc<Self> {
        Arc::new(Self {
            slots: Arc::new(Semaphore::new(slots)),
            open: Mutex::default(),
            next: AtomicU64::new(0),
            base: Instant::now(),
        })
    }

    /// Waits for a place, at the cost of another connection where there is none. True when one was asked to give way.
    pub(super) async fn admit(self: &Arc<Self>) -> (Place, bool) {
        let mut displaced = false;
        let slot = loop {
            if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
                break slot;
            }
            displaced |= self.make_room();
            if let Ok(Ok(slot)) = timeout(LOOK_AGAIN, Arc::clone(&self.slots).acquire_owned()).await {
                break slot;
            }
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let standing = Arc::new(Standing {
            base: self.base,
            judging: AtomicUsize::new(0),
            answered: AtomicU64::new(0),
            gives_way: CancellationToken::new(),
        });
        self.open().insert(number, Arc::clone(&standing));
        (Place { crowd: Arc::clone(self), number, standing, _slot: slot }, displaced)
    }

    /// Asks the connection that matters least to end, unless one that was asked has still to. False when none can.
    fn make_room(&self) -> bool {
        let open = self.open();
        if open.values().any(|standing| standing.gives_way.is_cancelled()) {
            return false;
        }
        let free = open.iter().filter(|(_, standing)| standing.judging.load(Ordering::Relaxed) == 0);
        let least = free.min_by_key(|(number, standing)| (standing.answered.load(Ordering::Relaxed), **number));
        if let Some((_, standing)) = least {
            standing.gives_way.cancel();
        }
        least.is_some()
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Standing>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.open().remove(&self.number);
    }
}

impl Standing {
    /// A review has arrived whole and is being judged.
    pub(crate) fn judge(self: &Arc<Self>) -> Judging {
        self.judging.fetch_add(1, Ordering::Relaxed);
        Judging(Arc::clone(self))
    }

    /// Whether a review has ever been answered.
    pub(super) fn has_been_of_use(&self) -> bool {
        self.answered.load(Ordering::Relaxed) > 0
    }

    /// Waits until it has to give way to another.
    pub(super) async fn gives_way(&self) {
        self.gives_way.cancelled().await;
    }
}

impl Drop for Judging {
    fn drop(&mut self) {
        let now = u64::try_from(self.0.base.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        self.0.answered.store(now, Ordering::Relaxed);
        self.0.judging.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Admits another to a full crowd: the one of `places` that gives way.
    async fn displaced(crowd: &Arc<Crowd>, places: &[&Place]) -> Option<usize> {
        let admitted = crowd.admit();
        tokio::pin!(admitted);
        let watched = timeout(Duration::from_millis(1), admitted.as_mut()).await;
        assert!(watched.is_err(), "it is full");
        places.iter().position(|place| place.standing.gives_way.is_cancelled())
    }

    #[tokio::test]
    async fn who_has_asked_nothing_gives_way_first_the_oldest_before_others() {
        let crowd = Crowd::new(3);
        let (useful, _) = crowd.admit().await;
        drop(useful.standing.judge());
        let (older, _) = crowd.admit().await;
        let (newer, _) = crowd.admit().await;
        assert_eq!(displaced(&crowd, &[&useful, &older, &newer]).await, Some(1));
        // As long as that one is there, no other has to go.
        assert_eq!(displaced(&crowd, &[&useful, &newer]).await, None);
        drop(older);
        let (latest, asked) = crowd.admit().await;
        assert!(!asked, "there is room");
        assert_eq!(displaced(&crowd, &[&useful, &newer, &latest]).await, Some(1));
    }

    #[tokio::test]
    async fn of_the_useful_the_one_gives_way_that_was_asked_longest_ago_and_none_that_judges() {
        let crowd = Crowd::new(2);
        let (first, _) = crowd.admit().await;
        let (second, _) = crowd.admit().await;
        drop(second.standing.judge());
        tokio::time::sleep(Duration::from_millis(2)).await;
        drop(first.standing.judge());
        let judging = second.standing.judge();
        assert_eq!(displaced(&crowd, &[&second]).await, None);
        assert!(first.standing.gives_way.is_cancelled());
        drop(judging);
        drop((first, second));

        let (first, _) = crowd.admit().await;
        let (second, _) = crowd.admit().await;
        drop(first.standing.judge());
        tokio::time::sleep(Duration::from_millis(2)).await;
        drop(second.standing.judge());
        assert_eq!(displaced(&crowd, &[&first, &second]).await, Some(0));
    }

    #[tokio::test]
    async fn where_all_judge_a_newcomer_waits_for_the_first_that_ends() {
        let crowd = Crowd::new(1);
        let (only, _) = crowd.admit().await;
        let judging = only.standing.judge();
        let waiting = tokio::spawn({
            let crowd = Arc::clone(&crowd);
            async move { crowd.admit().await.1 }
        });
        tokio::time::sleep(LOOK_AGAIN * 3).await;
        assert!(!waiting.is_finished() && !only.standing.gives_way.is_cancelled());
        drop(judging);
        only.standing.gives_way().await;
        drop(only);
        assert!(waiting.await.expect("no panic"));
    }
}
