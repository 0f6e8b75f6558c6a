//! # MV505: `reference-not-granted`
//!
//! ## What it checks
//! Whether a ReferenceGrant lets a listener name a Secret in another namespace. For a ListenerSet the grant's `from.kind` is
//! `ListenerSet`, for a Gateway `Gateway`. Where meshvet may not list ReferenceGrants, this isn't checked.
//!
//! ## Why it matters
//! Without the grant the controller refuses the reference (`RefNotPermitted`). This only warns: the grant may follow. The Secret
//! isn't checked until it is granted.
//!
//! ## Example
//! ```yaml
//! tls: {certificateRefs: [{name: web-cert, namespace: certificates}]}   # no ReferenceGrant in namespace certificates
//! ```
//!
//! ## How to fix
//! Create a ReferenceGrant in the Secret's namespace, or copy the Secret into the Gateway's.

use crate::apis::Native;
use crate::apis::gateway::{SecretRef, Spec};
use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::Belonging;
use crate::rules::context::Context;
use crate::rules::gateway::{listeners, site};
use crate::rules::reporter::Reporter;

/// A reference, where a problem of it is reported, and what happens if it isn't granted.
type Named<'c> = (Site, &'c SecretRef, &'static str);

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let object = &cx.subject.object;
    for (site, reference, consequence) in of_listeners(cx).into_iter().chain(of_gateway(cx)) {
        let there = reference.namespace_or(object.namespace());
        let named = (there, reference.name.as_str());
        if cx.view.is_granted(object, reference.group(), reference.kind(), named) != Belonging::No {
            continue;
        }
        let (kind, from) = (&object.kind, object.namespace());
        let of_kind = reference.kind();
        let message = format!("no ReferenceGrant lets a {kind} of {from} name {of_kind} {there}/{}", reference.name);
        out.add(
            Problem::warn(site, message)
                .expected(format!("a ReferenceGrant in {there}, from {kind} of {from}"))
                .found("none that fits")
                .consequence(consequence)
                .fix(format!("create the ReferenceGrant in {there}, or copy the {of_kind} to {from}")),
        );
    }
}

fn of_listeners<'c>(cx: &'c Context<'_>) -> Vec<Named<'c>> {
    let mut named = Vec::new();
    for (listener, field, _) in listeners(cx) {
        let Some(tls) = listener.tls.as_ref().filter(|tls| !tls.passes_through()) else { continue };
        for (index, reference) in tls.certificate_refs.iter().enumerate() {
            let field = field.keys(["tls", "certificateRefs"]).index(index).key("namespace");
            let consequence = "the reference is refused (RefNotPermitted), and the listener serves nothing, unless it has another certificate";
            named.push((site(listener, field), reference, consequence));
        }
    }
    named
}

/// Those of a Gateway as a whole: the authorities of its clients, and the certificate that it presents to backends.
fn of_gateway<'c>(cx: &'c Context<'_>) -> Vec<Named<'c>> {
    let Native::Gateway(Spec::Gateway(gateway)) = &cx.subject.native else { return Vec::new() };
    let Some(tls) = &gateway.tls else { return Vec::new() };
    let at = FieldPath::root().keys(["spec", "tls"]);
    let mut named = Vec::new();
    if let Some(frontend) = &tls.frontend {
        let field = at.key("frontend");
        let of_ports = frontend.per_port.iter().enumerate();
        let of_ports = of_ports.map(|(index, port)| (port.tls.as_ref(), field.key("perPort").index(index).key("tls")));
        for (tls, field) in [(frontend.default.as_ref(), field.key("default"))].into_iter().chain(of_ports) {
            let validation = tls.and_then(|tls| tls.validation.as_ref());
            let list = field.keys(["validation", "caCertificateRefs"]);
            for (index, reference) in validation.iter().flat_map(|it| &it.ca_certificate_refs).enumerate() {
                let field = list.index(index).key("namespace");
                let consequence =
                    "the reference is refused (RefNotPermitted), and the listeners validate no client with it";
                named.push((Site::new("frontend", field), reference, consequence));
            }
        }
    }
    if let Some(reference) = tls.backend.as_ref().and_then(|backend| backend.client_certificate_ref.as_ref()) {
        let field = at.keys(["backend", "clientCertificateRef", "namespace"]);
        let consequence = "the reference is refused (RefNotPermitted), and the certificate is presented to no backend";
        named.push((Site::new("backend", field), reference, consequence));
    }
    named
}
