//! What is wrong with one controller and right with another, as recorded in tests/dataplanes.

use serde_json::json;

use crate::cases::{Case, denies, good, warns};
use crate::gateways::{CONTOUR, ENVOY_GATEWAY, ISTIO, gateway, ingress, set, tls_secret};
use crate::scene::{AUTHORITY, Scene};

const SECRET: &str = "spec.tls[0].secretName";
const CONTOUR_INGRESS: &str = "projectcontour.io/ingress-controller";

pub(crate) fn cases() -> Vec<Case> {
    [certificates(), blocks(), clients()].concat()
}

/// A listener with this many certificates.
fn with_certificates(scene: &mut Scene, controller: &str, count: usize) {
    gateway(scene, controller);
    let refs: Vec<_> = (0..count).map(|_| json!({"name": "web"})).collect();
    set(scene, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs", json!(refs));
}

fn certificates() -> Vec<Case> {
    vec![
        denies(
            "MV503",
            "more certificates than Contour takes",
            |s| with_certificates(s, CONTOUR, 2),
            "spec.listeners[0].tls.certificateRefs[1]",
            &["Contour accepts 1 of the 2 certificates", "the listener is refused"],
        ),
        denies(
            "MV503",
            "more certificates than Istio takes",
            |s| with_certificates(s, ISTIO, 3),
            "spec.listeners[0].tls.certificateRefs[2]",
            &["Istio accepts 2 of the 3 certificates"],
        ),
        good("MV503", "two certificates on Istio", |s| with_certificates(s, ISTIO, 2)),
        good("MV503", "three certificates on Envoy Gateway", |s| {
            with_certificates(s, ENVOY_GATEWAY, 3);
            // It accepts only one for each name.
            for (index, name) in ["b.example.org", "c.example.org"].into_iter().enumerate() {
                let reference = format!("/spec/listeners/0/tls/certificateRefs/{}/name", index + 1);
                set(s, "Gateway", "web", &reference, name.into());
                s.others.push(tls_secret(name, &AUTHORITY.leaf(&[name]).issue()));
            }
        }),
        denies(
            "MV501",
            "HTTPS without tls on Contour",
            |s| {
                gateway(s, CONTOUR);
                set(s, "Gateway", "web", "/spec/listeners/0/tls", json!(null));
            },
            "spec.listeners[0].tls",
            &["Contour refuses the listener"],
        ),
    ]
}

/// An Ingress whose class is this controller's.
fn classed(scene: &mut Scene, controller: &str) {
    ingress(scene, &AUTHORITY.leaf(&["a.example.com"]).issue());
    set(scene, "Ingress", "web", "/spec/ingressClassName", json!("entrance"));
    scene
        .others
        .push(json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "entrance"},
        "spec": {"controller": controller}}));
}

/// The same, with a Secret of another type.
fn typed(scene: &mut Scene, controller: &str) {
    classed(scene, controller);
    set(scene, "Secret", "web", "/type", json!("example.com/tls"));
}

/// The same, without a Secret.
fn unnamed(scene: &mut Scene, controller: &str) {
    classed(scene, controller);
    set(scene, "Ingress", "web", "/spec/tls", json!([{"hosts": ["a.example.com"]}]));
}

fn blocks() -> Vec<Case> {
    vec![
        denies(
            "MV503",
            "an Ingress of Contour with a Secret of another type",
            |s| typed(s, CONTOUR_INGRESS),
            SECRET,
            &["Contour accepts no Secret of type example.com/tls"],
        ),
        good("MV503", "a Secret of another type, elsewhere", |s| typed(s, "k8s.io/ingress-nginx")),
        warns(
            "MV501",
            "an Ingress of Contour without a Secret",
            |s| unnamed(s, CONTOUR_INGRESS),
            "spec.tls[0]",
            &["tls block 0 has no secretName, and Contour serves nothing with it"],
        ),
        warns(
            "MV501",
            "an Ingress of Contour without hosts",
            |s| {
                classed(s, CONTOUR_INGRESS);
                set(s, "Ingress", "web", "/spec/tls", json!([{"secretName": "web"}]));
            },
            "spec.tls[0]",
            &["tls block 0 has no hosts"],
        ),
        good("MV501", "an Ingress without a Secret, elsewhere", |s| unnamed(s, "k8s.io/ingress-nginx")),
    ]
}

/// A Gateway whose clients are validated with the ConfigMap `ca`, which has its authorities under this key.
fn validating(scene: &mut Scene, controller: &str, key: &str) {
    gateway(scene, controller);
    let authorities = json!([{"group": "", "kind": "ConfigMap", "name": "ca"}]);
    let validation = json!({"validation": {"caCertificateRefs": authorities}});
    set(scene, "Gateway", "web", "/spec/tls", json!({"frontend": {"default": validation}}));
    scene.others.push(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "ca"},
        "data": {key: AUTHORITY.pem()}}));
}

fn clients() -> Vec<Case> {
    vec![denies(
        "MV503",
        "two references to authorities of clients on Istio",
        |s| {
            validating(s, ISTIO, "ca.crt");
            let reference = json!({"group": "", "kind": "ConfigMap", "name": "ca"});
            let refs = json!([reference, reference]);
            set(s, "Gateway", "web", "/spec/tls/frontend/default/validation/caCertificateRefs", refs);
        },
        "spec.tls.frontend.default.validation.caCertificateRefs[1]",
        &["Istio accepts 1 of the 2 references to authorities of clients"],
    )]
}
