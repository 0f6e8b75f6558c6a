//! What the tests share: a control plane, two nodes, and the chart installed there.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::control_plane::{ControlPlane, Controllers, spawn};
use crate::images;
use crate::kubectl::{Kubectl, Outcome};
use crate::node::{self, Node};
use crate::sandbox;
use crate::support::manifests::{self, tls_secret, virtual_node};
use crate::support::mint::Authority;

/// What the suite fetches, and the variable in which the inside finds each.
pub(crate) const PARTS: &[(&str, &str)] = &[
    ("node-machine", "MESHVET_NODE_MACHINE"),
    ("node", node::PROGRAMS),
    ("assets", sandbox::ASSETS),
    ("helm", sandbox::HELM),
    ("controllers", sandbox::CONTROLLERS),
];

/// Where the chart is installed, and under which name.
pub(crate) const NAMESPACE: &str = "meshvet-system";
pub(crate) const RELEASE: &str = "meshvet";

/// The values of every installation: whence its images are, and that no review may be lost.
pub(crate) const VALUES: &[&str] =
    &["image.repository=localhost/meshvet", "test.image=localhost/kubectl:1", "webhook.failurePolicy=Fail"];

/// The nodes.
pub(crate) const NODES: [&str; 2] = ["node-a", "node-b"];

/// The control plane and its nodes.
pub(crate) struct Bed {
    pub(crate) plane: ControlPlane,
    pub(crate) kubectl: Kubectl,
    pub(crate) nodes: Vec<Node>,
    /// A node that fits its certificate, for reviews that pass.
    pub(crate) sound: Value,
    /// One that doesn't, for reviews that are refused with MV101.
    pub(crate) broken: Value,
    /// Every object before the chart was installed.
    pub(crate) before: std::collections::BTreeSet<String>,
    scheduler: Child,
    controllers: Controllers,
}

static BED: OnceLock<Mutex<Option<Bed>>> = OnceLock::new();

