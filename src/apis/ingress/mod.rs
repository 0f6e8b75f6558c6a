//! Kubernetes' Ingress: hosts, and the Secret whose certificate each is to be served with.
//!
//! Source: the types and the documentation of `networking.k8s.io/v1`. What a controller makes of a Secret that it can't use is its own
//! matter: many (ingress-nginx was one) serve a certificate of their own instead.

mod kinds;
mod types;

pub use kinds::API;
pub use types::IngressSpec;
