//! # MV211: `chain-disordered`
//!
//! ## What it checks
//! Whether the first certificate of the chain file is the leaf: the one that the private key belongs to, or, where the key
//! isn't known, the one that isn't a CA. The order of the others doesn't matter to Envoy.
//!
//! ## Why it matters
//! Envoy compares the key with the first certificate and refuses the listener: `KEY_VALUES_MISMATCH`, as if the key were
//! wrong.
//!
//! ## Example
//! ```text
//! cat ca.crt intermediate.crt blue.crt > chain.pem     # the wrong way round
//! ```
//!
//! ## How to fix
//! Put the leaf first: `cat blue.crt intermediate.crt > chain.pem`.

use crate::finding::{Problem, Severity};
use crate::pki::{Certificate, KeySupport};
use crate::rules::context::Context;
use crate::rules::handed::Caught;
use crate::rules::reporter::Reporter;
use crate::rules::uses::CertificateUse;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let Some(chain) = using.chain() else { continue };
        let Some(place) = using.leaf_at.filter(|place| *place > 0) else { continue };
        let (first, leaf) = (chain.leaf(), &chain.certificates[place]);
        // Of servers that nobody knows it isn't certain that they go by the first.
        let severity = if using.plane.is_envoy() { using.unusable() } else { Severity::Warn };
        let message = format!("the first certificate in {} is not the leaf", using.chain_origin());
        out.add(
            Problem::new(severity, using.chain_site(), message)
                .expected(format!("{} first", leaf.subject))
                .found(format!("{} first, and the leaf as certificate {}", first.subject, place + 1))
                .consequence(using.is_refused(&log(using, first), Caught::Seen))
                .fix(format!("put the leaf before its issuers{}", using.then_restart())),
        );
    }
}

/// Envoy compares the key with the first certificate, and says what it says of any other key; an authority's EC key is
/// refused before that, when it may not sign anything else.
fn log(using: &CertificateUse<'_>, first: &Certificate) -> String {
    if let support @ KeySupport::Refused { .. } = first.key_support() {
        return support.envoy_log(using.chain_ref.text()).unwrap_or_default();
    }
    let path = using.key_ref.text();
    let known = using.key_facts().and_then(|facts| facts.key.as_ref().ok()?.fit(first).envoy_log(path));
    known.unwrap_or_else(|| format!("Failed to load private key from {path}"))
}
