//! VirtualGateways: their pods are the proxy, so its own mounts count, and the annotations of injected ones don't.

use serde_json::{Value, json};

use crate::support::manifests::{self, file_certificate, secret, tls_secret, virtual_gateway};
use crate::support::mint::Authority;
use crate::world::World;

tests![
    a_sound_gateway_is_created,
    a_gateway_with_another_certificates_key_is_refused,
    a_file_that_the_volume_lacks_is_refused,
    an_annotation_mounts_nothing_in_a_gateway,
    a_gateway_before_its_pods_warns,
];

fn gateway(namespace: &str) -> Value {
    virtual_gateway(namespace, "ingress", file_certificate("tls.crt", "tls.key"))
}

/// Any name: a gateway has no discovery to compare it with.
const NAME: &str = "shop.example.com";

fn a_sound_gateway_is_created() {
    let world = World::new("gateway");
    let issued = Authority::new("Test root").leaf(&[NAME]).issue();
    world.has([
        tls_secret("gateway", "ingress-tls", &issued),
        manifests::gateway_deployment("gateway", "ingress", "ingress-tls", "/certs/"),
    ]);
    world.knows(&gateway("gateway"));
    world.apply(&gateway("gateway")).succeeds_silently();
}

fn a_gateway_with_another_certificates_key_is_refused() {
    let world = World::new("gateway-key");
    let authority = Authority::new("Test root");
    let mut issued = authority.leaf(&[NAME]).issue();
    issued.key = authority.leaf(&[NAME]).issue().key;
    world.has([
        tls_secret("gateway-key", "ingress-tls", &issued),
        manifests::gateway_deployment("gateway-key", "ingress", "ingress-tls", "/certs"),
    ]);
    world.knows(&gateway("gateway-key"));
    world
        .apply(&gateway("gateway-key"))
        .refused(&["MV206 key-mismatch", "spec.listeners[0].tls.certificate.file.privateKey"]);
}

fn a_file_that_the_volume_lacks_is_refused() {
    let world = World::new("gateway-file");
    let issued = Authority::new("Test root").leaf(&[NAME]).issue();
    let data = [("chain.pem", issued.chain.as_str()), ("key.pem", &issued.key)];
    let mut deployment = manifests::gateway_deployment("gateway-file", "ingress", "ingress-tls", "/certs");
    // Of the two keys only one is put into the volume, under another name.
    deployment["spec"]["template"]["spec"]["volumes"][0]["secret"]["items"] =
        json!([{"key": "chain.pem", "path": "tls.crt"}]);
    world.has([secret("gateway-file", "ingress-tls", &data), deployment]);
    world.knows(&gateway("gateway-file"));
    world.apply(&gateway("gateway-file")).refused(&["MV202 file-missing", "/certs/tls.key"]);
}

fn an_annotation_mounts_nothing_in_a_gateway() {
    let world = World::new("gateway-annotation");
    let issued = Authority::new("Test root").leaf(&[NAME]).issue();
    let mut deployment = manifests::gateway_deployment("gateway-annotation", "ingress", "ingress-tls", "/elsewhere");
    deployment["spec"]["template"]["metadata"]["annotations"] =
        json!({"appmesh.k8s.aws/secretMounts": "ingress-tls:/certs"});
    world.has([tls_secret("gateway-annotation", "ingress-tls", &issued), deployment]);
    crate::sandbox::eventually("meshvet hears of the workload", || {
        let outcome = world.kubectl.apply(&gateway("gateway-annotation"), &["--dry-run=server"]);
        if outcome.speaks_of("MV203") { Err(outcome.to_string()) } else { Ok(()) }
    });
    world.apply(&gateway("gateway-annotation")).warns(&["MV201"]);
}

fn a_gateway_before_its_pods_warns() {
    let world = World::new("gateway-early");
    world.apply(&gateway("gateway-early")).warns(&["MV203"]);
}
