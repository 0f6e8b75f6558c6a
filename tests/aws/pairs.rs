//! Both ends of a call: certificate and trust by ARN or by file, and chains that AWS Private CA really made.

use serde_json::{Value, json};

use crate::bed;
use crate::cloud::{Cloud, PrivateCa, node, root, trusting};
use crate::support::manifests::{deployment, secret, virtual_node};
use crate::support::mint::{Authority, openssl};

fn service() -> Value {
    json!({
        "apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualService",
        "metadata": {"namespace": "shop", "name": "blue"},
        "spec": {"provider": {"virtualNode": {"virtualNodeRef": {"name": "blue"}}}},
    })
}

/// The node `front`, which calls blue.
fn front() -> Value {
    let mut node = virtual_node("shop", "front", "front.apps.local");
    node["spec"]["listeners"] = json!([]);
    node["spec"]["backends"] = json!([{"virtualService": {"virtualServiceRef": {"name": "blue"}}}]);
    node
}

/// `front`, trusting a bundle in a Secret.
fn front_by_file(bundle: &str) -> Vec<Value> {
    let mut node = front();
    let trust = json!({"file": {"certificateChain": "/trust/ca.crt"}});
    node["spec"]["backendDefaults"] = json!({"clientPolicy": {"tls": {"validation": {"trust": trust}}}});
    vec![
        node,
        service(),
        deployment("shop", "front", "front-trust:/trust"),
        secret("shop", "front-trust", &[("ca.crt", bundle)]),
    ]
}

/// The node `blue` with a certificate in a Secret, and what that takes.
fn blue_by_file(chain: &str, key: &str) -> (Value, Vec<Value>) {
    let world = vec![
        deployment("shop", "blue", "blue-cert:/certs"),
        secret("shop", "blue-cert", &[("tls.crt", chain), ("tls.key", key)]),
    ];
    (virtual_node("shop", "blue", "blue.apps.local"), world)
}

/// A leaf in a file that AWS Private CA signed: its key, itself and the chain.
async fn leaf_of(authority: &PrivateCa) -> (String, String) {
    let key = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, &key).unwrap();
    let names = ["-subj", "/CN=blue.apps.local", "-addext", "subjectAltName=DNS:blue.apps.local"];
    let request = [&["req", "-new", "-key", path.to_str().unwrap()][..], &names].concat();
    let (certificate, chain) = authority.issue(&openssl(&request, ""), false).await;
    (format!("{certificate}{chain}"), key)
}

#[tokio::test]
async fn a_certificate_and_trust_by_arn_fit_or_are_refused_from_both_ends() {
    let cloud = Cloud::new().await;
    let (root, other) = (root("Shop root").await, root("Other root").await);
    let arn = root.certificate(&["blue.apps.local"]).await;
    let world = [trusting(front(), &[&root.arn]), service(), deployment("shop", "front", "")];
    cloud.bed(world).ask(&bed::create(node(&arn))).await.passes_silently();

    let wrong = trusting(front(), &[&other.arn]);
    let world = [wrong.clone(), service(), deployment("shop", "front", "")];
    let words = ["1 problem", "MV301 issuer-untrusted", "front → blue", "CN=Other root", "CN=Shop root"];
    cloud.bed(world).ask(&bed::create(node(&arn))).await.denies(&words);
    // The client comes last.
    let world = [node(&arn), service(), deployment("shop", "front", "")];
    let response = cloud.bed(world).ask(&bed::create(wrong)).await;
    response.denies(&words);
    response.denies(&["certificateAuthorityARNs[0]"]);
    // Both while the authority is replaced.
    let world = [trusting(front(), &[&other.arn, &root.arn]), service(), deployment("shop", "front", "")];
    cloud.bed(world).ask(&bed::create(node(&arn))).await.passes_silently();
}

#[tokio::test]
async fn a_certificate_of_a_subordinate_leads_to_its_root() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let below = root.subordinate("Shop issuing").await;
    let arn = below.certificate(&["blue.apps.local"]).await;
    let world = [trusting(front(), &[&root.arn]), service(), deployment("shop", "front", "")];
    cloud.bed(world).ask(&bed::create(node(&arn))).await.passes_silently();
}

#[tokio::test]
async fn a_certificate_by_arn_and_a_bundle_by_file_are_compared() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    // A root of the same name is another all the same.
    let stranger = Authority::new("Shop root");
    let response = cloud.bed(front_by_file(&stranger.pem())).ask(&bed::create(node(&arn))).await;
    response.denies(&["1 problem", "MV301 issuer-untrusted", "front → blue", "Secret shop/front-trust"]);

    let (_, chain) = root.issue(&leaf_request().await, false).await;
    cloud.bed(front_by_file(&chain)).ask(&bed::create(node(&arn))).await.passes_silently();
}

async fn leaf_request() -> String {
    let key = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, &key).unwrap();
    openssl(&["req", "-new", "-key", path.to_str().unwrap(), "-subj", "/CN=blue.apps.local"], "")
}

#[tokio::test]
async fn a_certificate_by_file_and_trust_by_arn_are_compared_by_real_chains() {
    let cloud = Cloud::new().await;
    let (root, other) = (root("Shop root").await, root("Other root").await);
    let below = root.subordinate("Shop issuing").await;
    for issuer in [&root, &below] {
        let (chain, key) = leaf_of(issuer).await;
        let (blue, mut world) = blue_by_file(&chain, &key);
        world.extend([service(), deployment("shop", "front", "")]);
        let with = |arn: &str| [world.clone(), vec![trusting(front(), &[arn])]].concat();
        cloud.bed(with(&root.arn)).ask(&bed::create(blue.clone())).await.passes_silently();
        let response = cloud.bed(with(&other.arn)).ask(&bed::create(blue)).await;
        response.denies(&["1 problem", "MV301 issuer-untrusted", "front → blue", "CN=Other root"]);
    }
}

#[tokio::test]
async fn nothing_is_claimed_of_trust_that_isnt_known() {
    let cloud = Cloud::new().await;
    let (root, other) = (root("Shop root").await, root("Other root").await);
    let arn = root.certificate(&["blue.apps.local"]).await;
    cloud.proxy.fail("GetCertificateAuthorityCertificate", &other.arn, crate::proxy::Fault::Denied);
    let world = [trusting(front(), &[&other.arn]), service(), deployment("shop", "front", "")];
    cloud.bed(world).ask(&bed::create(node(&arn))).await.passes_silently();
}
