//! The `meshvet` command as people and CI run it: the real binary on manifests in files, its output and exit code.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod baseline;
mod comments;
mod common_errors;
mod explain;
mod formats;
mod gateways;
mod help;
mod inputs;
mod mending;
mod options;
mod output;
mod pairs;
mod places;
mod plugin;
mod promises;
mod properties;
mod run;
mod terminal;
mod tools;
mod wild;
mod words;
