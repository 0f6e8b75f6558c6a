//! # MV512: `client-certificate-unused`
//!
//! ## What it checks
//! Whether a Gateway that has a certificate to show to backends (`tls.backend.clientCertificateRef`) makes TLS to any: whether a
//! BackendTLSPolicy is there for a Service that its routes lead to. Of a Gateway without routes nothing is said,
//! nor where routes or policies may not be listed.
//!
//! ## Why it matters
//! Without the policy requests go to the backend in plaintext, and the certificate is never shown.
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
    let message =
        format!("no backend is called by TLS, so that {} {} is never shown", reference.kind(), reference.name);
    out.add(
        Problem::warn(Site::new("backend", field), message)
            .expected("a BackendTLSPolicy for a Service that a route leads to")
            .found("none")
            .consequence("requests go to the backends in plaintext, without the certificate")
            .fix("create a BackendTLSPolicy for the Service, or remove the reference"),
    );
}
