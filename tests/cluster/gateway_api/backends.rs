//! BackendTLSPolicies: how a gateway connects to a Service.

use serde_json::{Value, json};

use crate::gateway_api::bed::shared;
use crate::gateway_api::objects::{V1, authority, gateway, leaf, route, secret};

tests![a_policy_is_told_of_its_authority_its_name_and_its_target];

const WEBHOOK: &str = "gateway-routes.meshvet.dev";

fn policy(namespace: &str, name: &str, authority: &str) -> Value {
    json!({"apiVersion": V1, "kind": "BackendTLSPolicy", "metadata": {"namespace": namespace, "name": name}, "spec": {
        "targetRefs": [{"group": "", "kind": "Service", "name": "api"}],
        "validation": {"hostname": "api.example.com",
            "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": authority}]},
    }})
}

fn config_map(namespace: &str, name: &str, text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace, "name": name},
        "data": {"ca.crt": text}})
}

fn a_policy_is_told_of_its_authority_its_name_and_its_target() {
    let (bed, namespace) = (shared(), "gw-backend");
    let world = bed.world(namespace);
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": namespace, "name": "api"},
        "spec": {"selector": {"app": "api"}, "ports": [{"name": "https", "port": 443}]}});
    world.has([
        service,
        secret(namespace, "web", &leaf("web.example.com")),
        config_map(namespace, "sound", &authority().pem()),
        config_map(namespace, "unusable", &leaf("api.example.com").key),
    ]);
    world.apply(&gateway(namespace, "edge", "istio", &[("web", "web.example.com", "web")])).succeeds_silently();
    world.apply(&route(namespace, "api", "edge", &["web.example.com"])).succeeds_silently();
    world.apply(&policy(namespace, "api", "absent")).warns(&["MV509", "doesn't exist"]);
    world.kubectl.run(&["-n", namespace, "delete", "backendtlspolicy", "api"], "").succeeds();
    world.apply(&policy(namespace, "api", "unusable")).refused_by(WEBHOOK, &["MV509"]);
    let sound = policy(namespace, "api", "sound");
    bed.until("meshvet knows of the route", &sound, |outcome| outcome.speaks_of("MV510"));
    world.apply(&sound).warns(&["MV510", "Istio doesn't check the name api.example.com"]);
    let mut named = sound;
    named["spec"]["validation"]["subjectAltNames"] = json!([{"type": "Hostname", "hostname": "api.example.com"}]);
    world.apply(&named).succeeds_silently();
    // Another one for the same Service: the older one wins.
    let mut second = named.clone();
    second["metadata"]["name"] = "aaa".into();
    bed.until("meshvet knows of the first", &second, |outcome| outcome.speaks_of("MV508"));
    world.apply(&second).warns(&["MV508", "BackendTLSPolicy gw-backend/api"]);
}
