//! CustomResourceDefinitions generated from the types.
//!
//! They refuse what the App Mesh controller's own CRDs refuse, so that tests and trials can run without those. Like
//! those they carry `x-kubernetes-preserve-unknown-fields` at the root, which makes strict field validation silent
//! about unknown fields under server-side apply.
//!
//! The schemas are structural as Kubernetes defines it (API extensions, "Specifying a structural schema"): every node
//! has a type, nothing is referenced, and no keyword stands in `metadata`.

use std::sync::LazyLock;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{
    BackendGroup, GROUP, GatewayRoute, Kind, Mesh, VERSION, VirtualGateway, VirtualNode, VirtualRouter, VirtualService,
};

/// The keywords that a node of a generated schema keeps as they are.
const KEPT: [&str; 13] = [
    "description",
    "enum",
    "format",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
];

/// One CustomResourceDefinition for each [`Kind`], in the order of [`Kind::ALL`].
#[must_use]
pub fn custom_resource_definitions() -> Vec<Value> {
    Kind::ALL.into_iter().map(custom_resource_definition).collect()
}

/// The structural schema of a kind's objects, generated once.
pub(super) fn schema(kind: Kind) -> &'static Value {
    static SCHEMAS: LazyLock<[Value; Kind::ALL.len()]> = LazyLock::new(|| Kind::ALL.map(generate));
    // `Kind::ALL` lists the variants in the order of their declaration.
    SCHEMAS.get(kind as usize).unwrap_or(&Value::Null)
}

fn custom_resource_definition(kind: Kind) -> Value {
    let mut names = json!({
        "kind": kind.as_str(),
        "listKind": format!("{kind}List"),
        "plural": kind.plural(),
        "singular": kind.singular(),
    });
    if kind.is_namespaced() {
        names["categories"] = json!(["all"]);
    }
    let mut version = json!({
        "name": VERSION,
        "served": true,
        "storage": true,
        "schema": {"openAPIV3Schema": schema(kind)},
        "subresources": {"status": {}},
    });
    if let Some(columns) = printer_columns(kind) {
        version["additionalPrinterColumns"] = columns;
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{GROUP}", kind.plural())},
        "spec": {
            "group": GROUP,
            "names": names,
            "scope": if kind.is_namespaced() { "Namespaced" } else { "Cluster" },
            "versions": [version],
        },
    })
}

/// What `kubectl get` shows besides the name: the ARN that the controller reports, and the age.
fn printer_columns(kind: Kind) -> Option<Value> {
    let arn = match kind {
        Kind::Mesh => "meshARN",
        Kind::VirtualNode => "virtualNodeARN",
        Kind::VirtualGateway => "virtualGatewayARN",
        Kind::VirtualService => "virtualServiceARN",
        Kind::VirtualRouter => "virtualRouterARN",
        Kind::GatewayRoute => "gatewayRouteARN",
        Kind::BackendGroup => return None,
    };
    Some(json!([
        {"name": "ARN", "type": "string", "jsonPath": format!(".status.{arn}")},
        {"name": "AGE", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]))
}

fn generate(kind: Kind) -> Value {
    match kind {
        Kind::Mesh => object_schema::<Mesh>(),
        Kind::VirtualNode => object_schema::<VirtualNode>(),
        Kind::VirtualGateway => object_schema::<VirtualGateway>(),
        Kind::VirtualService => object_schema::<VirtualService>(),
        Kind::VirtualRouter => object_schema::<VirtualRouter>(),
        Kind::GatewayRoute => object_schema::<GatewayRoute>(),
        Kind::BackendGroup => object_schema::<BackendGroup>(),
    }
}

fn object_schema<T: JsonSchema>() -> Value {
    let generated = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .for_deserialize()
        .into_generator()
        .into_root_schema_for::<T>();
    let mut schema = structural(generated.as_value());
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("apiVersion".to_owned(), json!({"type": "string"}));
        properties.insert("kind".to_owned(), json!({"type": "string"}));
        // The API server knows what metadata is, and allows no schema for it.
        properties.insert("metadata".to_owned(), json!({"type": "object"}));
    }
    schema["x-kubernetes-preserve-unknown-fields"] = json!(true);
    schema
}

/// Rewrites a generated JSON schema into a structural one: optional values lose their `null`, and whatever is not a
/// keyword of a structural schema is left out.
fn structural(schema: &Value) -> Value {
    let schema = without_null(schema);
    let mut rewritten = Map::new();
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        match keyword.as_str() {
            "type" => {
                rewritten.insert(keyword.clone(), only_type(value));
            }
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let properties: Map<_, _> = properties.map(|(name, value)| (name.clone(), structural(value))).collect();
                if !properties.is_empty() {
                    rewritten.insert(keyword.clone(), Value::Object(properties));
                }
            }
            "items" | "additionalProperties" if value.is_object() => {
                rewritten.insert(keyword.clone(), structural(value));
            }
            kept if KEPT.contains(&kept) => {
                rewritten.insert(keyword.clone(), value.clone());
            }
            _ => {}
        }
    }
    Value::Object(rewritten)
}

/// The schema of an optional value's content: `{anyOf: [X, {type: null}]}` becomes X, with the description (and what
/// else stands beside it) of the whole.
fn without_null(schema: &Value) -> Value {
    let content = ["anyOf", "oneOf"]
        .iter()
        .find_map(|keyword| schema.get(keyword)?.as_array()?.iter().find(|alternative| !is_null(alternative)));
    let Some(Value::Object(content)) = content else {
        return schema.clone();
    };
    let mut merged = without_null(&Value::Object(content.clone()));
    if let (Some(merged), Some(outer)) = (merged.as_object_mut(), schema.as_object()) {
        for (keyword, value) in outer {
            if keyword != "anyOf" && keyword != "oneOf" {
                merged.insert(keyword.clone(), value.clone());
            }
        }
    }
    merged
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|r#type| r#type == "null")
}

/// The one type in `["string", "null"]`.
fn only_type(r#type: &Value) -> Value {
    match r#type {
        Value::Array(types) => types.iter().find(|r#type| *r#type != "null").cloned().unwrap_or_default(),
        other => other.clone(),
    }
}

#[cfg(test)]
#[path = "crd_tests.rs"]
mod tests;
