//! Answers are kept, shared and refreshed.

use std::time::Duration;

use futures::future::join_all;
use meshvet::sources::aws::Pace;

use crate::bed;
use crate::cloud::{Cloud, node, pace, root};
use crate::proxy::Fault;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_reviews_of_twenty_certificates_make_twenty_calls() {
    let cloud = Cloud::with(Pace::default(), "").await;
    let root = root("Shop root").await;
    let mut arns = Vec::new();
    for _ in 0..20 {
        arns.push(root.certificate(&["blue.apps.local"]).await);
    }
    let bed = cloud.bed([]);
    let reviews: Vec<_> = (0..1_000).map(|number| bed::create(node(&arns[number % arns.len()]))).collect();
    for response in join_all(reviews.iter().map(|review| bed.ask(review))).await {
        response.passes_silently();
    }
    let counts = cloud.proxy.counts();
    assert_eq!(counts.get("DescribeCertificate"), Some(&20), "{counts:?}");
    assert_eq!(counts.get("DescribeCertificateAuthority"), Some(&1), "{counts:?}");
    assert_eq!(counts.get("GetCertificateAuthorityCertificate"), Some(&1), "{counts:?}");
    assert_eq!(counts.get("GetCallerIdentity"), Some(&1), "{counts:?}");
}

#[tokio::test]
async fn nothing_is_asked_for_objects_that_name_nothing_at_aws() {
    let cloud = Cloud::new().await;
    let mut plain = node("");
    plain["spec"]["listeners"] = serde_json::json!([{"portMapping": {"port": 8080, "protocol": "http"}}]);
    cloud.create(plain).await.passes_silently();
    assert!(cloud.proxy.seen().is_empty(), "{:?}", cloud.proxy.seen());
}

#[tokio::test]
async fn what_would_refuse_is_asked_again_soon() {
    let cloud = Cloud::new().await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    let pending = Fault::Rewritten("\"Status\": \"ISSUED\"", "\"Status\": \"PENDING_VALIDATION\"");
    cloud.proxy.fail_times("DescribeCertificate", &arn, pending, 1);
    cloud.create(node(&arn)).await.denies(&["MV406"]);
    tokio::time::sleep(pace().keep_doubtful * 2).await;
    cloud.create(node(&arn)).await.passes_silently();
}

#[tokio::test]
async fn an_answer_is_refreshed_in_the_background_and_a_failure_leaves_it() {
    let cloud = Cloud::with(Pace { fresh: Duration::ZERO, ..pace() }, "").await;
    let root = root("Shop root").await;
    let arn = root.certificate(&["blue.apps.local"]).await;
    cloud.create(node(&arn)).await.passes_silently();
    // Each review asks again behind its back; while AWS fails, what is known stands.
    cloud.proxy.fail("DescribeCertificate", &arn, Fault::Answer(400, r#"{"__type": "Odd"}"#.to_owned()));
    for _ in 0..5 {
        cloud.create(node(&arn)).await.passes_silently();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(cloud.proxy.counts()["DescribeCertificate"] >= 2, "{:?}", cloud.proxy.counts());
    // What AWS says now is told as soon as it has come.
    cloud.proxy.heal();
    cloud.proxy.fail("DescribeCertificate", &arn, Fault::Rewritten("blue.apps.local", "green.apps.local"));
    for _ in 0..200 {
        let response = cloud.create(node(&arn)).await;
        if response.0["allowed"] == false {
            response.denies(&["MV101", "DNS:green.apps.local"]);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the answer is never refreshed");
}

#[tokio::test]
async fn calls_are_held_back_to_the_rate() {
    let cloud =
        Cloud::with(Pace { per_second: 1, burst: 1, ..pace() }, "aws: {region: eu-west-1, account: '123456789012'}")
            .await;
    let root = root("Shop root").await;
    let mut many = node(&root.certificate(&["blue.apps.local"]).await);
    let listener = many["spec"]["listeners"][0].clone();
    for port in 9_000..9_029 {
        let mut listener = listener.clone();
        listener["portMapping"]["port"] = port.into();
        listener["tls"]["certificate"]["acm"]["certificateARN"] = root.certificate(&["blue.apps.local"]).await.into();
        many["spec"]["listeners"].as_array_mut().unwrap().push(listener);
    }
    // Thirty calls at one a second: the review can't wait for them.
    cloud.create_within(3, many).await.warns(&["MV408", "not answered in time"]);
    let counts = cloud.proxy.counts();
    assert!(counts["DescribeCertificate"] < 30, "{counts:?}");
}
