//! The model that the rules read: members and their ends, workloads, mounts and stores, and their relations. It knows no mesh
//! API: each API turns its objects into these facts.
//!
//! ```text
//! Member ──podSelector──► Workload ──mounts──► Store ──key──► FileFacts
//!   ├─ ServerEnd (listener)                      ▲
//!   ├─ ClientEnd (client policy) ──path──────────┘
//!   └─ backends ──► Hop ──► Hop ──► Member       (services, routers, routes)
//! ```
//!
//! A [`Fact`] is one thing known; the [`World`] keeps facts and indexes them in both directions; a [`View`] answers the rules'
//! questions, with an [`Overlay`] and the object under review laid over the world. Nothing here does I/O.

mod attached;
mod class;
mod end;
mod facts;
mod folders;
mod grant;
mod hop;
mod index;
mod link;
mod looked;
mod member;
mod mounts;
mod overlay;
mod paths;
mod plane;
mod promise;
mod release;
mod secrets;
mod service;
mod settings;
mod state;
mod store;
mod unlisted;
mod view;
mod workload;
mod world;

pub use attached::{Aim, Attached};
pub use class::Class;
pub use end::{
    Admits, ArnRef, CertificateSource, ClientEnd, Covered, Discovery, FileRef, Gate, KeyRef, NameCheck, Named,
    ServerEnd, ServerTls, TlsMode, TrustSource, Validation,
};
pub use facts::{Fact, FactId};
pub use folders::LocalMount;
pub use grant::{Grant, Granted};
pub use hop::{Hop, Inlet, Outlet, Target};
pub use link::{CallKey, Link, PolicyInForce, Step};
#[cfg(test)]
pub(crate) use looked::during as looked_at_during;
pub use member::{AwsResource, Backend, Gateway, Member, OwnPolicy, RouteSelector};
pub use mounts::{Hidden, Located, Mount, Mounts, Part, Volume, clean_path};
pub use overlay::{FreshStores, Overlay};
pub use plane::{Authorities, DIRECT, Loads, PLAIN, Plane, PlaneOf, STOOD_IN, UNKNOWN};
pub use promise::{CertificateFields, Namespaces, Promise, PromisedCertificate, PromisedStore, StoreFields};
pub use release::Release;
pub use secrets::{SecretAccess, SecretScope};
pub(crate) use service::SERVICE;
pub use service::{Arrival, BackendTls, Balanced, HealthCheck, PortTarget, Service, ServicePort};
pub use settings::Settings;
pub(crate) use settings::image_files;
pub use state::{StoreState, Unread};
pub use store::{Awaited, Files, Store, StoreKey, StoreKind, StoreName, Version};
pub use unlisted::{Gap, Sort};
pub use view::{Belonging, Front, Place, View};
pub(crate) use view::{Listening, takes};
pub use workload::{AnnotationProblem, Ports, Probe, Proxy, Stray, Workload};
pub use world::World;
