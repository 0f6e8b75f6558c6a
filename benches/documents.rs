//! What `meshvet check` costs on 40,000 documents, 46 MB of YAML: 10,000 virtual nodes, services, Deployments and TLS Secrets, each
//! Secret with a leaf and a key of its own under three intermediates. As 400 files in a folder and as one stream, on one core and on
//! all: wall-clock time, processor time, and the most memory that was resident (VmHWM). Linux with `taskset`.
//!
//! `MESHVET_BENCH_OTHER` names another build to measure beside this one, `MESHVET_BENCH_PROGRAM` one to measure in place of this one,
//! `MESHVET_BENCH_NODES` another number of nodes.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "a benchmark that can't go on fails")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

const NODES: usize = 10_000;
/// Of each kind, in one file.
const IN_ONE_FILE: usize = 25;
/// Each measurement is the best of so many.
const RUNS: usize = 3;
/// The kernel counts processor time in hundredths of a second, on every platform it has for programs.
const TICK: Duration = Duration::from_millis(10);

/// What one run cost.
struct Cost {
    wall: Duration,
    processor: Duration,
    /// In KiB.
    resident: u64,
    output: Vec<u8>,
}

fn main() {
    // Without it, tests are run.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let nodes = std::env::var("MESHVET_BENCH_NODES").ok().and_then(|text| text.parse().ok()).unwrap_or(NODES);
    let folder = tempfile::tempdir().expect("a folder");
    let files = folder.path().join("files");
    let stream = folder.path().join("stream.yaml");
    let bytes = write(&files, &stream, nodes);
    let named = |variable| std::env::var_os(variable).map(PathBuf::from);
    let this = named("MESHVET_BENCH_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_meshvet").into());
    let mut programs = vec![("this build", this)];
    programs.extend(named("MESHVET_BENCH_OTHER").map(|path| ("the other", path)));
    println!("{} documents, {:.1} MB, best of {RUNS}", 4 * nodes, bytes as f64 / 1e6);
    println!("{:<12} {:<12} {:<6} {:>8} {:>8} {:>10}", "program", "input", "cores", "wall", "CPU", "VmHWM");
    let mut outputs: Vec<(bool, Vec<u8>)> = Vec::new();
    for (piped, input) in [(false, "folder"), (true, "one stream")] {
        for one_core in [true, false] {
            for (name, program) in &programs {
                let runs = (0..RUNS).map(|_| run(program, one_core, if piped { &stream } else { &files }, piped));
                let best = runs.min_by_key(|cost| cost.wall).expect("a run");
                println!(
                    "{name:<12} {input:<12} {:<6} {:>6.2} s {:>6.2} s {:>7.1} MB",
                    if one_core { "one" } else { "all" },
                    best.wall.as_secs_f64(),
                    best.processor.as_secs_f64(),
                    best.resident as f64 * 1024.0 / 1e6,
                );
                match outputs.iter().find(|(of_pipe, _)| *of_pipe == piped) {
                    Some((_, output)) => assert!(*output == best.output, "every run reports the same"),
                    None => outputs.push((piped, best.output)),
                }
            }
        }
    }
}

/// Runs a program over the documents.
fn run(program: &Path, one_core: bool, input: &Path, piped: bool) -> Cost {
    let mut command = match one_core {
        true => Command::new("taskset"),
        false => Command::new(program),
    };
    if one_core {
        command.args(["-c", "0"]).arg(program);
    }
    command.arg("check").arg(if piped { Path::new("-") } else { input }).args(["--color", "never", "-n", "shop"]);
    let output = tempfile::NamedTempFile::new().expect("a file");
    command.stdin(if piped { Stdio::from(File::open(input).expect("the stream")) } else { Stdio::null() });
    command.stdout(output.reopen().expect("the file")).stderr(Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().expect("it starts");
    let mut resident = 0;
    let processor = loop {
        // What has ended, and nobody waited for, still has its times, but no memory.
        let (state, processor) = times(child.id());
        if state == 'Z' {
            break processor;
        }
        resident = most_resident(child.id()).unwrap_or(resident);
        std::thread::sleep(Duration::from_millis(1));
    };
    let wall = began.elapsed();
    let status = child.wait().expect("it has ended");
    assert!(status.code().is_some_and(|code| code < 2), "{status}");
    Cost { wall, processor, resident, output: fs::read(output.path()).expect("the report") }
}

/// A process's state, and the processor time that it took.
fn times(process: u32) -> (char, Duration) {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).expect("a process");
    let (_, rest) = text.rsplit_once(") ").expect("its name in parentheses");
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u32>().ok()).expect("ticks");
    (rest.chars().next().expect("a state"), TICK * (ticks(11) + ticks(12)))
}

