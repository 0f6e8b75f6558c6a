//! Moves the suite into namespaces of its own, and says where its parts and its files are.

use std::io::Read;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// Set inside: the folder for all the suite's files.
const WORK: &str = "MESHVET_CLUSTER_WORK";
/// Set inside: the folder with etcd, kube-apiserver and kubectl.
pub(crate) const ASSETS: &str = "MESHVET_CLUSTER_ASSETS";
/// Set inside: the program moto_server.
const MOTO: &str = "MESHVET_CLUSTER_MOTO";
/// Set inside: the program that is the kubelet's port-forward.
const KUBELET: &str = "MESHVET_CLUSTER_KUBELET";
/// Set inside: the package manager.
pub(crate) const HELM: &str = "MESHVET_CLUSTER_HELM";
/// Set inside: kube-controller-manager.
pub(crate) const CONTROLLERS: &str = "MESHVET_CLUSTER_CONTROLLERS";
/// Set inside: the folder with Gateway API's CustomResourceDefinitions.
pub(crate) const GATEWAY_CRDS: &str = "MESHVET_CLUSTER_GATEWAY_CRDS";
/// Set inside: the proxy, for `scripts/parts`.
pub(crate) const ENVOY: &str = "MESHVET_ENVOY";

/// Where the API server is, for everyone. 192.0.2.0/24 is set aside for examples, so it is nobody's.
pub(crate) const API_SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Runs this program again in namespaces of its own and returns its exit code; inside, `None`: go on.
pub(crate) fn enter() -> Option<ExitCode> {
    enter_with(&[
        ("assets", ASSETS),
        ("kubelet", KUBELET),
        ("helm", HELM),
        ("envoy", ENVOY),
        ("moto", MOTO),
        ("controllers", CONTROLLERS),
        ("gateway-crds", GATEWAY_CRDS),
    ])
}

/// The same, with these parts, each in a variable of the environment.
pub(crate) fn enter_with(parts: &[(&str, &str)]) -> Option<ExitCode> {
    enter_by(&["--map-root-user", "--net"], parts)
}

/// The same for root, who stays it: with mounts of its own, and in sight of its own processes alone.
#[allow(dead_code, reason = "for the suite `node`")]
pub(crate) fn enter_as_root(parts: &[(&str, &str)]) -> Option<ExitCode> {
    enter_by(&["--mount", "--propagation=private", "--mount-proc", "--net"], parts)
}

