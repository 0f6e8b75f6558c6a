//! The AWS vocabulary: ARNs, what ACM and AWS Private CA say of them, which calls are made for that, and which permissions
//! they need.
//!
//! ```text
//! reference in an object ──► [`Arn`] ──► [`Question`] ──(sources ask)──► [`Answer`] ──► rules
//! ```
//!
//! "Not known" is an answer too: [`Unanswered`] says which call failed, and how. Nothing here does I/O.

mod answer;
mod arn;
mod call;
mod certificate;
mod identity;
mod regions;
mod stats;
mod unanswered;

pub use answer::{Answer, Asked, AwsFacts, Home, Question};
pub(crate) use arn::region_and_account;
pub use arn::{Arn, ArnError, ArnKind};
pub use call::{Call, DESCRIBE_AUTHORITY, DESCRIBE_CERTIFICATE, EXPORT_CERTIFICATE, GET_AUTHORITY_CERTIFICATE};
pub use certificate::{AuthorityFacts, CertificateFacts, key_algorithm};
pub(crate) use identity::account_of_role;
pub use identity::{AccountRole, RoleOf, Simulation};
pub(crate) use regions::{is_account, is_region, partition_of};
pub use stats::{CallOutcome, CallStats};
pub use unanswered::Unanswered;
