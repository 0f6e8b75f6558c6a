//! A whole server from its parts: the webhook, fed by a cluster's watches, and the one that `try` asks on loopback.
//!
//! ```text
//! ServeOptions ──► start ─┬─► certificate  (files, self-issued, managed)
//!                         ├─► replica      (what is known, and who answers by it)
//!                         ├─► policy       (read, and read again)
//!                         ├─► ready        (tells what it waits for)
//!                         └─► signals      (drains, and goes)
//! ```
//!
//! A command line only has to make [`ServeOptions`]. Parts know nothing of each other but by [`Replica`](replica::Replica).

mod api_server;
mod certificate;
mod error;
mod options;
pub(crate) mod policy;
mod ready;
pub(crate) mod rehearsal;
mod replica;
mod signals;
mod start;
#[cfg(test)]
mod watching_tests;

pub(crate) use options::{CertificateSource, ServeOptions};
pub(crate) use start::serve;
