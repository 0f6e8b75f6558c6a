//! # MV512: `client-certificate-unused`
//!
//! ## What it checks
//! Whether a Gateway that has a client certificate for its backends (`tls.backend.clientCertificateRef`) calls any of them over
//! TLS: whether there is a BackendTLSPolicy for a Service that its routes lead to. Gateways without routes aren't checked. Where
//! meshvet may not list routes or policies, no Gateway is.
//!
//! ## Why it matters
//! Without the policy requests go to the backends in plaintext, and the certificate is never presented.
//!
//! ## Example
//! ```yaml
//! spec: {tls: {backend: {clientCertificateRef: {name: edge-client}}}}   # and no BackendTLSPolicy
//! ```
//!
//! ## How to fix
//! Create a BackendTLSPolicy for the Service, or remove the reference.

use crate::apis::Native;
use crate::apis::gateway::Spec;
use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::Sort;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let (Native::Gateway(Spec::Gateway(gateway)), Some(member)) = (&cx.subject.native, cx.member()) else { return };
    let reference = gateway.tls.as_ref().and_then(|tls| tls.backend.as_ref()?.client_certificate_ref.as_ref());
    let Some(reference) = reference else { return };
    if !cx.view.unlisted(Sort::Entrances, member.object.namespace()).is_empty() {
        return;
    }
    let backends = cx.view.backends_of(member);
    if backends.is_empty() || backends.iter().any(|service| cx.view.has_policies(service)) {
        return;
    }
    let field = FieldPath::root().keys(["spec", "tls", "backend", "clientCertificateRef"]);
    let message = format!("no backend is called by TLS, so {} {} is never presented", reference.kind(), reference.name);
    out.add(
        Problem::warn(Site::new("backend", field), message)
            .expected("a BackendTLSPolicy for a Service that a route leads to")
            .found("none")
            .consequence("requests go to the backends in plaintext, without the certificate")
            .fix("create a BackendTLSPolicy for the Service, or remove the reference"),
    );
}
