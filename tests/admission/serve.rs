//! `meshvet serve` as a process: how it starts, what it logs, how it ends. The cluster it is given is empty, or doesn't answer: what it
//! does with a real one is the cluster suite's.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use axum::http::Version;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::bed::{create, node};
use crate::client::{config, handshake, read, request, soon};
use crate::empty::EMPTY;

const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
current-context: nowhere
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
clusters: [{name: nowhere, cluster: {server: SERVER}}]
users: [{name: nobody, user: {token: hush-hush}}]
";

/// `meshvet serve` in a cluster without objects.
pub(crate) fn meshvet(folder: &Path, arguments: &[&str]) -> Command {
    meshvet_of(&format!("'http://{}'", *EMPTY), folder, arguments)
}

fn meshvet_of(server: &str, folder: &Path, arguments: &[&str]) -> Command {
    std::fs::write(folder.join("kubeconfig"), KUBECONFIG.replace("SERVER", server)).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshvet"));
    command.current_dir(folder).env_clear().arg("serve").args(["--kubeconfig", "kubeconfig"]).args(arguments);
    command
}

/// A running meshvet: ends when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) log: BufReader<ChildStderr>,
    lines: Vec<Value>,
}

impl Running {
    fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// With these arguments more.
    pub(crate) fn start_with(folder: &Path, more: &[&str]) -> Self {
        Self::start_in(&format!("'http://{}'", *EMPTY), folder, more)
    }

    fn start_in(server: &str, folder: &Path, more: &[&str]) -> Self {
        let usual = [
            "--listen=127.0.0.1:0",
            "--probe-listen=127.0.0.1:0",
            "--self-signed",
            "--dns-name=localhost",
            "--ca-bundle-file=ca.pem",
            "--drain-grace=50ms",
            "--log-format=json",
        ];
        let mut command = meshvet_of(server, folder, &[&usual, more].concat());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("meshvet starts");
        let log = BufReader::new(child.stderr.take().expect("its log"));
        Self { child, log, lines: Vec::new() }
    }

