//! The watcher: members that a change of facts, of the policy or of the time affects are judged again, and what is wrong is reported by
//! *state*, whether or not a review reported it before.
//!
//! ```text
//! changes of the world ─┐                                    ┌─► metrics (every replica)
//! the policy, the clock ─┴─► watcher ─► judge ─► board ──────┤
//!                           (debounced)         (problems)   └─► ledger ─► teller ─► Events, Reports (the holder of the Lease)
//! ```
//!
//! [`board`] and [`ledger`] are pure: what is wrong now, and what of it is to be reported when. A new holder of the Lease repeats nothing:
//! an Event's name comes from its content, so that the API server knows it already.

mod board;
mod judge;
mod ledger;
mod notice;
mod report;
mod teller;
mod watcher;

pub use board::{Board, Seen};
pub use judge::judge_all;
pub(crate) use teller::{Telling, TellingOptions};
pub(crate) use watcher::Watcher;
