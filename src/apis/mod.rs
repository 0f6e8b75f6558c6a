//! The APIs whose objects become facts: one folder each.

pub mod appmesh;
pub mod core;
mod lists;
mod objects;
mod subject;

pub use objects::{Entry, Undecodable, decode_object, decode_subject};
pub use subject::{Body, Subject};
