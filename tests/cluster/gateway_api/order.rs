//! Gateways before their Secrets, Secrets that would break other listeners, and repairs in steps.

use crate::gateway_api::bed::{GATEWAYS, SECRETS, shared, unseen};
use crate::gateway_api::objects::{annotated, gateway, leaf, mismatched, route, secret, short, touched};

tests![
    gateways_are_vetted_where_there_is_no_mesh,
    a_gateway_comes_before_its_secret_as_a_challenge_by_http_needs_it,
    a_secret_that_would_take_neighbours_down_is_refused_and_its_repair_passes,
    a_secret_of_two_gateways_is_told_with_both,
    a_gateway_is_repaired_in_steps,
];

/// A controller that writes Secrets: it would retry forever.
const ISSUER: &str = "--as=system:serviceaccount:cert-manager:cert-manager";

fn gateways_are_vetted_where_there_is_no_mesh() {
    let bed = shared();
    let world = bed.world("gw-only");
    world.has([secret("gw-only", "web", &mismatched(&leaf("web.example.com")))]);
    world
        .apply(&gateway("gw-only", "edge", "eg", &[("web", "web.example.com", "web")]))
        .refused_by(GATEWAYS, &["MV206", "Envoy Gateway refuses the reference"]);
    let log = bed.replica.log();
    assert!(!log.contains("appmesh.k8s.aws: not") && !log.contains("\"ERROR\""), "{log}");
}

fn a_gateway_comes_before_its_secret_as_a_challenge_by_http_needs_it() {
    let (bed, namespace) = (shared(), "gw-acme");
    let world = bed.world(namespace);
    let mut edge = gateway(namespace, "edge", "eg", &[("web", "web.example.com", "web")]);
    let plain = serde_json::json!({"name": "http", "port": 80, "protocol": "HTTP"});
    edge["spec"]["listeners"].as_array_mut().expect("listeners").push(plain);
    // If the Secret is created by other means, it is reported that it doesn't exist yet.
    world.apply(&edge).succeeds().warns(&["MV202", "Secret gw-acme/web doesn't exist"]);
    world.kubectl.run(&["-n", namespace, "delete", "gateway", "edge"], "").succeeds();
    // With cert-manager's annotation, it is expected.
    let edge = annotated(edge, "cert-manager.io/cluster-issuer", "public");
    world.apply(&edge).succeeds_silently();
    world.apply(&route(namespace, "challenge", "edge", &["web.example.com"])).succeeds_silently();
    bed.until("meshvet knows of the Gateway", &secret(namespace, "web", &short("web.example.com")), |outcome| {
        outcome.speaks_of("MV502")
    });
    let issued = secret(namespace, "web", &leaf("web.example.com"));
    let rights = ["create", "clusterrolebinding", "issuer", "--clusterrole=cluster-admin"];
    let subject = "--serviceaccount=cert-manager:cert-manager";
    world.kubectl.run(&[&rights[..], &[subject]].concat(), "").succeeds();
    world.kubectl.apply(&issued, &[ISSUER]).succeeds_silently();
    world.apply(&touched(edge, "yes")).succeeds_silently();
    // A controller is warned, not refused.
    world.kubectl.apply(&secret(namespace, "web", &short("web.example.com")), &[ISSUER]).warns(&["MV502"]);
}

