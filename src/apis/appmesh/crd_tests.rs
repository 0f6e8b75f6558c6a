use std::fmt::Write;

use super::*;

/// The schema as a tree of fields, one a line: name, `*` if required, type, limits.
fn tree(name: &str, required: bool, schema: &Value, depth: usize, out: &mut String) {
    let required = if required { "*" } else { "" };
    let limits: String = schema
        .as_object()
        .unwrap()
        .iter()
        .filter(|(keyword, _)| {
            !["type", "description", "properties", "items", "additionalProperties", "required"]
                .contains(&keyword.as_str())
        })
        .map(|(keyword, value)| format!(" {}={value}", keyword.trim_start_matches("x-kubernetes-")))
        .collect();
    let r#type = schema["type"].as_str().unwrap();
    writeln!(out, "{:indent$}{name}{required}: {type}{limits}", "", indent = depth * 2).unwrap();
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let required = schema["required"].as_array().is_some_and(|required| required.iter().any(|field| field == name));
        tree(name, required, property, depth + 1, out);
    }
    for (keyword, name) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(inner) = schema.get(keyword) {
            tree(name, false, inner, depth + 1, out);
        }
    }
}

#[test]
fn every_field_of_the_api_is_there() {
    let mut out = String::new();
    for kind in Kind::ALL {
        tree(kind.as_str(), false, schema(kind), 0, &mut out);
    }
    insta::with_settings!({snapshot_path => "../../../tests/snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("app_mesh_fields", out);
    });
}

#[test]
fn definitions_are_named_as_the_api_is() {
    let definitions = custom_resource_definitions();
    assert_eq!(definitions.len(), Kind::ALL.len());
    for (kind, definition) in Kind::ALL.into_iter().zip(definitions) {
        let spec = &definition["spec"];
        assert_eq!(definition["metadata"]["name"], format!("{}.appmesh.k8s.aws", kind.plural()));
        assert_eq!(spec["names"]["kind"], kind.as_str());
        assert_eq!(spec["names"]["listKind"], format!("{kind}List"));
        assert_eq!(spec["scope"], if kind == Kind::Mesh { "Cluster" } else { "Namespaced" });
        assert_eq!(spec["versions"][0]["name"], "v1beta2");
        assert_eq!(spec["versions"][0]["subresources"], json!({"status": {}}));
        let root = &spec["versions"][0]["schema"]["openAPIV3Schema"];
        assert_eq!(root["x-kubernetes-preserve-unknown-fields"], true);
        assert_eq!(root["properties"]["metadata"], json!({"type": "object"}));
    }
}

/// The rules of "Specifying a structural schema" that the generator could break.
fn check_structural(path: &str, schema: &Value) {
    let node = schema.as_object().unwrap_or_else(|| panic!("{path} is no schema: {schema}"));
    let r#type = node.get("type").and_then(Value::as_str);
    assert!(
        matches!(r#type, Some("object" | "array" | "string" | "integer" | "boolean")),
        "{path} has the type {:?}",
        node.get("type")
    );
    for (keyword, value) in node {
        match keyword.as_str() {
            "type" => {}
            "description" | "format" => assert!(value.is_string(), "{path} {keyword}"),
            "properties" => {
                assert_eq!(r#type, Some("object"), "{path}");
                assert!(!node.contains_key("additionalProperties"), "{path} has both kinds of properties");
                for (name, property) in value.as_object().unwrap() {
                    check_structural(&format!("{path}.{name}"), property);
                }
            }
            "additionalProperties" => check_structural(&format!("{path}{{}}"), value),
            "items" => check_structural(&format!("{path}[]"), value),
            "required" => {
                for field in value.as_array().unwrap() {
                    let field = field.as_str().unwrap();
                    assert!(node["properties"].get(field).is_some(), "{path} requires {field}, which it doesn't have");
                }
            }
            "enum" => assert!(value.as_array().unwrap().iter().all(Value::is_string), "{path} {keyword}"),
            "minLength" | "maxLength" => assert_eq!(r#type, Some("string"), "{path} {keyword}"),
            "minimum" | "maximum" => assert_eq!(r#type, Some("integer"), "{path} {keyword}"),
            "minItems" | "maxItems" | "x-kubernetes-list-type" => {
                assert_eq!(r#type, Some("array"), "{path} {keyword}")
            }
            "x-kubernetes-map-type" | "x-kubernetes-preserve-unknown-fields" => {
                assert_eq!(r#type, Some("object"), "{path} {keyword}");
            }
            other => panic!("{path} has the keyword {other}"),
        }
    }
    assert_eq!(r#type == Some("array"), node.contains_key("items"), "{path}: arrays have items");
}

#[test]
fn schemas_are_structural() {
    for kind in Kind::ALL {
        check_structural(kind.as_str(), schema(kind));
    }
}

#[test]
fn gateways_take_less_than_nodes() {
    let listeners = |kind| &schema(kind)["properties"]["spec"]["properties"]["listeners"]["items"]["properties"];
    let (node, gateway) = (listeners(Kind::VirtualNode), listeners(Kind::VirtualGateway));
    let protocols = |listener: &Value| listener["portMapping"]["properties"]["protocol"]["enum"].clone();
    assert_eq!(protocols(node), json!(["grpc", "http", "http2", "tcp"]));
    assert_eq!(protocols(gateway), json!(["grpc", "http", "http2"]));
    let trust =
        |listener: &Value| listener["tls"]["properties"]["validation"]["properties"]["trust"]["properties"].clone();
    assert_eq!(trust(node).get("acm"), None);
    assert!(trust(gateway).get("acm").is_some());
}
