//! The configuration: the severity of each rule, by namespace, and its thresholds.
//!
//! [`PolicyFile`] is what a person writes; [`Policy`] is what the engine reads. An unknown key, rule or severity is an
//! [error](PolicyError) that names the place and the nearest right word.

mod answers;
mod backends;
mod effective;
mod error;
mod file;
mod groups;
mod issuers;
mod plain;
mod workloads;

pub use answers::{Answers, Changes, Detail, Enforcement};
pub use backends::BackendFile;
pub use effective::{Effective, Policy};
pub use error::PolicyError;
pub(crate) use file::json_schema;
pub use file::{
    Aws, AwsAccount, AwsRoles, Ignore, Log, PolicyFile, Profile, ProxyImage, Routing, Scope, Sds, ServiceGroups,
    Thresholds,
};
pub(crate) use file::{CLASSES_KEY, GROUPS_KEY};
pub use issuers::{AllowedIssuerFile, AllowedIssuers, DistinguishedName, IssuersFile};
pub use workloads::Workload;
