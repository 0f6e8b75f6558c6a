//! What the suites share: certificates minted in the test, and the manifests of small worlds.
//!
//! Each suite takes what it needs: `#[path = "../support/mod.rs"] mod support;`.
#![allow(dead_code, reason = "no suite uses all of it")]
#![allow(clippy::expect_used, reason = "a test that can't go on fails")]

pub(crate) mod forge;
pub(crate) mod manifests;
pub(crate) mod mesh;
pub(crate) mod mint;
pub(crate) mod moto;
pub(crate) mod private_ca;
