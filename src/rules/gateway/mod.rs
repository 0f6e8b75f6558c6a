//! Rules on Gateway API's own fields: listeners without TLS, references that can't be used or aren't granted, policies.

pub(super) mod authority_unusable;
pub(super) mod client_certificate_unused;
pub(super) mod insecure_fallback;
pub(super) mod listener_without_tls;
pub(super) mod name_unchecked;
pub(super) mod passthrough_certificate;
pub(super) mod policy_conflict;
pub(super) mod policy_misses_port;
pub(super) mod reference_not_granted;
pub(super) mod reference_unusable;
pub(super) mod shared_certificate;

use crate::apis::Native;
use crate::apis::gateway::{BackendTlsPolicySpec, Listener, Spec};
use crate::finding::Site;
use crate::k8s::FieldPath;
use crate::mesh::{Attached, Belonging, Fact, Plane};
use crate::rules::about::About;
use crate::rules::context::Context;

/// What they are about.
pub(super) const ABOUT: About =
    About::Having(|subject| matches!(subject.native, Native::Gateway(_) | Native::Ingress(_)));

/// The listeners of the object under review, each with its field and its control plane: none if the Gateway doesn't allow them.
fn listeners<'c>(cx: &'c Context<'_>) -> impl Iterator<Item = (&'c Listener, FieldPath, &'static Plane)> {
    let spec = match &cx.subject.native {
        Native::Gateway(spec) => Some(spec),
        _ => None,
    };
    let member = cx.member().filter(|member| cx.view.is_taken_in(member) != Belonging::No);
    let plane = member.map(|member| cx.view.plane_of(member));
    let list = FieldPath::root().keys(["spec", "listeners"]);
    let all = spec.map_or(&[][..], Spec::listeners).iter().enumerate();
    all.filter_map(move |(index, listener)| Some((listener, list.index(index), plane?)))
}

/// The policy under review, as a fact and as its own spec.
fn policy<'c>(cx: &'c Context<'_>) -> Option<(&'c Attached, &'c BackendTlsPolicySpec)> {
    let Native::Gateway(Spec::BackendTlsPolicy(spec)) = &cx.subject.native else { return None };
    cx.subject.facts.iter().find_map(|fact| match fact {
        Fact::Attached(attached) => Some((&**attached, &**spec)),
        _ => None,
    })
}

/// Where a problem of a listener is reported.
fn site(listener: &Listener, field: FieldPath) -> Site {
    Site::new(format!("listener {}", listener.name), field)
}
