//! Pairs of client and server, run through real Envoys and compared with what meshvet says of them.
//!
//! One Envoy is the server of all pairings, another the client of all; a listener or cluster that is refused leaves the
//! others standing. Servers that are no Envoys run in the suite itself. Nothing here uses the network: proxies and suite
//! speak over sockets in a folder of their own.
//!
//! ```text
//! pairing ─┬─ files, listeners, clusters ─► Envoy ───────► outcome ────┐
//!          ├─ files ──────────────────────► meshvet::pki ► prediction ─┼─ must agree, texts included
//!          └─ manifests ──────────────────► rules::judge ► denials ────┘
//! ```
//!
//! `MESHVET_PAIRS` says how many random pairings there are (1000 if unset), `MESHVET_SEED` which.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

mod application;
mod calls;
mod compare;
mod config;
mod differences;
mod manifests;
mod pairing;
mod predict;
mod proxies;
mod random;
mod tables;

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use compare::{Compared, compare};
use proxies::Proxies;
use random::Chance;

const RANDOM: &str = "random pairs agree";
/// How many of the random pairs that fail are shown.
const MOST_SHOWN: usize = 20;
const KNOWN: &str = "known differences are of these tables";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let wanted = |name: &str| {
        let filter = arguments.filter.as_deref();
        filter.is_none_or(|filter| if arguments.exact { name == filter } else { name.contains(filter) })
            && !arguments.skip.iter().any(|skip| name.contains(skip.as_str()))
    };
    let tables = tables::all();
    let names: Vec<String> = tables.iter().map(|pairing| pairing.name.clone()).collect();
    let mut trials = vec![Trial::test(KNOWN, move || differences::check(&names).map_err(Into::into))];
    if arguments.list {
        let names = tables.into_iter().map(|pairing| pairing.name).chain([RANDOM.to_owned()]);
        trials.extend(names.map(|name| Trial::test(name, || Ok(()))));
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    // They are run here, not in the trials: two Envoys serve hundreds of pairings at the cost of one.
    let tables: Vec<_> = tables.into_iter().filter(|pairing| wanted(&pairing.name)).collect();
    let random = if wanted(RANDOM) { by_chance() } else { Vec::new() };
    let split = tables.len();
    let compared = if tables.len() + random.len() > 0 {
        match Proxies::find() {
            Ok(proxies) => Arc::new(compare(&proxies, [tables, random].concat())),
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
    } else {
        Arc::default()
    };
    for (at, one) in compared.iter().enumerate().take(split) {
        let compared = Arc::clone(&compared);
        trials.push(Trial::test(one.pairing.name.clone(), move || compared[at].agree().map_err(Into::into)));
    }
    if wanted(RANDOM) {
        println!("{}", compare::rates(&compared[split..]));
        let all = Arc::clone(&compared);
        trials.push(Trial::test(RANDOM, move || {
            let mut failures: Vec<String> = all[split..].iter().filter_map(Compared::random_failure).collect();
            let count = failures.len();
            if count == 0 {
                return Ok(());
            }
            failures.truncate(MOST_SHOWN);
            Err(format!("{count} fail, the first of which are:\n{}", failures.join("\n")).into())
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Random pairings, as many and as the environment says.
fn by_chance() -> Vec<pairing::Pairing> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let count = number("MESHVET_PAIRS").unwrap_or(1000);
    let seed = number("MESHVET_SEED").unwrap_or(1);
    println!("{count} random pairs of MESHVET_SEED={seed}");
    random::pairings(&mut Chance::new(seed), usize::try_from(count).expect("a number of pairs"))
}
