//! What one review costs over TLS, in processor time of the server: meshvet against an axum and rustls echo of the same size, over
//! HTTP/1.1 with 16 connections that are kept, logs and metrics on. The gate: at most 2.6 times the echo. The aim: 2.2 times.
//!
//! Servers and client are pinned to a core each (by `taskset` of util-linux). Unpinned, threads wander and wake each other across
//! cores, at a cost that differs from server to server and from run to run: what is measured then is the scheduler.
//!
//! The servers differ by one part each, so that their differences say what a part costs. Each is a process of its own, so that its time
//! can be told from the client's; all of it counts, with the thread that writes the log.
//!
//! It is asked twice: with each connection asking as fast as it is answered, and with all servers asked at one rate. The first
//! favours whoever answers faster, whose client is never idle and never has to be woken by the kernel at the server's cost; the
//! second is what an API server does.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "a benchmark that can't go on fails")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::Router;
use axum::http::{Request, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use jiff::Timestamp;
use meshvet::admission::certificate::self_issued::self_issue;
use meshvet::admission::drain::Drain;
use meshvet::admission::listener::{Limits, Server, tls_config};
use meshvet::admission::server::router;
use meshvet::admission::service::Admission;
use meshvet::operate::log;
use meshvet::operate::metrics::Metrics;
use meshvet::policy::Policy;
use meshvet::sources::{NoReader, SharedWorld};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::{TlsAcceptor, TlsConnector};

#[path = "../support/mesh.rs"]
mod mesh;

/// As the program itself has it; the echo has it too.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<mimalloc::MiMalloc> = zeroizing_alloc::ZeroAlloc(mimalloc::MiMalloc);

const CONNECTIONS: usize = 16;
const REQUESTS: usize = 64_000;
/// The one rate: requests a second over all connections, and how many of them.
const RATE: f64 = 2_000.0;
const PACED: usize = 12_000;
/// How often each is asked, where `MESHVET_BENCH_ROUNDS` doesn't say.
const ROUNDS: usize = 5;
/// The gate and the aim, as multiples of the echo.
const GATE: f64 = 2.6;
const AIM: f64 = 2.2;
/// The cores of servers and client.
const SERVERS: &str = "0";
const CLIENT: &str = "1";

/// The servers, each with what it does.
const KINDS: [(&str, &str); 6] = [
    ("echo", "axum and rustls: the body comes back unread"),
    ("typed", "the same, the review read into a type and an answer written from one"),
    ("unjudged", "meshvet, a kind that it doesn't judge: HTTP, limits, envelope, metrics, log"),
    ("quiet", "meshvet, a sound virtual node, nothing logged"),
    ("denied", "meshvet, a virtual node whose certificate has another name"),
    ("meshvet", "meshvet, a sound virtual node"),
];

pub(crate) fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "server", which] => serve(which),
        [_, "client"] => compare(),
        // For whoever asks a server of this in another way, under valgrind or perf.
        [_, "body"] => std::io::stdout().write_all(&mesh::review(mesh::node(3), None)).expect("it can be printed"),
        // `cargo test` runs benches too, without this argument: nothing to test here.
        all if all.contains(&"--bench") => {
            let ended = pinned(CLIENT, &["client"]).status().expect("taskset, of util-linux");
            assert!(ended.success(), "{ended}");
        }
        _ => {}
    }
}

/// This program on a core of its own.
fn pinned(core: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(std::env::current_exe().expect("this program")).args(arguments);
    command
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().expect("a runtime")
}

/// Runs one of the servers, and says on standard output where it listens and what to trust.
fn serve(which: &str) {
    let issued = self_issue(&["localhost".to_owned()]).expect("a certificate");
    let tls = Arc::new(tls_config(Arc::new(issued.certificate)).expect("a configuration"));
    runtime(1).block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        println!("{address} {}", STANDARD.encode(issued.authority_pem));
        let mut ended = signal(SignalKind::terminate()).expect("signals");
        let serve = async {
            match which {
                "echo" => axum_server(listener, tls, post(async |body: Bytes| body)).await,
                "typed" => axum_server(listener, tls, post(typed)).await,
                _ => meshvet(listener, tls, which != "quiet").await,
            }
        };
        // A regular end: what was counted meanwhile for an optimized build is written then.
        tokio::select! {
            () = serve => {}
            _ = ended.recv() => {}
        }
    });
}

