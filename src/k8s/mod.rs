//! What Kubernetes itself defines: names of objects, places in them, labels and their selectors, metadata.
//!
//! No mesh API's words. Nothing here does I/O.

mod field;
mod labels;
mod lenient;
mod metadata;
mod object;
mod selector;
pub(crate) mod syntax;
mod word;

pub use field::FieldPath;
pub(crate) use field::Step;
pub use labels::{Labelled, Labels};
pub(crate) use lenient::some_null_is_empty;
pub use metadata::Metadata;
pub(crate) use object::ObjectKey;
pub use object::{ObjectName, ObjectRef, TypeRef};
pub use selector::{LabelSelector, LabelSelectorRequirement, SelectorProblem};
pub use word::Word;
