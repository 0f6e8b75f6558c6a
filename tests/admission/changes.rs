//! Reviews of what mesh objects rest on: whatever is changed, in whatever order, the change that breaks TLS is the one that is told.

use futures::future::BoxFuture;
use meshvet::mesh::{FreshStores, SecretAccess, StoreKey, StoreState, Unread};
use meshvet::policy::Policy;
use meshvet::sources::StoreReader;
use serde_json::{Value, json};

use crate::bed::{AUTHORITY, Bed, SOUND, create, node, review, update};
use crate::support::manifests::{
    calling_node, client_policy, deployment, file_certificate, gateway_deployment, namespace, secret, tls_secret,
    virtual_gateway, virtual_node, virtual_service,
};
use crate::support::mint::{Authority, Issued};

/// A leaf for another name.
fn misnamed() -> Issued {
    AUTHORITY.leaf(&["red.apps.local"]).issue()
}

fn workload() -> Value {
    deployment("shop", "blue", "blue-cert:/certs")
}

/// A sound node `blue`, with all that it rests on but what is left out.
fn bed(without: &str) -> Bed {
    let all = [namespace("shop"), workload(), tls_secret("shop", "blue-cert", &SOUND), node()];
    Bed::of(all.into_iter().filter(|object| object["kind"] != without))
}

fn deny(bed: &Bed, text: &str) {
    bed.policy.store(Policy::parse(text).expect("a policy").into());
}

#[tokio::test]
async fn a_workload_that_comes_last_is_told_what_is_wrong_with_its_node() {
    let bed = Bed::of([namespace("shop"), tls_secret("shop", "blue-cert", &misnamed()), node()]);
    let response = bed.ask(&create(workload())).await;
    response.warns(&["shop/blue MV101: hostname blue.apps.local matches no name of the certificate"]);
    assert_eq!(response.warnings().len(), 1, "{:?}", response.warnings());
    bed_of_sound("Deployment").await.ask(&create(workload())).await.passes_silently();
}

async fn bed_of_sound(without: &str) -> Bed {
    bed(without)
}

#[tokio::test]
async fn a_secret_that_comes_last_or_is_rotated_is_told_whom_it_breaks() {
    let broken = tls_secret("shop", "blue-cert", &misnamed());
    bed("Secret").ask(&create(broken.clone())).await.warns(&["shop/blue MV101: hostname blue.apps.local"]);
    let sound = || tls_secret("shop", "blue-cert", &SOUND);
    let rotated = bed("").ask(&update(sound(), broken.clone())).await;
    rotated.warns(&["shop/blue MV101: hostname blue.apps.local"]);
    // A repair, a renewal, and what was so before.
    bed("")
        .ask(&update(sound(), tls_secret("shop", "blue-cert", &AUTHORITY.leaf(&["blue.apps.local"]).issue())))
        .await
        .passes_silently();
    let was_broken = Bed::of([namespace("shop"), workload(), broken.clone(), node()]);
    was_broken.ask(&update(broken.clone(), sound())).await.passes_silently();
    was_broken.ask(&update(broken.clone(), broken)).await.passes_silently();
    // Nobody reads this one.
    bed("").ask(&create(tls_secret("shop", "other", &misnamed()))).await.passes_silently();
}

