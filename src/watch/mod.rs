//! The watcher: objects affected by a change of facts, of the policy or of the time are judged again, and problems are reported by
//! *state*, whether or not a review has reported them.
//!
//! ```text
//! changes of the world ─┐                                    ┌─► metrics (every replica)
//! the policy, the clock ─┴─► watcher ─► judge ─► board ──────┤
//!                           (debounced)         (problems)   └─► ledger ─► teller ─► Events, Reports (the holder of the Lease)
//! ```
//!
//! [`board`] and [`ledger`] are pure: the current problems, and which of them to report when. A new holder of the Lease repeats nothing:
//! an Event's name is derived from its content, so the API server knows it already.

mod board;
mod judge;
mod ledger;
mod notice;
mod report;
mod slices;
mod teller;
mod watcher;

pub use board::{Board, Seen};
pub use judge::judge_all;
#[cfg(test)]
pub(crate) use slices::Pause;
pub(crate) use slices::sleep;
pub(crate) use teller::{Telling, TellingOptions};
#[cfg(test)]
pub(crate) use watcher::News;
pub use watcher::Watcher;
