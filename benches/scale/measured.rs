//! Programs as processes of their own, with what the system says of them.

use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::sandbox;

/// The unit of /proc/PID/stat: `getconf CLK_TCK` is 100 on every Linux that meshvet runs on.
const TICKS_A_SECOND: f64 = 100.0;

/// What is measured.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// A meshvet; None: the bare watcher.
    meshvet: Option<PathBuf>,
}

impl Program {
    pub(crate) fn all() -> Vec<Self> {
        let before = std::env::var_os("MESHVET_BENCH_BEFORE").map(PathBuf::from);
        let mut all = vec![Self { name: "a bare watcher", meshvet: None }];
        all.extend(before.map(|path| Self { name: "meshvet before", meshvet: Some(path) }));
        all.push(Self { name: "meshvet", meshvet: Some(sandbox::meshvet()) });
        all
    }
}

/// A running program: ends when dropped.
pub(crate) struct Started {
    child: Child,
    proc: PathBuf,
    began: Instant,
    /// Where a meshvet answers probes.
    probes: Option<u16>,
    log: PathBuf,
}

impl Started {
    pub(crate) fn start(program: &Program, kubeconfig: &Path, folder: &Path) -> Self {
        static PORT: AtomicU16 = AtomicU16::new(30_000);
        let port = PORT.fetch_add(1, Ordering::Relaxed);
        let log = folder.join(format!("{port}.log"));
        let mut command = match &program.meshvet {
            Some(path) => {
                let mut command = Command::new(path);
                command
                    .args(["serve", "--self-signed", "--listen=127.0.0.1:0", "--log-level=warn", "--drain-grace=0s"])
                    .arg(format!("--probe-listen=127.0.0.1:{port}"))
                    .arg(format!("--kubeconfig={}", kubeconfig.display()))
                    .stdout(Stdio::null());
                command
            }
            None => {
                let mut command = Command::new(std::env::current_exe().expect("this program's path"));
                command.arg("bare").arg(kubeconfig).stdout(Stdio::piped());
                command
            }
        };
        let began = Instant::now();
        let child = command.stdin(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().expect("it starts");
        let proc = sandbox::proc_of(child.id());
        Self { child, proc, began, probes: program.meshvet.is_some().then_some(port), log }
    }

    /// Waits until it is ready; the seconds that it took, and those of the processor.
    pub(crate) fn until_ready(&mut self) -> (f64, f64) {
        match (self.probes, self.child.stdout.take()) {
            (Some(port), _) => {
                let deadline = Instant::now() + Duration::from_secs(600);
                while !is_ready(port) {
                    assert!(Instant::now() < deadline, "never ready\n{}", sandbox::tail(&self.log, 20));
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            (None, Some(output)) => {
                let mut line = String::new();
                BufReader::new(output).read_line(&mut line).expect("a line");
                assert!(line.starts_with("ready"), "{line}\n{}", sandbox::tail(&self.log, 20));
            }
            (None, None) => panic!("it is ready already"),
        }
        (self.began.elapsed().as_secs_f64(), self.cpu())
    }

    /// Waits until it has had nothing to do for two seconds.
    pub(crate) fn until_idle(&self) {
        loop {
            let before = self.cpu();
            std::thread::sleep(Duration::from_secs(2));
            if self.cpu() - before < 0.04 {
                return;
            }
        }
    }

    /// The seconds of processor time so far.
    fn cpu(&self) -> f64 {
        let stat = self.of_proc("stat");
        // The name of the program, in parentheses, may hold spaces. utime and stime are fields 14 and 15.
        let fields = stat.rsplit_once(')').expect("a name").1.split_whitespace().skip(11).take(2);
        fields.map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>() / TICKS_A_SECOND
    }

    /// VmRSS and VmHWM, in megabytes.
    pub(crate) fn memory(&self) -> (f64, f64) {
        let status = self.of_proc("status");
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
            let kibibytes: f64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
            kibibytes * 1024.0 / 1_000_000.0
        };
        (of("VmRSS"), of("VmHWM"))
    }

    fn of_proc(&self, file: &str) -> String {
        let read = std::fs::read_to_string(self.proc.join(file));
        read.unwrap_or_else(|error| panic!("it has ended: {error}\n{}", sandbox::tail(&self.log, 20)))
    }
}

impl Drop for Started {
    /// A meshvet ends regularly: one that counts how it runs writes that last.
    fn drop(&mut self) {
        let _ = match self.probes {
            Some(_) => Command::new("kill").arg(self.child.id().to_string()).status().map(drop),
            None => self.child.kill(),
        };
        let _ = self.child.wait();
    }
}

fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// What was measured of one program.
pub(crate) struct Measured {
    name: &'static str,
    /// Seconds until ready, and those of the processor, of each start.
    pub(crate) starts: Vec<(f64, f64)>,
    /// Memory now and at its peak, in megabytes: ready, rotated, deleted.
    pub(crate) memory: Vec<(f64, f64)>,
}

impl Measured {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, starts: Vec::new(), memory: Vec::new() }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let median = |of: fn(&(f64, f64)) -> f64| {
            let mut all: Vec<f64> = self.starts.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        write!(f, "{:16}{:>10.2}{:>10.2}", self.name, median(|start| start.0), median(|start| start.1))?;
        let [ready, rotated, deleted] = self.memory[..] else { panic!("three steps") };
        write!(f, "{:>11.1}{:>10.1}{:>11.1}{:>12.1}{:>11.1}", ready.0, ready.1, rotated.0, rotated.1, deleted.0)
    }
}
