//! What a running meshvet says of itself: figures, Events, traces; and the Lease by which one replica does what all share.

pub mod events;
pub mod expiry;
pub(crate) mod lease;
pub mod metrics;
pub mod self_check;
pub mod trace;
