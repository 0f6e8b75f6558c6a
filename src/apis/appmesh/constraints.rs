//! What the App Mesh controller's CRDs demand, recorded from them by `scripts/crd-constraints`: facts alone, without their prose.
//!
//! [`crd`](super::crd) generates CRDs from what meshvet reads; these say what the real ones refuse, in groups too that meshvet
//! doesn't read.

use std::sync::LazyLock;

use serde_json::Value;

use super::Kind;

const RECORDED: &str = include_str!("constraints.json");

/// The recorded schema of a kind's objects, without `metadata` and `status`.
pub fn constraints(kind: &str) -> Option<&'static Value> {
    static ALL: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(RECORDED).unwrap_or_default());
    ALL.get(kind)
}

/// The recorded constraints as CustomResourceDefinitions: the API server judges by them as by the real ones.
#[must_use]
pub fn constraining_definitions() -> Vec<Value> {
    let mut definitions = super::crd::custom_resource_definitions();
    for (definition, kind) in definitions.iter_mut().zip(Kind::ALL) {
        let Some(recorded) = constraints(kind.as_str()) else { continue };
        let Some(place) = definition.pointer_mut("/spec/versions/0/schema/openAPIV3Schema") else { continue };
        let status = place.pointer("/properties/status").cloned();
        *place = recorded.clone();
        if let Some(fields) = place.get_mut("properties").and_then(Value::as_object_mut) {
            for own in ["apiVersion", "kind"] {
                fields.insert(own.to_owned(), serde_json::json!({"type": "string"}));
            }
            fields.insert("metadata".to_owned(), serde_json::json!({"type": "object"}));
            fields.extend(status.map(|status| ("status".to_owned(), status)));
        }
    }
    definitions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apis::schema::UNDERSTOOD;

    /// Each keyword of a schema, that of every level.
    fn keywords<'v>(schema: &'v Value, out: &mut Vec<&'v str>) {
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            out.push(keyword);
            match keyword.as_str() {
                "properties" => value.as_object().into_iter().flatten().for_each(|(_, below)| keywords(below, out)),
                "items" | "additionalProperties" => keywords(value, out),
                _ => {}
            }
        }
    }

    #[test]
    fn every_kind_is_recorded_and_every_keyword_understood() {
        for kind in Kind::ALL {
            let schema = constraints(kind.as_str()).expect("it is recorded");
            let mut found = Vec::new();
            keywords(schema, &mut found);
            assert!(found.len() > 10, "{kind}");
            let strange: Vec<_> = found.into_iter().filter(|keyword| !UNDERSTOOD.contains(keyword)).collect();
            assert_eq!(strange, Vec::<&str>::new(), "{kind}");
        }
        assert!(constraints("Pod").is_none());
    }
}
