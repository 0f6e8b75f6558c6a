//! The model that the rules read: members and their ends, workloads, mounts, stores, and how they hang together.
//!
//! ```text
//! Member ──podSelector──► Workload ──mounts──► Store ──key──► FileFacts
//!   ├─ ServerEnd (listener)                      ▲
//!   └─ ClientEnd (client policy) ──path──────────┘
//! ```
//!
//! Nothing here does I/O. [`World`] is written by the sources and read, through a [`View`], by the rules.

mod calls;
mod end;
mod index;
mod member;
mod mounts;
mod paths;
mod release;
mod routes;
mod secrets;
mod store;
mod view;
mod ways;
mod workload;
mod world;

pub use calls::{Brought, Call, CallKey, Calls, PolicyInForce, brought_about};
pub(crate) use end::BACKEND_DEFAULTS;
pub use end::{
    Backend, CertificateSource, ClientEnd, Discovery, FileRef, ServerEnd, ServerTls, TlsMode, TrustSource, Validation,
};
pub use member::{BackendEntry, Definition, Member, OwnPolicy};
pub use mounts::{Located, Mount, Mounts, Part, Volume, clean_path};
pub use release::{Marks, same_release};
pub use routes::Name;
pub use secrets::{SecretAccess, SecretScope};
pub use store::{Store, StoreKey, StoreKind, StoreState, Unread};
pub use view::{FreshStores, Place, View};
pub use ways::Routing;
pub use workload::{AnnotationProblem, Probe, Workload};
pub use world::{Fact, FactId, LocalMount, World};
