//! What one review costs over TLS, in processor time of the server: meshvet against an axum and rustls echo of the same size, over
//! HTTP/1.1 with 16 connections that are kept, logs and metrics on. The aim: at most 1.7 times the echo.
//!
//! It is asked twice: with each connection asking as fast as it is answered, and with both servers asked at one rate. The first
//! favours whoever answers faster, whose client is never idle and never has to be woken by the kernel at the server's cost; the
//! second is what an API server does.
//!
//! The aim is not met, and at the first of the two it can't be: seven tenths of the echo are some ten microseconds, of which the log
//! line takes six, and reading the same review into nothing but a `serde_json::Value` takes twelve.
//!
//! Each server is a process of its own, so that its time can be told from the client's.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "a benchmark that can't go on fails")]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::Router;
use axum::http::{Request, header};
use axum::routing::post;
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
use meshvet::operate::metrics::Metrics;
use meshvet::policy::Policy;
use meshvet::sources::{NoReader, SharedWorld};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

#[path = "support/mesh.rs"]
mod mesh;

/// As the program itself has it; the echo has it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: usize = 16;
const REQUESTS: usize = 80_000;
/// The one rate: requests a second over all connections, and how many of them.
const RATE: f64 = 2_000.0;
const PACED: usize = 16_000;
const ROUNDS: usize = 5;
/// The aim, as a multiple of the echo.
const AIM: f64 = 1.7;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "server", which] => serve(which),
        // `cargo test` runs benches too, without this argument: nothing to test here.
        all if all.contains(&"--bench") => compare(),
        _ => {}
    }
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
        match which {
            "echo" => echo(listener, tls).await,
            _ => meshvet(listener, tls).await,
        }
    });
}

async fn meshvet(listener: TcpListener, tls: Arc<ServerConfig>) {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).json().flatten_event(true).init();
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

/// The plainest server that axum and rustls make: the body comes back, unread.
async fn echo(listener: TcpListener, tls: Arc<ServerConfig>) {
    let router: Router = Router::new().route("/validate", post(async |body: Bytes| body));
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

/// A server in a process of its own: ends when dropped.
struct Running {
    child: Child,
    address: SocketAddr,
    authority: Vec<u8>,
}

impl Running {
    fn start(which: &str) -> Self {
        let log = tempfile::tempfile().expect("a log");
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["server", which])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let (address, authority) = line.trim_end().split_once(' ').expect("address and authority");
        let (address, authority) = (address.parse().expect("an address"), STANDARD.decode(authority).expect("base64"));
        Self { child, address, authority }
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
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn load(server: &Running, body: &Bytes, requests: usize, rate: Option<f64>) {
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
                assert!(!denied, "the node is sound: {answer:?}");
            }
        })
    });
    for connection in connections.collect::<Vec<_>>() {
        connection.await.expect("no panic");
    }
}

fn compare() {
    let body = mesh::review(mesh::node(3), None);
    let runtime = runtime(1);
    let servers = [Running::start("echo"), Running::start("meshvet")];
    for server in &servers {
        runtime.block_on(load(server, &body, REQUESTS / 10, None));
    }
    println!(
        "{} bytes a review, {CONNECTIONS} connections of HTTP/1.1; the aim is at most {AIM} times the echo",
        body.len()
    );
    let round = |requests: usize, rate: Option<f64>| {
        let [echo, meshvet] = servers.each_ref().map(|server| {
            let (before, started) = (server.processor_time(), Instant::now());
            runtime.block_on(load(server, &body, requests, rate));
            let used = server.processor_time() - before;
            (used.as_secs_f64() * 1e6 / requests as f64, requests as f64 / started.elapsed().as_secs_f64())
        });
        let ratio = meshvet.0 / echo.0;
        println!(
            "echo {:.1} µs ({:.0}/s), meshvet {:.1} µs ({:.0}/s) of processor time a request: {ratio:.2}",
            echo.0, echo.1, meshvet.0, meshvet.1
        );
        ratio
    };
    for (what, requests, rate) in [("as fast as answered", REQUESTS, None), ("at one rate", PACED, Some(RATE))] {
        println!("{what}, {requests} requests a round:");
        let mut ratios = [(); ROUNDS].map(|()| round(requests, rate));
        ratios.sort_by(f64::total_cmp);
        println!("median: {:.2} times the echo", ratios[ROUNDS / 2]);
    }
}
