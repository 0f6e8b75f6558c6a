//! Gateway API: Gateways, ListenerSets and routes, and what is certain about their controllers.
//!
//! Source: the types and the documentation of `gateway.networking.k8s.io` (v1), and tests of each controller.

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
/// Group and version, as in `apiVersion`: objects of every version are known by this one.
pub(crate) const API_VERSION: &str = "gateway.networking.k8s.io/v1";

/// `apiVersion` and kind of the settings that Envoy Gateway's classes may name.
const ENVOY_PROXY: (&str, &str) = ("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy");

/// An object in Gateway API's own types.
#[derive(Clone, Debug)]
pub enum Spec {
    /// A Gateway.
    Gateway(Box<GatewaySpec>),
    /// A ListenerSet.
    ListenerSet(Box<ListenerSetSpec>),
    /// A BackendTLSPolicy.
    BackendTlsPolicy(Box<BackendTlsPolicySpec>),
    /// A route: its facts are all that is needed.
    Route,
    /// A GatewayClass.
    Class,
}

impl Spec {
    /// Gives back what its lists reserved in vain: one that grows as it is read has room for four.
    fn shrink(&mut self) {
        match self {
            Spec::Gateway(gateway) => gateway.listeners.shrink_to_fit(),
            Spec::ListenerSet(set) => set.listeners.shrink_to_fit(),
            Spec::BackendTlsPolicy(_) | Spec::Route | Spec::Class => {}
        }
    }

    /// Its listeners.
    pub(crate) fn listeners(&self) -> &[Listener] {
        match self {
            Spec::Gateway(gateway) => &gateway.listeners,
            Spec::ListenerSet(set) => &set.listeners,
            Spec::BackendTlsPolicy(_) | Spec::Route | Spec::Class => &[],
        }
    }
}
