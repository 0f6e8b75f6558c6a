//! `meshvet verify` against two real Envoys: a client that calls a server, the real binary on both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

mod envoy;
mod pair;
mod proxies;
#[path = "../support/mod.rs"]
mod support;
mod unreadable;
