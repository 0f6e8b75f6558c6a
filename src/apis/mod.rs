//! The APIs whose objects become facts: one folder each.

pub mod appmesh;
pub mod core;
mod decode_error;
mod lists;
mod objects;
mod subject;

pub use decode_error::DecodeError;
pub use objects::{Entry, Undecodable, decode_object, decode_subject};
pub use subject::{Body, Subject};
