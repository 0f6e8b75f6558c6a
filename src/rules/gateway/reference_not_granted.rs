//! # MV505: `reference-not-granted`
//!
//! ## What it checks
//! Whether a ReferenceGrant lets the listener name a Secret of another namespace. For a ListenerSet the grant's `from.kind` is
//! `ListenerSet`, for a Gateway `Gateway`. Where ReferenceGrants may not be listed, nothing is said.
//!
//! ## Why it matters
//! Without the grant the controller refuses the reference (`RefNotPermitted`). It is a warning: the grant may follow. What is in the
//! Secret is not looked at until it is granted.
//!
//! ## Example
//! ```yaml
//! tls: {certificateRefs: [{name: web-cert, namespace: certificates}]}   # no ReferenceGrant in namespace certificates
//! ```
//!
//! ## How to fix
//! Create a ReferenceGrant in the Secret's namespace, or copy the Secret into the Gateway's.

use crate::finding::Problem;
use crate::mesh::Belonging;
use crate::rules::context::Context;
use crate::rules::gateway::{listeners, site};
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let object = &cx.subject.object;
    for (listener, field, _) in listeners(cx) {
        let Some(tls) = listener.tls.as_ref().filter(|tls| !tls.passes_through()) else { continue };
        for (index, reference) in tls.certificate_refs.iter().enumerate() {
            let there = reference.namespace_or(object.namespace());
            let named = (there, reference.name.as_str());
            if cx.view.is_granted(object, reference.group(), reference.kind(), named) != Belonging::No {
                continue;
            }
            let field = field.keys(["tls", "certificateRefs"]).index(index).key("namespace");
            let kind = &object.kind;
            let message = format!(
                "no ReferenceGrant lets a {kind} of {} name {} {there}/{}",
                object.namespace(),
                reference.kind(),
                reference.name
            );
            out.add(
                Problem::warn(site(listener, field), message)
                    .expected(format!("a ReferenceGrant in {there}, from {kind} of {}", object.namespace()))
                    .found("none that fits")
                    .consequence("the reference is refused (RefNotPermitted), and the listener serves without it")
                    .fix(format!("create the ReferenceGrant in {there}, or copy the Secret to {}", object.namespace())),
            );
        }
    }
}
