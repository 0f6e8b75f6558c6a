//! An Envoy that a controller configures.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::control_plane::spawn;
use crate::sandbox::{self, tail};

/// How long a proxy may take to be ready: it stops waiting for a Secret after 15 seconds.
const PATIENCE: Duration = Duration::from_secs(25);

/// A running Envoy: it ends when dropped.
pub(crate) struct Proxy {
    child: Child,
    admin: PathBuf,
    log: PathBuf,
}

impl Proxy {
    /// Starts one with this configuration, whose admin interface is at `admin` in `folder`, and waits until it has everything that it waits
    /// for, or has stopped waiting, or is given up.
    pub(crate) fn start(folder: &Path, configuration: &Path) -> Self {
        let envoy = std::env::var_os(sandbox::ENVOY).expect("called inside");
        let admin = folder.join("admin");
        let _ = std::fs::remove_file(&admin);
        let log = folder.join("envoy.log");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(envoy);
        command.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning", "--config-path"]);
        command.arg(configuration);
        let mut proxy = Self { child: spawn(command, &log), admin, log };
        // A proxy that never gets what it waits for may never be ready.
        let began = Instant::now();
        while began.elapsed() < PATIENCE && !proxy.is_ready() {
            if let Ok(Some(status)) = proxy.child.try_wait() {
                panic!("Envoy: {status}\n{}", tail(&proxy.log, 20));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        proxy
    }

    /// Waits until its listeners no longer change: a listener may wait for its Secret after the proxy is ready.
    pub(crate) fn settle(&self) {
        let began = Instant::now();
        let (mut last, mut since) = (String::new(), Instant::now());
        loop {
            let now = self.get("/listeners").unwrap_or_default() + &self.pending();
            if now != last {
                (last, since) = (now, Instant::now());
            }
            let quiet = since.elapsed() > Duration::from_millis(1500);
            if quiet || began.elapsed() > Duration::from_secs(60) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Whether it has its configuration and is ready.
    pub(crate) fn is_ready(&self) -> bool {
        self.get("/ready").is_ok_and(|answer| answer.contains("LIVE"))
    }

    /// How much is still missing.
    fn pending(&self) -> String {
        let statistics = self
            .get("/stats?filter=(total_listeners_warming|warming_clusters|update_success|update_rejected)")
            .unwrap_or_default();
        statistics.lines().filter(|line| !line.contains("runtime")).collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(&self.admin)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
