use serde_json::{Value, json};

use super::super::{BackendGroup, ListenerTlsMode, VirtualGateway, VirtualNode};
use super::*;
use crate::apis::decode_error::MAX_MESSAGE;

/// Decodes in both ways, which must agree.
#[track_caller]
fn decode_all<T: Resource + std::fmt::Debug + PartialEq>(object: &Value) -> Result<Decoded<T>, DecodeError> {
    let text = object.to_string();
    let decoded = decode_json::<T>(&text);
    assert_eq!(decode_value::<T>(object), decoded, "{text}");
    decoded
}

#[track_caller]
fn unknown<T: Resource + std::fmt::Debug + PartialEq>(object: &Value, expected: &[(&str, Option<&str>)]) {
    let decoded = decode_all::<T>(object).unwrap();
    // Objects have no order here.
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    let found: Vec<_> =
        decoded.unknown_fields.iter().map(|field| (field.field.pointer(), field.meant.as_deref())).collect();
    assert_eq!(found, expected, "{object}");
}

#[track_caller]
fn refuses<T: Resource + std::fmt::Debug + PartialEq>(object: &Value, pointer: &str, message: &str) {
    let error = decode_all::<T>(object).unwrap_err();
    assert_eq!((error.field.pointer(), error.message.as_str()), (pointer, message), "{object}");
}

fn node(spec: &Value) -> Value {
    json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode", "metadata": {"name": "front"}, "spec": spec})
}

fn listener(listener: &Value) -> Value {
    node(&json!({"listeners": [listener]}))
}

#[test]
fn a_node_decodes_whole() {
    let decoded = decode_all::<VirtualNode>(&json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": "VirtualNode",
        "metadata": {
            "name": "front", "namespace": "shop", "uid": "u", "generation": 3, "resourceVersion": "7",
            "creationTimestamp": null, "deletionTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app": "front"}, "annotations": {"empty": null}, "finalizers": ["x"],
            "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}],
        },
        "spec": {
            "awsName": "front_shop",
            "podSelector": {"matchLabels": {"app": "front"}},
            "listeners": [{
                "portMapping": {"port": 8443, "protocol": "http"},
                "healthCheck": {"port": 8443, "protocol": "http", "path": "/", "healthyThreshold": 2,
                    "unhealthyThreshold": 2, "intervalMillis": 5000, "timeoutMillis": 2000},
                "timeout": {"http": {"perRequest": {"unit": "s", "value": 1}}},
                "tls": {
                    "mode": "STRICT",
                    "certificate": {"file": {"certificateChain": "/certs/tls.crt", "privateKey": "/certs/tls.key"}},
                    "validation": {
                        "trust": {"sds": {"secretName": "spiffe://a"}},
                        "subjectAlternativeNames": {"match": {"exact": ["a.shop"]}},
                    },
                },
            }],
            "serviceDiscovery": {"dns": {"hostname": "front.shop.svc.cluster.local"}},
            "backendDefaults": {"clientPolicy": {"tls": {
                "enforce": false, "ports": [8443],
                "validation": {"trust": {"acm": {"certificateAuthorityARNs": ["arn:aws:acm-pca:…"]}}},
            }}},
            "backends": [{"virtualService": {"virtualServiceRef": {"name": "back", "namespace": "shop"}}}],
            "backendGroups": [{"name": "all"}],
            "logging": {"accessLog": {"file": {"path": "/dev/stdout"}}},
            "meshRef": {"name": "m", "uid": "u"},
        },
        "status": {"virtualNodeARN": "arn:aws:appmesh:…", "conditions": [{"type": "VirtualNodeActive", "status": "True"}]},
    }))
    .unwrap();
    assert_eq!((decoded.unknown_fields, decoded.more_unknown_fields), (vec![], 0));

    let VirtualNode { metadata, spec, status } = decoded.object;
    assert_eq!((metadata.name.as_str(), metadata.namespace.as_deref()), ("front", Some("shop")));
    assert_eq!((metadata.label("app"), metadata.annotation("empty")), (Some("front"), Some("")));
    assert!(metadata.deletion_timestamp.is_some());
    let [listener] = spec.listeners.as_slice() else { panic!("{:?}", spec.listeners) };
    let tls = listener.tls.as_ref().unwrap();
    assert_eq!(tls.mode, ListenerTlsMode::Strict);
    assert_eq!(tls.certificate.file.as_ref().unwrap().private_key, "/certs/tls.key");
    let validation = tls.validation.as_ref().unwrap();
    assert_eq!(validation.trust.sds.as_ref().unwrap().secret_name, "spiffe://a");
    assert_eq!(validation.subject_alternative_names.as_ref().unwrap().r#match.exact, ["a.shop"]);
    let client = spec.backend_defaults.unwrap().client_policy.unwrap().tls.unwrap();
    assert!(!client.is_enforced());
    assert_eq!(client.ports.as_deref(), Some([8443].as_slice()));
    assert_eq!(client.validation.trust.acm.unwrap().certificate_authority_arns, ["arn:aws:acm-pca:…"]);
    assert_eq!(spec.backends[0].virtual_service.virtual_service_ref.as_ref().unwrap().namespace_or("x"), "shop");
    assert_eq!(spec.backend_groups[0].namespace_or("x"), "x");
    assert_eq!(status.unwrap().virtual_node_arn.as_deref(), Some("arn:aws:appmesh:…"));
}

