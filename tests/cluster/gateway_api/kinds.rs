//! Kinds that a cluster lacks, forbids, serves only in older versions, or gets later; and an API that the chart leaves out.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::audit::audit;
use crate::control_plane::ControlPlane;
use crate::gateway_api::bed::{Bed, GATEWAYS, define, plane, unseen};
use crate::gateway_api::objects::{class, gateway, grant, leaf, mismatched, route, secret, touched};
use crate::kubectl::Outcome;
use crate::replica::Replica;
use crate::sandbox::eventually;
use crate::world::{self, World};

tests![
    kinds_that_are_not_there_count_as_empty,
    kinds_that_may_not_be_listed_are_unknown,
    former_versions_are_read_where_no_other_is_served,
    definitions_that_come_later_are_picked_up,
    an_api_that_the_chart_leaves_out_is_left_alone,
];

/// The plural of a definition.
fn plural(definition: &Value) -> &str {
    definition["spec"]["names"]["plural"].as_str().unwrap_or_default()
}

#[track_caller]
fn complains_of_nothing(replica: &Replica) {
    let log = replica.log();
    for word in ["\"ERROR\"", "\"WARN\"", "may not"] {
        assert!(!log.contains(word), "{word}:\n{log}");
    }
    assert_eq!(replica.probe("/readyz"), Ok(200));
}

fn kinds_that_are_not_there_count_as_empty() {
    let namespace = "shop";
    let kept = ["gatewayclasses", "gateways", "httproutes"];
    let plane = plane("gateway-few", |definition| kept.contains(&plural(definition)));
    let bed = Bed::install(plane, &["apis.appmesh=false"]);
    let world = bed.world(namespace);
    world.has([secret(namespace, "web", &leaf("other.example.com"))]);
    let edge = gateway(namespace, "edge", "eg", &[("web", "web.example.com", "web")]);
    world.apply(&edge).succeeds_silently();
    let web = route(namespace, "web", "edge", &["web.example.com"]);
    bed.until("meshvet knows of the Gateway", &web, |outcome| outcome.speaks_of("MV504"));
    world.apply(&web).warns(&["MV504"]);
    // Without the kind ReferenceGrant, nothing is granted.
    let far = gateway(namespace, "far", "eg", &[("web", "web.example.com", "elsewhere/web")]);
    world.apply(&far).warns(&["MV505"]);
    complains_of_nothing(&bed.replica);
    let said = audit(plane, &["-A", "-o", "json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let mut codes: Vec<String> = said.findings().into_iter().map(|(code, name)| format!("{code} {name}")).collect();
    codes.sort();
    assert_eq!(codes, ["MV504 edge", "MV505 far"], "{said:?}");
    assert!(said.json()["errors"].as_array().is_some_and(Vec::is_empty), "{said:?}");
}

/// Takes the right to these resources of Gateway API's group away, or gives all of them back.
#[track_caller]
fn may_not_list(plane: &ControlPlane, lost: &[&str]) {
    let role = plane.kubectl.get(&["clusterrole", "meshvet"]);
    let rules = role["rules"].as_array().expect("rules");
    let at = rules.iter().position(|rule| rule["apiGroups"] == json!(["gateway.networking.k8s.io"])).expect("a rule");
    let all = [
        "backendtlspolicies",
        "gatewayclasses",
        "gateways",
        "grpcroutes",
        "httproutes",
        "listenersets",
        "referencegrants",
        "tlsroutes",
    ];
    let left: Vec<&str> = all.into_iter().filter(|plural| !lost.contains(plural)).collect();
    let patch = json!([{"op": "replace", "path": format!("/rules/{at}/resources"), "value": left}]).to_string();
    plane.kubectl.run(&["patch", "clusterrole", "meshvet", "--type=json", "-p", &patch], "").succeeds();
}

/// Waits for longer than the interval at which missing kinds are looked for.
#[track_caller]
fn in_time(what: &str, mut look: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + Duration::from_secs(150);
    while let Err(last) = look() {
        assert!(Instant::now() < deadline, "{what}: {last}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn kinds_that_may_not_be_listed_are_unknown() {
    let (namespace, there) = ("shop", "certs");
    let plane = plane("gateway-forbidden", |_| true);
    let release = crate::release::Release::install(plane, ("meshvet-system", "meshvet"), &["apis.appmesh=false"]);
    let lost = ["gatewayclasses", "referencegrants", "httproutes", "backendtlspolicies", "listenersets", "tlsroutes"];
    may_not_list(plane, &lost);
    let installation = release.installation();
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    let bed = Bed { plane, replica };
    bed.classes();
    let (world, other) = (World::on(plane, namespace), World::on(plane, there));
    let wrong = mismatched(&leaf("web.example.com"));
    world.has([secret(namespace, "web", &leaf("web.example.com")), secret(namespace, "wrong", &wrong)]);
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": namespace, "name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "https", "port": 443}]}});
    world.has([service]);
    other.has([secret(there, "web", &wrong)]);
    let broken = gateway(namespace, "broken", "eg", &[("web", "web.example.com", "wrong")]);
    eventually("meshvet judges", || {
        let outcome = plane.kubectl.create(&broken, &["--dry-run=server"]);
        if outcome.stderr.contains("denied the request") { Ok(()) } else { Err(outcome.to_string()) }
    });
    // What the specification requires is true of every controller.
    let refused = world.apply(&broken).refused_by(GATEWAYS, &["MV206"]);
    refused.lacks(&["Envoy Gateway"]);
    // There may be a grant, and a policy; nothing is reported for routes that can't be listed.
    let mut edge =
        gateway(namespace, "edge", "eg", &[("web", "web.example.com", "web"), ("far", "far.test", "certs/web")]);
    edge["spec"]["tls"] = json!({"backend": {"clientCertificateRef": {"name": "web"}}});
    edge["spec"]["listeners"].as_array_mut().expect("listeners").push(json!(
        {"name": "bare", "port": 8443, "protocol": "HTTPS", "hostname": "bare.test"}
    ));
    world.apply(&edge).succeeds_silently();
    world.apply(&route(namespace, "web", "edge", &["web.example.com", "bare.test"])).succeeds_silently();
    let log = bed.replica.log();
    assert!(!log.contains("\"ERROR\"") && log.contains("may not list httproutes.gateway.networking.k8s.io"), "{log}");
    assert_eq!(bed.replica.probe("/readyz"), Ok(200));

    may_not_list(plane, &[]);
    let touched = touched(edge, "yes");
    in_time("what may be listed again is known again", || {
        let outcome = plane.kubectl.apply(&touched, &["--dry-run=server"]);
        // Without a route to a backend, the client certificate isn't checked.
        let told = ["MV505", "MV512", "MV501"].iter().all(|code| outcome.speaks_of(code));
        if told { Ok(()) } else { Err(outcome.to_string()) }
    });
    other.apply(&grant(there, ("Gateway", namespace))).succeeds();
    bed.until("meshvet knows of the grant", &touched, |outcome| outcome.speaks_of("MV206"));
}

