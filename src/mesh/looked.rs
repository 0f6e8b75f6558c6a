//! Counts the facts that a question looks at, in unit tests only: they check that judging an object costs only what it touches.

#[cfg(test)]
thread_local! {
    static LOOKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Notes that one fact was looked at.
#[inline]
pub(super) fn note() {
    #[cfg(test)]
    LOOKED.with(|looked| looked.set(looked.get() + 1));
}

/// Runs `work` and counts the facts that this thread looks at.
#[cfg(test)]
pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LOOKED.with(std::cell::Cell::get);
    let done = work();
    (done, LOOKED.with(std::cell::Cell::get) - before)
}
