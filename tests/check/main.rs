//! The `meshvet` command as people and CI run it: the real binary on manifests in files, its output and exit code.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod explain;
mod inputs;
mod options;
mod output;
mod pairs;
mod places;
mod properties;
mod run;