#[test]
fn what_is_missing_decodes_for_the_rules_to_speak_of() {
    for empty in [json!({}), json!({"spec": null}), json!({"metadata": null, "spec": {}, "status": null})] {
        assert_eq!(decode_all::<VirtualNode>(&empty).unwrap().object, VirtualNode::default());
    }
    let decoded = decode_all::<VirtualNode>(&listener(&json!({"tls": {"validation": {}}}))).unwrap().object;
    let tls = decoded.spec.listeners[0].tls.as_ref().unwrap();
    assert_eq!(tls.mode, ListenerTlsMode::Other(String::new()));
    assert_eq!(tls.certificate, Default::default());
    assert_eq!(tls.validation, Some(Default::default()));
}

#[test]
fn null_is_absent_as_it_is_for_the_api_server() {
    let absent = node(&json!({
        "listeners": [{"portMapping": {}, "tls": {"certificate": {}}}],
        "podSelector": {"matchLabels": {}},
        "serviceDiscovery": {"awsCloudMap": {}},
    }));
    let null = node(&json!({
        "awsName": null,
        "listeners": [{
            "portMapping": {"port": null, "protocol": null},
            "tls": {"mode": null, "certificate": {"file": null}, "validation": null},
            "timeout": null,
        }],
        "podSelector": {"matchLabels": {"app": null}, "matchExpressions": null},
        "serviceDiscovery": {"awsCloudMap": {"namespaceName": null, "attributes": null}, "dns": null},
        "backends": null,
        "backendDefaults": null,
    }));
    assert_eq!(decode_all::<VirtualNode>(&null), decode_all::<VirtualNode>(&absent));
    let metadata = json!({"metadata": {"name": null, "namespace": null, "labels": null, "annotations": {"a": null}}});
    let metadata = decode_all::<VirtualNode>(&metadata).unwrap().object.metadata;
    assert_eq!((metadata.name.as_str(), metadata.labels.len(), metadata.annotation("a")), ("", 0, Some("")));
}

#[test]
fn values_that_the_api_server_refuses_decode_for_the_rules_to_speak_of() {
    let decoded = decode_all::<VirtualNode>(&listener(
        &json!({"portMapping": {"port": -70000, "protocol": "quic"}, "tls": {"mode": "strict"}}),
    ))
    .unwrap();
    assert_eq!(decoded.unknown_fields, []);
    let listener = &decoded.object.spec.listeners[0];
    assert_eq!((listener.port_mapping.port, listener.port_mapping.protocol.as_str()), (-70000, "quic"));
    assert_eq!(listener.tls.as_ref().unwrap().mode, ListenerTlsMode::Other("strict".to_owned()));
}

