//! meshvet on the real thing: etcd, kube-apiserver and kubectl, with `deploy/` applied as a user would.
//!
//! The suite moves into a network namespace of its own before anything starts (`unshare`, no root needed), so that no port and no
//! address can clash with anything outside, and nothing that it starts outlives it. One control plane serves all tests; each has
//! a Kubernetes namespace of its own. A test that needs another webhook configuration, or stops meshvet, takes a copy that looks at its
//! namespace alone ([`install::Installation`]); one that needs other cluster-wide objects starts a control plane of its own.
//!
//! `cargo test --test cluster` is all there is to it: what is missing is built by `scripts/parts` first.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

/// The tests of a file, named as their functions are.
macro_rules! tests {
    [$($name:ident),* $(,)?] => {
        pub(crate) const TESTS: &[crate::Test] = &[$((stringify!($name), $name)),*];
    };
}

mod control_plane;
mod install;
mod kubectl;
mod kubelet;
mod release;
mod replica;
mod sandbox;
mod stand_in;
mod stream;
mod volume;
mod world;

#[path = "../support/mod.rs"]
mod support;

mod audit;
#[allow(dead_code, reason = "shared with the suite `verify`")]
#[path = "../verify/envoy.rs"]
mod envoy;
#[allow(dead_code, reason = "shared with the suite `verify`")]
#[path = "../verify/proxies.rs"]
mod proxies;

mod availability;
mod aws;
mod behind;
mod break_glass;
mod callers;
mod chaos;
mod doctor;
mod entries;
mod facts;
mod figures;
mod gateway_api;
mod gateways;
mod helm;
mod installing;
mod keeper;
mod kinds;
mod managed;
mod memory;
mod order;
mod orders;
mod pairs;
mod policy;
mod promises;
mod refusals;
mod rights;
mod routes;
mod schemas;
mod services;
mod sound;
mod updates;
mod verify;
mod watcher;
mod watches;
mod ways;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A test: its name says the behaviour in the present tense.
pub(crate) type Test = (&'static str, fn());

/// A theme and its tests: one file each.
const SUITE: &[(&str, &[Test])] = &[
    ("refusals", refusals::TESTS),
    ("schemas", schemas::TESTS),
    ("sound", sound::TESTS),
    ("order", order::TESTS),
    ("updates", updates::TESTS),
    ("ways", ways::TESTS),
    ("gateways", gateways::TESTS),
    ("pairs", pairs::TESTS),
    ("routes", routes::TESTS),
    ("verify", verify::TESTS),
    ("availability", availability::TESTS),
    ("entries", entries::TESTS),
    ("services", services::TESTS),
    ("facts", facts::TESTS),
    ("watches", watches::TESTS),
    ("figures", figures::TESTS),
    ("watcher", watcher::TESTS),
    ("policy", policy::TESTS),
    ("promises", promises::TESTS),
    ("doctor", doctor::TESTS),
    ("break_glass", break_glass::TESTS),
    ("installing", installing::TESTS),
    ("audit", audit::TESTS),
    ("kinds", kinds::TESTS),
    ("managed", managed::TESTS),
    ("keeper", keeper::TESTS),
    ("memory", memory::TESTS),
    ("callers", callers::TESTS),
    ("helm", helm::TESTS),
    ("rights", rights::TESTS),
    ("behind", behind::TESTS),
    ("chaos", chaos::TESTS),
    ("aws", aws::TESTS),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The tests wait for servers more than they compute.
    arguments.test_threads.get_or_insert(4);
    if !arguments.list {
        if let Some(code) = sandbox::enter() {
            return code;
        }
        world::start();
    }
    let trials = SUITE.iter().chain(orders::SUITE).chain(gateway_api::SUITE).flat_map(|(theme, tests)| {
        tests.iter().map(move |(name, test)| {
            let test = *test;
            Trial::test(format!("{theme}::{name}"), move || {
                test();
                Ok::<(), Failed>(())
            })
        })
    });
    let trials = trials.chain(orders::trials());
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if conclusion.has_failed() && !arguments.list {
        eprintln!("{}", world::logs());
    }
    conclusion.exit_code()
}
