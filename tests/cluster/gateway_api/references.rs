//! Objects in other namespaces: Secrets that a ReferenceGrant lets a Gateway name, and ListenerSets that it allows.

use serde_json::json;

use crate::gateway_api::bed::{GATEWAYS, shared};
use crate::gateway_api::objects::{gateway, grant, leaf, listener_set, mismatched, secret, touched};
use crate::gateway_api::told::tells;
use crate::world::World;

tests![
    a_reference_is_told_until_it_is_granted_and_when_the_grant_goes,
    what_is_not_granted_is_not_looked_at,
    a_listener_set_counts_where_its_gateway_takes_it,
];

fn a_reference_is_told_until_it_is_granted_and_when_the_grant_goes() {
    let (bed, namespace, there) = (shared(), "gw-grant", "gw-grant-certs");
    let world = bed.world(namespace);
    let other = World::on(bed.plane, there);
    other.has([secret(there, "web", &leaf("web.example.com"))]);
    let edge = gateway(namespace, "edge", "other", &[("web", "web.example.com", "gw-grant-certs/web")]);
    world.apply(&edge).warns(&["MV505", "no ReferenceGrant lets a Gateway of gw-grant name Secret gw-grant-certs/web"]);
    tells(&world, &["Warning ReferenceNotGranted"]);
    other.apply(&grant(there, ("Gateway", namespace))).succeeds_silently();
    tells(&world, &["Warning ReferenceNotGranted", "Normal ReferenceNotGrantedResolved"]);
    world.apply(&touched(edge.clone(), "yes")).succeeds_silently();
    // A grant for other objects doesn't count.
    let mut narrower = grant(there, ("Gateway", namespace));
    narrower["spec"]["to"][0]["name"] = "another".into();
    other.apply(&narrower).warns(&["gw-grant/edge MV505"]);
    other.apply(&grant(there, ("Gateway", namespace))).succeeds_silently();
    bed.until("meshvet knows of the grant", &touched(edge, "again"), |outcome| outcome.stderr.is_empty());
    let deleted = other.kubectl.run(&["-n", there, "delete", "referencegrant", "gateways"], "");
    deleted.warns(&["gw-grant/edge MV505"]);
}

fn what_is_not_granted_is_not_looked_at() {
    let (bed, namespace, there) = (shared(), "gw-ungranted", "gw-ungranted-certs");
    let world = bed.world(namespace);
    let other = World::on(bed.plane, there);
    other.has([secret(there, "web", &mismatched(&leaf("web.example.com")))]);
    let edge = gateway(namespace, "edge", "eg", &[("web", "web.example.com", "gw-ungranted-certs/web")]);
    world.apply(&edge).warns(&["MV505"]).lacks(&["MV206", "MV202"]);
    // Once it is granted, its problem is reported when the Gateway is applied again.
    other.apply(&grant(there, ("Gateway", namespace))).succeeds();
    world.kubectl.run(&["-n", namespace, "delete", "gateway", "edge"], "").succeeds();
    bed.until("meshvet knows of the grant", &edge, |outcome| outcome.speaks_of("MV206"));
    world.apply(&edge).refused_by(GATEWAYS, &["MV206", "Secret gw-ungranted-certs/web"]);
}

fn a_listener_set_counts_where_its_gateway_takes_it() {
    let (bed, namespace, there) = (shared(), "gw-set", "gw-set-tenant");
    let world = bed.world(namespace);
    let tenant = bed.world(there);
    world.has([secret(namespace, "web", &leaf("web.example.com"))]);
    tenant.has([secret(there, "own", &mismatched(&leaf("own.example.com")))]);
    let edge = gateway(namespace, "edge", "eg", &[("web", "web.example.com", "web")]);
    world.apply(&edge).succeeds_silently();
    let set = listener_set(there, "own", &edge, ("own", "own.example.com", "own"));
    // By default a Gateway allows no ListenerSet: nothing serves its listeners.
    let touched = touched(edge.clone(), "yes");
    bed.until("meshvet knows of the Gateway", &set, |outcome| !outcome.speaks_of("MV206"));
    tenant.apply(&set).succeeds_silently();
    tenant.kubectl.run(&["-n", there, "delete", "listenerset", "own"], "").succeeds_silently();
    let mut open = touched.clone();
    open["spec"]["allowedListeners"] = json!({"namespaces": {"from": "All"}});
    world.apply(&open).succeeds_silently();
    bed.until("meshvet knows that it is open", &set, |outcome| outcome.speaks_of("MV206"));
    tenant.apply(&set).refused_by(GATEWAYS, &["MV206", "ListenerSet gw-set-tenant/own", "Envoy Gateway"]);
    // Only from its own namespace: not this one.
    open["spec"]["allowedListeners"] = json!({"namespaces": {"from": "Same"}});
    world.apply(&open).succeeds_silently();
    bed.until("meshvet knows that it is closed", &set, |outcome| outcome.stderr.is_empty());
    // Allowed when the set already exists: the watcher reports its problem.
    tenant.apply(&set).succeeds_silently();
    open["spec"]["allowedListeners"] = json!({"namespaces": {"from": "All"}});
    world.apply(&open).succeeds();
    tells(&tenant, &["Warning KeyMismatch"]);
    // Its Secret is repaired.
    tenant.apply(&secret(there, "own", &leaf("own.example.com"))).succeeds_silently();
    tells(&tenant, &["Warning KeyMismatch", "Normal KeyMismatchResolved"]);
}
