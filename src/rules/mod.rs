//! The rules: one file each, whose doc comment is its manual. The table of them all is in the [catalogue](crate::finding::RULES).
//!
//! A rule is a pure function of a [`Context`]: the object under review, the mesh, the policy and the time. It reports
//! [`Problem`](crate::finding::Problem)s; the [engine](judge) gives them the severity that the policy sets and sorts them.
//!
//! Codes are never used again for something else. A new rule is a new file and a new row of the catalogue's table.

mod acm;
mod appmesh;
mod context;
mod engine;
mod envoy;
mod files;
mod issuers;
mod names;
mod objects;
mod pairs;
mod questions;
mod stores;
mod uses;

pub use context::{CertificateUse, Context, End, FileUse, Files, Role, Surface, TrustUse};
pub use engine::{Examined, Judgement, examine, judge};
pub use objects::undecodable_object::undecodable;
pub use objects::unused_suppression::{broken_comment, unused_comment};
pub use pairs::{Pair, Refused, Side, Standpoint};

use crate::finding::Rule;
use crate::finding::catalogue::{self, for_each_rule};

/// A rule's check: it reports each problem that it finds.
type Check = fn(&Context<'_>, &mut engine::Reporter<'_>);

macro_rules! checks {
    ($($code:ident $constant:ident $name:literal $default:ident $folder:ident::$file:ident $traits:tt $summary:literal;)*) => {
        /// Every rule with its check, by code.
        static CHECKS: &[(&Rule, Check)] = &[$((catalogue::$constant, $folder::$file::check)),*];
    };
}

for_each_rule!(checks);
