//! Objects that lead callers to nodes: a call that can't work comes about by them as much as by its ends.

use serde_json::{Value, json};

use crate::install::Installation;
use crate::kubectl::Outcome;
use crate::sandbox::eventually;
use crate::support::manifests::{
    backend_group, calling_node, client_policy, gateway_route, routed_service, virtual_gateway, virtual_node,
    virtual_router, virtual_service,
};
use crate::world::{World, plane};

tests![
    each_kind_warns_and_is_refused_where_the_policy_says_so,
    by_default_a_broken_call_warns_and_the_object_is_created,
    an_update_is_told_what_it_makes_worse,
    a_route_to_a_node_that_was_mended_passes_at_once,
    what_app_mesh_would_refuse_is_refused_by_default,
];

/// The webhook for these objects.
const ROUTES: &str = "routes.meshvet.dev";

/// A node whose listener speaks plaintext.
fn plaintext(namespace: &str, name: &str) -> Value {
    let mut node = virtual_node(namespace, name, &format!("{name}.{namespace}.svc.cluster.local"));
    node["spec"]["listeners"][0].as_object_mut().expect("a listener").remove("tls");
    node
}

/// A world with the plaintext node `blue` and with `front`, which would speak TLS to service `blue`. Nothing leads there yet.
fn world(namespace: &'static str) -> World {
    let world = World::new(namespace);
    world.has([plaintext(namespace, "blue"), calling_node(namespace, "front", "blue", client_policy())]);
    world
}

/// Waits until a dry run says what `expected` looks for.
#[track_caller]
fn dry_run(world: &World, object: &Value, expected: impl Fn(&Outcome) -> bool) {
    eventually("meshvet has heard of it", || {
        let outcome = world.kubectl.apply(object, &["--dry-run=server"]);
        if expected(&outcome) { Ok(()) } else { Err(outcome.to_string()) }
    });
}

fn by_default_a_broken_call_warns_and_the_object_is_created() {
    let world = world("routes");
    let service = virtual_service("routes", "blue", "blue");
    dry_run(&world, &service, |outcome| outcome.speaks_of("MV305"));
    let outcome = world.apply(&service).warns(&["MV305: front → blue: the client enforces TLS"]);
    assert!(outcome.stdout.contains("blue created"), "{outcome}");
}

fn an_update_is_told_what_it_makes_worse() {
    let world = world("worse-routes");
    world.has([plaintext("worse-routes", "green"), routed_service("worse-routes", "blue", "colors")]);
    let router = virtual_router("worse-routes", "colors", "blue");
    dry_run(&world, &router, |outcome| outcome.speaks_of("MV305"));
    world.apply(&router).warns(&["MV305: front → blue"]).lacks(&["as before"]);

    // The same again, and one more.
    let mut more = router.clone();
    let targets = &mut more["spec"]["routes"][0]["httpRoute"]["action"]["weightedTargets"];
    let targets = targets.as_array_mut().expect("targets");
    targets.push(json!({"virtualNodeRef": {"name": "green"}, "weight": 1}));
    let outcome = world.apply(&more).warns(&["MV305: front → green"]);
    let outcome = outcome.warns(&["MV305 (as before): front → blue"]);
    assert_eq!(outcome.warnings().count(), 2, "{outcome}");

    // Labels and deletions are nobody's business.
    let run = |arguments: &[&str]| {
        let arguments = [&["-n", "worse-routes"], arguments].concat();
        world.kubectl.run(&arguments, "").succeeds_silently();
    };
    run(&["label", "virtualrouter", "colors", "team=shop"]);
    run(&["delete", "virtualrouter", "colors"]);
}

fn a_route_to_a_node_that_was_mended_passes_at_once() {
    let world = World::new("mended-routes");
    world.has([plaintext("mended-routes", "blue"), calling_node("mended-routes", "front", "blue", client_policy())]);
    let service = virtual_service("mended-routes", "blue", "blue");
    dry_run(&world, &service, |outcome| outcome.speaks_of("MV305"));
    world.has([virtual_node("mended-routes", "blue", "blue.mended-routes.svc.cluster.local")]);
    dry_run(&world, &service, |outcome| outcome.code == 0 && outcome.stderr.is_empty());
    world.apply(&service).succeeds_silently();
}

