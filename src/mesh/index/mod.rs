//! One index over all facts, in both directions, so that a question about one object costs what that object touches.

mod few;
mod labels;
mod links;
mod promises;
mod readers;
mod services;

pub(crate) use labels::{LabelIndex, SelectorIndex};
pub(crate) use links::{LinkIndex, Links};
pub(crate) use promises::PromiseIndex;
pub(crate) use readers::{ReaderIndex, reads};
pub(crate) use services::ServiceIndex;
pub(in crate::mesh) use services::named_by;
