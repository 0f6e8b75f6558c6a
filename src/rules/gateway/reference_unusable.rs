//! # MV503: `reference-unusable`
//!
//! ## What it checks
//! Whether the controller accepts what a listener's `certificateRefs` name: the kind of the object, and the type of a Secret. Envoy
//! Gateway accepts Secrets of type `kubernetes.io/tls` (and its own `gateway.envoyproxy.io/sds`), Contour also `Opaque`, Istio any.
//! Contour accepts one certificate and Istio two: they refuse a listener that names more. Of two certificates for one name with keys of one
//! kind (RSA, ECDSA), Envoy Gateway leaves out the second: this only warns. Istio accepts one reference to the authorities of clients.
//! Contour doesn't serve the hosts of an Ingress whose Secret is of another type. Other controllers aren't checked. MV202 checks the
//! Secret's keys.
//!
//! ## Why it matters
//! The controller refuses the reference (`InvalidCertificateRef`), whatever is in the Secret: the listener serves nothing. If it has other
//! certificates, it serves those: then this only warns.
//!
//! ## Example
//! ```text
//! kubectl create secret generic web-cert --from-file=tls.crt --from-file=tls.key     # type: Opaque
//! ```
//!
//! ## How to fix
//! Create the Secret with `kubectl create secret tls`. A Secret's type can't be changed: delete it first.

use crate::apis::Native;
use crate::apis::gateway::{Listener, Spec};
use crate::finding::{Problem, Severity, Site};
use crate::k8s::FieldPath;
use crate::mesh::{Belonging, Plane, StoreKey, StoreState};
use crate::rules::context::Context;
use crate::rules::gateway::{listeners, site};
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;
use crate::rules::twins::{Twin, twins};

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    check_shown(cx, out);
    check_twins(cx, out);
    check_authorities(cx, out);
    check_blocks(cx, out);
    for (listener, field, plane) in listeners(cx).filter(|(_, _, plane)| plane.is_envoy()) {
        let Some(tls) = listener.tls.as_ref().filter(|tls| !tls.passes_through()) else { continue };
        let severity = if tls.certificate_refs.len() > 1 { Severity::Warn } else { Severity::Deny };
        check_count(listener, &field, plane, out);
        for (index, reference) in tls.certificate_refs.iter().enumerate() {
            let field = field.keys(["tls", "certificateRefs"]).index(index);
            let report = |site, found: String, expected: String, fix: &str| {
                let message =
                    format!("{} accepts no {found} as the certificate of listener {}", plane.name, listener.name);
                Problem::new(severity, site, message)
                    .expected(expected)
                    .found(found)
                    .consequence("the reference is refused (InvalidCertificateRef), and the listener serves nothing, unless it has another certificate")
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
            let fix = "create the Secret again with `kubectl create secret tls`: its type can't be changed";
            out.add(report(site(listener, field).resting_on(&store), found, expected, fix));
        }
    }
}

/// Two certificates of a listener of which Envoy Gateway accepts only the first: for one name, with one kind of key.
fn check_twins(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for Twin { using, name, family } in twins(cx) {
        let Some(leaf) = using.leaf() else { continue };
        let message = format!("{} has two {family} certificates for {name}", using.end.noun());
        out.add(
            using.of(
                Aspect::Names,
                Problem::warn(using.chain_site(), message)
                    .expected(format!("one {family} certificate for each name"))
                    .found(format!("{} ({})", leaf.names_text(), using.chain_origin()))
                    .consequence(format!("{} leaves this one out (PartiallyInvalidCertificateRef)", using.plane.name))
                    .fix("remove one of the two references"),
            ),
        );
    }
}

/// The certificate that a Gateway presents to its backends.
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

/// More certificates than the controller accepts.
fn check_count(listener: &Listener, field: &FieldPath, plane: &Plane, out: &mut Reporter<'_>) {
    let count = listener.tls.as_ref().map_or(0, |tls| tls.certificate_refs.len());
    let Some(most) = plane.most_certificates.filter(|most| count > *most) else { return };
    let field = field.keys(["tls", "certificateRefs"]).index(most);
    let message = format!("{} accepts {most} of the {count} certificates of listener {}", plane.name, listener.name);
    out.add(
        Problem::deny(site(listener, field), message)
            .expected(format!("at most {most}"))
            .found(format!("{count} of them"))
            .consequence("the listener is refused, and every connection to it is closed")
            .fix("give the other hosts listeners of their own"),
    );
}

/// More references to the authorities of clients than the controller accepts.
fn check_authorities(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let (Native::Gateway(Spec::Gateway(gateway)), Some(member)) = (&cx.subject.native, cx.member()) else { return };
    let plane = cx.view.plane_of(member);
    let Some(frontend) = gateway.tls.as_ref().and_then(|tls| tls.frontend.as_ref()) else { return };
    let at = FieldPath::root().keys(["spec", "tls", "frontend"]);
    let of_ports = frontend
        .per_port
        .iter()
        .enumerate()
        .map(|(index, entry)| (entry.tls.as_ref(), at.key("perPort").index(index).key("tls")));
    for (tls, field) in [(frontend.default.as_ref(), at.key("default"))].into_iter().chain(of_ports) {
        let count = tls.and_then(|tls| Some(tls.validation.as_ref()?.ca_certificate_refs.len())).unwrap_or_default();
        let Some(most) = plane.authorities.most_of_clients.filter(|most| count > *most) else { continue };
        let field = field.keys(["validation", "caCertificateRefs"]).index(most);
        let message = format!("{} accepts {most} of the {count} references to authorities of clients", plane.name);
        out.add(
            Problem::deny(Site::new("frontend", field), message)
                .expected(format!("at most {most}"))
                .found(format!("{count} of them"))
                .consequence("the listeners that it applies to are refused, and every connection to them is closed")
                .fix("put the certificates of all authorities into one ConfigMap"),
        );
    }
}

/// The Secrets of an Ingress, if it is known which types its controller accepts.
fn check_blocks(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let (Native::Ingress(ingress), Some(member)) = (&cx.subject.native, cx.member()) else { return };
    let plane = cx.view.plane_of(member);
    if plane.secret_types.is_empty() {
        return;
    }
    for (index, block) in ingress.tls.iter().enumerate().filter(|(_, block)| !block.secret_name.is_empty()) {
        let store = StoreKey::secret(cx.subject.object.namespace(), &block.secret_name);
        let StoreState::Present(there) = cx.view.store(&store) else { continue };
        let of_type = there.of_type.as_deref().filter(|of_type| !plane.secret_types.contains(of_type));
        let Some(of_type) = of_type else { continue };
        let field = FieldPath::root().keys(["spec", "tls"]).index(index).key("secretName");
        let message = format!("{} accepts no Secret of type {of_type} for tls block {index}", plane.name);
        out.add(
            Problem::deny(Site::new(format!("tls block {index}"), field).resting_on(&store), message)
                .expected(format!("type {}", plane.secret_types.first().copied().unwrap_or_default()))
                .found(format!("type {of_type} ({store})"))
                .consequence("the hosts of the block aren't served over TLS: connections to them fail")
                .fix("create the Secret again with `kubectl create secret tls`: its type can't be changed"),
        );
    }
}
