use serde_json::{Value, json};

use super::super::decode::decode_value;
use super::super::{
    BackendGroup, GatewayRoute, Mesh, Resource, VirtualGateway, VirtualNode, VirtualRouter, VirtualService,
};

#[track_caller]
fn unknown<T: Resource>(object: &Value, expected: &[(&str, Option<&str>)]) {
    let decoded = decode_value::<T>(object).unwrap();
    // Objects have no order here.
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let found: Vec<_> =
        decoded.unknown_fields.iter().map(|field| (field.field.pointer(), field.meant.as_deref())).collect();
    assert_eq!(found, expected, "{object}");
}

fn node(spec: &Value) -> Value {
    json!({"metadata": {"name": "front"}, "spec": spec})
}

fn listener(listener: &Value) -> Value {
    node(&json!({"listeners": [listener]}))
}

#[test]
fn slips_of_the_pen_are_told_with_the_field_that_was_meant() {
    let cases = [
        ("tlss", "tls"),
        ("TLS", "tls"),
        ("port_mapping", "portMapping"),
        ("portMaping", "portMapping"),
        ("healthChecks", "healthCheck"),
        ("timeouts", "timeout"),
    ];
    for (wrong, right) in cases {
        unknown::<VirtualNode>(
            &listener(&json!({wrong: {"x": 1}})),
            &[(&format!("/spec/listeners/0/{wrong}"), Some(right))],
        );
    }
    let tls = |tls: Value| listener(&json!({"tls": tls}));
    unknown::<VirtualNode>(
        &tls(
            json!({"certificate": {"file": {"certificatechain": "/a", "privatekey": "/b", "key": "/c", "cert": "/d"}}}),
        ),
        &[
            ("/spec/listeners/0/tls/certificate/file/certificatechain", Some("certificateChain")),
            ("/spec/listeners/0/tls/certificate/file/privatekey", Some("privateKey")),
            ("/spec/listeners/0/tls/certificate/file/key", Some("privateKey")),
            ("/spec/listeners/0/tls/certificate/file/cert", Some("certificateChain")),
        ],
    );
    unknown::<VirtualNode>(
        &tls(json!({"cert": {}, "validations": {}, "zzz": 1})),
        &[
            ("/spec/listeners/0/tls/cert", Some("certificate")),
            ("/spec/listeners/0/tls/validations", Some("validation")),
            ("/spec/listeners/0/tls/zzz", None),
        ],
    );
    unknown::<VirtualNode>(
        &tls(json!({"validation": {"subjectAltNames": {}}})),
        &[("/spec/listeners/0/tls/validation/subjectAltNames", Some("subjectAlternativeNames"))],
    );
}

#[test]
fn fields_in_the_wrong_place_are_told_with_the_right_one() {
    let tls = "spec.listeners[].tls";
    unknown::<VirtualNode>(
        &listener(&json!({"portMapping": {"tls": {}}})),
        &[("/spec/listeners/0/portMapping/tls", Some(tls))],
    );
    unknown::<VirtualNode>(
        &listener(&json!({"tls": {"certificate": {"certificateChain": "/a"}, "file": {}}, "certificate": {}})),
        &[
            (
                "/spec/listeners/0/tls/certificate/certificateChain",
                Some(&format!("{tls}.certificate.file.certificateChain")),
            ),
            ("/spec/listeners/0/tls/file", Some(&format!("{tls}.certificate.file"))),
            ("/spec/listeners/0/certificate", Some(&format!("{tls}.certificate"))),
        ],
    );
    unknown::<VirtualNode>(
        &node(&json!({"hostname": "a"})),
        &[("/spec/hostname", Some("spec.serviceDiscovery.dns.hostname"))],
    );
    unknown::<VirtualNode>(
        &node(&json!({"backends": [{"virtualService": {"name": "a"}}]})),
        &[("/spec/backends/0/virtualService/name", Some("spec.backends[].virtualService.virtualServiceRef.name"))],
    );
    unknown::<VirtualNode>(
        &json!({"listeners": [], "specs": {}, "tls": {}}),
        &[("/listeners", Some("spec.listeners")), ("/specs", Some("spec")), ("/tls", Some(tls))],
    );
}

#[test]
fn every_kind_tells_of_its_unknown_fields() {
    unknown::<Mesh>(&json!({"spec": {"egressFilters": {}}}), &[("/spec/egressFilters", Some("egressFilter"))]);
    unknown::<VirtualService>(
        &json!({"spec": {"provider": {"virtualNode": {"virtualNodeReference": {}}}}}),
        &[("/spec/provider/virtualNode/virtualNodeReference", Some("virtualNodeRef"))],
    );
    unknown::<VirtualRouter>(
        &json!({"spec": {"routes": [{"httproute": {}, "httpRoute": {"match": {"prefx": "/"}}}]}}),
        &[("/spec/routes/0/httproute", Some("httpRoute")), ("/spec/routes/0/httpRoute/match/prefx", Some("prefix"))],
    );
    unknown::<GatewayRoute>(
        &json!({"spec": {"http2Route": {"action": {"target": {"virtualservice": {}}}}}}),
        &[("/spec/http2Route/action/target/virtualservice", Some("virtualService"))],
    );
    unknown::<BackendGroup>(
        &json!({"spec": {"virtualServices": []}}),
        &[("/spec/virtualServices", Some("virtualservices"))],
    );
    unknown::<VirtualGateway>(
        &json!({"spec": {"backends": [], "gatewayRouteSelectors": {}}}),
        &[("/spec/backends", None), ("/spec/gatewayRouteSelectors", Some("gatewayRouteSelector"))],
    );
}
