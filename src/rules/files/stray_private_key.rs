//! # MV214: `stray-private-key`
//!
//! ## What it checks
//! Whether a trust bundle, or a chain file that is not the key file as well, carries a private key.
//!
//! ## Why it matters
//! Envoy ignores it. But a trust bundle goes to every client, and a chain is treated as public: the key in it is no longer
//! secret.
//!
//! ## Example
//! ```text
//! cat ca.crt ca.key > bundle.pem        # the authority's key, mounted into every client
//! ```
//!
//! ## How to fix
//! Remove the key from the file, and replace the key: everyone who could read the file may have it.

use crate::finding::Problem;
use crate::mesh::Place;
use crate::pki::FileForm;
use crate::rules::context::Context;
use crate::rules::promised::{Aspect, settle};
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let carries = using.chain_facts().is_some_and(|facts| facts.carries_private_key && facts.chain.is_ok());
        if (carries || will_carry(&using.chain_place)) && !is_one_file(&using.chain_place, &using.key_place) {
            let problem = problem(using.chain_site(), &using.chain_origin(), "chain file");
            out.add(using.of(Aspect::Form(|form| form == FileForm::Chain), problem));
        }
    }
    for trust in &cx.trusts {
        let carries = trust.facts().is_some_and(|facts| facts.carries_private_key && facts.bundle.is_ok());
        if carries || will_carry(&trust.place) {
            let problem = problem(trust.site(), &trust.origin(), "trust bundle");
            out.add(settle(&trust.place, Aspect::Form(|form| form == FileForm::Authorities), problem));
        }
    }
}

/// Whether a file that is only promised will hold certificates and a key.
fn will_carry(place: &Place) -> bool {
    matches!(place, Place::StorePromised { key, promise, .. } if promise.form(key) == FileForm::KeyAndChain)
}

/// Certificate and key in one file, used for both, is a common and sound habit.
fn is_one_file(chain: &Place, key: &Place) -> bool {
    match (chain, key) {
        (Place::File { store: a, key: x, .. }, Place::File { store: b, key: y, .. })
        | (Place::StorePromised { store: a, key: x, .. }, Place::StorePromised { store: b, key: y, .. }) => {
            a == b && x == y
        }
        _ => false,
    }
}

fn problem(site: crate::finding::Site, origin: &str, what: &str) -> Problem {
    Problem::warn(site, format!("the {what} in {origin} carries a private key"))
        .expected("certificates only")
        .found("a PRIVATE KEY block")
        .consequence("Envoy ignores it; everyone who may read the file has the key")
        .fix("remove the key from the file, and replace the key if others could read it")
}
