//! How findings are told: one file a format, all of the same [`Report`].

mod github;
pub mod html;
mod json;
mod junit;
mod sarif;
mod text;
pub mod tree;
mod uri;

pub use github::github;
pub use json::json;
pub use junit::junit;
pub use sarif::sarif;
pub use text::{text, text_within};
