//! Authorities of AWS Private CA, as a client policy trusts them, and behind a listener's certificate.

use crate::cloud::{ACCOUNT, Cloud, REGION, node, pending, root, trusting};
use crate::proxy::Fault;
use crate::support::manifests::virtual_node;
use serde_json::{Value, json};

/// A node without TLS of its own that trusts these.
fn client(arns: &[&str]) -> Value {
    let mut node = virtual_node("shop", "blue", "blue.apps.local");
    node["spec"]["listeners"] = json!([{"portMapping": {"port": 8080, "protocol": "http"}}]);
    trusting(node, arns)
}

#[tokio::test]
async fn an_active_root_passes_silently() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    cloud.create(client(&[&root.arn])).await.passes_silently();
}

#[tokio::test]
async fn an_authority_that_cant_be_trusted_is_refused() {
    let cloud = Cloud::new().await;
    let pending = pending("Shop root").await;
    cloud.create(client(&[&pending.arn])).await.denies(&["1 problem", "MV407", "PENDING_CERTIFICATE"]);
    let deleted = root("Shop root").await;
    deleted.set_status("DISABLED").await;
    deleted.delete().await;
    cloud.create(client(&[&deleted.arn])).await.denies(&["1 problem", "MV407", "DELETED", "restore"]);
    for status in ["CREATING", "FAILED"] {
        let root = root("Shop root").await;
        let said: &'static str = Box::leak(format!("\"Status\": \"{status}\"").into_boxed_str());
        let fault = Fault::Rewritten("\"Status\": \"ACTIVE\"", said);
        cloud.proxy.fail("DescribeCertificateAuthority", &root.arn, fault);
        cloud.create(client(&[&root.arn])).await.denies(&["1 problem", "MV407", status]);
    }
}

#[tokio::test]
async fn a_disabled_authority_warns() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    root.set_status("DISABLED").await;
    cloud.create(client(&[&root.arn])).await.warns(&["MV407", "DISABLED"]);
}

#[tokio::test]
async fn a_subordinate_warns_and_names_its_root() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let below = root.subordinate("Shop issuing").await;
    let response = cloud.create(client(&[&below.arn])).await;
    response.warns(&["MV411", "subordinate"]);
    assert_eq!(response.warnings().len(), 1, "{:?}", response.warnings());
}

#[tokio::test]
async fn an_authority_that_isnt_there_is_refused() {
    let cloud = Cloud::new().await;
    let arn = format!("arn:aws:acm-pca:{REGION}:{ACCOUNT}:certificate-authority/00000000-0000-0000-0000-000000000000");
    cloud.create(client(&[&arn])).await.denies(&["1 problem", "MV404", &arn]);
}

#[tokio::test]
async fn behind_a_listeners_certificate_an_unusable_authority_warns() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    root.set_status("DISABLED").await;
    cloud.create(node(&arn)).await.warns(&["MV407", "DISABLED", "it issued"]);
    root.delete().await;
    tokio::time::sleep(crate::cloud::pace().keep_doubtful * 2).await;
    cloud.create(node(&arn)).await.warns(&["MV407", "DELETED", "it issued"]);
}

#[tokio::test]
async fn all_authorities_are_told_at_once() {
    let cloud = Cloud::new().await;
    let (pending, root) = (pending("One").await, root("Two").await);
    let response = cloud.create(client(&[&pending.arn, &root.arn, "<THREE>"])).await;
    response.denies(&["2 problems", "MV407", "certificateAuthorityARNs[0]", "MV401", "certificateAuthorityARNs[2]"]);
}
