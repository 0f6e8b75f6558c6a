//! Certificates of ACM, as a listener names them.

use aws_sdk_acmpca::primitives::Blob;
use meshvet::policy::Policy;
use std::sync::Arc;

use crate::cloud::{ACCOUNT, Cloud, PrivateCa, REGION, node, root, sdk, sdk_as};
use crate::proxy::Fault;
use crate::support::mint::Authority;

#[tokio::test]
async fn a_private_certificate_passes_silently() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    for names in [&["blue.apps.local"][..], &["*.apps.local"], &["shop.apps.local", "blue.apps.local"]] {
        cloud.create(node(&root.certificate(names).await)).await.passes_silently();
    }
}

#[tokio::test]
async fn a_wrong_name_is_refused_with_what_acm_says() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["green.apps.local", "red.apps.local"]).await;
    let response = cloud.create(node(&arn)).await;
    response.denies(&["MV101", "DNS:green.apps.local", "DNS:red.apps.local", "certificateARN", "ACM (certificate/"]);
}

#[tokio::test]
async fn a_public_certificate_is_refused() {
    let cloud = Cloud::new().await;
    let client = aws_sdk_acm::Client::new(&sdk(REGION).await);
    let requested = client.request_certificate().domain_name("blue.apps.local").send().await.unwrap();
    let response = cloud.create(node(&requested.certificate_arn.unwrap())).await;
    // It waits for its validation, too.
    response.denies(&["MV405 acm-not-private", "AMAZON_ISSUED", "MV406 acm-not-issued", "PENDING_VALIDATION"]);
}

#[tokio::test]
async fn an_imported_certificate_is_refused() {
    let cloud = Cloud::new().await;
    let client = aws_sdk_acm::Client::new(&sdk(REGION).await);
    let issued = Authority::new("Somebody's root").leaf(&["blue.apps.local"]).issue();
    let imported = client
        .import_certificate()
        .certificate(Blob::new(issued.certificate.as_bytes()))
        .private_key(Blob::new(issued.key.as_bytes()))
        .send()
        .await
        .unwrap();
    cloud.create(node(&imported.certificate_arn.unwrap())).await.denies(&["MV405 acm-not-private", "IMPORTED"]);
}

#[tokio::test]
async fn a_certificate_that_is_not_issued_is_refused() {
    for (status, words) in [
        ("REVOKED", "request another"),
        ("FAILED", "request another"),
        ("PENDING_VALIDATION", "wait until"),
        ("EXPIRED", "renew it"),
    ] {
        let cloud = Cloud::new().await;
        let root = root("Shop root").await;
        let arn = root.certificate(&["blue.apps.local"]).await;
        let said: &'static str = Box::leak(format!("\"Status\": \"{status}\"").into_boxed_str());
        cloud.proxy.fail("DescribeCertificate", &arn, Fault::Rewritten("\"Status\": \"ISSUED\"", said));
        cloud.create(node(&arn)).await.denies(&["1 problem", "MV406 acm-not-issued", status, words]);
    }
}

#[tokio::test]
async fn an_expired_certificate_is_refused_by_its_dates() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    let described =
        aws_sdk_acm::Client::new(&sdk(REGION).await).describe_certificate().certificate_arn(&arn).send().await;
    let ends = described.unwrap().certificate.unwrap().not_after.unwrap().secs();
    let from: &'static str = Box::leak(format!("\"NotAfter\": {ends}").into_boxed_str());
    cloud.proxy.fail("DescribeCertificate", &arn, Fault::Rewritten(from, "\"NotAfter\": 1700000000"));
    cloud.create(node(&arn)).await.denies(&["MV207 certificate-expired", "2023-11-14", "certificate has expired"]);
}

#[tokio::test]
async fn an_ec_key_is_warned_about() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    cloud.proxy.fail("DescribeCertificate", &arn, Fault::Rewritten("RSA_2048", "EC_prime256v1"));
    cloud.create(node(&arn)).await.warns(&["MV413", "EC_prime256v1"]);
}