#[tokio::test]
async fn a_secret_of_a_backend_is_held_against_the_policy_of_its_gateway() {
    let object = |kind: &str, name: &str, spec: Value| json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": {"namespace": "shop", "name": name}, "spec": spec});
    let class = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "eg"},
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}});
    let backends = json!([{"backendRefs": [{"name": "api", "port": 443}]}]);
    let authorities = json!([{"group": "", "kind": "ConfigMap", "name": "ca"}]);
    let validation = json!({"hostname": "blue.apps.local", "caCertificateRefs": authorities});
    let targets = json!([{"group": "", "kind": "Service", "name": "api"}]);
    let bed = Bed::of([
        namespace("shop"),
        class,
        object(
            "Gateway",
            "web",
            json!({"gatewayClassName": "eg", "listeners": [{"name": "web", "port": 80, "protocol": "HTTP"}]}),
        ),
        object("HTTPRoute", "web", json!({"parentRefs": [{"name": "web"}], "rules": backends})),
        object("BackendTLSPolicy", "api", json!({"targetRefs": targets, "validation": validation})),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "ca"},
            "data": {"ca.crt": AUTHORITY.pem()}}),
        tls_secret("shop", "api-tls", &SOUND),
    ]);
    let broken = || update(tls_secret("shop", "api-tls", &SOUND), tls_secret("shop", "api-tls", &misnamed()));
    // Nobody knows whose it is.
    bed.ask(&broken()).await.passes_silently();
    deny(&bed, "backends: {shop/api: {secret: api-tls}}");
    bed.ask(&broken()).await.warns(&["BackendTLSPolicy shop/api MV104: web → api"]);
    let renewed = tls_secret("shop", "api-tls", &AUTHORITY.leaf(&["blue.apps.local"]).issue());
    bed.ask(&update(tls_secret("shop", "api-tls", &SOUND), renewed)).await.passes_silently();
}

#[tokio::test]
async fn a_secret_that_loses_its_key_or_goes_is_told() {
    let sound = tls_secret("shop", "blue-cert", &SOUND);
    let without = secret("shop", "blue-cert", &[("tls.crt", &SOUND.chain)]);
    bed("").ask(&update(sound.clone(), without)).await.warns(&["shop/blue MV202", "has no key tls.key"]);
    let gone = bed("").ask(&review("DELETE", Value::Null, sound.clone())).await;
    gone.warns(&["shop/blue MV202", "Secret shop/blue-cert doesn't exist"]);
    // A deletion passes whatever the policy says.
    let bed = bed("");
    deny(&bed, "changes: {secrets: deny}\nunknown: deny");
    bed.ask(&review("DELETE", Value::Null, sound)).await.warns(&["shop/blue MV202"]);
}

#[tokio::test]
async fn a_workload_whose_mount_goes_is_told_and_one_whose_mount_stays_is_not() {
    let moved = deployment("shop", "blue", "blue-cert:/tls");
    bed("").ask(&update(workload(), moved)).await.warns(&["shop/blue MV201", "/certs/tls.crt"]);
    let mut scaled = workload();
    scaled["spec"]["replicas"] = json!(5);
    bed("").ask(&update(workload(), scaled)).await.passes_silently();
}

#[tokio::test]
async fn the_policy_has_a_change_refused_that_breaks_a_node() {
    let (sound, broken) = (tls_secret("shop", "blue-cert", &SOUND), tls_secret("shop", "blue-cert", &misnamed()));
    let bed = bed("");
    deny(&bed, "changes: {secrets: deny}");
    let response = bed.ask(&update(sound.clone(), broken.clone())).await;
    response.denies(&[
        "Secret shop/blue-cert would break VirtualNode shop/blue: MV101 hostname blue.apps.local",
        "MV101 hostname-mismatch at VirtualNode shop/blue: spec.listeners[0].tls.certificate.file.certificateChain",
        "fix:",
    ]);
    // A controller would try again for ever.
    let mut by_controller = update(sound.clone(), broken.clone());
    by_controller["request"]["userInfo"]["username"] = "system:serviceaccount:cert-manager:cert-manager".into();
    bed.ask(&by_controller).await.warns(&["shop/blue MV101"]);
    // By scope, and not at all.
    deny(
        &bed,
        "changes: {secrets: deny}\nscopes: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}, changes: {secrets: off}}]",
    );
    bed.ask(&update(sound.clone(), broken.clone())).await.passes_silently();
    deny(&bed, "changes: {secrets: deny}\nenforcement: warn");
    bed.ask(&update(sound, broken)).await.warns(&["shop/blue MV101 (would be refused)"]);
}

/// Reads nothing, and says why.
struct Forbidden;

impl StoreReader for Forbidden {
    fn read(&self, keys: Vec<StoreKey>) -> BoxFuture<'_, FreshStores> {
        let state = || StoreState::Unread(Unread::Failed("may not get secrets".to_owned()));
        Box::pin(async move { keys.into_iter().map(|key| (key, state())).collect() })
    }
}

