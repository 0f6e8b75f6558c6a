//! The log of the real program: nobody waits for whoever reads it, and what its reader misses is counted.

use std::io::{BufRead as _, Read as _};
use std::process::Command;

use axum::http::Version;
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use crate::client::{config, handshake, read, request, soon};
use crate::serve::{Running, address, get, meshvet};

/// Bytes in a name that no object has, so that few lines fill a buffer.
const LONG: usize = 8_000;
/// More than the pipe, the lines that wait and those on their way hold.
const MANY: usize = 600;

/// A review that is answered unjudged, and logged by its name.
fn review(name: &str) -> Value {
    json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": "7f0c", "kind": {"group": "example.com", "version": "v1", "kind": "Gadget"}, "name": name, "namespace": "shop",
        "operation": "CREATE", "userInfo": {"username": "somebody"}, "object": {}, "dryRun": false}})
}

async fn connect(running: &mut Running, folder: &std::path::Path) -> (http1::SendRequest<Full<Bytes>>, Value) {
    let serving = running.logs("serving");
    let authority = std::fs::read_to_string(folder.join("ca.pem")).expect("the authority");
    let config = config(&authority, &["http/1.1"], rustls::ALL_VERSIONS);
    let stream = soon("a handshake", handshake(address(&serving, "address"), config)).await.expect("a handshake");
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    (sender, serving)
}

async fn ask(sender: &mut http1::SendRequest<Full<Bytes>>, name: &str) {
    soon("it is ready", sender.ready()).await.expect("ready");
    let answer = soon("an answer", sender.send_request(request(Version::HTTP_11, &review(name)))).await;
    let (_, body) = read(answer.expect("an answer")).await;
    assert_eq!(body["response"]["allowed"], true, "{body}");
}

fn terminate(running: &Running) {
    let kill = Command::new("sh").args(["-c", &format!("kill -TERM {}", running.child.id())]).status();
    assert!(kill.expect("sh runs").success());
}

/// The rest of the log, to its end.
fn rest(running: &mut Running) -> String {
    let mut rest = String::new();
    running.log.read_to_string(&mut rest).expect("text");
    rest
}

fn verdicts(log: &str) -> usize {
    log.lines().filter(|line| line.contains("\"message\":\"verdict\"")).count()
}

fn dropped(serving: &Value) -> usize {
    let metrics = get(address(serving, "probes"), "/metrics");
    let line = metrics.lines().find_map(|line| line.strip_prefix("meshvet_log_lines_dropped_total "));
    line.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no such figure: {metrics}"))
}

#[tokio::test]
async fn the_end_loses_no_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut running = Running::start_with(folder.path(), &[]);
    let (mut sender, _) = connect(&mut running, folder.path()).await;
    for number in 0..100 {
        ask(&mut sender, &format!("gadget-{number}")).await;
    }
    terminate(&running);
    let log = rest(&mut running);
    assert_eq!(running.child.wait().expect("it ends").code(), Some(0));
    assert_eq!(verdicts(&log), 100, "{log}");
    assert!(log.lines().last().is_some_and(|line| line.contains("\"message\":\"stopped\"")), "{log}");
}

#[tokio::test]
async fn a_reader_that_hangs_delays_no_review_and_what_it_misses_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut running = Running::start_with(folder.path(), &[]);
    let (mut sender, serving) = connect(&mut running, folder.path()).await;
    running.logs("ready");
    assert_eq!(dropped(&serving), 0);
    let name = "x".repeat(LONG);
    for _ in 0..MANY {
        ask(&mut sender, &name).await;
    }
    let missed = dropped(&serving);
    assert!(missed > 0 && missed < MANY, "{missed}");
    // Read on, it writes on.
    terminate(&running);
    let log = rest(&mut running);
    assert_eq!(running.child.wait().expect("it ends").code(), Some(0));
    // On a slow machine a line or two of another kind may be among those missed.
    let told = verdicts(&log) + missed;
    assert!((MANY..MANY + 5).contains(&told), "all others are there: {told}");
}

#[tokio::test]
async fn a_reader_that_hangs_to_the_end_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut running = Running::start_with(folder.path(), &[]);
    let (mut sender, _) = connect(&mut running, folder.path()).await;
    let name = "x".repeat(LONG);
    for _ in 0..30 {
        ask(&mut sender, &name).await;
    }
    terminate(&running);
    let ended = tokio::task::spawn_blocking(move || running.child.wait().expect("it ends").code());
    assert_eq!(soon("its end", ended).await.expect("no panic"), Some(0));
}

#[test]
fn a_start_that_fails_says_all_that_it_logged_and_then_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = format!("--listen={}", taken.local_addr().expect("an address"));
    let usual = ["--self-signed", "--probe-listen=127.0.0.1:0", "--log-format=json"];
    let output = meshvet(folder.path(), &[&usual[..], &[&listen]].concat()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    let lines: Vec<_> = output.stderr.lines().map(|line| line.expect("text")).collect();
    let told = |words: &str| lines.iter().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{lines:#?}"));
    assert!(told("issued a serving certificate") < told("error: "), "{lines:#?}");
}
