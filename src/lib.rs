//! meshvet vets the TLS of service-mesh workloads before they reach the cluster.
//!
//! Facts flow one way:
//!
//! ```text
//! sources ─────► mesh ─────► rules ─────► finding ─────► admission | cli | report
//! (I/O: cluster, (pure: what  (pure: one   (data)         (I/O: who asked, and how
//!  manifests,     is known)    file a rule)                they want it told)
//!  AWS)
//! ```
//!
//! - [`sources`] fetch and parse. Certificates are parsed there, once, when they arrive; a private key becomes the digest
//!   of its public half.
//! - [`mesh`] is the model: members (virtual nodes, gateways) with their server and client ends, the workloads they
//!   select, and the file that stands at each path of each proxy.
//! - [`rules`] are pure functions of the object under review, the mesh, the [`policy`] and the time.
//! - [`finding`]s are data, read by [`admission`] (the webhook), [`report`] (text, JSON) and [`cli`].
//!
//! [`mend`] makes patches of findings that a machine can mend, [`baseline`] keeps those that a repository starts with.
//! [`survey`] judges a whole world at once.
//!
//! `serve` puts a server together from all of these. [`verify`] stands beside: it reads what running proxies count of TLS. [`doctor`] looks at an installation of meshvet itself.
//!
//! [`appmesh`] is the first mesh API's vocabulary, [`pki`] certificates as a proxy sees them, [`aws`] those that AWS keeps.

pub mod admission;
pub mod apis;
pub mod aws;
pub mod cli;
pub mod doctor;
pub mod example;
pub mod finding;
pub mod k8s;
pub mod mesh;
pub mod operate;
pub mod pki;
pub mod policy;
pub mod report;
pub mod rules;
pub(crate) mod serve;
pub mod sources;
pub mod survey;
pub mod text;
pub mod verify;
