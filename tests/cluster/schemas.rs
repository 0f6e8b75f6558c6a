//! What MV008 says of manifests, held against the API server, which has CRDs of the recorded constraints; and what becomes of fields
//! that nobody knows.

use meshvet::apis::appmesh::constraints::constraining_definitions;
use meshvet::apis::{Entry, decode_object};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::support::manifests;
use crate::world;

tests![manifests_are_refused_as_the_api_server_refuses_them, a_field_that_nobody_knows_is_told_by_kubectl_alone];

const ARN: &str = "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/0a1b2c3d-1111-2222-3333-444455556666";

/// Objects with one thing wrong each, and where.
fn broken() -> Vec<(Value, &'static str)> {
    let node = |edit: &dyn Fn(&mut Value)| {
        let mut node = manifests::virtual_node("default", "web", "web.apps.local");
        edit(&mut node["spec"]);
        node
    };
    let gateway = |edit: &dyn Fn(&mut Value)| {
        let certificate = manifests::file_certificate("/certs/tls.crt", "/certs/tls.key");
        let mut gateway = manifests::virtual_gateway("default", "door", certificate);
        edit(&mut gateway["spec"]);
        gateway
    };
    let trust = |trust: Value| json!({"clientPolicy": {"tls": {"validation": {"trust": trust}}}});
    let remove = |value: &mut Value, name: &str| drop(value.as_object_mut().expect("an object").remove(name));
    let file = "spec.listeners[0].tls.certificate.file.";
    let authorities = "spec.backendDefaults.clientPolicy.tls.validation.trust.acm.certificateAuthorityARNs";
    let at = |name: &str| -> &'static str { format!("{file}{name}").leak() };
    vec![
        (node(&|s| remove(&mut s["listeners"][0]["tls"]["certificate"]["file"], "privateKey")), at("privateKey")),
        (node(&|s| s["listeners"][0]["tls"]["certificate"]["file"]["privateKey"] = "".into()), at("privateKey")),
        (node(&|s| s["listeners"][0]["tls"]["certificate"]["file"]["privateKey"] = Value::Null), at("privateKey")),
        (
            node(&|s| s["listeners"][0]["tls"]["certificate"]["file"]["certificateChain"] = "/c".repeat(128).into()),
            at("certificateChain"),
        ),
        (node(&|s| remove(&mut s["listeners"][0]["tls"], "mode")), "spec.listeners[0].tls.mode"),
        (node(&|s| s["listeners"][0]["tls"]["mode"] = "strict".into()), "spec.listeners[0].tls.mode"),
        (node(&|s| remove(&mut s["listeners"][0]["tls"], "certificate")), "spec.listeners[0].tls.certificate"),
        (node(&|s| remove(&mut s["listeners"][0], "portMapping")), "spec.listeners[0].portMapping"),
        (node(&|s| s["listeners"][0]["portMapping"]["port"] = 0.into()), "spec.listeners[0].portMapping.port"),
        (node(&|s| s["listeners"][0]["portMapping"]["port"] = 65536.into()), "spec.listeners[0].portMapping.port"),
        (
            node(&|s| s["listeners"][0]["portMapping"]["protocol"] = "https".into()),
            "spec.listeners[0].portMapping.protocol",
        ),
        (node(&|s| s["serviceDiscovery"]["dns"] = json!({})), "spec.serviceDiscovery.dns.hostname"),
        (
            node(&|s| s["serviceDiscovery"]["dns"]["responseType"] = "NONE".into()),
            "spec.serviceDiscovery.dns.responseType",
        ),
        (
            node(&|s| s["serviceDiscovery"] = json!({"awsCloudMap": {"namespaceName": "", "serviceName": "web"}})),
            "spec.serviceDiscovery.awsCloudMap.namespaceName",
        ),
        (
            node(&|s| s["backendDefaults"] = trust(json!({"file": {}}))),
            "spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain",
        ),
        (
            node(&|s| s["backendDefaults"] = json!({"clientPolicy": {"tls": {}}})),
            "spec.backendDefaults.clientPolicy.tls.validation",
        ),
        (node(&|s| s["backendDefaults"] = trust(json!({"acm": {"certificateAuthorityARNs": []}}))), authorities),
        (
            node(&|s| s["backendDefaults"] = trust(json!({"acm": {"certificateAuthorityARNs": [ARN, ARN, ARN, ARN]}}))),
            authorities,
        ),
        (node(&|s| s["backends"] = json!([{}])), "spec.backends[0].virtualService"),
        (
            node(&|s| s["listeners"][0]["timeout"] = json!({"http": {"idle": {"unit": "hours", "value": 1}}})),
            "spec.listeners[0].timeout.http.idle.unit",
        ),
        (
            node(&|s| s["listeners"][0]["timeout"] = json!({"http": {"idle": {"unit": "s", "value": "1"}}})),
            "spec.listeners[0].timeout.http.idle.value",
        ),
        (gateway(&|s| s["listeners"][0]["tls"]["mode"] = "NONE".into()), "spec.listeners[0].tls.mode"),
        (gateway(&|s| remove(&mut s["listeners"][0], "portMapping")), "spec.listeners[0].portMapping"),
        (manifests::app_mesh("VirtualService", "default", "web", json!({"awsName": 7})), "spec.awsName"),
        (
            manifests::app_mesh(
                "VirtualRouter",
                "default",
                "web",
                json!({
                    "listeners": [{"portMapping": {"port": 80, "protocol": "http"}}],
                    "routes": [{"name": "all", "httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": []}}}],
                }),
            ),
            "spec.routes[0].httpRoute.action.weightedTargets",
        ),
    ]
}

