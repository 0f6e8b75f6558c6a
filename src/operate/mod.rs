//! What a running meshvet says of itself: metrics, Events, traces; and the Lease by which one replica does what all share. It knows nothing of what
//! it tells about: a review, a verdict and a server stand above it, and hand over plain data.

mod clock;
pub(crate) mod events;
pub(crate) mod expiry;
pub(crate) mod lease;
pub mod log;
pub mod metrics;
pub(crate) mod replica;
pub(crate) mod self_check;
pub(crate) mod skew;
pub(crate) mod trace;

pub use clock::Clock;