/// Turns a definition into one that serves only its older version.
fn only(definition: &mut Value) -> bool {
    let former = match plural(definition) {
        "gatewayclasses" | "gateways" | "httproutes" | "referencegrants" => "v1beta1",
        "tlsroutes" => "v1alpha2",
        "backendtlspolicies" => "v1alpha3",
        _ => return false,
    };
    for version in definition["spec"]["versions"].as_array_mut().expect("versions") {
        let is_it = version["name"] == former;
        version["served"] = is_it.into();
        version["storage"] = is_it.into();
    }
    true
}

/// The same object in another version of the group.
fn of_version(mut object: Value, version: &str) -> Value {
    object["apiVersion"] = format!("gateway.networking.k8s.io/{version}").into();
    object
}

fn former_versions_are_read_where_no_other_is_served() {
    let (namespace, there) = ("shop", "certs");
    let plane = plane("gateway-former", only);
    let bed = Bed::install(plane, &["apis.appmesh=false"]);
    let (world, other) = (World::on(plane, namespace), World::on(plane, there));
    let old = |object| of_version(object, "v1beta1");
    world.has([old(class("eg", "gateway.envoyproxy.io/gatewayclass-controller"))]);
    world.has([secret(namespace, "web", &mismatched(&leaf("web.example.com")))]);
    other.has([secret(there, "far", &leaf("other.example.com"))]);
    let edge =
        old(gateway(namespace, "edge", "eg", &[("web", "web.example.com", "web"), ("far", "far.test", "certs/far")]));
    bed.until("meshvet judges", &edge, |outcome| outcome.speaks_of("Envoy Gateway refuses the reference"));
    world.apply(&edge).refused_by(GATEWAYS, &["MV206", "Envoy Gateway"]);
    world.has([secret(namespace, "web", &leaf("web.example.com"))]);
    world.apply(&edge).warns(&["MV505"]);
    other.apply(&old(grant(there, ("Gateway", namespace)))).succeeds();
    let touched = touched(edge, "yes");
    bed.until("meshvet knows of the grant", &touched, |outcome| outcome.stderr.is_empty());
    let far = old(route(namespace, "far", "edge", &["far.test"]));
    bed.until("meshvet knows of the Gateway", &far, |outcome| outcome.speaks_of("MV504"));
    world.apply(&far).warns(&["HTTPRoute shop/far MV504"]);
    let bad = secret(namespace, "web", &crate::gateway_api::objects::short("web.example.com"));
    world.apply(&bad).refused_by("secrets.meshvet.dev", &["Gateway shop/edge: MV502", "beside it far.test"]);
    // A listener that terminates TLS, for TLSRoutes.
    let mut tls = edge_for_tls(namespace);
    tls = old(tls);
    world.apply(&tls).succeeds();
    let mut passing = of_version(route(namespace, "tls", "tls", &["deep.tls.test"]), "v1alpha2");
    passing["kind"] = "TLSRoute".into();
    bed.until("meshvet knows of it", &passing, |outcome| outcome.speaks_of("MV504"));
    let log = bed.replica.log();
    assert!(!log.contains("\"ERROR\"") && !log.contains("\"WARN\""), "{log}");
    let said = audit(plane, &["-A", "-o", "json"]);
    assert_eq!(said.findings(), [("MV504".to_owned(), "edge".to_owned())], "{said:?}");
}