fn enter_by(namespaces: &[&str], parts: &[(&str, &str)]) -> Option<ExitCode> {
    if std::env::var_os(WORK).is_some() {
        end_with_the_outside();
        ip(&["link", "set", "lo", "up"]);
        ip(&["address", "add", &format!("{API_SERVER}/32"), "dev", "lo"]);
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/parts");
    let run = |part: &str| {
        let output = Command::new(&script)
            .arg(part)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .expect("scripts/parts runs");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // Outside, because inside nothing can be fetched. What is missing has been said by the script.
    let fetched = run("machine").and_then(|_| parts.iter().map(|(part, name)| Some((*name, run(part)?))).collect());
    let Some(fetched): Option<Vec<(&str, String)>> = fetched else { return Some(ExitCode::FAILURE) };
    let work = tempfile::Builder::new().prefix("meshvet-cluster-").tempdir().expect("a folder for the suite's files");
    // A namespace of processes too: when the suite ends, however it does, so do all that it started.
    let mut inside = Command::new("unshare")
        .args(namespaces)
        .args(["--pid", "--fork", "--kill-child"])
        .arg(std::env::current_exe().expect("this program's path"))
        .args(std::env::args_os().skip(1))
        .env(WORK, work.path())
        .envs(fetched)
        .stdin(Stdio::piped())
        .spawn()
        .expect("unshare runs");
    // Held open while this program lives; `wait` would close it.
    let _held = inside.stdin.take();
    let status = inside.wait().expect("the suite ends");
    Some(match status.code() {
        Some(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        None => ExitCode::FAILURE,
    })
}

/// The first process of a namespace ignores the signals it has no handler for: without this, Ctrl-C would leave the suite
/// running. The outside holds our standard input open for as long as it lives.
fn end_with_the_outside() {
    std::thread::spawn(|| {
        let mut nothing = [0; 1];
        while matches!(std::io::stdin().read(&mut nothing), Ok(n) if n > 0) {}
        eprintln!("\nthe suite's outside has ended: so does the suite");
        let _ = std::fs::remove_dir_all(work());
        std::process::exit(130);
    });
}

/// The folder for all the suite's files: removed when it ends.
pub(crate) fn work() -> PathBuf {
    PathBuf::from(std::env::var_os(WORK).expect("called inside"))
}

/// The folder with etcd, kube-apiserver and kubectl.
pub(crate) fn assets() -> PathBuf {
    PathBuf::from(std::env::var_os(ASSETS).expect("called inside"))
}

/// The server that stands in for AWS.
pub(crate) fn moto() -> PathBuf {
    PathBuf::from(std::env::var_os(MOTO).expect("called inside"))
}

/// The package manager.
pub(crate) fn helm() -> PathBuf {
    PathBuf::from(std::env::var_os(HELM).expect("called inside"))
}

/// Deployments' and all other controllers, in one program.
pub(crate) fn controllers() -> PathBuf {
    PathBuf::from(std::env::var_os(CONTROLLERS).expect("called inside"))
}

/// The folder with Gateway API's CustomResourceDefinitions.
pub(crate) fn gateway_crds() -> PathBuf {
    PathBuf::from(std::env::var_os(GATEWAY_CRDS).expect("called inside"))
}

/// The kubelet's port-forward.
pub(crate) fn kubelet() -> PathBuf {
    PathBuf::from(std::env::var_os(KUBELET).expect("called inside"))
}

/// The program under test. `MESHVET_BIN` puts another in its place, a release build say.
pub(crate) fn meshvet() -> PathBuf {
    std::env::var_os("MESHVET_BIN").map_or_else(|| env!("CARGO_BIN_EXE_meshvet").into(), PathBuf::from)
}

pub(crate) fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status();
    let status = status.expect("ip runs: install iproute2");
    assert!(status.success(), "ip {arguments:?}: {status}");
}

/// An address that no one else has, as a pod gets one.
pub(crate) fn pod_address() -> Ipv4Addr {
    static LAST: AtomicU8 = AtomicU8::new(1);
    let address = Ipv4Addr::new(192, 0, 2, LAST.fetch_add(1, Ordering::Relaxed) + 1);
    ip(&["address", "add", &format!("{address}/32"), "dev", "lo"]);
    address
}

/// Looks again and again until `look` returns something, and fails after a minute with what `look` said last.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) if Instant::now() > deadline => {
                panic!("{what}: not within a minute; last:\n{last}")
            }
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// The last lines of a log file.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    let kept = all.get(all.len().saturating_sub(lines)..).unwrap_or(&[]);
    format!("{}:\n{}", log.display(), kept.join("\n"))
}

/// The folder of a process that was started here in /proc, which is the one of the machine: processes have other numbers there than in
/// this namespace.
pub(crate) fn proc_of(process: u32) -> PathBuf {
    let namespace = |folder: &Path| std::fs::read_link(folder.join("ns/pid")).ok();
    let own = namespace(Path::new("/proc/self")).expect("a namespace of processes");
    let number = process.to_string();
    let is_it = |folder: &PathBuf| {
        let status = std::fs::read_to_string(folder.join("status")).unwrap_or_default();
        let inner = status.lines().find_map(|line| line.strip_prefix("NSpid:")?.split_whitespace().last());
        inner == Some(number.as_str()) && namespace(folder).as_ref() == Some(&own)
    };
    let mut folders = std::fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    folders.find(is_it).expect("it runs")
}