/// Objects with nothing wrong, each at a limit or without what may be left out.
fn sound() -> Vec<Value> {
    let node = |edit: &dyn Fn(&mut Value)| {
        let mut node = manifests::virtual_node("default", "web", "web.apps.local");
        edit(&mut node["spec"]);
        node
    };
    let trust = |trust: Value| json!({"clientPolicy": {"tls": {"validation": {"trust": trust}}}});
    vec![
        node(&|_| ()),
        node(&|s| s["listeners"] = json!([])),
        node(&|s| s["backendDefaults"] = Value::Null),
        node(&|s| s["listeners"][0]["portMapping"]["port"] = 65535.into()),
        node(&|s| s["listeners"][0]["timeout"] = json!({"http": {"idle": {"unit": "ms", "value": 5.0}}})),
        node(&|s| s["listeners"][0]["tls"]["certificate"]["file"]["privateKey"] = "é".repeat(255).into()),
        node(&|s| s["backendDefaults"] = trust(json!({"acm": {"certificateAuthorityARNs": [ARN, ARN, ARN]}}))),
        node(&|s| s["backendDefaults"] = trust(json!({}))),
        node(&|s| s["listeners"][0]["timeout"] = json!({"http": {"idle": {"unit": "ms", "value": 0}}})),
        manifests::virtual_gateway("default", "door", manifests::file_certificate("/certs/tls.crt", "/certs/tls.key")),
        manifests::app_mesh("VirtualService", "default", "web", json!({})),
        manifests::virtual_router("default", "web", "web"),
        manifests::gateway_route("default", "web", "web"),
        manifests::backend_group("default", "web", "web"),
    ]
}

/// Where the recorded constraints refuse a manifest; what can't be decoded is refused where that shows.
fn places(object: &Value) -> Vec<String> {
    match decode_object(object.clone(), "default") {
        Ok(Entry::Subject(subject)) => subject.schema_faults.iter().map(|fault| fault.field.kubernetes()).collect(),
        Ok(_) => panic!("it is vetted"),
        Err(error) => vec![error.field.kubernetes()],
    }
}

fn plane(name: &str) -> ControlPlane {
    let plane = ControlPlane::start(name);
    plane.kubectl.apply(&manifests::list(constraining_definitions()), &["--server-side"]).succeeds();
    world::wait_for_crds(&plane);
    plane
}

fn manifests_are_refused_as_the_api_server_refuses_them() {
    let plane = plane("schemas");
    let create = |object: &Value| plane.kubectl.run(&["create", "--dry-run=server", "-f", "-"], &object.to_string());
    for (object, place) in broken() {
        assert_eq!(places(&object), [place], "{object:#}");
        let said = create(&object);
        assert!(said.code != 0 && said.stderr.contains(place), "{place}: {said}\n{object:#}");
    }
    for object in sound() {
        assert_eq!(places(&object), Vec::<String>::new(), "{object:#}");
        create(&object).succeeds();
    }
}

/// What MV001's manual says of each way.
fn a_field_that_nobody_knows_is_told_by_kubectl_alone() {
    let plane = plane("schemas-unknown");
    let mut node = manifests::virtual_node("default", "web", "web.apps.local");
    node["spec"]["listeners"][0]["tlss"] = json!({"mode": "STRICT"});
    let apply = |arguments: &[&str]| {
        plane.kubectl.run(&[&["apply", "--dry-run=server", "-f", "-"][..], arguments].concat(), &node.to_string())
    };
    let unknown = "unknown field \"spec.listeners[0].tlss\"";
    let strict = apply(&[]);
    assert!(strict.code != 0 && strict.stderr.contains(&format!("strict decoding error: {unknown}")), "{strict}");
    apply(&["--validate=warn"]).warns(&[unknown]);
    apply(&["--validate=ignore"]).succeeds_silently();
    // The schema keeps what it doesn't know at its root, and with that nothing is told of any field.
    for validate in ["--validate=strict", "--validate=warn"] {
        apply(&["--server-side", validate]).succeeds_silently();
    }
}
