//! The wire: TLS, HTTP/1.1 with keep-alive, HTTP/2, and what strangers do to it.

use std::time::Duration;

use axum::http::{Version, header};
use hyper::client::conn::http1;
use meshvet::admission::Timeouts;
use meshvet::admission::listener::Limits;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bed::{Bed, MISNAMED, SOUND, create, node};
use crate::client::{Live, config, handshake, read, request, soon};

async fn live() -> Live {
    Live::start(Bed::serving(&MISNAMED), Limits::default()).await
}

#[tokio::test]
async fn http1_connections_are_kept_for_one_review_after_the_other() {
    let live = live().await;
    let mut sender = live.http1().await;
    for _ in 0..3 {
        soon("the connection", sender.ready()).await.expect("it is still open");
        let answer = soon("an answer", sender.send_request(request(Version::HTTP_11, &create(node())))).await;
        let (head, body) = read(answer.expect("an answer")).await;
        assert_eq!(head.status, 200);
        assert_eq!(head.version, Version::HTTP_11);
        assert_eq!(head.headers[header::CONTENT_TYPE], "application/json");
        assert!(!head.headers.contains_key(header::CONNECTION), "{:?}", head.headers);
        assert_eq!(body["response"]["status"]["code"], 403);
    }
}

#[tokio::test]
async fn http2_streams_are_answered_side_by_side() {
    let live = live().await;
    let (sender, _) = live.http2().await;
    let asked =
        (0..20).map(|_| {
            let mut sender = sender.clone();
            async move {
                read(sender.send_request(request(Version::HTTP_2, &create(node()))).await.expect("an answer")).await
            }
        });
    for (head, body) in soon("answers", futures::future::join_all(asked)).await {
        assert_eq!((head.status.as_u16(), head.version), (200, Version::HTTP_2));
        assert_eq!(body["response"]["allowed"], false);
    }
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_a_stranger_to_the_authority_is_not_served() {
    let live = live().await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = config(&live.authority, &["h2", "http/1.1"], &[version]);
        let stream = soon("a handshake", handshake(live.address, config)).await.expect("a handshake");
        let connection = stream.get_ref().1;
        assert_eq!(connection.protocol_version(), Some(version.version));
        assert_eq!(connection.alpn_protocol(), Some(&b"h2"[..]));
    }
    let other = Live::start(Bed::serving(&SOUND), Limits::default()).await;
    let config = config(&other.authority, &["http/1.1"], rustls::ALL_VERSIONS);
    let error = soon("a handshake", handshake(live.address, config)).await.expect_err("not its authority").to_string();
    assert!(error.contains("invalid peer certificate"), "{error}");
}

#[tokio::test]
async fn a_large_review_is_judged_and_one_too_large_is_told_so() {
    let live = live().await;
    let of_size = |bytes: usize| {
        let mut review = create(node());
        review["request"]["object"]["metadata"]["annotations"] = json!({"note": "x".repeat(bytes)});
        review
    };
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let send = async |review: Value| {
            let request = request(version, &review);
            let answer = match version {
                Version::HTTP_2 => live.http2().await.0.send_request(request).await,
                _ => live.http1().await.send_request(request).await,
            };
            read(answer.expect("an answer")).await
        };
        let (head, body) = soon("an answer", send(of_size(7_000_000))).await;
        assert_eq!((head.status.as_u16(), &body["response"]["allowed"]), (200, &json!(false)));
        let (head, body) = soon("an answer", send(of_size(10 * 1024 * 1024))).await;
        assert_eq!((head.status.as_u16(), &body["kind"]), (413, &json!("Status")));
    }
}

#[tokio::test]
async fn strangers_that_speak_no_tls_or_nothing_keep_nobody_from_being_served() {
    let live = live().await;
    let mut plain = TcpStream::connect(live.address).await.expect("a connection");
    plain.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("it is taken");
    let mut rest = Vec::new();
    let _ = soon("the end of a connection", plain.read_to_end(&mut rest)).await;
    let silent = TcpStream::connect(live.address).await.expect("a connection");
    let answer = live.http1().await.send_request(request(Version::HTTP_11, &create(node()))).await;
    assert_eq!(answer.expect("an answer").status(), 200);
    drop(silent);
    let counted = live.bed.metrics.encode();
    assert!(counted.contains("meshvet_tls_handshake_failures_total 1"), "{counted}");
}

#[tokio::test]
async fn who_keeps_the_server_waiting_is_let_go() {
    let short = Duration::from_millis(50);
    let timeouts = |idle, head| Timeouts { idle, head, tick: Duration::from_millis(10) };
    let long = Duration::from_secs(24 * 60 * 60);
    for (what, limits, sent) in [
        ("a handshake", Limits { handshake: short, ..Limits::default() }, None),
        (
            "a head",
            Limits { timeouts: timeouts(long, short), ..Limits::default() },
            Some("POST /validate HTTP/1.1\r\nHo"),
        ),
        ("an idle connection", Limits { timeouts: timeouts(short, long), ..Limits::default() }, Some("")),
    ] {
        let live = Live::start(Bed::serving(&SOUND), limits).await;
        let mut rest = Vec::new();
        match sent {
            None => {
                let mut stream = TcpStream::connect(live.address).await.expect("a connection");
                let _ = soon(what, stream.read_to_end(&mut rest)).await;
            }
            Some(sent) => {
                let mut stream = live.connect(&["http/1.1"]).await;
                stream.write_all(sent.as_bytes()).await.expect("it is taken");
                let _ = soon(what, stream.read_to_end(&mut rest)).await;
            }
        }
        assert_eq!(rest, b"", "{what}");
    }
}

#[tokio::test]
async fn beyond_the_limit_the_connection_ends_that_matters_least() {
    let live = Live::start(Bed::serving(&MISNAMED), Limits { connections: 2, ..Limits::default() }).await;
    let mut useful = live.http1().await;
    let ask = |sender: &mut http1::SendRequest<_>| sender.send_request(request(Version::HTTP_11, &create(node())));
    drop(read(soon("an answer", ask(&mut useful)).await.expect("an answer")).await);
    // Strangers one after the other: each takes the place of the one before it.
    let mut stranger = TcpStream::connect(live.address).await.expect("a connection");
    for _ in 0..3 {
        let another = live.connect(&["http/1.1"]).await;
        let _ = soon("the end of a connection", stranger.read_to_end(&mut Vec::new())).await;
        stranger = another.into_inner().0;
    }
    soon("the connection", useful.ready()).await.expect("it is still open");
    assert_eq!(soon("an answer", ask(&mut useful)).await.expect("an answer").status(), 200);
    let counted = live.bed.metrics.encode();
    assert!(counted.contains("meshvet_connections_displaced_total 3"), "{counted}");
}
