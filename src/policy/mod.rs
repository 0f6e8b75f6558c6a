//! The configuration: what each rule weighs, where, and the thresholds it measures with.
//!
//! [`PolicyFile`] is what a person writes; [`Policy`] is what the engine reads. An unknown key, rule or severity is an
//! [error](PolicyError) that names the place and the nearest right word.

mod effective;
mod file;

pub use effective::{Effective, Policy};
pub use file::{BackendGroups, Ignore, PolicyError, PolicyFile, Profile, Routing, Scope, Sds, Thresholds, json_schema};
