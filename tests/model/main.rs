//! The neutral model: a second mesh API by facts alone, what an overlay changes, and whom a change touches.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod entrance;
mod gates;
mod second_api;
mod touched;
mod watched;
