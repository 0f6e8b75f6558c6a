//! meshvet vets the TLS of service-mesh workloads before they reach the cluster.
//!
//! Facts flow one way:
//!
//! ```text
//! sources ─────► apis ─────► mesh ─────► rules ─────► finding ─────► admission | survey ─► report
//! (I/O: bytes of (one folder (what is    (pure: one   (data)         (who asked, and how
//!  a cluster, of  for each    known)      file for                    they want to read it)
//!  files, of AWS) API)                    each rule)
//! ```
//!
//! - [`sources`] fetch and parse. Certificates are parsed there, once, when they arrive; a private key becomes the digest
//!   of its public half.
//! - [`apis`] turn the objects of one API each into neutral facts, behind one registry.
//! - [`mesh`] is the model: members with their server and client ends, the workloads they select, and the file that stands
//!   at each path of each proxy. It has no word of any one API.
//! - [`rules`] are pure functions of the object under review, the mesh, the [`policy`] and the time.
//! - [`finding`]s are data, read by [`admission`] (the webhook) and `report` (one file for each format).
//!
//! `survey` judges many objects at once, for `check`, `audit` and the report page; it also has the baseline, and the fixes
//! that a machine can make. [`operate`] has what a running meshvet counts and logs, [`watch`] what it reports about the mesh
//! as it is. `serve` assembles a server from all of these. `verify` is separate: it reads the TLS counters of running
//! proxies. `doctor` checks an installation of meshvet itself. [`cli`] has one file for each command.
//!
//! `text`, `work` and [`k8s`] are the base for all of it, [`pki`] has certificates as a proxy sees them, [`aws`] what AWS says
//! about certificates.
//!
//! docs/architecture.md walks through it, and lists the modules in the order in which they may use each other.

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
pub mod watch;
mod work;
