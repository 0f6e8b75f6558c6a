//! meshvet vets the TLS of service-mesh workloads before they reach the cluster.
//!
//! Facts flow one way:
//!
//! ```text
//! sources ─────► apis ─────► mesh ─────► rules ─────► finding ─────► survey ─────► admission | report | cli
//! (I/O: cluster, (one folder (pure: what (pure: one    (data)        (the judge    (who asked, and how
//!  manifests,     an API)     is known)   file a rule)                of many)      they want it told)
//!  AWS)
//! ```
//!
//! - [`sources`] fetch. Bytes become facts once, when they arrive; a private key becomes the digest of its public half.
//! - [`apis`] turn the objects of one API each into neutral facts, behind one registry of kinds.
//! - [`mesh`] is the model, without a word of any one API: members with their server and client ends, the hops between them, the
//!   workloads they select, and the file that stands at each path of each proxy.
//! - [`rules`] are pure functions of the object under review, the mesh, the [`policy`] and the time.
//! - [`finding`]s are data. The catalogue of rules stands with them, below those that check.
//! - `survey` judges everything that is there: for `check`, `audit`, `tree` and the report of a running webhook.
//! - [`admission`] is the webhook, `serve` puts it together, `operate` is what it says of itself. `report` renders.
//!
//! `text`, [`k8s`], [`pki`] and [`aws`] are the ground that all stand on: text for people, Kubernetes' own vocabulary,
//! certificates as a proxy sees them, what AWS says.
//!
//! `verify` reads what running proxies count of TLS; `doctor` looks at an installation of meshvet itself.
//!
//! Each module uses only those before it in the list of docs/architecture.md, and no two files use each other: tests/layers holds it.

pub mod admission;
pub mod apis;
pub mod aws;
pub mod cli;
mod doctor;
mod example;
pub mod finding;
pub mod k8s;
pub mod mesh;
pub mod operate;
pub mod pki;
pub mod policy;
mod report;
pub mod rules;
mod serve;
pub mod sources;
mod survey;
mod text;
mod verify;