fn a_secret_that_would_take_neighbours_down_is_refused_and_its_repair_passes() {
    let (bed, namespace) = (shared(), "gw-neighbours");
    let world = bed.world(namespace);
    let [web, api] = ["web", "api"].map(|name| secret(namespace, name, &leaf(&format!("{name}.example.com"))));
    let bad = secret(namespace, "web", &short("web.example.com"));
    world.has([web.clone(), api]);
    let edge =
        gateway(namespace, "edge", "eg", &[("web", "web.example.com", "web"), ("api", "api.example.com", "api")]);
    world.apply(&edge).succeeds_silently();
    bed.until("meshvet knows of the Gateway", &bad, |outcome| outcome.speaks_of("MV502"));
    let refused =
        ["Secret gw-neighbours/web would break Gateway gw-neighbours/edge: MV502", "beside it api.example.com"];
    world.apply(&bad).refused_by(SECRETS, &refused);
    // A problem that the gateway's controller sees itself is a warning: it breaks no other listener.
    world.apply(&secret(namespace, "web", &mismatched(&leaf("web.example.com")))).warns(&["gw-neighbours/edge MV206"]);
    // A Secret that was bad before meshvet was installed: another bad one is admitted, and so is the repair, without a warning.
    unseen(&world, std::slice::from_ref(&bad));
    bed.until("meshvet knows the bad one", &touched(edge.clone(), "yes"), |outcome| outcome.speaks_of("MV502"));
    world.apply(&secret(namespace, "web", &short("web.example.com"))).succeeds();
    world.apply(&web).succeeds_silently();
    let deleted = world.kubectl.run(&["-n", namespace, "delete", "secret", "web"], "");
    deleted.warns(&["gw-neighbours/edge MV202", "Secret gw-neighbours/web doesn't exist"]);
    world.apply(&web).succeeds_silently();
}

fn a_secret_of_two_gateways_is_told_with_both() {
    let (bed, namespace) = (shared(), "gw-two");
    let world = bed.world(namespace);
    world.has([secret(namespace, "web", &leaf("web.example.com"))]);
    for name in ["east", "west"] {
        world.apply(&gateway(namespace, name, "istio", &[("web", "web.example.com", "web")])).succeeds_silently();
    }
    let bad = secret(namespace, "web", &short("web.example.com"));
    let both = ["Gateway gw-two/east", "Gateway gw-two/west"];
    bed.until("meshvet knows both", &bad, |outcome| both.iter().all(|name| outcome.speaks_of(name)));
    world.apply(&bad).refused_by(SECRETS, &both);
    // One of them is enough.
    world.kubectl.run(&["-n", namespace, "delete", "gateway", "west"], "").succeeds();
    bed.until("meshvet hears that one is gone", &bad, |outcome| !outcome.speaks_of(both[1]));
    world.apply(&bad).refused_by(SECRETS, &both[..1]);
}

fn a_gateway_is_repaired_in_steps() {
    let (bed, namespace) = (shared(), "gw-steps");
    let world = bed.world(namespace);
    let [a, b] = ["a", "b"].map(|name| secret(namespace, name, &mismatched(&leaf(&format!("{name}.example.com")))));
    let [sound_a, sound_b] =
        ["a", "b"].map(|name| secret(namespace, &format!("{name}-sound"), &leaf(&format!("{name}.example.com"))));
    let edge =
        |a: &str, b: &str| gateway(namespace, "edge", "eg", &[("a", "a.example.com", a), ("b", "b.example.com", b)]);
    unseen(&world, &[a, b, sound_a, sound_b, edge("a", "b")]);
    bed.until("meshvet knows them", &touched(edge("a", "b"), "yes"), |outcome| {
        outcome.code == 0 && outcome.warnings().filter(|line| line.contains("MV206")).count() == 2
    });
    let label = ["-n", namespace, "label", "gateway", "edge", "team=edge"];
    world.kubectl.run(&label, "").succeeds_silently();
    // First one of the two, then the other.
    let first = world.apply(&edge("a-sound", "b")).warns(&["MV206 (as before)", "spec.listeners[1]"]);
    first.lacks(&["spec.listeners[0]"]);
    // Going back makes it worse.
    world.apply(&edge("a", "b")).refused_by(GATEWAYS, &["MV206", "spec.listeners[0].tls.certificateRefs[0]"]);
    world.apply(&edge("a-sound", "b-sound")).succeeds_silently();
    world.kubectl.run(&["-n", namespace, "delete", "gateway", "edge"], "").succeeds_silently();
}
