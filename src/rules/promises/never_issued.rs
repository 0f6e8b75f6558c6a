//! # MV701: `never-issued`
//!
//! ## What it checks
//! Whether cert-manager makes the Secrets of a Gateway or an Ingress that asks it to by an annotation
//! (`cert-manager.io/issuer`, `cert-manager.io/cluster-issuer`). It skips a listener without a hostname, one whose Secret
//! is in another namespace, a `tls` block without hosts, and a Secret that two `tls` blocks of one Ingress name.
//!
//! ## Why it matters
//! No Certificate is created, and so no Secret. Only an Event on the object shows it.
//!
//! ## Example
//! ```yaml
//! metadata: {annotations: {cert-manager.io/cluster-issuer: public}}
//! spec: {listeners: [{name: web, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: web}]}}]}   # no hostname
//! ```
//!
//! ## How to fix
//! Give the listener a hostname, or the `tls` block hosts and a Secret of its own; or create a Certificate for the Secret.

use crate::apis::Native;
use crate::apis::gateway::passed_by;
use crate::apis::promises::shim::asks;
use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::{StoreKey, StoreState};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    if !asks(&cx.subject.annotations) {
        return;
    }
    let own = cx.subject.object.namespace();
    let spec = FieldPath::root().key("spec");
    match &cx.subject.native {
        Native::Gateway(gateway) => {
            for (index, listener) in gateway.listeners().iter().enumerate() {
                let Some(why) = passed_by(listener, own) else { continue };
                let references = listener.tls.iter().flat_map(|tls| &tls.certificate_refs).filter(|it| it.is_secret());
                let mut stores = references.map(|it| StoreKey::secret(it.namespace_or(own), &it.name));
                let Some(absent) = stores.find(|store| is_absent(cx, store)) else { continue };
                let site = Site::new(format!("listener {}", listener.name), spec.key("listeners").index(index));
                out.add(problem(site, &format!("listener {}", listener.name), why, &absent));
            }
        }
        Native::Ingress(ingress) => {
            for (index, block) in ingress.tls.iter().enumerate() {
                let store = StoreKey::secret(own, &block.secret_name);
                if block.secret_name.is_empty() || ingress.is_issued(block) || !is_absent(cx, &store) {
                    continue;
                }
                let why =
                    if block.hosts.is_empty() { "it has no hosts" } else { "another block names the same Secret" };
                let noun = format!("tls block {index}");
                out.add(problem(Site::new(noun.clone(), spec.key("tls").index(index)), &noun, why, &store));
            }
        }
        _ => {}
    }
}

/// Whether nobody has made the Secret, and nothing else that is known will.
fn is_absent(cx: &Context<'_>, store: &StoreKey) -> bool {
    matches!(cx.view.store(store), StoreState::Absent)
}

fn problem(site: Site, noun: &str, why: &str, store: &StoreKey) -> Problem {
    Problem::warn(site.resting_on(store), format!("cert-manager won't make {store} for {noun}: {why}"))
        .expected("a hostname for each Secret, in the namespace of the object")
        .found(why)
        .consequence("the Secret is never created, and only an Event shows it")
        .fix("correct it, or create a Certificate for the Secret")
}
