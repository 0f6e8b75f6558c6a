//! Reads that several reviews share.
//!
//! A review may join a read that another one started, but only one that began after the review arrived: an earlier read may have
//! missed what was applied in between. At most two reads of one place run at a time. A read that waits for its turn hasn't begun, so
//! later reviews join it: however many reviews there are, two reads run and one waits.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures::future::{BoxFuture, FutureExt, Shared, WeakShared};
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// The most reads of one place at a time. With two, a read that hangs doesn't block the others.
const AT_ONCE: usize = 2;

/// A shared read: it continues while anything waits for it.
pub(super) type Flight<V> = Shared<BoxFuture<'static, V>>;

/// The reads in progress, by place.
pub(super) struct Flights<K, V>(Mutex<HashMap<K, Lane<V>>>);

struct Lane<V> {
    turns: Arc<Semaphore>,
    /// The last requested read, and when it began.
    latest: WeakShared<BoxFuture<'static, V>>,
    began: Arc<OnceLock<Instant>>,
}

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone + Send + 'static> Flights<K, V> {
    /// A read of `place` that begins after `since`: one that is already pending, or `read`, which starts when its turn comes.
    pub(super) fn join(&self, place: K, since: Instant, read: impl FnOnce() -> BoxFuture<'static, V>) -> Flight<V> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lanes.get(&place).and_then(|lane| {
            let is_late = lane.began.get().is_none_or(|began| *began >= since);
            lane.latest.upgrade().filter(|_| is_late)
        });
        if let Some(flight) = known {
            return flight;
        }
        lanes.retain(|_, lane| lane.latest.upgrade().is_some() || Arc::strong_count(&lane.turns) > 1);
        let turns = lanes.get(&place).map(|lane| Arc::clone(&lane.turns));
        let turns = turns.unwrap_or_else(|| Arc::new(Semaphore::new(AT_ONCE)));
        let began = Arc::new(OnceLock::new());
        let (read, waits, begins) = (read(), Arc::clone(&turns), Arc::clone(&began));
        let flight = async move {
            // The semaphore is never closed.
            let _turn = waits.acquire().await;
            begins.get_or_init(Instant::now);
            read.await
        };
        let flight = flight.boxed().shared();
        if let Some(latest) = flight.downgrade() {
            lanes.insert(place, Lane { turns, latest, began });
        }
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// A source that takes ten milliseconds and counts reads.
    #[derive(Clone, Default)]
    struct Source {
        reads: Arc<AtomicUsize>,
        stored: Arc<AtomicUsize>,
    }

    impl Source {
        fn read(&self) -> BoxFuture<'static, usize> {
            let source = self.clone();
            async move {
                source.reads.fetch_add(1, Ordering::Relaxed);
                let found = source.stored.load(Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
                found
            }
            .boxed()
        }

        fn reads(&self) -> usize {
            self.reads.load(Ordering::Relaxed)
        }
    }

    async fn ask(flights: &Flights<&'static str, usize>, source: &Source, place: &'static str) -> usize {
        flights.join(place, Instant::now(), || source.read()).await
    }

    #[tokio::test]
    async fn those_who_ask_at_once_share_one_read_and_other_places_have_their_own() {
        let (flights, source) = (Flights::default(), Source::default());
        let since = Instant::now();
        let all = (0..50).map(|_| flights.join("shop", since, || source.read()));
        futures::future::join_all(all).await;
        assert_eq!(source.reads(), 1);
        futures::join!(ask(&flights, &source, "shop"), ask(&flights, &source, "bank"));
        assert_eq!(source.reads(), 3);
    }

    #[tokio::test]
    async fn nobody_joins_a_read_that_began_before() {
        let (flights, source) = (Flights::default(), Source::default());
        let first = ask(&flights, &source, "shop");
        let later = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            source.stored.store(1, Ordering::Relaxed);
            ask(&flights, &source, "shop").await
        };
        assert_eq!(futures::join!(first, later), (0, 1));
    }

    #[tokio::test]
    async fn however_many_ask_two_run_and_one_waits_that_sees_the_newest() {
        let (flights, source) = (Arc::new(Flights::default()), Source::default());
        let asked = (1..=1_000).map(|number| {
            let (flights, source) = (Arc::clone(&flights), source.clone());
            async move {
                tokio::time::sleep(Duration::from_micros(number as u64 * 20)).await;
                // Timers of one moment go off in any order.
                source.stored.fetch_max(number, Ordering::Relaxed);
                (ask(&flights, &source, "shop").await, number)
            }
        });
        let started = Instant::now();
        let seen = futures::future::join_all(asked).await;
        assert!(seen.iter().all(|(seen, stored)| seen >= stored), "somebody was given an old state");
        // Each takes at least ten milliseconds.
        let most = 2 * (started.elapsed().as_millis() as usize / 10 + 1);
        assert!(source.reads() <= most, "{} of {most}", source.reads());
    }

    #[tokio::test]
    async fn a_read_goes_on_for_those_who_still_wait() {
        let (flights, source) = (Flights::default(), Source::default());
        let since = Instant::now();
        let mut impatient = flights.join("shop", since, || source.read());
        assert!(futures::poll!(&mut impatient).is_pending());
        let patient = flights.join("shop", since, || source.read());
        drop(impatient);
        patient.await;
        assert_eq!(source.reads(), 1);
        assert!(flights.0.lock().expect("a lock").len() == 1);
        ask(&flights, &source, "bank").await;
        assert!(!flights.0.lock().expect("a lock").contains_key("shop"), "what is over is forgotten");
    }

    #[tokio::test]
    async fn one_that_hangs_holds_up_nobody() {
        let (flights, source) = (Flights::default(), Source::default());
        let mut hangs = flights.join("shop", Instant::now(), || std::future::pending().boxed());
        assert!(futures::poll!(&mut hangs).is_pending());
        tokio::time::sleep(Duration::from_millis(1)).await;
        ask(&flights, &source, "shop").await;
        assert_eq!(source.reads(), 1);
    }
}
