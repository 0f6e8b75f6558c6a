use serde_json::{Value, json};
pub(crate) fn all() -> Vec<Value> {
    ["virtualnode","virtualgateway"].iter().map(|s| json!({
        "apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
        "metadata":{"name":format!("{s}s.appmesh.k8s.aws"),"annotations":{"api-approved.kubernetes.io":"unapproved, stub"}},
        "spec":{"group":"appmesh.k8s.aws","scope":"Namespaced",
        "names":{"kind": if *s=="virtualnode" {"VirtualNode"} else {"VirtualGateway"},"plural":format!("{s}s"),"singular":s},
        "versions":[{"name":"v1beta2","served":true,"storage":true,"subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}
    })).collect()
}
