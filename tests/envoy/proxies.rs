//! Runs pairings through two real Envoys: one is the server of all, one the client of all.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::application::Applications;
use crate::config;
use crate::pairing::Pairing;

/// How long an Envoy may take to begin, to answer and to end: far longer than it does on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Pairings that share two Envoys.
const AT_ONCE: usize = 400;

/// What came of a pairing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The request came through.
    Works,
    /// It didn't: what the client's proxy answers, and why the server's says that the connection failed.
    Fails { client: String, server: Option<String> },
    /// A proxy refuses its configuration.
    Refused { by: Side, log: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// The folders of the pairings' files are the same for all runs of them, so that logs can be predicted.
pub(crate) struct Proxies {
    envoy: PathBuf,
}

impl Proxies {
    /// Finds Envoy, or says how to get it.
    pub(crate) fn find() -> Result<Self, String> {
        let parts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/parts");
        let run = Command::new(parts).arg("envoy").stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = run.map_err(|error| format!("scripts/parts can't be run: {error}"))?;
        if !output.status.success() {
            return Err("there is no Envoy: what is missing stands above".to_owned());
        }
        Ok(Self { envoy: PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()) })
    }

    /// Runs each pairing; the outcomes are in their order.
    pub(crate) fn run(&self, pairings: &[Pairing]) -> Vec<Outcome> {
        pairings.chunks(AT_ONCE).flat_map(|pairings| self.run_at_once(pairings)).collect()
    }

    fn run_at_once(&self, pairings: &[Pairing]) -> Vec<Outcome> {
        let folder = tempfile::Builder::new().prefix("meshvet-envoy-").tempdir().expect("a folder");
        let folder = folder.path();
        assert!(
            folder.as_os_str().len() < 80,
            "{} is too long for the sockets in it: set TMPDIR to a shorter one",
            folder.display()
        );
        write(folder, pairings);
        let _applications = Applications::start(folder, pairings);
        let server = Proxy::start(&self.envoy, folder, "server", &config::server(folder));
        let client = Proxy::start(&self.envoy, folder, "client", &config::client(folder));
        let [server, client] = [server, client].map(Proxy::ready);
        let answers = ask_all(folder, pairings.len());
        let server_log = server.end();
        let client_log = client.end();
        let refused = [
            (Side::Server, refused(&server_log, "lds: listener '")),
            (Side::Client, refused(&client_log, "cds: cluster '")),
        ];
        let access = std::fs::read_to_string(folder.join("access")).unwrap_or_default();
        let failures: BTreeMap<usize, &str> = access
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, reason)| *reason != "-")
            .filter_map(|(number, reason)| Some((number.parse().ok()?, reason)))
            .collect();
        let outcome = |(number, (status, body)): (usize, (u16, String))| {
            let log = refused.iter().find_map(|(by, logs)| Some((*by, logs.get(&number)?)));
            match (log, status) {
                (Some((by, log)), _) => {
                    Outcome::Refused { by, log: log.replace(&config::path(folder, number, ""), "") }
                }
                (None, 200) => Outcome::Works,
                // 502: what answers speaks no HTTP.
                (None, 502 | 503) => {
                    Outcome::Fails { client: body, server: failures.get(&number).map(|reason| (*reason).to_owned()) }
                }
                (None, status) => panic!("{}: {status} {body}", pairings[number].name),
            }
        };
        answers.into_iter().enumerate().map(outcome).collect()
    }
}

/// Writes the files of the pairings, and the resources that the proxies read.
fn write(folder: &Path, pairings: &[Pairing]) {
    let mut resources = [Vec::new(), Vec::new(), Vec::new()];
    for (number, pairing) in pairings.iter().enumerate() {
        for (file, content) in pairing.files() {
            if let Some(content) = content {
                std::fs::write(config::path(folder, number, file), content).expect("a file");
            }
        }
        let [listeners, applications, clusters] = &mut resources;
        let of_server = config::server_resources(folder, number, pairing);
        listeners.extend(of_server.0);
        applications.extend(of_server.1);
        clusters.push(config::cluster(folder, number, pairing));
    }
    for (file, resources) in ["listeners", "applications", "clusters"].into_iter().zip(resources) {
        std::fs::write(folder.join(file), json!({"resources": resources}).to_string()).expect("a file");
    }
}

/// The resources that a proxy's log says it refused, with the reason.
fn refused(log: &str, before: &str) -> BTreeMap<usize, String> {
    let refusal = |line: &str| {
        let (number, reason) = line.strip_prefix(before)?.split_once("' config rejected: ")?;
        Some((number.trim_end_matches(config::APPLICATION).parse().ok()?, reason.to_owned()))
    };
    log.lines().filter_map(refusal).collect()
}

/// A running Envoy.
struct Proxy {
    child: Child,
    folder: PathBuf,
    name: &'static str,
}

impl Proxy {
    fn start(envoy: &Path, folder: &Path, name: &'static str, config: &Value) -> Self {
        let file = folder.join(format!("{name}.json"));
        std::fs::write(&file, config.to_string()).expect("a file");
        // An Envoy ends with the suite, however that ends.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(envoy)
            .args(["--concurrency", "1", "--disable-hot-restart", "--file-flush-interval-msec", "100"])
            .args(["--log-level", "warning", "--log-format", "%v"])
            .arg("--log-path")
            .arg(folder.join(format!("{name}.log")))
            .arg("--config-path")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("setpriv runs: it is of util-linux");
        Self { child, folder: folder.to_owned(), name }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join(format!("{}.log", self.name))).unwrap_or_default()
    }

    /// Waits until it serves with what it was configured with.
    fn ready(mut self) -> Self {
        let began = Instant::now();
        let admin = self.folder.join(format!("{}.admin", self.name));
        while !get(&admin, "GET", "/ready", "").is_ok_and(|(status, _)| status == 200) {
            if let Some(status) = self.child.try_wait().expect("a process") {
                panic!("the {} ended with {status}: {}", self.name, self.log());
            }
            assert!(began.elapsed() < PATIENCE, "the {} isn't ready: {}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        self
    }

    /// Ends it in order, so that it writes its logs, and returns its own.
    fn end(mut self) -> String {
        let admin = self.folder.join(format!("{}.admin", self.name));
        let _answer = get(&admin, "POST", "/quitquitquit", "");
        let began = Instant::now();
        while self.child.try_wait().expect("a process").is_none() {
            assert!(began.elapsed() < PATIENCE, "the {} doesn't end: {}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        self.log()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Sends one request for each pairing, some at a time.
fn ask_all(folder: &Path, count: usize) -> Vec<(u16, String)> {
    const WORKERS: usize = 8;
    let next = AtomicUsize::new(0);
    let way_in = folder.join("in");
    let work = || {
        let mut answers = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return answers;
            }
            let header = format!("{}: {number}\r\n", config::PAIR);
            answers.push((number, get(&way_in, "GET", "/", &header).expect("the client's proxy answers")));
        }
    };
    let answers: BTreeMap<usize, (u16, String)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    answers.into_values().collect()
}

/// One request over HTTP 1.1: status and body.
fn get(socket: &Path, method: &str, path: &str, headers: &str) -> std::io::Result<(u16, String)> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: blue\r\nconnection: close\r\n{headers}\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or(std::io::ErrorKind::InvalidData)?, body.trim().to_owned()))
}