fn what_app_mesh_would_refuse_is_refused_by_default() {
    let world = World::new("bad-routes");
    let mut router = virtual_router("bad-routes", "colors", "blue");
    let targets = &mut router["spec"]["routes"][0]["httpRoute"]["action"]["weightedTargets"];
    *targets = json!([{"virtualNodeRef": {"name": "blue"}, "weight": 60}, {"virtualNodeRef": {"name": "green"}, "weight": 60}]);
    let field = "spec.routes[0].httpRoute.action.weightedTargets";
    world.apply(&router).refused_by(ROUTES, &["MV005 refused-by-app-mesh", field, "120"]);
}

/// One way for each kind by which `front`, or the gateway `edge`, comes to call the plaintext node `blue`, with the field that
/// makes the call; each in a copy of meshvet whose policy knows backend groups.
fn each_kind_warns_and_is_refused_where_the_policy_says_so() {
    const NAMESPACE: &str = "each-route";
    let world = World::new(NAMESPACE);
    let installation = Installation::copy_for(plane(), NAMESPACE, "Fail");
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging(NAMESPACE);
    let policy = |text: &str| replica.update_volume("policy", &vec![("config.yaml".to_owned(), text.into())]);

    let mut grouped = calling_node(NAMESPACE, "grouped", "unused", client_policy());
    grouped["spec"]["backends"] = json!([]);
    grouped["spec"]["backendGroups"] = json!([{"name": "colors"}]);
    let mut gateway = virtual_gateway(NAMESPACE, "edge", json!({}));
    gateway["spec"] = json!({
        "namespaceSelector": {},
        "listeners": [{"portMapping": {"port": 8080, "protocol": "http"}}],
        "backendDefaults": {"clientPolicy": client_policy()},
    });
    world.has([
        plaintext(NAMESPACE, "blue"),
        calling_node(NAMESPACE, "front", "direct", client_policy()),
        calling_node(NAMESPACE, "behind", "routed", client_policy()),
        grouped,
        gateway,
        routed_service(NAMESPACE, "routed", "colors"),
        // Nobody names it, so that it brings no call about by itself.
        virtual_service(NAMESPACE, "blue", "blue"),
    ]);
    let ways = [
        (virtual_service(NAMESPACE, "direct", "blue"), "front → blue", "spec.provider.virtualNode"),
        (
            virtual_router(NAMESPACE, "colors", "blue"),
            "behind → blue",
            "spec.routes[0].httpRoute.action.weightedTargets[0]",
        ),
        (gateway_route(NAMESPACE, "blue", "blue"), "edge → blue", "spec.httpRoute.action.target.virtualService"),
        (backend_group(NAMESPACE, "colors", "blue"), "grouped → blue", "spec.virtualservices[0]"),
    ];
    policy("backendGroups: {enabled: true}\n");
    for (object, call, _) in &ways {
        dry_run(&world, object, |outcome| outcome.speaks_of("MV305"));
        world.kubectl.apply(object, &["--dry-run=server"]).warns(&["MV305: ", call]);
    }
    policy("backendGroups: {enabled: true}\nrouting: {severity: deny}\n");
    for (object, call, field) in &ways {
        dry_run(&world, object, |outcome| outcome.code != 0);
        world.apply(object).refused_by(ROUTES, &["MV305 plaintext-server at ", call, field, "WRONG_VERSION_NUMBER"]);
    }
    policy("backendGroups: {enabled: true}\nrouting: {severity: off}\n");
    for (object, ..) in &ways {
        dry_run(&world, object, |outcome| outcome.code == 0 && outcome.stderr.is_empty());
        world.apply(object).succeeds_silently();
    }
}
