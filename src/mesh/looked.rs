//! How many facts a question looks at: counted in unit tests alone, which hold a judgement to what its object touches.

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

/// How many facts this thread looks at meanwhile.
#[cfg(test)]
pub(crate) fn during<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LOOKED.with(std::cell::Cell::get);
    let done = work();
    (done, LOOKED.with(std::cell::Cell::get) - before)
}