#[test]
fn acm_trust_is_unknown_to_a_nodes_listener_and_known_to_a_gateways() {
    let tls = json!({"tls": {"validation": {"trust": {"acm": {"certificateAuthorityARNs": ["a"]}}}}});
    unknown::<VirtualNode>(&listener(&tls), &[("/spec/listeners/0/tls/validation/trust/acm", None)]);
    let gateway = json!({"spec": {"listeners": [tls]}});
    unknown::<VirtualGateway>(&gateway, &[]);
    let gateway = decode_value::<VirtualGateway>(&gateway).unwrap().object;
    let validation = gateway.spec.listeners[0].tls.as_ref().unwrap().validation.as_ref().unwrap();
    assert_eq!(validation.trust.acm.as_ref().unwrap().certificate_authority_arns, ["a"]);
}

#[test]
fn what_belongs_to_others_is_never_unknown() {
    unknown::<VirtualNode>(
        &json!({"apiVersion": 1, "kind": 2, "metadata": {"x": {"y": 1}, "ownerReferences": []}, "status": {"z": 1}}),
        &[],
    );
    unknown::<VirtualNode>(
        &listener(&json!({
            "connectionPool": {"http": {"maxConnections": 1, "x": [null, true, 1.5, -1, "s", {"y": {}}]}},
            "outlierDetection": {"a": 1}, "timeout": null,
        })),
        &[],
    );
    unknown::<BackendGroup>(&json!({"spec": {"virtualservices": [{"name": "*"}]}, "status": {"a": 1}}), &[]);
}

#[test]
fn pointers_are_escaped() {
    unknown::<VirtualNode>(&node(&json!({"a/b~c": 1})), &[("/spec/a~1b~0c", None)]);
}

#[test]
fn unknown_fields_are_bounded() {
    let fields: serde_json::Map<_, _> = (0..60).map(|field| (format!("x{field}"), json!(1))).collect();
    let decoded = decode_all::<VirtualNode>(&node(&Value::Object(fields))).unwrap();
    assert_eq!((decoded.unknown_fields.len(), decoded.more_unknown_fields), (MAX_UNKNOWN_FIELDS, 10));
    let long = "x".repeat(100_000);
    unknown::<VirtualNode>(&node(&json!({long.as_str(): 1})), &[(&format!("/spec/{long}"), None)]);
}

