//! What a cluster of 10, 1,000 and 10,000 virtual nodes costs `meshvet serve`: how long it takes until it is ready, what processor time
//! that takes, and how much memory it holds, then and after all Secrets were rotated and 1,000 objects deleted.
//!
//! A real kube-apiserver and etcd have as many virtual nodes, virtual services, Deployments and Secrets, each Secret with a leaf and a key
//! of its own, under three intermediates. Beside meshvet runs a bare watcher of the same kinds, which only counts their objects:
//! what the client library takes by itself. docs/performance.md has the tables.
//!
//! `MESHVET_BENCH_NODES=10,1000` restricts the sizes, `MESHVET_BENCH_STARTS` sets how often each is started (3 by default; the median
//! counts), and `MESHVET_BENCH_BEFORE=FILE` names another meshvet that is measured in the same run. `MESHVET_BIN` is the one under test.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that can't go on fails"
)]
#![allow(dead_code, reason = "shared with the suite `cluster`")]

#[path = "../../tests/cluster/control_plane.rs"]
mod control_plane;
#[path = "../../tests/cluster/kubectl.rs"]
mod kubectl;
#[path = "../../tests/cluster/sandbox.rs"]
mod sandbox;
#[path = "../../tests/support/mod.rs"]
mod support;

mod bare;
mod measured;
mod mesh;
mod mint;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::control_plane::ControlPlane;
use crate::measured::{Measured, Program, Started};
use crate::mesh::Mesh;
use crate::support::manifests;

/// As the program itself has it; the bare watcher has it too.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<mimalloc::MiMalloc> = zeroizing_alloc::ZeroAlloc(mimalloc::MiMalloc);

/// How long memory settles before it is read.
const SETTLE: Duration = Duration::from_secs(30);
/// The objects deleted at the end: a node, its service, its Deployment and its Secret are four.
const DELETED: usize = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "bare", kubeconfig] => {
            bare::watch(kubeconfig);
            ExitCode::SUCCESS
        }
        // `cargo test` runs benches too, without this argument: nothing to test here.
        all if all.contains(&"--bench") => sandbox::enter_with(&[("assets", sandbox::ASSETS)]).unwrap_or_else(compare),
        _ => ExitCode::SUCCESS,
    }
}

fn compare() -> ExitCode {
    let sizes = std::env::var("MESHVET_BENCH_NODES").unwrap_or_else(|_| "10,1000,10000".to_owned());
    let starts: usize = std::env::var("MESHVET_BENCH_STARTS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    println!("the median of {starts} starts; memory {} s after each step; MB of 1,000,000 bytes", SETTLE.as_secs());
    println!(
        "{:>7} {:16}{:>10}{:>10}{:>11}{:>10}{:>11}{:>12}{:>11}",
        "nodes", "", "ready, s", "CPU, s", "RSS, MB", "peak, MB", "rotated", "peak, MB", "deleted"
    );
    for size in sizes.split(',') {
        measure(size.trim().parse().expect("a number of nodes"), starts);
    }
    ExitCode::SUCCESS
}

fn measure(nodes: usize, starts: usize) {
    let plane = ControlPlane::start(&format!("scale-{nodes}"));
    let crds = manifests::list(meshvet::apis::appmesh::crd::custom_resource_definitions());
    plane.kubectl.apply(&crds, &["--server-side"]).succeeds();
    plane.kubectl.run(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"], "").succeeds();
    let kubeconfig = plane.folder().join("kubeconfig");
    let mesh = Mesh::new(&kubeconfig, nodes);
    let began = Instant::now();
    mesh.fill();
    eprintln!("{nodes} nodes written in {:.0} s", began.elapsed().as_secs_f64());

    let programs = Program::all();
    let mut measured: Vec<Measured> = programs.iter().map(|program| Measured::new(program.name)).collect();
    let mut running: Vec<Option<Started>> = programs.iter().map(|_| None).collect();
    for _ in 0..starts {
        for (place, program) in programs.iter().enumerate() {
            // One after another, each alone but for the last ones, which are idle.
            running[place] = None;
            let mut started = Started::start(program, &kubeconfig, plane.folder());
            measured[place].starts.push(started.until_ready());
            running[place] = Some(started);
        }
    }
    let mut look = |step: &str| {
        std::thread::sleep(SETTLE);
        for (measured, started) in measured.iter_mut().zip(&running) {
            let started = started.as_ref().expect("it runs");
            started.until_idle();
            measured.memory.push(started.memory());
        }
        eprintln!("{nodes} nodes: {step}");
    };
    look("ready");
    mesh.rotate();
    look("rotated");
    mesh.delete((DELETED / 4).min(nodes / 2));
    look("deleted");
    measured.iter().for_each(|measured| println!("{nodes:>7} {measured}"));
}
