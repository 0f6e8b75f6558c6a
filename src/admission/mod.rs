//! The webhook: an HTTPS server that answers the API server's admission reviews.
//!
//! ```text
//! listener ─TLS─► connection ─HTTP─► server ─body─► service ─► review   (decode)
//!                                                      ├─────► rules    (judge, against one snapshot)
//!                                                      ├─────► verdict  (old against new)
//!                                                      └─────► answer   (wording)
//! ```
//!
//! What unauthenticated clients can use is limited: connections by the listener, reviews and memory by [`overload`]. [`probes`]
//! answer on a port of their own; [`certificate`] and [`drain`] are how the server comes and goes without a failed call.

mod again;
mod ages;
pub(crate) mod answer;
mod before;
pub mod callers;
pub mod certificate;
mod confirm;
mod connection;
mod crowd;
pub mod drain;
pub mod entries;
pub mod listener;
mod look;
pub mod moved;
pub mod overload;
pub mod paths;
pub(crate) mod probes;
pub mod quick;
mod reading;
pub(crate) mod report_page;
pub mod review;
pub mod server;
pub mod service;
pub(crate) mod timeout;
mod touched;
pub mod unready;
pub(crate) mod verdict;
pub(crate) mod wording;

#[cfg(test)]
mod fixtures;

pub use connection::Timeouts;