#[test]
fn values_of_the_wrong_type_are_refused_with_their_place() {
    refuses::<VirtualNode>(
        &listener(&json!({"portMapping": {"port": "8443"}})),
        "/spec/listeners/0/portMapping/port",
        r#"invalid type: string "8443", expected an integer"#,
    );
    refuses::<VirtualNode>(
        &listener(&json!({"tls": []})),
        "/spec/listeners/0/tls",
        "invalid type: list, expected an object",
    );
    refuses::<VirtualNode>(
        &node(&json!({"listeners": {}})),
        "/spec/listeners",
        "invalid type: object, expected a list",
    );
    refuses::<VirtualNode>(
        &node(&json!({"listeners": [null]})),
        "/spec/listeners/0",
        "invalid type: null, expected an object",
    );
    refuses::<VirtualNode>(&json!({"spec": "x"}), "/spec", r#"invalid type: string "x", expected an object"#);
    refuses::<VirtualNode>(
        &node(&json!({"backendDefaults": {"clientPolicy": [{"tls": {}}]}})),
        "/spec/backendDefaults/clientPolicy",
        "invalid type: list, expected an object",
    );
    refuses::<VirtualNode>(&json!([]), "", "invalid type: list, expected an object");
    refuses::<VirtualNode>(
        &json!({"metadata": {"labels": {"a/b": true}}}),
        "/metadata/labels/a~1b",
        "invalid type: boolean `true`, expected a string",
    );
    refuses::<VirtualGateway>(
        &json!({"spec": {"listeners": [{}, {"tls": {"mode": 1}}]}}),
        "/spec/listeners/1/tls/mode",
        "invalid type: integer `1`, expected a string",
    );
}

#[test]
fn messages_are_bounded() {
    let error = decode_value::<VirtualNode>(&json!({"spec": "é".repeat(100_000)})).unwrap_err();
    assert_eq!(error.message.chars().count(), MAX_MESSAGE + 1);
    assert_eq!(error.to_string(), format!("/spec: {}", error.message));
}

#[test]
fn text_that_is_no_json_is_refused() {
    #[track_caller]
    fn broken(text: &[u8], message: &str) {
        assert_eq!(decode_json::<VirtualNode>(text).unwrap_err().message, message);
    }
    broken(b"", "EOF while parsing a value at line 1 column 0");
    broken(br#"{"spec": {"#, "EOF while parsing an object at line 1 column 10");
    broken(b"{} x", "trailing characters at line 1 column 4");
    broken(b"{\"spec\": \"\xff\"}", "invalid unicode code point at line 1 column 11");
    let deep = format!(r#"{{"spec": {{"logging": {}{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(decode_json::<VirtualNode>(deep).unwrap_err().field.pointer().get(..14), Some("/spec/logging/"));
}

#[test]
fn deep_values_are_not_followed() {
    // Two hundred thousand levels would overflow the stack if anything went down them. Nor may they be dropped: that
    // recurses too.
    let nested = |levels: usize| {
        let mut value = json!(1);
        for _ in 0..levels {
            value = Value::Array(vec![value]);
        }
        value
    };
    let unread = std::mem::ManuallyDrop::new(node(&json!({})));
    let mut unread = std::mem::ManuallyDrop::into_inner(unread);
    unread["spec"]["what"] = nested(200_000);
    let unread = std::mem::ManuallyDrop::new(unread);
    let decoded = decode_value::<VirtualNode>(&unread).unwrap();
    assert_eq!(decoded.unknown_fields.len(), 1);

    let mut opaque = node(&json!({}));
    opaque["spec"]["logging"] = nested(200_000);
    let opaque = std::mem::ManuallyDrop::new(opaque);
    let error = decode_value::<VirtualNode>(&opaque).unwrap_err();
    assert_eq!(error.message, "nested too deeply");
}

#[test]
fn the_copy_that_kubectl_keeps_of_an_object_is_not_kept_here() {
    let mut object = node(&json!({}));
    object["metadata"]["annotations"] =
        json!({"a": "b", "kubectl.kubernetes.io/last-applied-configuration": "{\"spec\":{}}", "empty": null});
    let decoded = decode_all::<VirtualNode>(&object).unwrap();
    let kept: Vec<_> = decoded.object.metadata.annotations.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(kept, [("a", "b"), ("empty", "")]);
    assert_eq!(decoded.unknown_fields, []);
}

#[test]
fn fields_without_number_take_no_longer_than_they_are_long() {
    // The square of this would take minutes.
    let many = |key: &str| vec![format!("\"{key}\":0"); 200_000].join(",");
    let decoded = decode_json::<VirtualNode>(format!("{{\"spec\":{{{}}}}}", many("a"))).unwrap();
    assert_eq!((decoded.unknown_fields.len(), decoded.more_unknown_fields), (MAX_UNKNOWN_FIELDS, 199_950));
    let decoded = decode_json::<VirtualNode>(format!("{{{},{}}}", many("kind"), many("a"))).unwrap();
    assert_eq!((decoded.unknown_fields.len(), decoded.more_unknown_fields), (MAX_UNKNOWN_FIELDS, 199_950));
    assert_eq!(decoded.unknown_fields[0].field.pointer(), "/a");
}
