//! A Secret that isn't there yet, and a cert-manager Certificate that will fill it: a small CRD stands in for cert-manager's, and nobody
//! issues anything.

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::install::Installation;
use crate::sandbox::eventually;
use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::Authority;
use crate::world::{self, World};

tests![a_certificate_is_judged_before_it_is_issued];

fn certificates_crd() -> Value {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "certificates.cert-manager.io"},
        "spec": {
            "group": "cert-manager.io",
            "names": {"kind": "Certificate", "plural": "certificates", "singular": "certificate"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

fn certificate(namespace: &str, name: &str) -> Value {
    json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"namespace": namespace, "name": "web"},
        "spec": {"secretName": "web-tls", "dnsNames": [name], "issuerRef": {"name": "mesh-ca"}}})
}

fn a_certificate_is_judged_before_it_is_issued() {
    let plane = ControlPlane::start("promises");
    world::install_crds(&plane);
    let installation = Installation::of_deploy(&plane);
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("default");

    let world = World::on(&plane, "shop");
    let node = virtual_node("shop", "web", &world.hostname("web"));
    world.has([manifests::deployment("shop", "web", "web-tls:/certs")]);
    let once = |what: &str, is_so: &dyn Fn(&crate::kubectl::Outcome) -> bool| {
        eventually(what, || {
            let outcome = world.kubectl.apply(&node, &["--dry-run=server"]);
            if is_so(&outcome) { Ok(()) } else { Err(outcome.to_string()) }
        });
    };
    // A cluster without cert-manager: nobody makes the Secret.
    once("meshvet hears of the workload", &|outcome| outcome.speaks_of("MV202") && !outcome.speaks_of("MV203"));

    plane.kubectl.apply(&certificates_crd(), &[]).succeeds();
    world::wait_for_crds(&plane);
    world.has([certificate("shop", "web.elsewhere.local")]);
    once("meshvet hears of the Certificate", &|outcome| !outcome.speaks_of("MV202"));
    world.apply(&node).warns(&["MV101", "web.shop.svc.cluster.local"]);

    world.has([certificate("shop", &world.hostname("web"))]);
    once("meshvet hears of its other name", &|outcome| outcome.stderr.is_empty());
    world.apply(&node).succeeds_silently();

    // Once the Secret is there, it counts.
    world.kubectl.run(&["-n", "shop", "delete", "virtualnode", "web"], "").succeeds();
    let issued = Authority::new("Test root").leaf(&["web.elsewhere.local"]).issue();
    world.has([tls_secret("shop", "web-tls", &issued)]);
    once("meshvet hears of the Secret", &|outcome| outcome.speaks_of("MV101"));
    world.apply(&node).refused(&["MV101 hostname-mismatch", "web.elsewhere.local"]);
    let log = replica.log();
    assert!(!log.contains("\"ERROR\""), "{log}");
}
