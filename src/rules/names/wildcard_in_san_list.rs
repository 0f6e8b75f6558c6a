//! # MV106: `wildcard-in-san-list`
//!
//! ## What it checks
//! Entries of `subjectAlternativeNames.match.exact`, in client policies and in listeners that validate clients: each must
//! be an exact name or URI, not a pattern such as `*.apps.local`.
//!
//! ## Why it matters
//! The entries are compared as they are: the wildcard belongs in the certificate, not in the list. An entry with a wildcard
//! matches only a certificate that has the very same wildcard.
//!
//! ## Example
//! ```yaml
//! subjectAlternativeNames:
//!   match:
//!     exact: ["*.apps.local"]      # matches no certificate for blue.apps.local
//! ```
//!
//! ## How to fix
//! List the names one by one: a certificate for `*.apps.local` satisfies the entry `blue.apps.local`.

use crate::finding::{Problem, Site};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for end in cx.ends() {
        let Some(validation) = end.validation() else { continue };
        for (name, field) in validation.names.list().iter().filter(|(name, _)| name.contains('*')) {
            let site = Site::new(format!("{} name {name}", end.anchor()), field.clone());
            out.add(
                Problem::warn(site, format!("{name} is a pattern, and the list accepts exact names only"))
                    .expected("a DNS name or a URI, in full")
                    .found(name.clone())
                    .consequence("no certificate for a name below it matches: the connection fails as a name mismatch")
                    .fix("list each name in full; the certificate may carry the wildcard"),
            );
        }
    }
}
