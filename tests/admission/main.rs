//! The webhook, asked as an API server asks it: in process where the answer counts, over TLS on loopback where the wire does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod apart;
mod bed;
mod certificate;
mod changes;
mod client;
mod clock;
mod empty;
mod fresh;
mod gateways;
mod hostile;
mod lifetime;
mod log;
mod overload;
mod properties;
mod routes;
mod serve;
mod shapes;
mod siege;
mod steps;
mod stores;
mod traces;
mod try_it;
mod verdicts;
mod wire;
