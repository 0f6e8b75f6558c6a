//! meshvet on nodes: containerd and the kubelet run the image that `scripts/dist` makes, in pods of the unchanged chart.
//!
//! `scripts/test node` runs it, as root: the suite moves into namespaces of its own (mounts, processes, network), in which two kubelets
//! run side by side, each with a container runtime, a network of pods and a tree of cgroups of its own. One installation serves all
//! tests, which run one after the other; the last one uninstalls it. Without `--ignored` nothing runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

/// The tests of a file, named as their functions are.
macro_rules! tests {
    [$($name:ident),* $(,)?] => {
        pub(crate) const TESTS: &[crate::Test] = &[$((stringify!($name), $name)),*];
    };
}

mod bed;
mod cgroups;
mod images;
mod node;

mod installed;
mod removal;
mod rollouts;
mod spread;
mod volumes;
mod workloads;

#[allow(dead_code, reason = "shared with the suite `cluster`")]
#[path = "../cluster/control_plane.rs"]
mod control_plane;
#[allow(dead_code, reason = "shared with the suite `cluster`")]
#[path = "../cluster/kubectl.rs"]
mod kubectl;
#[allow(dead_code, reason = "shared with the suite `cluster`")]
#[path = "../cluster/sandbox.rs"]
mod sandbox;
#[allow(dead_code, reason = "shared with the suite `cluster`")]
#[path = "../cluster/stream.rs"]
mod stream;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A test: its name says the behaviour in the present tense.
pub(crate) type Test = (&'static str, fn());

/// A theme and its tests, in their order.
const SUITE: &[(&str, &[Test])] = &[
    ("installed", installed::TESTS),
    ("volumes", volumes::TESTS),
    ("workloads", workloads::TESTS),
    ("rollouts", rollouts::TESTS),
    ("spread", spread::TESTS),
    ("removal", removal::TESTS),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let runs = !arguments.list && (arguments.ignored || arguments.include_ignored);
    if runs {
        if let Some(code) = sandbox::enter_as_root(bed::PARTS) {
            return code;
        }
        bed::start();
    }
    let trials = SUITE.iter().flat_map(|(theme, tests)| {
        tests.iter().map(move |(name, test)| {
            let test = *test;
            let trial = Trial::test(format!("{theme}::{name}"), move || {
                test();
                Ok::<(), Failed>(())
            });
            trial.with_ignored_flag(true)
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if runs {
        if conclusion.has_failed() {
            eprintln!("{}", bed::logs());
        }
        bed::end();
    }
    conclusion.exit_code()
}