async fn meshvet(listener: TcpListener, tls: Arc<ServerConfig>, logs: bool) {
    let (_level, _flush) = log::start(log::Format::Json, if logs { "info" } else { "off" }, None).expect("a log");
    let (metrics, drain) = (Arc::new(Metrics::default()), Drain::default());
    let admission = Admission::new(
        SharedWorld::new(mesh::world(1_000)),
        Arc::new(NoReader),
        Arc::new(ArcSwap::from_pointee(Policy::default())),
        Arc::new(Timestamp::now),
        Arc::clone(&metrics),
    );
    let router = router(Arc::new(admission), drain.clone());
    Server { router, tls, drain, metrics, limits: Limits::default() }.serve(listener).await;
}

/// A review, as far as anybody reads it who judges objects of one kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    request: Asked,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    uid: String,
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "namespace")]
    _namespace: String,
    #[serde(rename = "operation")]
    _operation: String,
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "metadata")]
    _metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "annotations")]
    _annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    listeners: Vec<Listener>,
    #[serde(rename = "backends")]
    _backends: Vec<BTreeMap<String, Service>>,
    #[serde(rename = "podSelector")]
    _pod_selector: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(rename = "serviceDiscovery")]
    _service_discovery: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    #[serde(rename = "virtualServiceRef")]
    _virtual_service_ref: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listener {
    port_mapping: Port,
    #[serde(rename = "tls")]
    _tls: Tls,
}

#[derive(Deserialize)]
struct Port {
    port: u16,
    #[serde(rename = "protocol")]
    _protocol: String,
}

#[derive(Deserialize)]
struct Tls {
    #[serde(rename = "mode")]
    _mode: String,
    #[serde(rename = "certificate")]
    _certificate: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    api_version: &'static str,
    kind: &'static str,
    response: Verdict,
}

#[derive(Serialize)]
struct Verdict {
    uid: String,
    allowed: bool,
}

async fn typed(body: Bytes) -> Response {
    let review: Review = serde_json::from_slice(&body).expect("a review");
    let Asked { uid, object, .. } = review.request;
    let response = Verdict { uid, allowed: object.spec.listeners.iter().all(|it| it.port_mapping.port > 0) };
    let answer = Answered { api_version: "admission.k8s.io/v1", kind: "AdmissionReview", response };
    ([(header::CONTENT_TYPE, "application/json")], serde_json::to_vec(&answer).expect("JSON")).into_response()
}

/// The plainest server that axum and rustls make.
async fn axum_server(listener: TcpListener, tls: Arc<ServerConfig>, answer: MethodRouter) {
    let router: Router = Router::new().route("/validate", answer);
    let acceptor = TlsAcceptor::from(tls);
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            let stream = acceptor.accept(stream).await.expect("a handshake");
            let service = TowerToHyperService::new(router);
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// A file that goes when it is closed.
fn nameless_file() -> File {
    let path = std::env::temp_dir().join(format!("meshvet-load-{}", std::process::id()));
    let file = File::create(&path).expect("a file");
    std::fs::remove_file(&path).expect("its name");
    file
}

/// A server in a process of its own: ends when dropped.
struct Running {
    child: Child,
    address: SocketAddr,
    authority: Vec<u8>,
    /// Whether it is asked about what it refuses.
    denies: bool,
}

impl Running {
    fn start(which: &str) -> Self {
        let log = nameless_file();
        let mut child =
            pinned(SERVERS, &["server", which]).stdout(Stdio::piped()).stderr(log).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let (address, authority) = line.trim_end().split_once(' ').expect("address and authority");
        let (address, authority) = (address.parse().expect("an address"), STANDARD.decode(authority).expect("base64"));
        Self { child, address, authority, denies: which == "denied" }
    }

    /// Processor time so far, user and system, all threads.
    fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("Linux");
        let after_name = stat.rsplit_once(") ").expect("a name in parentheses").1;
        let ticks: u64 = after_name.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().expect("ticks")).sum();
        // A tick is a hundredth of a second on every Linux that there is (USER_HZ).
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Running {
    /// A regular end: a program that counts how it runs writes that last.
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

async fn load(server: &Running, body: &Bytes, requests: usize, rate: Option<f64>) {
    let denies = server.denies;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&server.authority).expect("PEM")).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let every = rate.map(|rate| Duration::from_secs_f64(CONNECTIONS as f64 / rate));
    let connections = (0..CONNECTIONS).map(|_| {
        let (connector, body, address) = (connector.clone(), body.clone(), server.address);
        tokio::spawn(async move {
            let stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            let name = ServerName::try_from("localhost").expect("a name");
            let stream = connector.connect(name, stream).await.expect("a handshake");
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
            tokio::spawn(connection);
            let mut pace = every.map(tokio::time::interval);
            for _ in 0..requests / CONNECTIONS {
                if let Some(pace) = &mut pace {
                    pace.tick().await;
                }
                let request = Request::post("/validate?timeout=10s")
                    .header(header::HOST, "localhost")
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(Full::new(body.clone()))
                    .expect("a request");
                sender.ready().await.expect("ready");
                let answer = sender.send_request(request).await.expect("an answer");
                assert_eq!(answer.status(), 200);
                let answer = answer.into_body().collect().await.expect("a body").to_bytes();
                // The echo's answer is the review itself, which says nothing of the kind.
                let denied = answer.windows(15).any(|window| window == b"\"allowed\":false");
                assert_eq!(denied, denies, "{answer:?}");
            }
        })
    });
    for connection in connections.collect::<Vec<_>>() {
        connection.await.expect("no panic");
    }
}

