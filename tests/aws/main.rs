//! What ACM, AWS Private CA and IAM say, asked of a moto server that the suite starts, with a proxy before it that counts calls
//! and makes them fail as calls to AWS do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../admission/bed.rs"]
#[allow(dead_code, reason = "the suite of admission uses the rest")]
mod bed;

mod authorities;
mod cache;
mod certificates;
mod check;
mod cloud;
mod faults;
mod moto;
mod pairs;
mod permissions;
mod proxy;
mod roles;