#[tokio::test]
async fn what_cant_be_read_afresh_refuses_no_change() {
    let all = [namespace("shop"), tls_secret("shop", "blue-cert", &misnamed()), node()];
    let bed = Bed::reading(all, SecretAccess::Complete, Forbidden);
    deny(&bed, "changes: {workloads: deny}");
    bed.ask(&create(workload())).await.warns(&["shop/blue MV101 (not confirmed)", "may not get secrets"]);
}

#[tokio::test]
async fn one_release_and_rules_about_time_refuse_no_workload() {
    let expired = AUTHORITY.leaf(&["blue.apps.local"]).valid(-90, -1).issue();
    let bed = Bed::of([namespace("shop"), tls_secret("shop", "blue-cert", &expired), node()]);
    deny(&bed, "changes: {workloads: deny}");
    bed.ask(&create(workload())).await.warns(&["shop/blue MV207"]);

    let labels =
        json!({"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
    let (mut released, mut of_it) = (node(), workload());
    released["metadata"]["labels"] = labels.clone();
    let bed = Bed::of([namespace("shop"), tls_secret("shop", "blue-cert", &misnamed()), released]);
    deny(&bed, "changes: {workloads: deny}");
    bed.ask(&create(of_it.clone())).await.denies(&["Deployment shop/blue would break VirtualNode shop/blue: MV101"]);
    of_it["metadata"]["labels"] = labels;
    bed.ask(&create(of_it)).await.warns(&["shop/blue MV101"]);
}

#[tokio::test]
async fn a_restart_says_that_new_pods_will_load_what_was_rotated() {
    let broken = tls_secret("shop", "blue-cert", &misnamed());
    let bed = Bed::of([namespace("shop"), workload(), broken, node()]);
    let mut restarted = workload();
    restarted["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = "now".into();
    let response = bed.ask(&update(workload(), restarted)).await;
    response.warns(&["shop/blue MV101 (as before; new pods will start with it): hostname blue.apps.local"]);
}

#[tokio::test]
async fn a_namespace_that_loses_its_injection_is_told() {
    let mut unlabelled = namespace("shop");
    unlabelled["metadata"]["labels"] = json!({"mesh": "apps"});
    let mut change = update(namespace("shop"), unlabelled);
    change["request"]["namespace"] = "shop".into();
    bed("").ask(&change).await.warns(&["shop/blue MV218", "isn't labelled for injection"]);
}

/// `front`, which trusts the authority of `blue` and calls it.
fn calling() -> Vec<Value> {
    vec![
        virtual_service("shop", "blue", "blue"),
        calling_node("shop", "front", "blue", client_policy()),
        deployment("shop", "front", "front-ca:/certs"),
        secret("shop", "front-ca", &[("ca.crt", &AUTHORITY.pem())]),
    ]
}

#[tokio::test]
async fn a_bundle_without_the_old_root_is_told_of_the_call_and_once() {
    let all = [namespace("shop"), workload(), tls_secret("shop", "blue-cert", &SOUND), node()];
    let bed = Bed::of(all.into_iter().chain(calling()));
    let other = Authority::new("Other root");
    let (old, new) = (AUTHORITY.pem(), other.pem());
    let bundle = |pem: &str| secret("shop", "front-ca", &[("ca.crt", pem)]);
    let response = bed.ask(&update(bundle(&old), bundle(&new))).await;
    response.warns(&["MV301", "front → blue", "the client refuses the server's certificate"]);
    assert_eq!(response.warnings().len(), 1, "{:?}", response.warnings());
    // Both roots, while one is replaced.
    bed.ask(&update(bundle(&old), bundle(&format!("{new}{old}")))).await.passes_silently();
}

#[tokio::test]
async fn a_brief_answer_names_nobody_in_another_namespace() {
    // A client in `desk` calls `blue` in `shop`.
    let mut service = virtual_service("desk", "blue", "blue");
    service["spec"]["provider"]["virtualNode"]["virtualNodeRef"]["namespace"] = "shop".into();
    let elsewhere = [
        namespace("desk"),
        service,
        calling_node("desk", "front", "blue", client_policy()),
        deployment("desk", "front", "front-ca:/certs"),
        secret("desk", "front-ca", &[("ca.crt", &AUTHORITY.pem())]),
    ];
    let all = [namespace("shop"), workload(), tls_secret("shop", "blue-cert", &SOUND), node()];
    let bed = Bed::of(all.into_iter().chain(elsewhere));
    let other = Authority::new("Other root").leaf(&["blue.apps.local"]).issue();
    let change = update(tls_secret("shop", "blue-cert", &SOUND), tls_secret("shop", "blue-cert", &other));
    bed.ask(&change).await.warns(&["MV301", "desk"]);
    deny(&bed, "answers: {detail: brief}");
    let response = bed.ask(&change).await;
    response.warns(&["MV301"]);
    let told = response.0.to_string();
    assert!(!told.contains("desk") && !told.contains("front"), "{told}");
    deny(&bed, "answers: {detail: brief}\nchanges: {secrets: deny}");
    let response = bed.ask(&change).await;
    response.denies(&["MV301"]);
    let told = response.0.to_string();
    assert!(!told.contains("desk") && !told.contains("front"), "{told}");
}

#[tokio::test]
async fn a_service_that_is_deleted_is_reported_to_whom_calls_it() {
    let all = [namespace("shop"), workload(), tls_secret("shop", "blue-cert", &SOUND), node()];
    let service = virtual_service("shop", "blue", "blue");
    let bed = Bed::of(all.clone().into_iter().chain(calling()));
    let delete = review("DELETE", Value::Null, service.clone());
    bed.ask(&delete).await.warns(&["shop/front MV308: the virtual node calls VirtualService shop/blue"]);
    deny(&bed, "severities: {MV308: deny}\nchanges: {meshes: deny}");
    bed.ask(&delete).await.warns(&["shop/front MV308"]);
    // Nobody calls this one.
    let other = review("DELETE", Value::Null, virtual_service("shop", "green", "blue"));
    bed.ask(&other).await.passes_silently();
    // A release that goes as a whole.
    let labels = json!({"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "shop"});
    let released = calling().into_iter().map(|mut object| {
        object["metadata"]["labels"] = labels.clone();
        object["metadata"]["annotations"] =
            json!({"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "shop"});
        object
    });
    let released: Vec<Value> = released.collect();
    let delete = review("DELETE", Value::Null, released[0].clone());
    Bed::of(all.into_iter().chain(released)).ask(&delete).await.passes_silently();
}

#[tokio::test]
async fn a_change_that_touches_more_than_a_review_judges_says_so() {
    let nodes = (0..210).map(|number| {
        let mut node = virtual_node("shop", &format!("n{number}"), "blue.apps.local");
        node["spec"]["podSelector"] = json!({"matchLabels": {"app": "blue"}});
        node
    });
    let all = [namespace("shop"), workload(), tls_secret("shop", "blue-cert", &SOUND)];
    let bed = Bed::of(all.into_iter().chain(nodes));
    let change = update(tls_secret("shop", "blue-cert", &SOUND), tls_secret("shop", "blue-cert", &misnamed()));
    let response = bed.ask(&change).await;
    response.warns(&["10 more objects affected by this change were not judged here"]);
    response.warns(&["more: MV101"]);
}

fn service(target: u16) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": "blue"},
        "spec": {"selector": {"app": "blue"}, "ports": [{"port": 8443, "targetPort": target}]}})
}

/// The sound node, found by the name of a Service; and what else there is.
fn bed_of_services(services: impl IntoIterator<Item = Value>) -> Bed {
    let host = "blue.shop.svc.cluster.local";
    let sound = tls_secret("shop", "blue-cert", &AUTHORITY.leaf(&[host]).issue());
    let all = [namespace("shop"), workload(), sound, virtual_node("shop", "blue", host)];
    Bed::of(all.into_iter().chain(services))
}

/// Another Service of the namespace.
fn other() -> Value {
    let mut other = service(8443);
    other["metadata"]["name"] = "green".into();
    other["spec"]["selector"]["app"] = "green".into();
    other
}

#[tokio::test]
async fn a_service_that_leads_past_the_proxy_is_told_whom_it_breaks() {
    let bed = bed_of_services([service(8443)]);
    let response = bed.ask(&update(service(8443), service(80))).await;
    response.warns(&["shop/blue MV220: Service shop/blue sends port 8443 to port 80 of Deployment shop/blue"]);
    assert_eq!(response.warnings().len(), 1, "{:?}", response.warnings());
    bed.ask(&update(service(80), service(8443))).await.passes_silently();
    // As it was, by another port that isn't intercepted.
    bed.ask(&update(service(80), service(81))).await.passes_silently();
    bed_of_services([]).ask(&create(service(80))).await.warns(&["shop/blue MV220"]);
    bed_of_services([]).ask(&create(service(8443))).await.passes_silently();
    // Nobody is found by this one, and it selects nobody's pods.
    bed.ask(&create(other())).await.passes_silently();
    bed.ask(&update(other(), Value::Null)).await.passes_silently();
}

#[tokio::test]
async fn a_service_that_goes_is_told_and_never_kept() {
    const MISSING: [&str; 2] = ["shop/blue MV220: there is no Service shop/blue", "virtual node"];
    let gone = review("DELETE", Value::Null, service(8443));
    let bed = bed_of_services([service(8443), other()]);
    bed.ask(&gone).await.warns(&MISSING);
    deny(&bed, "changes: {services: deny}\nseverities: {service-bypasses-proxy: deny}");
    bed.ask(&gone).await.warns(&MISSING);
    bed.ask(&update(service(8443), service(80)))
        .await
        .denies(&["Service shop/blue would break VirtualNode shop/blue: MV220"]);
    deny(&bed, "changes: {services: off}");
    bed.ask(&gone).await.passes_silently();
    // The last of its namespace: nobody knows what else the node is found by.
    bed_of_services([service(8443)]).ask(&gone).await.passes_silently();
    // The first of it shows that the other isn't there.
    bed_of_services([]).ask(&create(other())).await.warns(&MISSING);
}

#[tokio::test]
async fn a_load_balancer_that_comes_before_a_gateway_is_told() {
    let before = |protocol: &str| {
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"namespace": "shop", "name": "lb", "annotations": {
                "service.beta.kubernetes.io/aws-load-balancer-ssl-cert": "arn:aws:acm:eu-west-1:111122223333:certificate/a",
                "service.beta.kubernetes.io/aws-load-balancer-backend-protocol": protocol,
            }},
            "spec": {"type": "LoadBalancer", "selector": {"app": "edge"}, "ports": [{"port": 443, "targetPort": 8443}]}})
    };
    let bed = Bed::of([
        namespace("shop"),
        gateway_deployment("shop", "edge", "blue-cert", "/certs"),
        tls_secret("shop", "blue-cert", &SOUND),
        virtual_gateway("shop", "edge", file_certificate("tls.crt", "tls.key")),
    ]);
    bed.ask(&create(before("ssl"))).await.passes_silently();
    bed.ask(&update(before("ssl"), before("tcp"))).await.warns(&["shop/edge MV221", "Service shop/lb", "plaintext"]);
}

#[tokio::test]
async fn each_kind_has_a_path_of_its_own() {
    let change = create(tls_secret("shop", "blue-cert", &misnamed())).to_string();
    for path in ["/workloads", "/secrets", "/services", "/namespaces", "/meshes", "/deletions"] {
        let answer = bed("Secret").send(crate::bed::post(&format!("{path}?timeout=2s"), change.clone())).await;
        assert_eq!((answer.code, &answer.json["response"]["allowed"]), (200, &json!(true)), "{path}: {}", answer.json);
        assert!(answer.json["response"]["warnings"][0].as_str().is_some_and(|line| line.contains("MV101")), "{path}");
    }
}
