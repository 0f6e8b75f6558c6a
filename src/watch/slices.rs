//! Work that gives way to reviews: a slice, a pause, another slice.
//!
//! A lower priority of its thread wouldn't do: it takes the world's lock like everybody, and whoever waits for the lock would wait for a
//! thread that nobody lets run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long to work without a pause, and how long to pause: at most half of one processor.
const SLICE: Duration = Duration::from_millis(5);
/// The most pieces of work in a slice.
pub(super) const MOST: usize = 64;

/// What is done between two slices.
pub(crate) type Pause = Arc<dyn Fn() + Send + Sync>;

/// The usual pause.
pub(crate) fn sleep() -> Pause {
    Arc::new(|| thread::sleep(SLICE))
}

/// Divides work into slices.
pub(super) struct Slices<'a> {
    pause: Option<&'a Pause>,
    stopped: Option<&'a Stop>,
    begun: Instant,
    pieces: usize,
}

impl<'a> Slices<'a> {
    /// One slice without an end.
    pub(super) fn whole() -> Self {
        Self { pause: None, stopped: None, begun: Instant::now(), pieces: 0 }
    }

    /// Slices with a pause after each, until it is stopped.
    pub(super) fn with(pause: &'a Pause, stop: &'a Stop) -> Self {
        Self { pause: Some(pause), stopped: Some(stop), ..Self::whole() }
    }

    /// After a piece of work: pauses where it is time to. False: nobody waits for the rest.
    pub(super) fn go_on(&mut self) -> bool {
        self.pieces += 1;
        if let Some(pause) = self.pause
            && (self.pieces >= MOST || self.begun.elapsed() >= SLICE)
        {
            pause();
            (self.begun, self.pieces) = (Instant::now(), 0);
        }
        !self.stopped.is_some_and(|stop| stop.0.load(Ordering::Relaxed))
    }
}

/// Stops work on another thread. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

/// Stops it when dropped.
pub(super) struct StopOnDrop(pub(super) Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn many_pieces_are_cut_into_slices_and_a_stop_ends_them() {
        let pauses = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&pauses);
        let pause: Pause = Arc::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let stop = Stop::default();
        let mut slices = Slices::with(&pause, &stop);
        assert!((0..10 * MOST).all(|_| slices.go_on()));
        assert!(pauses.load(Ordering::Relaxed) >= 10);
        drop(StopOnDrop(stop.clone()));
        assert!(!slices.go_on());
        let before = pauses.load(Ordering::Relaxed);
        let mut whole = Slices::whole();
        assert!((0..10 * MOST).all(|_| whole.go_on()));
        assert_eq!(pauses.load(Ordering::Relaxed), before, "one slice");
    }
}
