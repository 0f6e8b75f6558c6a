//! Hosts of listeners, and the names of their certificates.

use serde_json::json;

use crate::gateway_api::bed::shared;
use crate::gateway_api::objects::{gateway, leaf, route, secret, touched};

tests![
    a_deep_host_of_a_wildcard_is_told_by_the_route_and_by_the_gateway,
    a_route_that_was_there_first_is_told_when_its_gateway_comes,
    the_most_specific_listener_is_asked,
];

fn a_deep_host_of_a_wildcard_is_told_by_the_route_and_by_the_gateway() {
    let (bed, namespace) = (shared(), "gw-deep");
    let world = bed.world(namespace);
    world.has([secret(namespace, "wild", &leaf("*.example.com"))]);
    let edge = gateway(namespace, "edge", "other", &[("wild", "*.example.com", "wild")]);
    world.apply(&edge).succeeds_silently();
    let deep = route(namespace, "deep", "edge", &["a.b.example.com"]);
    bed.until("meshvet knows of the Gateway", &deep, |outcome| outcome.speaks_of("MV504"));
    world.apply(&deep).warns(&["HTTPRoute gw-deep/deep MV504", "has no certificate for a.b.example.com"]);
    world.apply(&route(namespace, "flat", "edge", &["a.example.com"])).succeeds_silently();
    let touched = touched(edge, "yes");
    bed.until("meshvet knows of the route", &touched, |outcome| outcome.speaks_of("MV504"));
    world.apply(&touched).warns(&["gw-deep/edge MV504", "a.b.example.com for HTTPRoute gw-deep/deep"]);
    // The certificate gets the name, and the warning is gone.
    let both = crate::gateway_api::objects::authority().leaf(&["*.example.com", "a.b.example.com"]).issue();
    world.apply(&secret(namespace, "wild", &both)).succeeds_silently();
    bed.until("meshvet knows of the certificate", &deep, |outcome| outcome.stderr.is_empty());
    // A renewal that loses the name is reported.
    world.apply(&secret(namespace, "wild", &leaf("*.example.com"))).warns(&["gw-deep/edge MV504"]);
}

fn a_route_that_was_there_first_is_told_when_its_gateway_comes() {
    let (bed, namespace) = (shared(), "gw-route-first");
    let world = bed.world(namespace);
    world.has([secret(namespace, "web", &leaf("other.example.com"))]);
    world.apply(&route(namespace, "web", "edge", &["web.example.com"])).succeeds_silently();
    let edge = gateway(namespace, "edge", "other", &[("web", "web.example.com", "web")]);
    bed.until("meshvet knows of the route", &edge, |outcome| outcome.speaks_of("MV504"));
    world.apply(&edge).warns(&["gw-route-first/edge MV504", "web.example.com for HTTPRoute gw-route-first/web"]);
}

fn the_most_specific_listener_is_asked() {
    let (bed, namespace) = (shared(), "gw-specific");
    let world = bed.world(namespace);
    world.has([secret(namespace, "wild", &leaf("*.example.com")), secret(namespace, "deep", &leaf("a.b.example.com"))]);
    let listeners = [("wild", "*.example.com", "wild"), ("deep", "*.b.example.com", "deep")];
    world.apply(&gateway(namespace, "edge", "other", &listeners)).succeeds_silently();
    // Attached to both: `*.example.com` allows it too, but no client reaches that listener with it.
    let deep = route(namespace, "deep", "edge", &["a.b.example.com"]);
    let other = route(namespace, "deep", "edge", &["c.b.example.com"]);
    bed.until("meshvet knows of the Gateway", &other, |outcome| outcome.speaks_of("MV504"));
    world.apply(&deep).succeeds_silently();
    // The route names only this listener, and clients reach another one: nothing is reported.
    let mut named = other.clone();
    named["metadata"]["name"] = "named".into();
    named["spec"]["parentRefs"] = json!([{"name": "edge", "sectionName": "wild"}]);
    world.apply(&named).succeeds_silently();
}
