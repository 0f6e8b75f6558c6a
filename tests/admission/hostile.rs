//! Bad input gets a clear answer, and nothing is lost.

use axum::body::Body;
use axum::http::{Method, Request};
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};

use crate::bed::{Bed, MISNAMED, SOUND, create, node, update};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn what_is_no_review_is_a_clean_400() {
    let bed = Bed::serving(&SOUND);
    let edited = |edit: fn(&mut Value)| {
        let mut review = create(node());
        edit(&mut review);
        review.to_string().into_bytes()
    };
    let whole = edited(|_| ());
    let mut not_utf8 = whole.clone();
    let at = not_utf8.windows(4).position(|window| window == b"blue").expect("the name");
    not_utf8[at] = 0xff;
    for (body, words) in [
        (Vec::new(), &["empty", "AdmissionReview of admission.k8s.io/v1"][..]),
        (whole[..whole.len() / 2].to_vec(), &["EOF"]),
        (not_utf8, &["unicode"]),
        (b"kind: AdmissionReview\n".to_vec(), &["expected value"]),
        (edited(|it| it["apiVersion"] = "admission.k8s.io/v1beta1".into()), &["v1beta1", "admission.k8s.io/v1,"]),
        (edited(|it| it["kind"] = "Pod".into()), &["Pod"]),
        (node().to_string().into_bytes(), &["VirtualNode"]),
        (edited(|it| it["request"] = Value::Null), &["no request"]),
        (edited(|it| it["request"]["uid"] = Value::Null), &["string"]),
        (edited(|it| it["request"]["object"] = Value::Null), &["request.object"]),
    ] {
        bed.post(body).await.is_status(400, words);
    }
}

#[tokio::test]
async fn another_path_or_method_is_a_status_too() {
    let bed = Bed::serving(&SOUND);
    let request = |method: Method, path: &str| {
        Request::builder().method(method).uri(path).body(Body::empty()).expect("a request")
    };
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = bed.send(request(method.clone(), "/validate")).await;
        answer.is_status(405, &[method.as_str(), "POST"]);
        assert_eq!(answer.allow.as_ref().map(|allow| allow.as_bytes()), Some(&b"POST"[..]));
    }
    for path in ["/", "/validate/", "/mutate", "/metrics", "/validate%20"] {
        bed.send(request(Method::POST, path)).await.is_status(404, &["there is nothing here"]);
    }
}

/// A review of `bytes` bytes in all, most of it an annotation.
fn of_size(bytes: usize) -> String {
    let mut review = update(node(), node());
    let bare = review.to_string().len();
    review["request"]["object"]["metadata"]["annotations"] = json!({"note": "x".repeat(bytes - bare - 26)});
    review.to_string()
}

#[tokio::test]
async fn a_review_of_seven_mebibytes_is_judged_and_one_of_ten_is_not() {
    let bed = Bed::serving(&MISNAMED);
    let large = of_size(7 * MIB);
    assert!((7 * MIB - 64..=7 * MIB).contains(&large.len()), "{}", large.len());
    let answer = bed.post(large).await;
    assert_eq!((answer.code, &answer.json["response"]["allowed"]), (200, &json!(true)), "{}", answer.json);

    bed.post(of_size(10 * MIB)).await.is_status(413, &["8 MiB"]);
}

#[tokio::test]
async fn a_body_that_does_not_tell_its_length_is_cut_off() {
    let bed = Bed::serving(&SOUND);
    let piece = Bytes::from(vec![b' '; MIB]);
    let endless = stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
    bed.post(Body::from_stream(endless)).await.is_status(413, &["8 MiB"]);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_status() {
    let bed = Bed::serving(&SOUND);
    let pieces = [Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("the line went dead"))];
    bed.post(Body::from_stream(stream::iter(pieces))).await.is_status(400, &["cut off"]);
}

#[tokio::test]
async fn ten_thousand_listeners_are_judged_and_told_in_few_words() {
    let bed = Bed::serving(&MISNAMED);
    let mut many = node();
    let listener = many["spec"]["listeners"][0].clone();
    let listeners: Vec<Value> = (1..=10_000)
        .map(|port| {
            let mut listener = listener.clone();
            listener["portMapping"]["port"] = port.into();
            listener
        })
        .collect();
    many["spec"]["listeners"] = listeners.into();
    let response = bed.ask(&create(many.clone())).await;
    response.denies(&["10000 problems", "and 9990 more: MV101"]);
    assert!(response.message().len() < 16 * 1024, "{} bytes", response.message().len());
    assert!(response.0["status"]["details"]["causes"].as_array().is_some_and(|causes| causes.len() <= 20));

    let response = bed.ask(&update(many.clone(), many)).await;
    response.warns(&["MV101", "as before"]);
    let length: usize = response.warnings().iter().map(|line| line.chars().count()).sum();
    assert!(length <= 3_000, "{length}");
    response.warns(&["more: MV101"]);
}

#[tokio::test]
async fn nesting_without_end_is_answered() {
    let bed = Bed::serving(&SOUND);
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    for nested in [deep("[", "]"), deep("{\"a\":", "}").replace(":}", ":1}"), "[".repeat(100_000)] {
        for place in ["/request/object", "/request/object/spec", "/request/object/spec/listeners", "/request/userInfo"]
        {
            let mut review = create(node());
            *review.pointer_mut(place).expect("a place") = "NESTED".into();
            let answer = bed.post(review.to_string().replace("\"NESTED\"", &nested)).await;
            match answer.code {
                400 => answer.is_status(400, &["AdmissionReview"]),
                code => assert_eq!(code, 200, "{place}: {}", answer.json),
            }
        }
    }
}

#[tokio::test]
async fn text_of_a_stranger_stays_on_one_line_of_a_warning() {
    let bed = Bed::serving(&SOUND);
    let mut odd = node();
    odd["metadata"]["annotations"] = json!({"meshvet.dev/ignore": "MV\u{1b}[2J\nWarning: all is well=x"});
    odd["spec"]["a\u{7}\nb"] = 1.into();
    let response = bed.ask(&create(odd)).await;
    response.warns(&["MV001"]);
    assert!(!response.0["warnings"].to_string().contains("\\u00"));
}
