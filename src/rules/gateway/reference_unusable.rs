//! # MV503: `reference-unusable`
//!
//! ## What it checks
//! Whether what a listener's `certificateRefs` name is something that its controller accepts: the kind of the object, the type of a
//! Secret. Envoy Gateway accepts Secrets of type `kubernetes.io/tls` (and its own `gateway.envoyproxy.io/sds`), Contour also `Opaque`,
//! Istio any. Of several certificates Istio serves two, and Contour one: those beyond are warned of. Other controllers aren't checked.
//! MV202 checks the Secret's keys.
//!
//! ## Why it matters
//! The controller refuses the reference (`InvalidCertificateRef`), whatever the Secret holds: the listener serves nothing. Where it has other
//! certificates, it serves those without this one: then it is a warning.
//!
//! ## Example
//! ```text
//! kubectl create secret generic web-cert --from-file=tls.crt --from-file=tls.key     # type: Opaque
//! ```
//!
//! ## How to fix
//! Make the Secret with `kubectl create secret tls`. A Secret's type can't be changed: delete it first.

use crate::apis::Native;
use crate::apis::gateway::{Listener, Spec};
use crate::finding::{Problem, Severity, Site};
use crate::k8s::FieldPath;
use crate::mesh::{Belonging, Plane, StoreKey, StoreState};
use crate::rules::context::Context;
use crate::rules::gateway::{listeners, site};
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    check_shown(cx, out);
    for (listener, field, plane) in listeners(cx).filter(|(_, _, plane)| plane.is_envoy()) {
        let Some(tls) = listener.tls.as_ref().filter(|tls| !tls.passes_through()) else { continue };
        let severity = if tls.certificate_refs.len() > 1 { Severity::Warn } else { Severity::Deny };
        check_count(listener, &field, plane, out);
        for (index, reference) in tls.certificate_refs.iter().enumerate() {
            let field = field.keys(["tls", "certificateRefs"]).index(index);
            let report = |site, found: String, expected: String, fix: &str| {
                let message =
                    format!("{} takes no {found} as the certificate of listener {}", plane.name, listener.name);
                Problem::new(severity, site, message)
                    .expected(expected)
                    .found(found)
                    .consequence("the reference is refused (InvalidCertificateRef), and the listener serves without it")
                    .fix(fix)
            };
            if !reference.is_secret() {
                let found = reference.full_kind();
                out.add(report(site(listener, field), found, "a Secret".to_owned(), "name a Secret"));
                continue;
            }
            let own = cx.subject.object.namespace();
            let store = StoreKey::secret(reference.namespace_or(own), &reference.name);
            let granted =
                cx.view.is_granted(&cx.subject.object, "", "Secret", (store.namespace.as_str(), store.name.as_str()));
            let StoreState::Present(there) = cx.view.store(&store) else { continue };
            let Some(of_type) = there.of_type.as_deref().filter(|_| granted == Belonging::Yes) else { continue };
            if plane.secret_types.is_empty() || plane.secret_types.contains(&of_type) {
                continue;
            }
            let found = format!("Secret of type {of_type} ({store})");
            let expected = format!("type {}", plane.secret_types.first().copied().unwrap_or_default());
            let fix = "make the Secret anew with `kubectl create secret tls`: its type can't be changed";
            out.add(report(site(listener, field).resting_on(&store), found, expected, fix));
        }
    }
}

/// What a Gateway is to show to its backends.
fn check_shown(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Native::Gateway(Spec::Gateway(gateway)) = &cx.subject.native else { return };
    let shown = gateway.tls.as_ref().and_then(|tls| tls.backend.as_ref()?.client_certificate_ref.as_ref());
    let Some(reference) = shown.filter(|reference| !reference.is_secret()) else { return };
    let plane = cx.member().map(|member| cx.view.plane_of(member)).filter(|plane| plane.is_envoy());
    let Some(plane) = plane else { return };
    let found = reference.full_kind();
    let field = FieldPath::root().keys(["spec", "tls", "backend", "clientCertificateRef"]);
    out.add(
        Problem::warn(Site::new("backend", field), format!("{} presents no {found} to backends", plane.name))
            .expected("a Secret")
            .found(found)
            .consequence("the reference is refused (InvalidClientCertificateRef), and backends that ask for a certificate get none")
            .fix("name a Secret"),
    );
}

/// Certificates beyond those that are served.
fn check_count(listener: &Listener, field: &FieldPath, plane: &Plane, out: &mut Reporter<'_>) {
    let count = listener.tls.as_ref().map_or(0, |tls| tls.certificate_refs.len());
    let Some(most) = plane.most_certificates.filter(|most| count > *most) else { return };
    let field = field.keys(["tls", "certificateRefs"]).index(most);
    let message = format!("{} serves {most} of the {count} certificates of listener {}", plane.name, listener.name);
    out.add(
        Problem::warn(site(listener, field), message)
            .expected(format!("at most {most}"))
            .found(format!("{count} of them"))
            .consequence("clients get one of the first, whatever they ask for")
            .fix("give the other hosts listeners of their own"),
    );
}