/// The bed, for as long as the guard lives: tests run one after the other.
pub(crate) struct Shared(MutexGuard<'static, Option<Bed>>);

impl std::ops::Deref for Shared {
    type Target = Bed;

    fn deref(&self) -> &Bed {
        self.0.as_ref().expect("started by main")
    }
}

/// The bed that main started.
pub(crate) fn bed() -> Shared {
    let bed = BED.get().expect("started by main");
    // A test that failed leaves the others to see for themselves what it left.
    Shared(bed.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Starts it, and installs the chart.
pub(crate) fn start() {
    let started = Instant::now();
    let said = |what: &str| eprintln!("{:>4} s: {what}", started.elapsed().as_secs());
    node::prepare();
    let plane = ControlPlane::start_for_pods("node");
    let controllers = plane.start_controllers();
    let mut scheduler = Command::new(node::program("kube-scheduler"));
    let kubeconfig = plane.folder().join("kubeconfig");
    scheduler.arg(format!("--kubeconfig={}", kubeconfig.display())).args(["--leader-elect=false", "--secure-port=0"]);
    let scheduler = spawn(scheduler, &plane.folder().join("kube-scheduler.log"));
    said("the control plane is ready");
    let images = images::all();
    let nodes: Vec<Node> =
        NODES.iter().zip(1..).map(|(name, number)| Node::start(&plane, name, number, &images)).collect();
    let kubectl = plane.kubectl.clone();
    for node in &nodes {
        patiently("the node is ready", || {
            let outcome = kubectl.run(&["wait", "--for=condition=Ready", "node", node.name, "--timeout=5s"], "");
            if outcome.code == 0 { Ok(()) } else { Err(format!("{outcome}\n{}", node.logs())) }
        });
    }
    said("the nodes are ready");
    let (sound, broken) = a_mesh(&kubectl);
    let restricted = json!({"pod-security.kubernetes.io/enforce": "restricted"});
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": restricted}});
    kubectl.apply(&namespace, &[]).succeeds();
    patiently("each namespace has its ServiceAccount", || {
        let all = kubectl.run(&["get", "serviceaccounts", "-A", "-o", "name"], "").stdout;
        let count = all.lines().filter(|line| line.ends_with("/default")).count();
        if count >= 6 { Ok(()) } else { Err(all) }
    });
    let before = kubectl.everything();
    let bed = Bed { plane, kubectl, nodes, sound, broken, before, scheduler, controllers };
    let _ = BED.set(Mutex::new(Some(bed)));
    let bed = self::bed();
    bed.helm("install", &[&bed.chart(), "--wait", "--timeout", "3m"], VALUES).succeeds();
    said("the chart is installed, and its pods are ready");
    patiently("reviews are answered", || {
        let outcome = bed.kubectl.apply(&bed.broken, &["--dry-run=server"]);
        if outcome.speaks_of("MV101") { Ok(()) } else { Err(outcome.to_string()) }
    });
}

/// The CRDs of App Mesh, and a namespace with a certificate that fits one of two nodes.
fn a_mesh(kubectl: &Kubectl) -> (Value, Value) {
    let crds = manifests::list(meshvet::apis::appmesh::crd::custom_resource_definitions());
    kubectl.apply(&crds, &["--server-side"]).succeeds();
    patiently("every CRD is established", || {
        let outcome = kubectl.run(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"], "");
        if outcome.code == 0 { Ok(()) } else { Err(outcome.to_string()) }
    });
    let authority = Authority::new("Shop root");
    kubectl.apply(&manifests::namespace("shop"), &[]).succeeds();
    let hostname = |name: &str| format!("{name}.shop.svc.cluster.local");
    // Not without replicas: such a workload is of no account.
    let running = |name: &str| {
        let mut deployment = manifests::deployment("shop", name, &format!("{name}-tls:/certs"));
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = images::PAUSE.into();
        deployment
    };
    let objects = [
        tls_secret("shop", "web-tls", &authority.leaf(&[&hostname("web")]).issue()),
        tls_secret("shop", "api-tls", &authority.leaf(&["api.elsewhere.local"]).issue()),
        running("web"),
        running("api"),
    ];
    kubectl.apply(&manifests::list(objects), &[]).succeeds();
    let [sound, broken] = ["web", "api"].map(|name| virtual_node("shop", name, &hostname(name)));
    (sound, broken)
}

impl Bed {
    /// The chart as `helm` takes it.
    pub(crate) fn chart(&self) -> String {
        images::chart().display().to_string()
    }

    /// `helm COMMAND meshvet ARGUMENTS…` with these values.
    pub(crate) fn helm(&self, command: &str, arguments: &[&str], values: &[&str]) -> Outcome {
        self.helm_for(RELEASE, NAMESPACE, command, arguments, values)
    }

    /// The same for another release.
    pub(crate) fn helm_for(
        &self,
        release: &str,
        namespace: &str,
        command: &str,
        arguments: &[&str],
        values: &[&str],
    ) -> Outcome {
        let mut arguments = [&[command, release, "-n", namespace], arguments].concat();
        for value in values {
            arguments.extend(["--set", value]);
        }
        self.kubectl.program(&sandbox::helm(), &arguments)
    }

    /// The pods of a release that aren't on their way out.
    pub(crate) fn pods_of(&self, namespace: &str, release: &str) -> Vec<Pod> {
        let label = format!("app.kubernetes.io/name=meshvet,app.kubernetes.io/instance={release}");
        let list = self.kubectl.get(&["-n", namespace, "pods", "-l", &label]);
        let pods = list["items"].as_array().expect("items").iter();
        pods.filter(|pod| pod["metadata"]["deletionTimestamp"].is_null()).cloned().map(Pod).collect()
    }

    /// meshvet's own.
    pub(crate) fn pods(&self) -> Vec<Pod> {
        self.pods_of(NAMESPACE, RELEASE)
    }

    /// Waits until there are two pods, both ready, and no other.
    #[track_caller]
    pub(crate) fn two_ready(&self) -> Vec<Pod> {
        patiently("two pods are ready", || {
            let pods = self.pods();
            if pods.len() == 2 && pods.iter().all(Pod::is_ready) { Ok(pods) } else { Err(self.picture()) }
        })
    }

    /// What a human would look at.
    pub(crate) fn picture(&self) -> String {
        self.kubectl.run(&["-n", NAMESPACE, "get", "pods,events", "-o", "wide"], "").to_string()
    }

    /// What a pod of meshvet logs.
    pub(crate) fn log(&self, pod: &Pod) -> String {
        self.kubectl.run(&["-n", &pod.field("namespace"), "logs", &pod.field("name")], "").succeeds().stdout
    }

    /// A dry run of the node that doesn't fit its certificate.
    pub(crate) fn try_broken(&self) -> Outcome {
        self.kubectl.apply(&self.broken, &["--dry-run=server"])
    }

    /// The node of this name.
    pub(crate) fn node(&self, name: &str) -> &Node {
        self.nodes.iter().find(|node| node.name == name).expect("a node")
    }
}

/// A pod, as the API server has it.
#[derive(Clone, Debug)]
pub(crate) struct Pod(pub(crate) Value);

impl Pod {
    /// Of its metadata.
    pub(crate) fn field(&self, field: &str) -> String {
        self.0["metadata"][field].as_str().unwrap_or_default().to_owned()
    }

    /// Where it runs; empty before it is scheduled.
    pub(crate) fn node(&self) -> String {
        self.0["spec"]["nodeName"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn address(&self) -> String {
        self.0["status"]["podIP"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn is_ready(&self) -> bool {
        let conditions = self.0["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"))
    }

    /// How often the kubelet started its container again.
    pub(crate) fn restarts(&self) -> u64 {
        self.0["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap_or_default()
    }

    /// The container's id, as the runtime has it.
    pub(crate) fn container(&self) -> String {
        let id = self.0["status"]["containerStatuses"][0]["containerID"].as_str().unwrap_or_default();
        id.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The process of its container, as the suite sees it.
    pub(crate) fn process(&self) -> PathBuf {
        let container = self.container();
        let of_container = |process: &PathBuf| {
            let cgroups = std::fs::read_to_string(process.join("cgroup")).unwrap_or_default();
            cgroups.lines().any(|line| line.ends_with(&container))
        };
        let processes = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok).map(|entry| entry.path());
        processes.filter(|path| path.join("cgroup").exists()).find(of_container).expect("a process")
    }
}

/// As `sandbox::eventually`, for what takes a kubelet's time: four minutes.
#[track_caller]
pub(crate) fn patiently<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + Duration::from_secs(240);
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) if Instant::now() > deadline => panic!("{what}: not within four minutes; last:\n{last}"),
            Err(_) => std::thread::sleep(Duration::from_millis(250)),
        }
    }
}

/// The ends of all logs, for a failure's sake.
pub(crate) fn logs() -> String {
    let bed = bed();
    let mut all: Vec<String> = bed.nodes.iter().map(Node::logs).collect();
    all.push(sandbox::tail(&bed.plane.folder().join("kube-scheduler.log"), 10));
    all.push(bed.picture());
    all.extend(bed.pods().iter().map(|pod| {
        let arguments = ["-n", NAMESPACE, "logs", "--tail=15", &pod.field("name")];
        bed.kubectl.run(&arguments, "").to_string()
    }));
    all.join("\n\n")
}

/// Ends everything, and removes the cgroups of the nodes.
pub(crate) fn end() {
    let Some(mut bed) = BED.get().and_then(|bed| bed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take())
    else {
        return;
    };
    bed.nodes.clear();
    let _ = bed.scheduler.kill();
    let _ = bed.scheduler.wait();
    drop(bed.controllers);
    // What containers are made of outlives containerd: all that is left of this namespace but the suite itself.
    let own = std::process::id();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for number in numbers.filter(|number| *number != own) {
        let _ = Command::new("sh").args(["-c", &format!("kill -9 {number}")]).status();
    }
    std::thread::sleep(Duration::from_millis(500));
    for name in NODES {
        crate::cgroups::remove(&Node::cgroup(name));
    }
}
