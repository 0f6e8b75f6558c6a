//! The App Mesh vocabulary: `appmesh.k8s.aws/v1beta2` as meshvet reads it.
//!
//! One file a kind; [`tls`] holds what VirtualNode and VirtualGateway share. The types know every field of the API, down
//! to the groups that meshvet doesn't read ([`Opaque`]), so that a field they don't know is unknown to App Mesh too.
//! They are lenient: a value that the API server refuses decodes where it can, for a rule to speak of it. The
//! [CRDs](crd) generated from them refuse what the real ones refuse.
//!
//! Nothing here does I/O.

pub mod annotations;
pub mod crd;
pub mod decode;
pub mod injection;
pub mod kind;
pub mod names;
pub mod tls;

mod authorization;
mod backend_group;
mod ends;
mod gateway_route;
mod hint;
mod hops;
mod kinds;
mod members;
mod mesh;
mod objects;
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

pub use authorization::{STREAM_CONFIGURATION, resource_arn};
pub use backend_group::*;
pub use decode::{Decoded, decode, decode_json, decode_value};
pub use gateway_route::*;
pub use kind::{Kind, Resource};
pub use kinds::API;
pub use mesh::*;
pub use opaque::Opaque;
pub use port::{HealthCheckPolicy, PortMapping};
pub use reference::{MeshReference, Reference, VirtualGatewayReference};
pub use route_match::*;
pub use spec::Spec;
pub use status::Condition;
pub use tls::{
    AcmCertificate, AcmTrust, ClientPolicy, ClientPolicyTls, ClientTlsCertificate, FileCertificate, FileTrust,
    ListenerTls, ListenerTlsCertificate, ListenerTlsMode, SdsSecret, SubjectAlternativeNameMatchers,
    SubjectAlternativeNames, TlsTrust, TlsValidation,
};
pub use virtual_gateway::*;
pub use virtual_node::*;
pub use virtual_router::*;
pub use virtual_service::*;

/// The API group.
pub const GROUP: &str = "appmesh.k8s.aws";
/// The version of the API group.
pub const VERSION: &str = "v1beta2";
/// Group and version, as `apiVersion` has them.
pub const API_VERSION: &str = "appmesh.k8s.aws/v1beta2";
