//! # MV216: `certificate-ignored`
//!
//! ## What it checks
//! Certificates of a chain or trust file that Envoy silently drops, while others of the file load: a block whose `BEGIN`
//! isn't at the start of a line (after a space, junk or a byte-order mark), or one after a NUL byte.
//!
//! ## Why it matters
//! It is worse than a file that Envoy refuses: the proxy starts, and an intermediate or a CA is missing. A byte-order mark,
//! which some editors write, costs a bundle its first CA.
//!
//! ## Example
//! ```text
//!  -----BEGIN CERTIFICATE-----       (one space before it: this certificate doesn't exist for Envoy)
//! ```
//!
//! ## How to fix
//! Put every `-----BEGIN` at the start of its line, and save the file without a byte-order mark.

use crate::finding::{Problem, Site};
use crate::pki::{FileFacts, IgnoredBlock, IgnoredReason};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let handed_on = using.plane.hands_on();
        if let Some(facts) = using.chain_facts().filter(|facts| facts.chain.is_ok() && handed_on) {
            report(facts, |_| true, || (using.chain_site(), using.chain_origin()), using.then_restart(), out);
        }
    }
    for trust in &cx.trusts {
        if let Some(facts) = trust.facts().filter(|facts| facts.bundle.is_ok()) {
            report(
                facts,
                IgnoredReason::holds_in_a_bundle,
                || (trust.site(), trust.origin()),
                trust.then_restart(),
                out,
            );
        }
    }
}

fn report(
    facts: &FileFacts,
    counts: fn(IgnoredReason) -> bool,
    place: impl FnOnce() -> (Site, String),
    then: &str,
    out: &mut Reporter<'_>,
) {
    const SHOWN: usize = 5;
    let ignored: Vec<&IgnoredBlock> = facts.ignored.iter().filter(|block| counts(block.reason)).collect();
    if ignored.is_empty() {
        return;
    }
    let told: Vec<String> = ignored
        .iter()
        .take(SHOWN)
        .map(|block| format!("block {} ({}) on line {}: {}", block.number, block.label, block.line, block.reason))
        .collect();
    let more = match ignored.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let (site, origin) = place();
    out.add(
        Problem::warn(site, format!("Envoy silently drops part of {origin}"))
            .expected("each -----BEGIN CERTIFICATE----- at the start of a line, and no byte-order mark or NUL")
            .found(format!("{}{more}", told.join("; ")))
            .consequence("the proxy starts without these certificates: unable to get local issuer certificate")
            .fix(format!("start each block at the beginning of a line{then}")),
    );
}
