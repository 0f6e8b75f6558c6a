//! What a judgement looks at, in facts: what its object touches, however large the world is.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::apis::{Entry, Subject, decode_object};
use crate::k8s::ObjectRef;
use crate::mesh::{FactId, StoreKey, View, World, looked_at_during};
use crate::policy::Policy;
use crate::rules::{Surface, examine};

const GROUP: &str = "gateway.networking.k8s.io/v1";

fn gateway(name: &str, listeners: usize) -> Value {
    let listeners = (0..listeners).map(|index| {
        json!({"name": format!("l{index}"), "port": 443, "protocol": "HTTPS", "hostname": format!("*.l{index}.{name}.test"),
            "tls": {"certificateRefs": [{"name": format!("{name}-{index}")}]}})
    });
    json!({"apiVersion": GROUP, "kind": "Gateway", "metadata": {"namespace": "edge", "name": name},
        "spec": {"gatewayClassName": "eg", "listeners": listeners.collect::<Vec<_>>()}})
}

/// A route to a host of one of a gateway's listeners.
fn route(name: &str, gateway: &str, listener: usize) -> Value {
    json!({"apiVersion": GROUP, "kind": "HTTPRoute", "metadata": {"namespace": "edge", "name": name}, "spec": {
        "parentRefs": [{"name": gateway}],
        "hostnames": [format!("{name}.l{listener}.{gateway}.test")],
        "rules": [{"backendRefs": [{"name": name, "port": 80}]}],
    }})
}

fn secret(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"namespace": "edge", "name": name}, "stringData": {"tls.crt": "none", "tls.key": "none"}})
}

fn decoded(object: Value) -> Subject {
    match decode_object(object, "edge") {
        Ok(Entry::Subject(subject)) => *subject,
        other => panic!("no subject: {other:?}"),
    }
}

/// The gateway `web` with four listeners and so many routes, and so many other gateways with a route and a Secret each.
fn world(routes: usize, others: usize) -> World {
    let class = json!({"apiVersion": GROUP, "kind": "GatewayClass", "metadata": {"name": "eg"},
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}});
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "edge"}});
    let mut objects = vec![class, namespace, gateway("web", 4)];
    objects.extend((0..4).map(|index| secret(&format!("web-{index}"))));
    objects.extend((0..routes).map(|index| route(&format!("r{index}"), "web", index % 4)));
    for index in 0..others {
        let name = format!("other{index}");
        objects.extend([gateway(&name, 1), secret(&format!("{name}-0")), route(&name, &name, 0)]);
    }
    let mut world = World::default();
    for object in objects {
        match decode_object(object, "edge").expect("an object") {
            Entry::Subject(subject) => world.extend(subject.facts),
            Entry::Fact(fact) => world.learn(fact),
            other => panic!("no fact: {other:?}"),
        }
    }
    world
}

/// How many facts a review of an object looks at, and how many it takes to know whom it touches.
fn looked_at(world: &World, object: Value) -> [usize; 2] {
    let subject = decoded(object);
    let view = View::new(world);
    let policy = Policy::default();
    let (_, judged) = looked_at_during(|| examine(&subject, view, &policy, Timestamp::now(), Surface::Admission));
    let id = FactId::Object(subject.object.clone());
    let (_, touched) = looked_at_during(|| view.about(&subject.facts).touched_by(&id));
    assert!(judged > 0, "something is looked at");
    [judged, touched]
}

#[test]
fn a_route_costs_what_it_names_however_many_its_gateway_has() {
    let review = |world: &World| looked_at(world, route("r1", "web", 1));
    let few = review(&world(10, 10));
    assert_eq!(review(&world(2_000, 10)), few);
    assert_eq!(review(&world(10, 300)), few);
    assert!(few.iter().all(|count| *count < 60), "{few:?}");
}

#[test]
fn a_gateway_costs_its_own_routes_however_many_others_there_are() {
    let review = |world: &World| looked_at(world, gateway("web", 4));
    let few = review(&world(10, 10));
    assert_eq!(review(&world(10, 300)), few);
    // Each of its routes a few times, whatever its listeners: not once for each of these.
    let [judged, touched] = review(&world(1_010, 10));
    assert!(judged - few[0] <= 4 * 1_000 && touched - few[1] <= 4 * 1_000, "{judged} and {touched}, {few:?}");
}

#[test]
fn a_secret_touches_the_gateways_that_name_it_and_looks_at_no_others() {
    let touched = |world: &World| {
        let id = FactId::Store(StoreKey::secret("edge", "web-1"));
        let (touched, looked) = looked_at_during(|| View::new(world).touched_by(&id));
        assert_eq!(touched.into_iter().collect::<Vec<_>>(), [&ObjectRef::new(GROUP, "Gateway", "edge", "web")]);
        looked
    };
    assert_eq!(touched(&world(10, 300)), touched(&world(10, 10)));
}
