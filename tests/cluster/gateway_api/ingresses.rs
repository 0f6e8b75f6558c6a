//! Ingresses: hosts, and the certificates of their Secrets. Nothing is denied if the controller may have a default certificate.

use serde_json::{Value, json};

use crate::gateway_api::bed::shared;
use crate::gateway_api::objects::{annotated, leaf, mismatched, secret, short};
use crate::gateway_api::told::tells;

tests![
    an_ingress_is_told_of_its_hosts,
    a_default_class_counts_for_those_that_name_none,
    an_ingress_before_its_secret_is_told_unless_that_is_promised,
];

const WEBHOOK: &str = "ingresses.meshvet.dev";

fn class(name: &str, controller: &str) -> Value {
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": name},
        "spec": {"controller": controller}})
}

fn ingress(namespace: &str, name: &str, class: Option<&str>, host: &str, secret: &str) -> Value {
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"namespace": namespace, "name": name}, "spec": {
        "ingressClassName": class,
        "tls": [{"hosts": [host], "secretName": secret}],
        "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}],
    }})
}

fn an_ingress_is_told_of_its_hosts() {
    let (bed, namespace) = (shared(), "ing-hosts");
    let world = bed.world(namespace);
    world.has([
        class("ing-contour", "projectcontour.io/projectcontour"),
        class("ing-nginx", "k8s.io/ingress-nginx"),
        secret(namespace, "sound", &leaf("web.example.com")),
        secret(namespace, "other", &leaf("other.example.com")),
        secret(namespace, "mixed-up", &mismatched(&leaf("web.example.com"))),
        secret(namespace, "short", &short("web.example.com")),
    ]);
    for name in ["ing-contour", "ing-nginx", "not-there"] {
        let of = |secret: &str| ingress(namespace, name, Some(name), "web.example.com", secret);
        world.apply(&of("sound")).succeeds_silently();
        world.apply(&of("other")).warns(&["MV504", "host web.example.com matches no name of the certificate"]);
        // Contour has no default certificate to present in place of this one.
        match name {
            "ing-contour" => world.apply(&of("mixed-up")).refused_by(WEBHOOK, &["MV206"]),
            _ => world.apply(&of("mixed-up")).warns(&["MV206"]),
        };
        world.apply(&of("absent")).warns(&["MV202", "Secret ing-hosts/absent doesn't exist"]);
        world.apply(&of("sound")).succeeds_silently();
    }
    // Contour's proxy is an Envoy; what the others do with such a key isn't known.
    let of = |class: &str| ingress(namespace, class, Some(class), "web.example.com", "short");
    world.apply(&of("ing-contour")).refused_by(WEBHOOK, &["MV215"]);
    world.apply(&of("ing-nginx")).lacks(&["MV215", "MV502", "denied"]).succeeds();
    // Its Secret's own review: a warning, never a denial.
    bed.until("meshvet knows of them", &secret(namespace, "sound", &leaf("else.example.com")), |outcome| {
        outcome.speaks_of("MV504")
    });
    world.apply(&ingress(namespace, "ing-nginx", Some("ing-nginx"), "web.example.com", "sound")).succeeds_silently();
    let deleted = world.kubectl.run(&["-n", namespace, "delete", "secret", "sound"], "");
    deleted.warns(&["ing-hosts/not-there MV202"]);
}

fn a_default_class_counts_for_those_that_name_none() {
    let (bed, namespace) = (shared(), "ing-default");
    let world = bed.world(namespace);
    world.has([secret(namespace, "short", &short("web.example.com"))]);
    let without = ingress(namespace, "web", None, "web.example.com", "short");
    world.apply(&without).succeeds().lacks(&["MV215"]);
    let class = class("ing-default", "projectcontour.io/projectcontour");
    world.has([annotated(class, "ingressclass.kubernetes.io/is-default-class", "true")]);
    let mut other = without;
    other["metadata"]["name"] = "other".into();
    bed.until("meshvet knows of the class", &other, |outcome| outcome.speaks_of("MV215"));
    world.apply(&other).refused_by(WEBHOOK, &["MV215"]);
    world.kubectl.run(&["delete", "ingressclass", "ing-default"], "").succeeds();
}

fn an_ingress_before_its_secret_is_told_unless_that_is_promised() {
    let (bed, namespace) = (shared(), "ing-acme");
    let world = bed.world(namespace);
    let early = ingress(namespace, "web", Some("ing-later"), "web.example.com", "web");
    world.apply(&annotated(early.clone(), "cert-manager.io/issuer", "public")).succeeds_silently();
    let mut plain = early;
    plain["metadata"]["name"] = "plain".into();
    plain["spec"]["tls"][0]["secretName"] = "plain".into();
    world.apply(&plain).warns(&["ing-acme/plain MV202"]);
    tells(&world, &["Warning FileMissing"]);
    world.apply(&secret(namespace, "plain", &leaf("web.example.com"))).succeeds_silently();
    tells(&world, &["Warning FileMissing", "Normal FileMissingResolved"]);
}
