//! How findings are reported: one file a format, all of the same [`Report`](crate::survey::Report).

mod github;
pub(crate) mod html;
mod json;
mod junit;
mod sarif;
mod statistics;
mod text;
pub(crate) mod tree;
mod uri;

pub(crate) use github::github;
pub(crate) use json::json;
pub(crate) use junit::junit;
pub(crate) use sarif::sarif;
pub(crate) use statistics::{statistics, statistics_json};
pub(crate) use text::text_within;
