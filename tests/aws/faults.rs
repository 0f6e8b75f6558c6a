//! What goes wrong between meshvet and AWS: each gets its finding within the deadline, and the next review is right again.

use std::time::Duration;

use meshvet::operate::metrics::Metrics;
use meshvet::sources::AwsReader as _;

use crate::cloud::{Cloud, node, root, trusting};
use crate::proxy::Fault;

/// This fault of DescribeCertificate gives a warning with these words, and none once it is over.
async fn warned(fault: Fault, words: &[&str]) {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    cloud.proxy.fail("DescribeCertificate", &arn, fault);
    // The answer comes within the request's own time: the bed waits a minute for it, the API server wouldn't.
    let asked = cloud.create_within(4, node(&arn));
    let response = tokio::time::timeout(Duration::from_secs(4), asked).await.expect("an answer in time");
    response.warns(&[&["MV408"], words].concat());
    cloud.proxy.heal();
    sound_again(&cloud, &arn).await;
}

/// The cache heals by itself.
async fn sound_again(cloud: &Cloud, arn: &str) {
    for _ in 0..200 {
        let response = cloud.create(node(arn)).await;
        if response.warnings().is_empty() {
            response.passes_silently();
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the cache doesn't heal");
}

#[tokio::test]
async fn throttling_is_told() {
    warned(Fault::Throttled, &["acm:DescribeCertificate was throttled"]).await;
}

#[tokio::test]
async fn throttling_that_passes_is_met_with_patience() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    cloud.proxy.fail_times("DescribeCertificate", &arn, Fault::Throttled, 2);
    cloud.create(node(&arn)).await.passes_silently();
}

#[tokio::test]
async fn a_denied_call_names_the_permission_and_the_principal() {
    warned(Fault::Denied, &["acm:DescribeCertificate is denied to arn:aws:sts::111122223333:assumed-role/meshvet/pod"])
        .await;
}

#[tokio::test]
async fn silence_is_told_at_the_deadline() {
    warned(Fault::Hang, &["acm:DescribeCertificate was not answered in time"]).await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_told() {
    warned(Fault::Reset, &["acm:DescribeCertificate"]).await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_told() {
    warned(Fault::Cut, &["acm:DescribeCertificate"]).await;
}

#[tokio::test]
async fn a_page_of_html_is_told_as_what_it_is() {
    warned(Fault::Html, &["acm:DescribeCertificate failed", "(HTTP 500)"]).await;
}

#[tokio::test]
async fn an_answer_without_a_certificate_is_told() {
    warned(Fault::Answer(200, "{}".to_owned()), &["acm:DescribeCertificate failed", "without a certificate"]).await;
    warned(Fault::Answer(200, r#"{"Certificate": {}}"#.to_owned()), &["acm:DescribeCertificate failed"]).await;
    warned(Fault::Answer(200, "[1".to_owned()), &["acm:DescribeCertificate failed", "can't be read"]).await;
}

#[tokio::test]
async fn a_slow_answer_is_there_for_the_next_review() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    cloud.proxy.fail_times("DescribeCertificate", &arn, Fault::Slow(Duration::from_secs(2)), 1);
    cloud.create_within(2, node(&arn)).await.warns(&["MV408", "not answered in time"]);
    // The call went on without the review that began it: nobody asks again.
    cloud.create(node(&arn)).await.passes_silently();
    assert_eq!(cloud.proxy.counts().get("DescribeCertificate"), Some(&1));
}

#[tokio::test]
async fn the_call_of_an_authority_that_failed_is_named() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    cloud.proxy.fail("DescribeCertificateAuthority", &root.arn, Fault::Denied);
    cloud.create(node(&arn)).await.warns(&["MV408", "acm-pca:DescribeCertificateAuthority is denied to"]);
    cloud.proxy.heal();
    cloud.proxy.fail("GetCertificateAuthorityCertificate", &root.arn, Fault::Hang);
    tokio::time::sleep(crate::cloud::pace().keep_doubtful * 2).await;
    let response = cloud.create_within(2, trusting(node(&arn), &[&root.arn])).await;
    response.warns(&["MV408", "acm-pca:GetCertificateAuthorityCertificate was not answered"]);
}

#[tokio::test]
async fn what_aws_says_of_one_certificate_holds_though_another_is_silent() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let (wrong, silent) = (root.certificate(&["green.apps.local"]).await, root.certificate(&["blue.apps.local"]).await);
    cloud.proxy.fail("DescribeCertificate", &silent, Fault::Hang);
    let mut both = node(&wrong);
    let mut second = both["spec"]["listeners"][0].clone();
    second["portMapping"]["port"] = 9443.into();
    second["tls"]["certificate"]["acm"]["certificateARN"] = silent.into();
    both["spec"]["listeners"].as_array_mut().unwrap().push(second);
    let response = cloud.create_within(3, both).await;
    response.denies(&["1 problem", "MV101", "spec.listeners[0]"]);
    assert!(response.warnings().iter().any(|line| line.contains("MV408")), "{:?}", response.warnings());
}

#[tokio::test]
async fn without_an_account_the_call_that_would_tell_it_is_named() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    cloud.proxy.fail("GetCallerIdentity", "", Fault::Answer(403, "<ErrorResponse/>".to_owned()));
    cloud.create(node(&arn)).await.warns(&["MV408", "the node's account is unknown", "sts:GetCallerIdentity"]);
}

#[tokio::test]
async fn calls_are_counted_by_how_they_went() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let [sound, denied] = [root.certificate(&["blue.apps.local"]).await, root.certificate(&["blue.apps.local"]).await];
    cloud.proxy.fail("DescribeCertificate", &denied, Fault::Denied);
    cloud.create(node(&sound)).await.passes_silently();
    cloud.create(node(&denied)).await.warns(&["MV408"]);
    let metrics = Metrics::default();
    metrics.calls(&cloud.source.calls());
    let text = metrics.encode();
    for (operation, outcome) in [
        ("DescribeCertificate", "answered"),
        ("DescribeCertificate", "denied"),
        ("DescribeCertificateAuthority", "answered"),
        ("GetCertificateAuthorityCertificate", "answered"),
    ] {
        let line = format!("meshvet_aws_calls_total{{operation=\"{operation}\",outcome=\"{outcome}\"}} 1");
        assert!(text.lines().any(|told| told == line), "{line} is not in:\n{text}");
    }
    // Taken over again, nothing is counted twice.
    metrics.calls(&cloud.source.calls());
    assert_eq!(metrics.encode(), text);
}
