//! The App Mesh vocabulary: `appmesh.k8s.aws/v1beta2` as meshvet reads it.
//!
//! One file a kind; [`tls`] holds what VirtualNode and VirtualGateway share. The types know every field of the API, down
//! to the groups that meshvet doesn't read ([`Opaque`](opaque::Opaque)), so that a field they don't know is unknown to App Mesh too.
//! They are lenient: a value that the API server refuses decodes where it can, for a rule to speak of it. The
//! [CRDs](crd) generated from them refuse what the real ones refuse.
//!
//! Nothing here does I/O.

pub mod annotations;
pub mod constraints;
pub mod crd;
pub(crate) mod decode;
pub(crate) mod injection;
pub(crate) mod kind;
pub(crate) mod names;
pub(crate) mod tls;

mod authorization;
mod backend_group;
mod ends;
mod gateway_route;
mod hint;
mod hops;
mod kinds;
mod members;
mod mesh;
mod opaque;
mod port;
mod proxy;
mod reference;
mod route_match;
mod spec;
mod status;
mod virtual_gateway;
mod virtual_node;
mod virtual_router;
mod virtual_service;

pub use authorization::STREAM_CONFIGURATION;
pub(crate) use authorization::resource_arn;
pub(crate) use backend_group::*;
pub(crate) use gateway_route::*;
pub(crate) use kind::{Kind, Resource};
pub use kinds::API;
pub(crate) use mesh::*;
pub(crate) use port::{HealthCheckPolicy, PortMapping};
pub(crate) use reference::{MeshReference, Reference, VirtualGatewayReference};
pub(crate) use route_match::*;
pub(crate) use spec::Spec;
pub(crate) use status::Condition;
pub(crate) use tls::{
    AcmTrust, ClientPolicy, FileCertificate, ListenerTls, ListenerTlsMode, SdsSecret, TlsTrust, TlsValidation,
};
pub(crate) use virtual_gateway::*;
pub(crate) use virtual_node::*;
pub(crate) use virtual_router::*;
pub(crate) use virtual_service::*;

/// The API group.
pub(crate) const GROUP: &str = "appmesh.k8s.aws";
/// The version of the API group.
pub const VERSION: &str = "v1beta2";
/// Group and version, as `apiVersion` has them.
pub(crate) const API_VERSION: &str = "appmesh.k8s.aws/v1beta2";
