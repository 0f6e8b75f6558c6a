//! `meshvet serve` under siege: what strangers send takes neither its answers nor its memory.
//!
//! Each test starts the program, lets strangers do their worst, and asks sound reviews all the while, on a connection that is
//! kept and on fresh ones. Each is answered with its own verdict, and the memory stays below the limit of the chart.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::Version;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;

use crate::bed::{create, node};
use crate::client::{config, handshake, read, request, soon};
use crate::serve::{address, get, meshvet};

/// How long a siege lasts that has no end of its own.
const SIEGE: Duration = Duration::from_secs(4);
/// Sound reviews that are answered during a siege, at least.
const AT_LEAST: usize = 20;

/// A running meshvet, whose cluster is empty: it ends when dropped.
pub(crate) struct Fort {
    child: Child,
    address: SocketAddr,
    probes: SocketAddr,
    authority: String,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Fort {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let mut command = meshvet(
            folder.path(),
            &[
                "--listen=127.0.0.1:0",
                "--probe-listen=127.0.0.1:0",
                "--self-signed",
                "--dns-name=localhost",
                "--ca-bundle-file=ca.pem",
                "--log-format=json",
            ],
        );
        let child = command.stderr(File::create(&log).expect("a log")).spawn().expect("meshvet starts");
        let mut fort = Self {
            child,
            address: ([127, 0, 0, 1], 0).into(),
            probes: ([127, 0, 0, 1], 0).into(),
            authority: String::new(),
            log,
            _folder: folder,
        };
        let serving = soon("meshvet serves", async {
            loop {
                let lines = std::fs::read_to_string(&fort.log).unwrap_or_default();
                let serving = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                if let Some(line) = serving.into_iter().find(|line| line["message"] == "serving") {
                    return line;
                }
                assert!(matches!(fort.child.try_wait(), Ok(None)), "it ended:\n{lines}");
                sleep(Duration::from_millis(20)).await;
            }
        });
        let serving = serving.await;
        (fort.address, fort.probes) = (address(&serving, "address"), address(&serving, "probes"));
        fort.authority = std::fs::read_to_string(fort._folder.path().join("ca.pem")).expect("the authority");
        fort
    }

    pub(crate) async fn connect(&self, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
        handshake(self.address, config(&self.authority, &[protocol], rustls::ALL_VERSIONS)).await
    }

    pub(crate) async fn http1(&self) -> http1::SendRequest<http_body_util::Full<bytes::Bytes>> {
        let stream = soon("a handshake", self.connect("http/1.1")).await.expect("a handshake");
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
        tokio::spawn(connection);
        sender
    }

    /// Lets `strangers` do their worst, and asks sound reviews until they have ended; returns what became of the strangers.
    pub(crate) async fn under<T>(&self, strangers: impl Future<Output = T>) -> T {
        let over = AtomicBool::new(false);
        let siege = async {
            let outcome = timeout(Duration::from_secs(90), strangers).await.expect("the siege ends");
            over.store(true, Ordering::Relaxed);
            outcome
        };
        let sound = async {
            let mut kept = self.http1().await;
            let mut answered = 0;
            while !over.load(Ordering::Relaxed) || answered < AT_LEAST {
                asked(&mut kept, answered).await;
                asked(&mut self.http1().await, answered).await;
                answered += 2;
                sleep(Duration::from_millis(10)).await;
            }
            // Then nothing is left of it.
            asked(&mut kept, 0).await;
        };
        let (outcome, ()) = tokio::join!(siege, sound);
        let (limit, most) = (memory_limit(), self.memory());
        assert!(most < limit, "{} MiB of {} MiB", most >> 20, limit >> 20);
        println!("{} MiB of {} MiB at most", most >> 20, limit >> 20);
        outcome
    }

    /// The most memory that it ever had, in bytes.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes") * 1024
    }

    /// A figure of its metrics.
    fn counted(&self, name: &str) -> u64 {
        let metrics = get(self.probes, "/metrics");
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|figure| figure.parse().ok()).unwrap_or_else(|| panic!("no {name} in:\n{metrics}"))
    }
}

