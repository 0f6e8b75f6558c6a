//! # MV509: `authority-unusable`
//!
//! ## What it checks
//! Whether each ConfigMap or Secret with the authorities of a BackendTLSPolicy, or of a Gateway's frontend validation, is of a kind that
//! the controller accepts, and has certificates under a key that it reads (`ca.crt`). One that doesn't exist, or is still empty, only
//! warns: it may follow. So do authorities that have all expired, another key that the controller may read, and one of several references.
//! A ConfigMap that OpenShift fills in (`service.beta.openshift.io/inject-cabundle`) isn't reported.
//!
//! ## Why it matters
//! The policy isn't accepted (`NoValidCACertificate`), and requests to the backend end in 503. On a Gateway, the listener is refused.
//!
//! ## Example
//! ```text
//! kubectl create configmap backend-ca --from-file=ca.crt=backend.key
//! ```
//!
//! ## How to fix
//! Put the certificates of the authorities into the key `ca.crt`, in PEM.

use crate::apis::Native;
use crate::apis::gateway::{SecretRef, Spec, authorities};
use crate::finding::{Problem, Severity, Site};
use crate::k8s::FieldPath;
use crate::mesh::{Belonging, KeyRef, Loads, Place, Plane, TrustSource};
use crate::rules::context::Context;
use crate::rules::gateway::policy;
use crate::rules::reporter::Reporter;

/// The kinds of objects that a control plane accepts authorities from, for backends or for clients.
type Taken = fn(&Plane) -> &'static [&'static str];

/// What kube-controller-manager publishes in each namespace: the authority of the API server.
const ROOT_CA: &str = "kube-root-ca.crt";

/// One reference to authorities.
struct Reference<'c> {
    named: &'c SecretRef,
    anchor: &'static str,
    field: FieldPath,
    /// Whether it is one of several: the others may suffice.
    beside_others: bool,
}

/// What is wrong with a reference.
struct Fault {
    severity: Severity,
    message: String,
    expected: String,
    found: String,
}

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    if let Some((own, spec)) = policy(cx) {
        let planes: Vec<_> = own.aims.iter().flat_map(|aim| cx.view.planes_before(&aim.target)).collect();
        let list = FieldPath::root().keys(["spec", "validation", "caCertificateRefs"]);
        for reference in references(&spec.validation.ca_certificate_refs, "validation", &list) {
            let taken = |plane: &Plane| plane.authorities.of_backends;
            report(
                cx,
                &reference,
                (&planes, taken),
                "the policy isn't accepted: requests to the backend end in 503",
                out,
            );
        }
    }
    let Native::Gateway(Spec::Gateway(gateway)) = &cx.subject.native else { return };
    let Some(frontend) = gateway.tls.as_ref().and_then(|tls| tls.frontend.as_ref()) else { return };
    let planes: Vec<_> = cx.member().into_iter().map(|member| cx.view.plane_of(member)).collect();
    let at = FieldPath::root().keys(["spec", "tls", "frontend"]);
    let of_ports = frontend.per_port.iter().enumerate();
    let of_ports = of_ports.map(|(index, port)| (port.tls.as_ref(), at.key("perPort").index(index).key("tls")));
    for (tls, field) in [(frontend.default.as_ref(), at.key("default"))].into_iter().chain(of_ports) {
        let Some(validation) = tls.and_then(|tls| tls.validation.as_ref()) else { continue };
        let list = field.keys(["validation", "caCertificateRefs"]);
        for reference in references(&validation.ca_certificate_refs, "frontend", &list) {
            let taken = |plane: &Plane| plane.authorities.of_clients;
            let consequence = "the controller refuses the listeners that validate clients with it";
            report(cx, &reference, (&planes, taken), consequence, out);
        }
    }
}

fn references<'c>(all: &'c [SecretRef], anchor: &'static str, list: &FieldPath) -> impl Iterator<Item = Reference<'c>> {
    let beside_others = all.len() > 1;
    let each = all.iter().enumerate();
    each.map(move |(index, named)| Reference { named, anchor, field: list.index(index), beside_others })
}

