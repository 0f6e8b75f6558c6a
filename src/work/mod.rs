//! Many things at once: each on its own, with the results in order.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How many items wait for each thread. More would only hold memory.
const AHEAD: usize = 4;

/// The stack of a thread, in bytes: that of a program's first one.
const STACK: usize = 8 << 20;

/// The environment variable that sets how many threads work.
const VARIABLE: &str = "MESHVET_THREADS";

type Outcome<R> = Result<R, Box<dyn Any + Send>>;

/// How many threads work: as many as there are cores for this process, unless the environment says otherwise.
pub(crate) fn threads() -> usize {
    let set = std::env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).filter(|threads| *threads > 0);
    set.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Does `work` on each item, on so many threads, and hands the results to `take` in the order of the items. Items are asked for shortly
/// before they are worked on. With one thread, or one item, everything is done on the caller's.
pub(crate) fn in_order<T: Send, R: Send>(
    threads: usize,
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(R),
) {
    let mut items = items.into_iter();
    let Some(first) = items.next() else { return };
    let Some(second) = items.next() else { return take(work(first)) };
    let mut items = [first, second].into_iter().chain(items);
    if threads > 1 {
        spread(threads, &mut items, &work, &mut take);
    }
    // All of them, where no other thread could be started.
    items.for_each(|item| take(work(item)));
}

fn spread<T: Send, R: Send>(
    threads: usize,
    items: &mut impl Iterator<Item = T>,
    work: &(impl Fn(T) -> R + Sync),
    take: &mut impl FnMut(R),
) {
    thread::scope(|scope| {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let (done, results) = mpsc::channel();
        let mut started = 0;
        for _ in 0..threads {
            let (queue, done) = (Arc::clone(&queue), done.clone());
            let thread = thread::Builder::new().stack_size(STACK);
            started += usize::from(thread.spawn_scoped(scope, move || worker(&queue, &done, work)).is_ok());
        }
        if started > 0 {
            feed(started * AHEAD, items, &jobs, &results, take);
        }
    });
}

fn worker<T, R>(queue: &Mutex<Receiver<(usize, T)>>, done: &Sender<(usize, Outcome<R>)>, work: &impl Fn(T) -> R) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, item)) = next else { return };
        // A panic is passed on: the caller would wait for the result.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(item)));
        if done.send((number, outcome)).is_err() {
            return;
        }
    }
}

fn feed<T, R>(
    ahead: usize,
    items: &mut impl Iterator<Item = T>,
    jobs: &Sender<(usize, T)>,
    results: &Receiver<(usize, Outcome<R>)>,
    take: &mut impl FnMut(R),
) {
    let (mut given, mut taken) = (0, 0);
    let mut early = BTreeMap::new();
    loop {
        while given - taken < ahead {
            let Some(item) = items.next() else { break };
            if jobs.send((given, item)).is_err() {
                return;
            }
            given += 1;
        }
        if given == taken {
            return;
        }
        let Ok((number, outcome)) = results.recv() else { return };
        early.insert(number, outcome);
        while let Some(outcome) = early.remove(&taken) {
            taken += 1;
            match outcome {
                Ok(result) => take(result),
                Err(panic) => resume_unwind(panic),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Barrier;

    use super::*;

    fn squares(threads: usize, upto: u64) -> Vec<u64> {
        let mut taken = Vec::new();
        in_order(threads, 0..upto, |number| number * number, |square| taken.push(square));
        taken
    }

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for count in [0, 1, 2, 500] {
            let expected: Vec<u64> = (0..count).map(|number| number * number).collect();
            assert_eq!(squares(1, count), expected);
            assert_eq!(squares(7, count), expected);
        }
    }

    #[test]
    fn several_threads_work_at_once() {
        let both = Barrier::new(2);
        let mut threads = HashSet::new();
        let work = |_| {
            both.wait();
            thread::current().id()
        };
        in_order(2, 0..2, work, |id| {
            threads.insert(id);
        });
        assert_eq!(threads.len(), 2);
    }

    #[test]
    fn one_thread_is_the_callers_own() {
        in_order(1, 0..3, |_| thread::current().id(), |id| assert_eq!(id, thread::current().id()));
        in_order(4, 0..1, |_| thread::current().id(), |id| assert_eq!(id, thread::current().id()));
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let panicked = catch_unwind(|| in_order(3, 0..50, |number| assert!(number != 20), |()| {}));
        assert!(panicked.is_err());
    }

    #[test]
    fn few_items_are_held_at_a_time() {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let count = |_: &i32| {
            asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        };
        let mut taken = 0;
        in_order(
            2,
            (0..1_000).inspect(count),
            |number| number,
            |_| {
                taken += 1;
                let ahead = asked.load(std::sync::atomic::Ordering::Relaxed) - taken;
                assert!(ahead <= 2 * AHEAD + 2, "{ahead}");
            },
        );
    }
}
