//! Reviews of Gateways, and of the Secrets that their listeners serve with.

use meshvet::policy::Policy;
use serde_json::{Value, json};

use crate::bed::{AUTHORITY, Bed, create, review, update};
use crate::support::manifests;
use crate::support::mint::{Issued, Key};

const ENVOY_GATEWAY: &str = "gateway.envoyproxy.io/gatewayclass-controller";
const NGINX: &str = "gateway.nginx.org/nginx-gateway-controller";

fn class(controller: &str) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "class"},
        "spec": {"controllerName": controller}})
}

/// A Gateway with a listener for each of these names, whose Secret is called like it.
fn gateway(names: &[&str]) -> Value {
    let listeners = names.iter().map(|name| {
        json!({"name": name, "port": 443, "protocol": "HTTPS", "hostname": format!("{name}.example.com"),
            "tls": {"certificateRefs": [{"name": name}]}})
    });
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": {"namespace": "shop", "name": "edge"},
        "spec": {"gatewayClassName": "class", "listeners": listeners.collect::<Vec<_>>()}})
}

fn secret(name: &str, issued: &Issued) -> Value {
    let mut secret = manifests::tls_secret("shop", name, issued);
    secret["type"] = "kubernetes.io/tls".into();
    secret
}

fn sound(name: &str) -> Value {
    secret(name, &AUTHORITY.leaf(&[&format!("{name}.example.com")]).issue())
}

/// What Envoy Gateway lets pass and its Envoy refuses.
fn refused(name: &str) -> Value {
    secret(name, &AUTHORITY.leaf(&[&format!("{name}.example.com")]).key(Key::Rsa(1024)).issue())
}

fn mismatched(name: &str) -> Value {
    let leaf = || AUTHORITY.leaf(&[&format!("{name}.example.com")]).issue();
    secret(name, &Issued { key: leaf().key, ..leaf() })
}

fn bed(controller: &str, secrets: &[Value]) -> Bed {
    let others = [manifests::namespace("shop"), class(controller), gateway(&["web", "api"])];
    Bed::of(others.into_iter().chain(secrets.iter().cloned()))
}

#[tokio::test]
async fn a_secret_that_would_take_neighbours_down_is_refused() {
    let (web, api) = (sound("web"), sound("api"));
    let response = bed(ENVOY_GATEWAY, &[web.clone(), api.clone()]).ask(&update(web.clone(), refused("web"))).await;
    response.denies(&[
        "Secret shop/web would break Gateway shop/edge: MV502",
        "1 other listener of the same proxy",
        "beside it api.example.com",
    ]);
    // Its first write, too.
    bed(ENVOY_GATEWAY, std::slice::from_ref(&api)).ask(&create(refused("web"))).await.denies(&["MV502"]);
    // Where nobody knows what the proxy is, and where each pair comes by a stream of its own.
    for controller in [NGINX, "projectcontour.io/gateway-controller"] {
        let response = bed(controller, &[web.clone(), api.clone()]).ask(&update(web.clone(), refused("web"))).await;
        assert!(!response.warnings().iter().any(|warning| warning.contains("MV502")), "{controller}");
    }
}

#[tokio::test]
async fn its_repair_its_deletion_and_what_was_so_before_pass() {
    let (bad, api) = (refused("web"), sound("api"));
    let bed = || bed(ENVOY_GATEWAY, &[bad.clone(), api.clone()]);
    bed().ask(&update(bad.clone(), sound("web"))).await.passes_silently();
    bed().ask(&review("DELETE", Value::Null, bad.clone())).await.warns(&["MV202"]);
    let again = bed().ask(&update(bad.clone(), refused("web"))).await;
    assert!(again.warnings().iter().all(|warning| !warning.contains("would")), "{:?}", again.warnings());
    // A controller would try again for ever.
    let mut by_controller = update(sound("web"), refused("web"));
    by_controller["request"]["userInfo"]["username"] = "system:serviceaccount:cert-manager:cert-manager".into();
    let sound_before = self::bed(ENVOY_GATEWAY, &[sound("web"), api.clone()]);
    sound_before.ask(&by_controller).await.warns(&["MV502"]);
    // And the policy has the last word.
    sound_before.policy.store(Policy::parse("severities: {MV502: warn}").expect("a policy").into());
    sound_before.ask(&update(sound("web"), refused("web"))).await.warns(&["MV502"]);
}

#[tokio::test]
async fn a_secret_that_the_control_plane_refuses_itself_only_warns() {
    let (web, api) = (sound("web"), sound("api"));
    let response = bed(ENVOY_GATEWAY, &[web.clone(), api]).ask(&update(web, mismatched("web"))).await;
    response.warns(&["shop/edge MV206", "the private key in"]);
}

#[tokio::test]
async fn a_gateway_whose_secret_is_still_to_come_passes() {
    // As with an ACME challenge by HTTP, which needs the Gateway first.
    let empty = Bed::of([manifests::namespace("shop"), class(ENVOY_GATEWAY)]);
    empty.ask(&create(gateway(&["web"]))).await.warns(&["MV202", "Secret shop/web doesn't exist"]);
    let mut asking = gateway(&["web"]);
    asking["metadata"]["annotations"] = json!({"cert-manager.io/cluster-issuer": "public"});
    empty.ask(&create(asking)).await.passes_silently();
}

#[tokio::test]
async fn a_gateway_is_refused_for_the_key_of_another_certificate() {
    let bed = Bed::of([manifests::namespace("shop"), class(NGINX), mismatched("web")]);
    bed.ask(&create(gateway(&["web"]))).await.denies(&["MV206", "spec.listeners[0].tls.certificateRefs[0]"]);
}

#[tokio::test]
async fn a_route_is_told_of_a_host_without_a_certificate() {
    let bed = bed(NGINX, &[secret("web", &AUTHORITY.leaf(&["other.example.com"]).issue()), sound("api")]);
    let route = |host: &str| {
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"parentRefs": [{"name": "edge"}], "hostnames": [host]}})
    };
    bed.ask(&create(route("web.example.com"))).await.warns(&["MV504", "no certificate for web.example.com"]);
    bed.ask(&create(route("api.example.com"))).await.passes_silently();
}
