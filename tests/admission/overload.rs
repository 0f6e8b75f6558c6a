//! More than the server takes on: an answer in time all the same, as the policy says.

use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use meshvet::admission::overload::{OnOverload, Overload};
use meshvet::mesh::SecretAccess;
use serde_json::{Value, json};

use crate::bed::{Answer, Bed, MISNAMED, create, node, post};
use crate::client::soon;
use crate::lifetime::Held;
use crate::support::manifests::{deployment, namespace, tls_secret};

/// A server of one review at a time, and what its reviews wait for.
fn narrow(answer: OnOverload) -> (Bed, Held) {
    let world =
        [namespace("shop"), deployment("shop", "blue", "blue-cert:/certs"), tls_secret("shop", "blue-cert", &MISNAMED)];
    let reader = Held::default();
    let bed = Bed::reading(world, SecretAccess::Complete, reader.clone());
    (bed.bounded(Overload { reviews: 1, answer, ..Overload::default() }), reader)
}

/// What a second review is told while the first is under way, and how long that took.
async fn second(bed: &Bed, reader: &Held, body: impl Into<Body>) -> (Answer, Duration) {
    let first = bed.post(create(node()).to_string());
    let second = async {
        soon("the first to be under way", reader.asked.acquire()).await.expect("open").forget();
        let started = Instant::now();
        let answer = bed.send(post("/validate?timeout=2s", body)).await;
        reader.released.add_permits(1);
        (answer, started.elapsed())
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.code, &first.json["response"]["allowed"]), (200, &json!(false)), "{}", first.json);
    second
}

#[tokio::test]
async fn a_review_without_a_turn_passes_with_a_warning() {
    let (bed, reader) = narrow(OnOverload::Allow);
    let (answer, took) = second(&bed, &reader, create(node()).to_string()).await;
    assert_eq!(answer.code, 200);
    let response = &answer.json["response"];
    assert_eq!((&response["uid"], &response["allowed"]), (&json!("7f0c"), &json!(true)));
    let warnings: Vec<&str> = response["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(matches!(warnings[..], [line] if line.contains("was not judged") && line.len() <= 120), "{warnings:?}");
    assert_eq!(response["auditAnnotations"], json!({"verdict": "overloaded"}));
    // The margin of `?timeout=` leaves a second of the two.
    assert!(took < Duration::from_secs(2), "{took:?}");
    let counted = bed.metrics.encode();
    assert!(counted.contains("meshvet_overloaded_total{answer=\"allowed\"} 1"), "{counted}");
}

#[tokio::test]
async fn a_review_without_a_turn_is_refused_where_the_policy_says_so() {
    let (bed, reader) = narrow(OnOverload::Refuse);
    let (answer, _) = second(&bed, &reader, create(node()).to_string()).await;
    assert_eq!(answer.code, 200);
    let response = &answer.json["response"];
    assert_eq!((&response["uid"], &response["allowed"]), (&json!("7f0c"), &json!(false)));
    let status = &response["status"];
    assert_eq!((&status["code"], &status["reason"]), (&json!(503), &json!("ServiceUnavailable")));
    assert!(status["message"].as_str().is_some_and(|text| text.contains("unjudged")), "{status}");
    // The API server would take that for a Retry-After.
    assert_eq!(status["details"], Value::Null);
    let counted = bed.metrics.encode();
    assert!(counted.contains("meshvet_overloaded_total{answer=\"refused\"} 1"), "{counted}");
}

#[tokio::test]
async fn what_is_no_review_is_told_so_even_then() {
    let (bed, reader) = narrow(OnOverload::Allow);
    let (answer, _) = second(&bed, &reader, "{}").await;
    answer.is_status(400, &["AdmissionReview", "request"]);
}

#[tokio::test]
async fn bodies_without_room_are_left_unread_and_said_to_be() {
    let bed = Bed::serving(&MISNAMED).bounded(Overload { body_bytes: 64 * 1024, ..Overload::default() });
    // Half of the room is taken by a body that doesn't go on.
    let begun = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 40 * 1024]))]).chain(stream::pending());
    let slow = bed.send(post("/validate?timeout=30s", Body::from_stream(begun)));
    let large = format!("{}{}", create(node()), " ".repeat(50 * 1024));
    let (small, large) = tokio::select! {
        biased;
        answer = slow => panic!("it doesn't end: {answer:?}"),
        answers = async {
            (bed.post(create(node()).to_string()).await, bed.send(post("/validate?timeout=1s", large)).await)
        } => answers,
    };
    assert_eq!(small.json["response"]["status"]["code"], 403, "there is room for this one");
    large.is_status(503, &["overloaded", "did not read"]);
    let counted = bed.metrics.encode();
    assert!(counted.contains("meshvet_overloaded_total{answer=\"unread\"} 1"), "{counted}");
}