fn edge_for_tls(namespace: &str) -> Value {
    let mut tls = gateway(namespace, "tls", "eg", &[("tls", "*.tls.test", "web")]);
    tls["spec"]["listeners"][0]["protocol"] = "TLS".into();
    tls["spec"]["listeners"][0]["tls"]["mode"] = "Terminate".into();
    tls
}

fn definitions_that_come_later_are_picked_up() {
    let namespace = "shop";
    let plane = plane("gateway-later", |_| false);
    let bed = Bed::install(plane, &["apis.appmesh=false"]);
    eventually("it is ready all the same", || match bed.replica.probe("/readyz") {
        Ok(200) => Ok(()),
        other => Err(format!("{other:?}\n{}", bed.replica.log())),
    });
    define(plane, |_| true);
    bed.classes();
    let world = World::on(plane, namespace);
    world.has([secret(namespace, "web", &leaf("web.example.com"))]);
    // Reviewed from the first one on, by what is read afresh.
    let edge = gateway(namespace, "edge", "eg", &[("web", "web.example.com", "web")]);
    eventually("Gateways are reviewed", || {
        let wrong = gateway(namespace, "wrong", "eg", &[("web", "web.example.com", "absent")]);
        let outcome = plane.kubectl.create(&wrong, &["--dry-run=server"]);
        if outcome.speaks_of("MV202") { Ok(()) } else { Err(outcome.to_string()) }
    });
    world.apply(&edge).succeeds_silently();
    let bad = secret(namespace, "web", &crate::gateway_api::objects::short("web.example.com"));
    in_time("the watches follow them", || {
        let outcome: Outcome = plane.kubectl.apply(&bad, &["--dry-run=server"]);
        if outcome.speaks_of("MV502") { Ok(()) } else { Err(outcome.to_string()) }
    });
    complains_of_nothing(&bed.replica);
}

fn an_api_that_the_chart_leaves_out_is_left_alone() {
    let namespace = "shop";
    let plane = plane("gateway-alone", |_| true);
    world::install_crds(plane);
    // The cluster has App Mesh and Ingress, but the chart leaves them out.
    let bed = Bed::install(plane, &["apis.appmesh=false", "apis.ingress=false"]);
    let world = bed.world(namespace);
    unseen(&world, &[secret(namespace, "web", &mismatched(&leaf("web.example.com")))]);
    world
        .apply(&gateway(namespace, "edge", "eg", &[("web", "web.example.com", "web")]))
        .refused_by(GATEWAYS, &["MV206"]);
    complains_of_nothing(&bed.replica);
    let said = crate::doctor::doctor(&plane.folder().join("kubeconfig"), &[]);
    assert!(said.outcomes("rights") == ["ok"] && said.outcomes("kinds").is_empty(), "{said:#?}");
}
