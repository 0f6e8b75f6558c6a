//! Pairs of client and server, run through real Envoys and compared with what meshvet says of them.
//!
//! One Envoy is the server of all pairings, another the client of all; a listener or cluster that is refused leaves the
//! others standing. Nothing here uses the network: proxies and suite speak over sockets in a folder of their own.
//!
//! ```text
//! pairing ─┬─ files, listeners, clusters ─► Envoy ─► outcome ──┐
//!          └─ meshvet::pki ──────────────────────► prediction ─┴─ must agree, texts included
//! ```
//!
//! `MESHVET_PAIRS` says how many random pairings there are, `MESHVET_SEED` which.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

mod config;
mod differences;
mod pairing;
mod predict;
mod proxies;
mod tables;

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use libtest_mimic::{Arguments, Trial};

use pairing::Pairing;
use predict::{Prediction, predict};
use proxies::{Outcome, Proxies};

/// A pairing with what was said of it and what came of it.
struct Compared {
    pairing: Pairing,
    prediction: Prediction,
    outcome: Outcome,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tables = tables::all();
    let mut trials = Vec::new();
    if arguments.list {
        trials.extend(tables.iter().map(|pairing| Trial::test(pairing.name.clone(), || Ok(()))));
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    let proxies = match Proxies::find() {
        Ok(proxies) => proxies,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let compared: Arc<Vec<Compared>> = Arc::new(compare(&proxies, tables));
    for (at, one) in compared.iter().enumerate() {
        let compared = Arc::clone(&compared);
        trials.push(Trial::test(one.pairing.name.clone(), move || agree(&compared[at]).map_err(Into::into)));
    }
    let all = Arc::clone(&compared);
    trials.push(Trial::test("known differences are of this table", move || known(&all).map_err(Into::into)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn compare(proxies: &Proxies, pairings: Vec<Pairing>) -> Vec<Compared> {
    let outcomes = proxies.run(&pairings);
    let now = Timestamp::now();
    pairings
        .into_iter()
        .zip(outcomes)
        .map(|(pairing, outcome)| Compared { prediction: predict(&pairing, now), pairing, outcome })
        .collect()
}

/// Whether a prediction holds, or is known not to.
fn agree(one: &Compared) -> Result<(), String> {
    let Compared { pairing, prediction, outcome } = one;
    let holds = prediction.holds(outcome);
    match differences::reason(&pairing.name) {
        None if holds => Ok(()),
        None => Err(format!("predicted: {prediction:#?}\nbut Envoy: {outcome:#?}")),
        Some(_) if !holds => Ok(()),
        Some(reason) => Err(format!("a known difference has gone away ({reason}): take it off the list")),
    }
}

/// Whether each known difference is one of a pairing that there is, and no two pairings have one name.
fn known(all: &[Compared]) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for one in all {
        if !names.insert(one.pairing.name.as_str()) {
            return Err(format!("two pairings are called {}", one.pairing.name));
        }
    }
    match differences::KNOWN.iter().find(|(name, _)| !names.contains(name)) {
        Some((name, _)) => Err(format!("there is no pairing {name}")),
        None => Ok(()),
    }
}
