//! ConfigMaps that a controller puts authorities into.
//!
//! Source: OpenShift's documentation, "Securing service traffic using service serving certificate secrets" and "Certificate injection
//! using Operators": the service CA operator adds `service-ca.crt`, the network operator `ca-bundle.crt`.

use serde_json::Value;

use crate::mesh::Awaited;

/// Where a ConfigMap asks for authorities, with which name, and the key that they are put into.
const ASKED: [(&str, &str, &str); 3] = [
    ("annotations", "service.beta.openshift.io/inject-cabundle", "service-ca.crt"),
    ("annotations", "service.alpha.openshift.io/inject-cabundle", "service-ca.crt"),
    ("labels", "config.openshift.io/inject-trusted-cabundle", "ca-bundle.crt"),
];

/// What is going to be added to a ConfigMap; None if it doesn't ask, or has it already.
pub(super) fn authorities(config_map: &Value) -> Option<Awaited> {
    let metadata = config_map.get("metadata")?;
    let asks = |(map, name, _): &&(&str, &str, &str)| {
        metadata.get(map).and_then(|map| map.get(name)).and_then(Value::as_str) == Some("true")
    };
    let (_, _, key) = *ASKED.iter().find(asks)?;
    let is_there = config_map.get("data").is_some_and(|data| data.get(key).is_some());
    (!is_there).then_some(Awaited { by: "OpenShift", key })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_config_map_that_asks_for_authorities_gets_them_under_the_key_of_whoever_adds_them() {
        let key = |metadata: Value, data: Value| {
            authorities(&json!({"metadata": metadata, "data": data})).map(|awaited| awaited.key)
        };
        let asks = |value: &str| json!({"annotations": {"service.beta.openshift.io/inject-cabundle": value}});
        let trusted = json!({"labels": {"config.openshift.io/inject-trusted-cabundle": "true"}});
        assert_eq!(key(asks("true"), json!({"a": "1"})), Some("service-ca.crt"));
        assert_eq!(key(trusted, Value::Null), Some("ca-bundle.crt"));
        for (metadata, data) in [
            (asks("false"), json!({})),
            (asks("true"), json!({"service-ca.crt": "there"})),
            (json!({"labels": {"service.beta.openshift.io/inject-cabundle": "true"}}), json!({})),
            (json!({}), json!({})),
        ] {
            assert_eq!(key(metadata.clone(), data), None, "{metadata}");
        }
    }
}