    /// The next log line with this message.
    #[track_caller]
    pub(crate) fn logs(&mut self, message: &str) -> Value {
        loop {
            let mut line = String::new();
            let read = self.log.read_line(&mut line).expect("a log");
            assert!(read > 0, "it ended without logging {message:?}: {:#?}", self.lines);
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            self.lines.push(line.clone());
            if line["message"] == message {
                return line;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn address(line: &Value, field: &str) -> SocketAddr {
    line[field].as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{field} of {line}"))
}

pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn it_is_not_ready_while_the_cluster_does_not_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut running = Running::start_in("'https://127.0.0.1:1'", folder.path(), &[]);
    let ready = get(address(&running.logs("serving"), "probes"), "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("not every Secret has been read yet"), "{ready}");
}

#[test]
fn a_clock_that_is_far_from_the_api_servers_is_told_and_not_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = format!("'http://{}'", crate::empty::dated("Sun, 01 Nov 2020 12:00:00 GMT"));
    let mut running = Running::start_in(&server, folder.path(), &[]);
    let probes = address(&running.logs("serving"), "probes");
    let told = running.logs("certificates are judged by a clock that differs: check the time service of the nodes");
    assert!(told["error"].as_str().is_some_and(|error| error.contains("s ahead of the API server's")), "{told}");
    let ready = get(probes, "/readyz");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("the clock is "), "{ready}");
    let metrics = get(probes, "/metrics");
    let figure = metrics.lines().find_map(|line| line.strip_prefix("meshvet_clock_difference_seconds "));
    assert!(figure.and_then(|seconds| seconds.parse::<i64>().ok()).is_some_and(|ahead| ahead > 86_400), "{metrics}");
}

#[test]
fn a_component_of_the_paths_is_asked_for_and_the_authorities_of_callers_can_be_used() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("empty"), "").expect("a file");
    for (arguments, words) in [
        (&["--path-secret=short"][..], "22 to 128 letters"),
        (&["--client-ca=empty"], "empty has no certificates of an authority"),
        (&["--client-ca=absent"], "absent: No such file"),
    ] {
        let output = meshvet(folder.path(), &[&["--self-signed"], arguments].concat()).output().expect("meshvet runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn it_tells_where_it_serves_and_what_it_said_and_ends_on_sigterm() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut running = Running::start(folder.path());
    let issued = running.logs("issued a serving certificate");
    let serving = running.logs("serving");
    let (reviews, probes) = (address(&serving, "address"), address(&serving, "probes"));

    let authority = std::fs::read_to_string(folder.path().join("ca.pem")).expect("the authority");
    assert_eq!(issued["ca_bundle"], STANDARD.encode(&authority));
    assert!(get(probes, "/livez").starts_with("HTTP/1.1 200"));

    let config = config(&authority, &["http/1.1"], rustls::ALL_VERSIONS);
    let stream = soon("a handshake", handshake(reviews, config)).await.expect("a handshake");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    let answer = soon("an answer", sender.send_request(request(Version::HTTP_11, &create(node())))).await;
    let (_, body) = read(answer.expect("an answer")).await;
    assert_eq!(body["response"]["allowed"], true, "what isn't known yet only warns: {body}");

    let verdict = running.logs("verdict");
    for (field, value) in [
        ("uid", "7f0c"),
        ("kind", "VirtualNode"),
        ("namespace", "shop"),
        ("name", "blue"),
        ("operation", "CREATE"),
        ("verdict", "warned"),
    ] {
        assert_eq!(verdict[field], value, "{verdict}");
    }
    assert_eq!((&verdict["allowed"], &verdict["dry_run"]), (&true.into(), &false.into()));
    assert!(verdict["rules"].as_str().is_some_and(|rules| rules.contains("MV203")), "{verdict}");
    assert!(verdict["millis"].is_number());
    let metrics = get(probes, "/metrics");
    assert!(metrics.contains("meshvet_reviews_total{kind=\"VirtualNode\",verdict=\"warned\"} 1"), "{metrics}");

    let kill = Command::new("sh").args(["-c", &format!("kill -TERM {}", running.child.id())]).status();
    assert!(kill.expect("sh runs").success());
    running.logs("stopped");
    assert_eq!(running.child.wait().expect("it ends").code(), Some(0));
    assert!(!format!("{:?}", running.lines).contains("hush-hush"));
}

#[test]
fn what_it_cant_start_with_is_told_and_ends_with_2() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("policy.yaml"), "severities: {MV999: warn}").expect("a file");
    std::fs::write(folder.path().join("empty"), "").expect("a file");
    for (arguments, words) in [
        (&["--self-signed", "--config=policy.yaml"][..], &["policy.yaml", "MV999"][..]),
        (&["--self-signed", "--config=absent.yaml"], &["absent.yaml"]),
        (&["--tls-cert=absent.crt", "--tls-key=empty"], &["absent.crt"]),
        (&["--tls-cert=empty", "--tls-key=empty"], &["empty", "no certificate chain"]),
        (&["--self-signed", "--log-level=info,,=x"], &["--log-level"]),
        (&["--self-signed", "--otlp-endpoint=collector"], &["--otlp-endpoint collector", "http://HOST:4318"]),
        (
            &["--self-signed", "--listen=127.0.0.1:0", "--probe-listen=127.0.0.1:0", "--context=elsewhere"],
            &["elsewhere"],
        ),
        (&[], &["--tls-cert"]),
    ] {
        let output = meshvet(folder.path(), arguments).output().expect("meshvet runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{arguments:?}: {said}");
    }
}

#[test]
fn ca_bundle_prints_what_a_webhook_configuration_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = crate::bed::AUTHORITY.pem();
    std::fs::write(folder.path().join("ca.crt"), &authority).expect("a file");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshvet"));
        command.current_dir(folder.path()).arg("ca-bundle").args(arguments).output().expect("meshvet runs")
    };
    let text = |output: &[u8]| String::from_utf8(output.to_vec()).expect("text");
    let bundle = text(&run(&["ca.crt"]).stdout);
    let decoded = text(&STANDARD.decode(bundle.trim_end()).expect("base64"));
    assert_eq!(decoded, authority.replace('\r', ""));
    let patch: Value = serde_json::from_slice(&run(&["ca.crt", "--patch", "a.dev"]).stdout).expect("JSON");
    assert_eq!(patch["webhooks"][0]["clientConfig"]["caBundle"], bundle.trim_end());
    assert_eq!(run(&["absent.crt"]).status.code(), Some(2));
}