/// The most memory that has been resident, in KiB.
fn most_resident(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Writes the documents, as files and as one stream. Returns how many bytes they have.
fn write(files: &Path, stream: &Path, nodes: usize) -> usize {
    fs::create_dir(files).expect("a folder");
    let key = || KeyPair::generate().expect("a key");
    let root = CertifiedIssuer::self_signed(authority("bench root"), key()).expect("a root");
    let intermediates = ["one", "two", "three"]
        .map(|name| CertifiedIssuer::signed_by(authority(name), key(), &root).expect("an intermediate"));
    let bundle = STANDARD.encode(root.pem());
    let mut all = String::new();
    let numbers: Vec<usize> = (0..nodes).collect();
    for (number, some) in numbers.chunks(IN_ONE_FILE).enumerate() {
        let mut text = String::new();
        if number == 0 {
            text.push_str(MESH);
        }
        for &index in some {
            let intermediate = &intermediates[index % intermediates.len()];
            let mut params = CertificateParams::new(vec![host(index)]).expect("a name");
            params.use_authority_key_identifier_extension = true;
            params.not_before = SystemTime::now().into();
            params.not_after = in_days(90).into();
            let key = key();
            let leaf = params.signed_by(&key, intermediate).expect("a leaf");
            let chain = STANDARD.encode(format!("{}{}", leaf.pem(), intermediate.pem()));
            let key = STANDARD.encode(key.serialize_pem());
            write!(
                text,
                "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: node-{index}-tls\n  namespace: shop\n\
                 type: kubernetes.io/tls\ndata:\n  ca.crt: {bundle}\n  tls.crt: {chain}\n  tls.key: {key}\n"
            )
            .expect("text");
            text.push_str(
                &REST
                    .replace("HOST", &named(index))
                    .replace("NEXT", &(index + 1).to_string())
                    .replace("INDEX", &index.to_string()),
            );
        }
        fs::write(files.join(format!("{number:03}.yaml")), &text).expect("a file");
        all.push_str(&text);
    }
    fs::write(stream, &all).expect("a file");
    all.len()
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = SystemTime::now().into();
    params.not_after = in_days(3650).into();
    params
}

fn in_days(days: u32) -> SystemTime {
    SystemTime::now() + Duration::from_secs(24 * 60 * 60) * days
}

fn host(index: usize) -> String {
    format!("node-{index}.shop.svc.cluster.local")
}

/// What a node is called by: one in a hundred isn't what its certificate says, so that there is something to report.
fn named(index: usize) -> String {
    if index % 100 == 99 { format!("other-{index}.shop.svc.cluster.local") } else { host(index) }
}

const MESH: &str = "\
---
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels:
    mesh: bench
    appmesh.k8s.aws/sidecarInjectorWebhook: enabled
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: Mesh
metadata:
  name: bench
spec:
  namespaceSelector:
    matchLabels:
      mesh: bench
";

const REST: &str = "\
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata:
  name: node-INDEX
  namespace: shop
  labels:
    team: shop
spec:
  podSelector:
    matchLabels:
      app: node-INDEX
  listeners:
    - portMapping:
        port: 8443
        protocol: http
      healthCheck:
        protocol: http
        path: /ping
        healthyThreshold: 2
        unhealthyThreshold: 2
        timeoutMillis: 2000
        intervalMillis: 5000
        port: 8443
      tls:
        mode: STRICT
        certificate:
          file:
            certificateChain: /certs/tls.crt
            privateKey: /certs/tls.key
  backends:
    - virtualService:
        virtualServiceRef:
          name: node-NEXT
  backendDefaults:
    clientPolicy:
      tls:
        validation:
          trust:
            file:
              certificateChain: /certs/ca.crt
  serviceDiscovery:
    dns:
      hostname: HOST
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualService
metadata:
  name: node-INDEX
  namespace: shop
spec:
  provider:
    virtualNode:
      virtualNodeRef:
        name: node-INDEX
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: node-INDEX
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels:
      app: node-INDEX
  template:
    metadata:
      labels:
        app: node-INDEX
        team: shop
        version: v1
      annotations:
        appmesh.k8s.aws/secretMounts: node-INDEX-tls:/certs
    spec:
      containers:
        - name: app
          image: registry.example.com/shop/app:1.4.2
          ports:
            - containerPort: 8443
          resources:
            requests:
              cpu: 100m
              memory: 64Mi
";
