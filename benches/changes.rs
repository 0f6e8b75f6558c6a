//! What reviews of workloads and Secrets cost those who write them: 100 updates of Deployments and 100 of Secrets a second in meshed
//! namespaces of a real API server, for a minute without the webhook and for a minute with it, as the chart installs it.
//!
//! `MESHVET_BENCH_SECONDS` sets another length. Each update rotates a sound certificate for another, or changes a pod template, so that
//! none is let through by a condition.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that can't go on fails"
)]
#![allow(dead_code, unused_macros, reason = "shared with the suite `cluster`")]

#[path = "../tests/cluster/control_plane.rs"]
mod control_plane;
#[path = "../tests/cluster/install.rs"]
mod install;
#[path = "../tests/cluster/kubectl.rs"]
mod kubectl;
#[path = "../tests/cluster/release.rs"]
mod release;
#[path = "../tests/cluster/replica.rs"]
mod replica;
#[path = "../tests/cluster/sandbox.rs"]
mod sandbox;
#[path = "../tests/support/mod.rs"]
mod support;
#[path = "../tests/cluster/volume.rs"]
mod volume;
#[path = "../tests/cluster/world.rs"]
mod world;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::release::Release;
use crate::support::manifests::{deployment, list, namespace, tls_secret, virtual_node};
use crate::support::mint::{Authority, Issued};

const NAMESPACES: [&str; 5] = ["one", "two", "three", "four", "five"];
const NODES: usize = 100;
/// Of each kind, in a second.
const RATE: u32 = 100;

/// A node, and the two certificates that its Secret changes between.
struct Node {
    namespace: &'static str,
    name: String,
    certificates: [Issued; 2],
}

fn main() -> ExitCode {
    if let Some(code) = sandbox::enter() {
        return code;
    }
    let seconds = std::env::var("MESHVET_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let plane = ControlPlane::start("changes");
    world::install_crds(&plane);
    let nodes = mesh(&plane);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let without = runtime.block_on(update(&plane, &nodes, seconds));
    let release = Release::install(&plane, ("meshvet", "meshvet"), &["replicas=1"]);
    let installation = release.installation();
    let replica = installation.start("0");
    installation.route_to(&[&replica]);
    installation.wait_until_judging("default");
    let before = reviews(&replica);
    let with = runtime.block_on(update(&plane, &nodes, seconds));
    println!(
        "updates of {NODES} Deployments and {NODES} Secrets, {RATE} of each a second for {seconds} s; milliseconds"
    );
    println!("{:24}{:>8}{:>8}{:>8}{:>8}{:>9}", "", "p50", "p90", "p99", "max", "count");
    for (what, took) in [("without the webhook", without), ("with it", with)] {
        for (kind, mut took) in [("Deployments", took.0), ("Secrets", took.1)] {
            took.sort_unstable();
            let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_secs_f64() * 1000.0;
            let name = format!("{what}: {kind}");
            println!("{name:32}{:>8.1}{:>8.1}{:>8.1}{:>8.1}{:>9}", at(0.5), at(0.9), at(0.99), at(1.0), took.len());
        }
    }
    println!("reviews answered meanwhile: {}", reviews(&replica) - before);
    ExitCode::SUCCESS
}

/// Nodes that are sound by either certificate.
fn mesh(plane: &ControlPlane) -> Vec<Node> {
    let authority = Authority::new("Bench root");
    plane.kubectl.create(&list(NAMESPACES.map(namespace)), &[]).succeeds();
    let nodes: Vec<Node> = (0..NODES)
        .map(|number| {
            let (namespace, name) = (NAMESPACES[number % NAMESPACES.len()], format!("node-{number}"));
            let host = host(namespace, &name);
            let certificates = [0, 1].map(|_| authority.leaf(&[&host]).issue());
            Node { namespace, name, certificates }
        })
        .collect();
    let objects = nodes.iter().flat_map(|Node { namespace, name, certificates: [first, _] }| {
        let secret = format!("{name}-tls");
        [
            tls_secret(namespace, &secret, first),
            deployment(namespace, name, &format!("{secret}:/certs")),
            virtual_node(namespace, name, &host(namespace, name)),
        ]
    });
    plane.kubectl.create(&list(objects), &[]).succeeds();
    nodes
}

fn host(namespace: &str, name: &str) -> String {
    format!("{name}.{namespace}.svc.cluster.local")
}

/// Updates one after the other of each kind, at the rate; how long each took.
async fn update(plane: &ControlPlane, nodes: &[Node], seconds: u32) -> (Vec<Duration>, Vec<Duration>) {
    let kubeconfig = Kubeconfig::read_from(plane.folder().join("kubeconfig")).expect("a kubeconfig");
    let config =
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a configuration");
    let client = Client::try_from(config).expect("a client");
    let began = Instant::now();
    let (mut deployments, mut secrets) = (Vec::new(), Vec::new());
    for number in 0..RATE * seconds {
        let due = began + Duration::from_secs(1) * number / RATE;
        tokio::time::sleep_until(due.into()).await;
        let place = number as usize;
        let Node { namespace, name, certificates } = &nodes[place % nodes.len()];
        let issued = &certificates[(place / nodes.len() + 1) % 2];
        let secret: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let body = json!({"stringData": {"tls.crt": issued.certificate, "tls.key": issued.key}});
        secrets.push(tokio::spawn(patch(secret, format!("{name}-tls"), body)));
        let workload: Api<Deployment> = Api::namespaced(client.clone(), namespace);
        let body = json!({"spec": {"template": {"metadata": {"annotations": {"bench/turn": number.to_string()}}}}});
        deployments.push(tokio::spawn(patch(workload, name.clone(), body)));
    }
    let mut took = (Vec::new(), Vec::new());
    for write in deployments {
        took.0.push(write.await.expect("an update"));
    }
    for write in secrets {
        took.1.push(write.await.expect("an update"));
    }
    took
}

async fn patch<K>(api: Api<K>, name: String, body: Value) -> Duration
where
    K: Clone + serde::de::DeserializeOwned + std::fmt::Debug,
{
    let began = Instant::now();
    api.patch(&name, &PatchParams::default(), &Patch::Merge(body)).await.expect("every update passes");
    began.elapsed()
}

fn reviews(replica: &replica::Replica) -> f64 {
    let text = replica.get("/metrics").expect("figures");
    let lines = text.lines().filter(|line| line.starts_with("meshvet_reviews_total"));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}
