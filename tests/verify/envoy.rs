//! A real Envoy with its admin interface on a port of its own choice.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than any start on a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program: `MESHVET_ENVOY`, or what `scripts/parts envoy` prints.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let parts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/parts");
    let output = Command::new(&parts).arg("envoy").stderr(Stdio::inherit()).output().expect("scripts/parts runs");
    assert!(output.status.success(), "there is no Envoy: see what scripts/parts says above");
    String::from_utf8(output.stdout).expect("a path").trim_end().into()
});

/// A running Envoy, ended when dropped.
pub(crate) struct Envoy {
    process: Child,
    folder: TempDir,
    admin: SocketAddr,
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Envoy {
    /// Starts with its admin interface at this address, with these files and static resources, whose paths are relative to the
    /// files' folder, and waits until its listeners are bound.
    pub(crate) fn start(admin: &Value, files: &[(&str, &str)], resources: &Value) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let configuration = json!({"admin": {"address": admin}, "static_resources": resources});
        fs::write(folder.path().join("envoy.json"), configuration.to_string()).expect("the configuration");
        let log = File::create(folder.path().join("log")).expect("a log");
        let process = Command::new(&*PROGRAM)
            .args(["-c", "envoy.json", "--use-dynamic-base-id", "--concurrency", "1", "-l", "warn"])
            .args(["--admin-address-path", "admin"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log"))
            .stderr(log)
            .spawn()
            .expect("Envoy starts");
        let mut envoy = Self { process, folder, admin: SocketAddr::from(([127, 0, 0, 1], 0)) };
        envoy.admin = envoy
            .wait("an admin port", |it| fs::read_to_string(it.folder.path().join("admin")).ok()?.trim().parse().ok());
        envoy.wait("readiness", |it| get(it.admin, "/ready").filter(|answer| answer.starts_with("HTTP/1.1 200")));
        envoy
    }

    /// What the command line takes.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.admin)
    }

    /// Where its only listener listens.
    pub(crate) fn listener(&self) -> SocketAddr {
        let answer = get(self.admin, "/listeners?format=json").expect("an answer");
        // The JSON alone: it comes in chunks, of which so short a one is the first and only.
        let (start, end) = (answer.find('{').expect("a body"), answer.rfind('}').expect("a body"));
        let listeners: Value = serde_json::from_str(&answer[start..=end]).expect("JSON");
        let address = &listeners["listener_statuses"][0]["local_address"]["socket_address"];
        format!("{}:{}", address["address"].as_str().expect("an address"), address["port_value"])
            .parse()
            .expect("an address")
    }

    /// Waits until something is there; says what Envoy logged when it ends or takes for ever.
    fn wait<T>(&mut self, what: &str, ready: impl Fn(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(value) = ready(self) {
                return value;
            }
            let ended = self.process.try_wait().expect("its state");
            if ended.is_some() || start.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                panic!("Envoy has no {what} ({ended:?}):\n{log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A socket address in Envoy's form.
pub(crate) fn loopback(port: u16) -> Value {
    address("127.0.0.1", port)
}

/// A socket address in Envoy's form.
pub(crate) fn address(host: &str, port: u16) -> Value {
    json!({"socket_address": {"address": host, "port_value": port}})
}

/// The whole answer to a GET, as it comes (Envoy refuses HTTP/1.0, so it may be chunked); None when there is none.
pub(crate) fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned()).filter(|answer| !answer.is_empty())
}
