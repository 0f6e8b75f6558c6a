//! `meshvet verify` against two real Envoys: a client that calls a server, the real binary on both.

mod envoy;
mod pair;
#[path = "../support/mod.rs"]
mod support;
mod unreadable;
