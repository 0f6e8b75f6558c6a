//! Whether TLS is in use and sound, as the proxies themselves count it: App Mesh's "Verify encryption".
//!
//! ```text
//! Target ──read──► Reading ──judge──► ProxyReport ──► text | json
//! (URL or pod)     (stats, certs)     (faults)
//! ```
//!
//! Rules judge what proxies *will* load; this reads what they did. Everything but [`fetch`] and [`pods`] is pure.

mod certs;
mod counters;
pub(crate) mod fetch;
mod json;
mod judge;
pub(crate) mod pods;
mod stats;
mod text;

pub(crate) use certs::{CertsError, ProxyCertificate, Role};
pub(crate) use fetch::{AdminUrl, FetchError, Reading};
pub(crate) use json::json;
pub(crate) use judge::{Fault, ProxyReport, TlsUse, judge};
pub(crate) use stats::{Scope, ScopeStats, Side, Stats, StatsError};
pub(crate) use text::text;

use crate::finding::Severity;

/// All that was read in one run.
#[derive(Debug, Default)]
pub(crate) struct Verification {
    /// The proxies that answered.
    pub proxies: Vec<ProxyReport>,
    /// Those that didn't.
    pub errors: Vec<Unread>,
}

/// A proxy that could not be read.
#[derive(Debug)]
pub(crate) struct Unread {
    /// Its URL, or `namespace/pod`.
    pub proxy: String,
    /// Why, and what to do.
    pub message: String,
}

impl Verification {
    /// How many faults weigh this much.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.proxies.iter().flat_map(|proxy| &proxy.faults).filter(|fault| fault.severity == severity).count()
    }

    /// Whether a fault weighs this much or more.
    pub(crate) fn fails(&self, at: Severity) -> bool {
        self.proxies.iter().flat_map(|proxy| &proxy.faults).any(|fault| fault.severity >= at)
    }
}