/// Microseconds of processor time a request took, and how many there were in a second.
type Round = (f64, f64);

fn compare() {
    let runtime = runtime(1);
    let sound = mesh::review(mesh::node(3), None);
    let mut other = mesh::node(3);
    other["kind"] = "Gadget".into();
    let bodies =
        [&sound, &sound, &mesh::review(other, None), &sound, &mesh::review(mesh::misnamed_node(3), None), &sound];
    let servers = KINDS.map(|(which, _)| Running::start(which));
    for (server, body) in servers.iter().zip(bodies) {
        runtime.block_on(load(server, body, REQUESTS / 8, None));
    }
    let rounds_each = std::env::var("MESHVET_BENCH_ROUNDS").map_or(ROUNDS, |text| text.parse().expect("a number"));
    println!(
        "{} bytes a review, {CONNECTIONS} connections of HTTP/1.1, servers on core {SERVERS}, the client on core {CLIENT}; \
         gate {GATE}, aim {AIM} times the echo",
        sound.len()
    );
    for (what, requests, rate) in [("as fast as answered", REQUESTS, None), ("at one rate", PACED, Some(RATE))] {
        let mut rounds = [const { Vec::new() }; KINDS.len()];
        for _ in 0..rounds_each {
            for ((server, body), rounds) in servers.iter().zip(bodies).zip(&mut rounds) {
                let (before, started) = (server.processor_time(), Instant::now());
                runtime.block_on(load(server, body, requests, rate));
                let used = server.processor_time() - before;
                rounds.push((
                    used.as_secs_f64() * 1e6 / requests as f64,
                    requests as f64 / started.elapsed().as_secs_f64(),
                ));
            }
        }
        table(&format!("{what}, the median of {rounds_each} rounds of {requests}"), rounds.map(median));
    }
}

fn median(mut rounds: Vec<Round>) -> Round {
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    rounds[rounds.len() / 2]
}

fn table(title: &str, rounds: [Round; KINDS.len()]) {
    println!("\n{title}:\n\n| server | µs | times the echo | a second | what it is |\n|---|---:|---:|---:|---|");
    let (echo, _) = rounds[0];
    for ((which, what), (took, rate)) in KINDS.iter().zip(rounds) {
        println!("| {which} | {took:.1} | {:.2} | {rate:.0} | {what} |", took / echo);
    }
    let [_, _, (unjudged, _), (quiet, _), _, (whole, _)] = rounds;
    println!(
        "\nof meshvet's {whole:.1} µs: {:.1} what an echo takes, {:.1} around the judgement, {:.1} reading the object and judging, {:.1} the log line",
        echo,
        unjudged - (whole - quiet) - echo,
        whole - unjudged,
        whole - quiet
    );
}