#[tokio::test]
async fn another_region_is_refused_and_several_are_asked() {
    let cloud = Cloud::new().await;
    let there = sdk("us-east-1").await;
    let root = PrivateCa::root_at("American root", &there).await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    let response = cloud.create(node(&arn)).await;
    response.denies(&["1 problem", "MV402 acm-other-region", "us-east-1", "eu-west-1"]);
    let asked = cloud.proxy.seen();
    assert!(asked.iter().any(|seen| seen.authorization.contains("/us-east-1/acm/")), "{asked:?}");
    // The policy knows better where the mesh is.
    let policy = Policy::parse("aws: {region: us-east-1}").unwrap();
    cloud.policy.store(Arc::new(policy));
    cloud.create(node(&arn)).await.passes_silently();
}

#[tokio::test]
async fn another_account_is_refused_and_asked_by_the_role_that_the_policy_names() {
    const OTHER: &str = "444455556666";
    let role = format!("arn:aws:iam::{OTHER}:role/meshvet");
    // A certificate of the other account.
    let sts = aws_sdk_sts::Client::new(&sdk(REGION).await);
    let assumed = sts.assume_role().role_arn(&role).role_session_name("suite").send().await.unwrap();
    let keys = assumed.credentials.unwrap();
    let keys = aws_credential_types::Credentials::new(
        keys.access_key_id,
        keys.secret_access_key,
        Some(keys.session_token),
        None,
        "suite",
    );
    let there = sdk_as(REGION, aws_credential_types::provider::SharedCredentialsProvider::new(keys)).await;
    let root = PrivateCa::root_at("Their root", &there).await;
    let arn = root.certificate(&["green.apps.local"]).await;
    assert!(arn.contains(OTHER), "{arn}");

    // Without a role it can't be looked at.
    let cloud = Cloud::new().await;
    let response = cloud.create(node(&arn)).await;
    response.denies(&["MV403 acm-other-account", OTHER, ACCOUNT, "MV404 acm-not-found"]);

    let policy = format!("aws: {{account: '{OTHER}', accounts: [{{account: '{OTHER}', roleArn: '{role}'}}]}}");
    let cloud = Cloud::with(crate::cloud::pace(), &policy).await;
    let response = cloud.create(node(&arn)).await;
    response.denies(&["1 problem", "MV101", "DNS:green.apps.local"]);
    assert_eq!(cloud.proxy.counts().get("AssumeRole"), Some(&1), "{:?}", cloud.proxy.counts());
}

#[tokio::test]
async fn a_certificate_that_isnt_there_is_refused_after_two_answers() {
    let cloud = Cloud::new().await;
    let arn = format!("arn:aws:acm:{REGION}:{ACCOUNT}:certificate/00000000-0000-0000-0000-000000000000");
    cloud.create(node(&arn)).await.denies(&["1 problem", "MV404 acm-not-found", &arn]);
    assert_eq!(cloud.proxy.counts().get("DescribeCertificate"), Some(&2));
}

#[tokio::test]
async fn a_certificate_that_was_just_requested_passes() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    let missing = Fault::Answer(400, r#"{"__type": "ResourceNotFoundException", "message": "not yet"}"#.to_owned());
    cloud.proxy.fail_times("DescribeCertificate", &arn, missing, 1);
    cloud.create(node(&arn)).await.passes_silently();
    assert_eq!(cloud.proxy.counts().get("DescribeCertificate"), Some(&2));
}

#[tokio::test]
async fn an_arn_that_cant_be_one_is_refused_and_not_asked() {
    let cloud = Cloud::new().await;
    for (arn, word) in [("${CERTIFICATE_ARN}", "placeholder"), ("arn:aws:acm:eu-west-1:12:certificate/x", "\"12\"")] {
        cloud.create(node(arn)).await.denies(&["1 problem", "MV401 acm-arn-malformed", word]);
    }
    assert_eq!(cloud.proxy.counts().get("DescribeCertificate"), None);
}