fn report(
    cx: &Context<'_>,
    reference: &Reference<'_>,
    (planes, taken): (&[&'static Plane], Taken),
    consequence: &str,
    out: &mut Reporter<'_>,
) {
    let mut site = Site::new(reference.anchor, reference.field.clone());
    let of_kind = of_kind(reference.named, planes, taken);
    let by_kind = of_kind.is_some();
    let fault = match of_kind {
        Some(fault) => Some(fault),
        None => {
            let own = cx.subject.object.namespace();
            match authorities(reference.named, own, &reference.field) {
                Some(TrustSource::Key(key)) if is_readable(cx, reference.named) => {
                    site = site.resting_on(&key.store);
                    of_content(cx, &key, planes, reference.anchor == "frontend" && !reference.beside_others)
                }
                _ => None,
            }
        }
    };
    let Some(Fault { severity, message, expected, found }) = fault else { return };
    let severity = if reference.beside_others { Severity::Warn } else { severity };
    let named = format!("{} {}", reference.named.kind(), reference.named.name);
    out.add(Problem::new(severity, site, message).expected(expected).found(found).consequence(consequence).fix(
        match by_kind {
            true => "put the certificates of the authorities into ca.crt of a ConfigMap, and name that".to_owned(),
            false => format!(
                "put the certificates of the authorities into ca.crt of {named}, or name the object that has them"
            ),
        },
    ));
}

/// An object in another namespace counts only if a ReferenceGrant allows it: MV505 reports one that isn't granted.
fn is_readable(cx: &Context<'_>, named: &SecretRef) -> bool {
    let there = named.namespace_or(cx.subject.object.namespace());
    let named_there = (there, named.name.as_str());
    cx.view.is_granted(&cx.subject.object, named.group(), named.kind(), named_there) == Belonging::Yes
}

/// A kind that a controller of the target's gateways doesn't accept.
fn of_kind(named: &SecretRef, planes: &[&Plane], taken: Taken) -> Option<Fault> {
    let kind = named.full_kind();
    let refuses = |plane: &&&Plane| !taken(plane).is_empty() && !taken(plane).contains(&kind.as_str());
    let first = planes.iter().find(refuses)?;
    Some(Fault {
        severity: if planes.iter().all(|plane| refuses(&plane)) { Severity::Deny } else { Severity::Warn },
        message: format!("{} accepts no authorities from a {kind}", first.name),
        expected: taken(first).join(", "),
        found: format!("{kind} {}", named.name),
    })
}

/// What is wrong with the object that it names. `told`: MV205 reports what is wrong with its content.
fn of_content(cx: &Context<'_>, key: &KeyRef, planes: &[&Plane], told: bool) -> Option<Fault> {
    let keys = planes.first().map_or(&["ca.crt"][..], |plane| plane.authorities.keys);
    let place = |name: &str| cx.view.key_place(&KeyRef { key: name.to_owned(), ..key.clone() });
    let places = || keys.iter().map(|name| place(name));
    let found = places().find(|place| !matches!(place, Place::KeyMissing { .. })).or_else(|| places().next())?;
    let expected = format!("PEM certificates in the key {}", keys.join(" or "));
    let fault = |severity, message, found| Some(Fault { severity, message, expected: expected.clone(), found });
    match found {
        Place::File { facts, key, store } => match &facts.bundle {
            Err(error) if !told => {
                let message = format!("key {key} of {store} holds no certificate that can be trusted");
                fault(Severity::Deny, message, error.to_string())
            }
            Ok(bundle) if !told && bundle.certificates.iter().all(|one| one.not_after < cx.now) => {
                let message = format!("every authority under key {key} of {store} has expired");
                let last = bundle.certificates.iter().map(|one| one.not_after).max();
                let found = last.map(|last| format!("the last expired on {last}")).unwrap_or_default();
                fault(Severity::Warn, message, found)
            }
            _ => None,
        },
        // Kubernetes itself makes this one in each namespace.
        Place::StoreMissing { store, .. } if store.name == ROOT_CA => None,
        Place::StoreMissing { empty, store } => {
            let message = format!("{store} {}", if empty { "is empty" } else { "doesn't exist" });
            fault(Severity::Warn, message, "no authority yet".to_owned())
        }
        Place::KeyMissing { offered, .. } => {
            // Envoy Gateway takes whichever key there is.
            if planes.iter().any(|plane| plane.loads == Loads::Parsed) && offered.len() == 1 {
                return None;
            }
            let certain = !planes.is_empty() && planes.iter().all(|plane| plane.authorities.no_other_key);
            let severity = if certain { Severity::Deny } else { Severity::Warn };
            fault(severity, format!("{} has no key {}", key.store, keys.join(" or ")), offered.join(", "))
        }
        _ => None,
    }
}
