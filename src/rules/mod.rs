//! The rules: one file each, whose doc comment is its manual. The table of them all is in the [catalogue](crate::finding::RULES).
//!
//! A rule is a pure function of a [`Context`]: the object under review, the mesh, the policy and the time. It reports
//! [`Problem`](crate::finding::Problem)s; the [engine](judge) gives them the severity that the policy sets and sorts them.
//!
//! What a judgement is made of, each built from what stands before it:
//!
//! ```text
//! end ─► promised, uses, handed ─► loads ─► pairs ─► refused ─► context ─► fronts, reliance, reporter, call_problem, about ─► the rules
//!     ─► certainty ─► engine
//! ```
//!
//! Codes are never used again for something else. A new rule is a new file and a new row of the catalogue's table.

mod about;
mod absent;
mod acm;
mod answerer;
mod appmesh;
mod basis;
mod call_problem;
mod certainty;
mod context;
#[cfg(test)]
mod cost_tests;
mod end;
mod engine;
mod envoy;
mod files;
mod fronts;
mod gateway;
mod handed;
mod idle;
mod issuers;
mod kept;
mod leaf;
mod left_out;
mod loads;
mod moments;
mod names;
mod objects;
mod own;
mod pairs;
mod promised;
mod promises;
mod questions;
mod refused;
mod reliance;
mod reporter;
mod stores;
mod twins;
mod uses;

pub use absent::Absent;
pub use basis::{Basis, basis};
pub use context::{Context, Surface};
pub use end::End;
pub use engine::{Examined, Judgement, examine, examine_undecodable, judge};
pub use kept::forget_sound_text;
pub use left_out::{LeftOut, unmet};
pub use loads::Files;
pub(crate) use objects::unused_suppression::{broken_comment, unused_comment};
pub use pairs::{Pair, Side, Standpoint};
pub use refused::Refused;
pub use uses::{CertificateUse, FileUse, Role, TrustUse};

use crate::finding::Rule;
use crate::finding::catalogue::{self, for_each_rule};

/// What folders of rules bring besides rules.
static OWN: [&own::Own; 1] = [&appmesh::OWN];

/// A rule's check: it reports each problem that it finds.
type Check = fn(&Context<'_>, &mut reporter::Reporter<'_>);

macro_rules! checks {
    ($($code:ident $constant:ident $name:literal $default:ident $breaks:ident $folder:ident::$file:ident $traits:tt $summary:literal;)*) => {
        /// Every rule with what it is about and its check, by code.
        static CHECKS: &[(&Rule, about::About, Check)] =
            &[$((catalogue::$constant, $folder::ABOUT, $folder::$file::check)),*];
    };
}

for_each_rule!(checks);