impl Drop for Fort {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the chart gives the container, in bytes.
fn memory_limit() -> u64 {
    let values = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/meshvet/values.yaml");
    let values: Value = serde_saphyr::from_str(&std::fs::read_to_string(values).expect("the chart")).expect("YAML");
    let limit = values["resources"]["limits"]["memory"].as_str().expect("a limit");
    limit.strip_suffix("Mi").and_then(|mebibytes| mebibytes.parse::<u64>().ok()).expect("mebibytes") << 20
}

/// Asks about a sound node or, at every other turn, about one that is refused whatever the cluster has.
async fn asked(sender: &mut http1::SendRequest<http_body_util::Full<bytes::Bytes>>, turn: usize) {
    let broken = turn % 4 > 1;
    let mut review = create(node());
    review["request"]["uid"] = format!("turn-{turn}").into();
    if broken {
        review["request"]["object"]["spec"]["listeners"][0]["tls"]["certificate"] = json!({});
    }
    soon("the connection", sender.ready()).await.expect("it is still open");
    let answer = soon("an answer", sender.send_request(request(Version::HTTP_11, &review))).await.expect("an answer");
    let (head, body) = read(answer).await;
    let response = &body["response"];
    assert_eq!((head.status.as_u16(), &response["uid"]), (200, &review["request"]["uid"]), "{body}");
    assert_eq!(response["allowed"], !broken, "{body}");
    let told = if broken { &response["status"]["message"] } else { &response["warnings"] }.to_string();
    assert!(told.contains(if broken { "MV004" } else { "MV203" }), "{body}");
}

async fn all<T>(many: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    futures::future::join_all(many).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_and_bodies_that_trickle_in_keep_nobody_waiting() {
    let fort = Fort::start().await;
    let trickle = async |begin: &'static str, piece: &'static [u8]| {
        let Ok(mut stream) = fort.connect("http/1.1").await else { return };
        let _ = timeout(SIEGE, async {
            stream.write_all(begin.as_bytes()).await?;
            loop {
                sleep(Duration::from_millis(100)).await;
                stream.write_all(piece).await?;
                stream.flush().await?;
            }
            #[expect(unreachable_code, reason = "says what the errors are")]
            Ok::<(), std::io::Error>(())
        })
        .await;
    };
    const BODY: &str = "POST /validate?timeout=30s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{";
    const CHUNKS: &str = "POST /validate?timeout=30s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const LONG: &str = "POST /validate?timeout=30s HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n{";
    fort.under(async {
        let heads = all((0..150).map(|_| trickle("POST /validate HTTP/1.1\r\nHo", b"s")));
        let bodies = all((0..150).map(|_| trickle(BODY, b" ")));
        let chunks = all((0..150).map(|_| trickle(CHUNKS, b"1\r\n \r\n")));
        let long = all((0..150).map(|_| trickle(LONG, &[b' '; 4096])));
        tokio::join!(heads, bodies, chunks, long);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_idle_connections_take_no_place_from_others() {
    // Of the test's own files; the program's limit is what it inherits.
    let own = std::process::id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &own, "--nofile=8192:"]).stdout(Stdio::null()).status();
    assert!(
        raised.expect("prlimit runs: install util-linux").success(),
        "raise the limit of open files: ulimit -n 8192"
    );
    let fort = Fort::start().await;
    fort.under(async {
        let mut idle = Vec::new();
        for _ in 0..40 {
            idle.extend(all((0..50).map(|_| fort.connect("http/1.1"))).await);
        }
        assert_eq!(idle.iter().filter(|connection| connection.is_ok()).count(), 2_000);
        assert!(fort.counted("meshvet_connections") <= 513, "bounded");
        assert!(fort.counted("meshvet_connections_displaced_total") > 1_000);
        sleep(Duration::from_secs(1)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_and_half_handshakes_are_let_go() {
    let fort = Fort::start().await;
    let send = async |bytes: Vec<u8>| {
        let Ok(mut stream) = TcpStream::connect(fort.address).await else { return };
        let _ = stream.write_all(&bytes).await;
        let _ = timeout(SIEGE, stream.read_to_end(&mut Vec::new())).await;
    };
    let noise = |seed: u64, length: usize| -> Vec<u8> {
        let mut state = seed;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        std::iter::repeat_with(next).take(length).collect()
    };
    fort.under(async {
        for round in 0..4 {
            // Noise, records that announce more than they bring, the beginning of a ClientHello, alerts, plain HTTP.
            let records = [
                noise(round, 4096),
                [&[0x16, 0x03, 0x01, 0x40, 0x00], &noise(round, 200)[..]].concat(),
                [&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03], &noise(round, 64)[..]].concat(),
                [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28].repeat(500),
                b"POST /validate HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
                vec![0; 100_000],
            ];
            all(records.iter().cycle().take(240).map(|bytes| send(bytes.clone()))).await;
        }
    })
    .await;
    assert!(fort.counted("meshvet_tls_handshake_failures_total") > 500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_a_hundred_megabytes_are_refused_before_they_are_held() {
    const LENGTH: usize = 100_000_000;
    let fort = Fort::start().await;
    let post = async |chunked: bool| {
        let mut stream = soon("a handshake", fort.connect("http/1.1")).await.expect("a handshake");
        let framing =
            if chunked { "Transfer-Encoding: chunked".to_owned() } else { format!("Content-Length: {LENGTH}") };
        let head = format!("POST /validate?timeout=30s HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n");
        let piece = vec![b' '; 50_000];
        let sent = async {
            stream.write_all(head.as_bytes()).await?;
            for _ in 0..LENGTH / piece.len() {
                if chunked {
                    stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
                }
                stream.write_all(&piece).await?;
                if chunked {
                    stream.write_all(b"\r\n").await?;
                }
            }
            Ok::<(), std::io::Error>(())
        };
        let all_of_it = sent.await.is_ok();
        let mut answer = Vec::new();
        let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        (all_of_it, String::from_utf8_lossy(&answer).into_owned())
    };
    let answers = fort
        .under(async {
            let mut answers = all((0..8).map(|_| post(false))).await;
            answers.extend(all((0..8).map(|_| post(true))).await);
            answers
        })
        .await;
    for (all_of_it, answer) in answers {
        assert!(!all_of_it, "nobody takes all of it");
        // A connection that ends under what is still sent may take the answer along.
        let refused = ["HTTP/1.1 413", "HTTP/1.1 503"].iter().any(|status| answer.starts_with(status));
        assert!(answer.is_empty() || refused, "{answer}");
    }
    // Those that told their length cost nothing; of the others as many were held as there is room for.
    assert!(fort.counted("meshvet_failures_total{cause=\"too-large\"}") >= 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_of_json_are_answered() {
    const SIZE: usize = 3 * 1024 * 1024;
    let fort = Fort::start().await;
    let filled = |open: &str, piece: &str, close: &str| {
        format!("{open}{}{close}", vec![piece; (SIZE - 2) / (piece.len() + 1)].join(","))
    };
    let keys: Vec<String> = (0..SIZE / 12).map(|key| format!("\"{key:07}\":0")).collect();
    let bombs = [
        format!("{}{}", "[".repeat(SIZE / 2), "]".repeat(SIZE / 2)),
        format!("{}1{}", "{\"a\":".repeat(SIZE / 6), "}".repeat(SIZE / 6)),
        filled("[", "{}", "]"),
        filled("[", "[]", "]"),
        filled("[", "0", "]"),
        filled("[", "{\"tls\":{}}", "]"),
        filled("{", "\"a\":0", "}"),
        format!("{{{}}}", keys.join(",")),
        "9".repeat(SIZE),
        format!("1e{}", "9".repeat(SIZE)),
        format!("\"{}\"", "\\u0000".repeat(SIZE / 6)),
        format!("\"{}\"", "é".repeat(SIZE / 2)),
    ];
    let places = ["/request/object/spec", "/request/object/spec/listeners", "/request/object/metadata", "/request/uid"];
    let drop_on = async |place: &str, bomb: &str| {
        let mut review = create(node());
        *review.pointer_mut(place).expect("a place") = "BOMB".into();
        let body = review.to_string().replace("\"BOMB\"", bomb);
        let mut stream = soon("a handshake", fort.connect("http/1.1")).await.expect("a handshake");
        let head = format!(
            "POST /validate?timeout=10s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.expect("it is taken");
        stream.write_all(body.as_bytes()).await.expect("it is taken");
        let mut answer = Vec::new();
        let _ = soon("an answer", stream.read_to_end(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let code = answer.get(9..12).unwrap_or_default().to_owned();
        // Judged, no review, or more than there was time for: never nothing, and no defect.
        assert!(["200", "400", "504"].contains(&&*code), "{place}, {}…: {answer}", &bomb[..20.min(bomb.len())]);
        assert!(answer.len() < 64 * 1024, "{place}: {} bytes", answer.len());
    };
    fort.under(async {
        for place in places {
            for some in bombs.chunks(4) {
                all(some.iter().map(|bomb| drop_on(place, bomb))).await;
            }
        }
    })
    .await;
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
// Kinds of frames, and flags (RFC 9113, section 6).
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The head of `POST /validate`, as HPACK has it.
fn head() -> Vec<u8> {
    [&[0x83, 0x87, 0x04, 9], &b"/validate"[..], &[0x01, 1, b'a']].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_http2_frames_end_or_are_taken_in_turn() {
    let fort = Fort::start().await;
    let settings = |payload: &[u8]| [PREFACE, &frame(SETTINGS, 0, 0, payload)].concat();
    let streams = || (0..50_000).map(|number| 2 * number + 1);
    let rapid_reset: Vec<Vec<u8>> = streams()
        .map(|stream| {
            let asked = frame(HEADERS, END_HEADERS, stream, &head());
            [asked, frame(RESET, 0, stream, &8_u32.to_be_bytes())].concat()
        })
        .collect();
    let asks: Vec<Vec<u8>> =
        streams().map(|stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, &head())).collect();
    let pings = vec![frame(PING, 0, 0, b"12345678"); 100_000];
    let changes = vec![frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9]); 100_000];
    let empty = vec![frame(SETTINGS, 0, 0, &[]); 100_000];
    let mut endless = vec![frame(HEADERS, END_STREAM, 1, &head())];
    endless.extend(vec![frame(CONTINUATION, 0, 1, &[0x00, 1, b'b', 1, b'c'].repeat(100)); 100_000]);
    // A window of nothing: no answer can be sent.
    let no_window = settings(&[0, 4, 0, 0, 0, 0]);
    let flood = async |begin: Vec<u8>, frames: &[Vec<u8>], reads: bool| {
        let Ok(stream) = fort.connect("h2").await else { return };
        let (mut from, mut to) = tokio::io::split(stream);
        let write = async {
            to.write_all(&begin).await?;
            for some in frames.chunks(64) {
                to.write_all(&some.concat()).await?;
            }
            to.flush().await
        };
        let drain = async {
            let mut buffer = vec![0; 64 * 1024];
            while reads && from.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
            if !reads {
                std::future::pending::<()>().await;
            }
        };
        let _ = timeout(SIEGE, async {
            tokio::select! {
                _ = write => sleep(SIEGE).await,
                () = drain => {}
            }
        })
        .await;
    };
    fort.under(async {
        for reads in [true, false] {
            let all_of: [(Vec<u8>, &[Vec<u8>]); 6] = [
                (settings(&[]), &rapid_reset),
                (no_window.clone(), &asks),
                (settings(&[]), &pings),
                (settings(&[]), &changes),
                (settings(&[]), &empty),
                (settings(&[]), &endless),
            ];
            all(all_of.iter().cycle().take(24).map(|(begin, frames)| flood(begin.clone(), frames, reads))).await;
        }
    })
    .await;
}
