//! Services before nodes, on a real API server: what leads past a proxy is warned of by whatever review brings it about.

use serde_json::{Value, json};

use crate::audit::audit;
use crate::control_plane::ControlPlane;
use crate::kubectl::Outcome;
use crate::release::Release;
use crate::sandbox::eventually;
use crate::support::manifests::{deployment, list, tls_secret, virtual_node};
use crate::support::mint::Authority;
use crate::world::{self, World};

tests![
    a_service_that_leads_past_the_proxy_is_warned_of_and_its_repair_is_not,
    a_service_that_goes_is_warned_of_and_goes,
    a_service_in_the_same_apply_is_never_called_missing,
    an_audit_tells_what_leads_past_a_proxy,
    services_that_may_not_be_listed_say_nothing,
];

fn service(namespace: &str, name: &str, target: u16) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 8443, "targetPort": target}]},
    })
}

/// All that node `web` is, and rests on, but its Service.
fn parts(world: &World) -> [Value; 3] {
    let issued = Authority::new("Test root").leaf(&[&world.hostname("web")]).issue();
    let node = virtual_node(world.namespace, "web", &world.hostname("web"));
    [tls_secret(world.namespace, "web-tls", &issued), deployment(world.namespace, "web", "web-tls:/certs"), node]
}

/// A sound node `web`, its Service, and another one.
fn sound(namespace: &'static str) -> World {
    let world = World::new(namespace);
    let [secret, deployment, node] = parts(&world);
    world.has([secret, deployment, service(namespace, "web", 8443), service(namespace, "other", 8443)]);
    world.knows(&node);
    world.apply(&node).succeeds_silently();
    world
}

/// Waits until meshvet knows of the node, so that a change of its Service is judged.
#[track_caller]
fn judged(world: &World) {
    let wrong = service(world.namespace, "web", 80);
    eventually("meshvet judges a change of the Service", || {
        let outcome = world.kubectl.apply(&wrong, &["--dry-run=server"]);
        if outcome.speaks_of("MV220") { Ok(()) } else { Err(outcome.to_string()) }
    });
}

fn a_service_that_leads_past_the_proxy_is_warned_of_and_its_repair_is_not() {
    let world = sound("services-led");
    judged(&world);
    let led =
        "services-led/web MV220: Service services-led/web sends port 8443 to port 80 of Deployment services-led/web";
    world.apply(&service("services-led", "web", 80)).succeeds().warns(&[led]);
    world.apply(&service("services-led", "web", 8443)).succeeds_silently();
    world.apply(&service("services-led", "other", 80)).succeeds_silently();
}

fn delete(world: &World, name: &str) -> Outcome {
    world.kubectl.run(&["-n", world.namespace, "delete", "service", name], "")
}

fn a_service_that_goes_is_warned_of_and_goes() {
    let world = sound("services-gone");
    judged(&world);
    delete(&world, "other").succeeds_silently();
    world.has([service("services-gone", "other", 8443)]);
    eventually("meshvet knows of the other Service", || {
        let outcome = world.kubectl.run(&["-n", "services-gone", "delete", "service", "web", "--dry-run=server"], "");
        if outcome.speaks_of("MV220") { Ok(()) } else { Err(outcome.to_string()) }
    });
    let missing = "services-gone/web MV220: there is no Service services-gone/web";
    delete(&world, "web").succeeds().warns(&[missing]);
    let left = world.kubectl.get(&["-n", "services-gone", "services"]);
    assert_eq!(left["items"].as_array().map(Vec::len), Some(1), "{left}");
    // The first one again, and the node finds it there.
    world.apply(&service("services-gone", "web", 8443)).succeeds_silently();
}

/// Each object milliseconds after the one before, and the Service before one of those that make it matter.
fn a_service_in_the_same_apply_is_never_called_missing() {
    for (namespace, order) in [
        ("services-first", [0, 1, 2, 3, 4]),
        ("services-node", [3, 0, 1, 4, 2]),
        ("services-workload", [0, 1, 3, 4, 2]),
    ] {
        let world = World::new(namespace);
        let [secret, deployment, node] = parts(&world);
        let all = [service(namespace, "other", 8443), service(namespace, "web", 8443), deployment, secret, node];
        let outcome = world.apply(&list(order.map(|part| all[part].clone()))).succeeds();
        assert!(!outcome.speaks_of("MV220"), "{namespace}: {outcome}");
    }
}

fn an_audit_tells_what_leads_past_a_proxy() {
    let world = sound("services-audited");
    world.apply(&service("services-audited", "web", 80)).succeeds();
    let said = audit(world::plane(), &["-n", "services-audited", "-o", "json"]);
    assert_eq!(said.findings(), [("MV220".to_owned(), "web".to_owned())], "{said:?}");
}

/// The release that may not list Services.
const BLIND: &str = "blind";

fn services_that_may_not_be_listed_say_nothing() {
    let plane = ControlPlane::start("services-forbidden");
    world::install_crds(&plane);
    let release = Release::install(&plane, (BLIND, BLIND), &[]);
    let rules = plane.kubectl.get(&["clusterrole", BLIND])["rules"].clone();
    let rest = rules.as_array().expect("rules").iter().filter(|rule| rule["resources"] != json!(["services"]));
    let patch = json!({"rules": rest.collect::<Vec<_>>()}).to_string();
    plane.kubectl.run(&["patch", "clusterrole", BLIND, "--type=merge", "-p", &patch], "").succeeds();
    let account = format!("--as=system:serviceaccount:{BLIND}:{BLIND}");
    eventually("the API server hears of the role", || {
        let outcome = plane.kubectl.run(&["auth", "can-i", &account, "list", "services", "-A"], "");
        if outcome.stdout.trim() == "no" { Ok(()) } else { Err(outcome.to_string()) }
    });

    let world = World::on(&plane, "shop");
    let [secret, deployment, node] = parts(&world);
    world.has([secret, deployment.clone(), service("shop", "web", 80), service("shop", "other", 8443)]);
    let installation = release.installation();
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("shop");
    world.knows(&node);
    world.apply(&node).succeeds_silently();
    // The Service under review itself is known; of those beside it nothing is.
    delete(&world, "web").succeeds_silently();
    let mut changed = deployment;
    changed["spec"]["template"]["metadata"]["labels"]["version"] = "v2".into();
    world.apply(&changed).succeeds_silently();
    assert!(replica.log().contains("may not list services:"), "{}", replica.log());
}
