//! Gateway API: Gateways, ListenerSets and routes, and what is certain of the controllers that make them true.
//!
//! Source: the types and the documentation of `gateway.networking.k8s.io` (v1), and each controller itself for what it makes of them.

mod kinds;
mod members;
mod planes;
mod policies;
mod routes;
mod shimmed;
mod types;

pub use kinds::API;
pub(crate) use members::authorities;
pub use planes::plane_of;
pub(crate) use shimmed::passed_by;
pub use types::{BackendTlsPolicySpec, GatewaySpec, ListenerSetSpec};
pub(crate) use types::{FrontendTls, Listener, ListenerTls, SecretRef};

/// The API group.
pub(crate) const GROUP: &str = "gateway.networking.k8s.io";
/// Group and version, as `apiVersion` has them: that by which objects of any version are known.
pub(crate) const API_VERSION: &str = "gateway.networking.k8s.io/v1";

/// An object in Gateway API's words.
#[derive(Clone, Debug)]
pub enum Spec {
    /// A Gateway.
    Gateway(Box<GatewaySpec>),
    /// A ListenerSet.
    ListenerSet(Box<ListenerSetSpec>),
    /// A BackendTLSPolicy.
    BackendTlsPolicy(Box<BackendTlsPolicySpec>),
    /// A route, whose facts say everything.
    Route,
    /// A GatewayClass.
    Class,
}

impl Spec {
    /// Its listeners.
    pub(crate) fn listeners(&self) -> &[Listener] {
        match self {
            Spec::Gateway(gateway) => &gateway.listeners,
            Spec::ListenerSet(set) => &set.listeners,
            Spec::BackendTlsPolicy(_) | Spec::Route | Spec::Class => &[],
        }
    }
}
