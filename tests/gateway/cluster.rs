//! Envoy Gateway in a cluster without nodes: for what it reads only from an API server.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case::Case;
use crate::records;
use crate::support::mint::{Authority, Key};
use crate::verdicts::{self, Verdict, known};

const API: &str = "127.0.0.1:6443";
const PATIENCE: Duration = Duration::from_secs(90);
/// How long statuses must stay unchanged.
const SETTLED: Duration = Duration::from_secs(2);
const KINDS: &str = "gateways,listenersets,httproutes,grpcroutes,tlsroutes,backendtlspolicies";
const NAMESPACES: [&str; 3] = ["shop", "certs", "other"];

/// etcd, kube-apiserver and Envoy Gateway, until dropped.
pub(crate) struct Cluster {
    children: Vec<Child>,
    kubectl: PathBuf,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Starts one, which takes about ten seconds.
    pub(crate) fn start() -> Self {
        let (assets, gateway) = (records::part("assets"), records::part("envoy-gateway"));
        let folder = tempfile::Builder::new().prefix("meshvet-cluster-").tempdir().expect("a folder");
        let mut cluster = Cluster { children: Vec::new(), kubectl: assets.join("kubectl"), folder };
        let at = cluster.folder.path().to_owned();
        cluster.spawn("etcd", Command::new(assets.join("etcd")).args(etcd_arguments(&at)));
        cluster.spawn("api", Command::new(assets.join("kube-apiserver")).args(api_arguments(&at)));
        write_kubeconfig(&at.join("kubeconfig"));
        let begun = Instant::now();
        while !cluster.run(&["get", "--raw=/readyz"]).0 {
            assert!(begun.elapsed() < PATIENCE, "kube-apiserver isn't ready: {}", cluster.log("api"));
            std::thread::sleep(Duration::from_millis(200));
        }
        let programs = gateway.parent().expect("a folder");
        for definitions in [records::part("gateway-crds"), programs.join("crds")] {
            cluster.must(&["apply", "--server-side", "-f", definitions.to_str().expect("a path")]);
        }
        for namespace in NAMESPACES.into_iter().chain(["envoy-gateway-system"]) {
            cluster.must(&["create", "namespace", namespace]);
        }
        cluster.start_gateway(&gateway);
        cluster
    }

    /// Envoy Gateway reads its certificates from a folder at the root of its file system: it gets a root of its own.
    fn start_gateway(&mut self, gateway: &Path) {
        let root = self.folder.path().join("root");
        for folder in ["certs", "dev", "tmp"] {
            std::fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        std::fs::copy(gateway, root.join("envoy-gateway")).expect("a program");
        std::fs::copy(self.folder.path().join("kubeconfig"), root.join("kubeconfig")).expect("a file");
        let made = Command::new(gateway).args(["certgen", "--local", "--config-home"]).arg(root.join("made")).output();
        assert!(made.expect("envoy-gateway starts").status.success(), "envoy-gateway certgen failed");
        for file in ["ca.crt", "tls.crt", "tls.key"] {
            let from = root.join("made/certs/envoy-gateway").join(file);
            std::fs::copy(from, root.join("certs").join(file)).expect("a certificate");
        }
        let config = json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyGateway",
            "gateway": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
            "provider": {"type": "Kubernetes", "kubernetes": {"leaderElection": {"disable": true}}},
            "logging": {"level": {"default": "info"}}});
        std::fs::write(root.join("config.yaml"), config.to_string()).expect("a file");
        let mut command = Command::new("unshare");
        command.arg(format!("--root={}", root.display())).args(["/envoy-gateway", "server", "-c", "/config.yaml"]);
        command.env("KUBECONFIG", "/kubeconfig").env("ENVOY_GATEWAY_NAMESPACE", "envoy-gateway-system");
        self.spawn("gateway", &mut command);
    }

    /// What Envoy Gateway reports for everything in a case, which is deleted afterwards.
    pub(crate) fn verdicts(&self, case: &Case) -> BTreeMap<String, Verdict> {
        let path = self.folder.path().join("case.json");
        let named = |object: &Value| {
            object["kind"] != "Namespace" || NAMESPACES.iter().any(|it| object["metadata"]["name"] == *it)
        };
        let (spaces, others): (Vec<Value>, Vec<Value>) =
            known(case).into_iter().filter(named).partition(|object| object["kind"] == "Namespace");
        for objects in [&spaces, &others].into_iter().filter(|objects| !objects.is_empty()) {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            std::fs::write(&path, list.to_string()).expect("a file");
            self.must(&["apply", "-f", path.to_str().expect("a path")]);
        }
        let answer = self.settled(&case.name);
        // Namespaces are never deleted: they lose their labels.
        self.must(&["delete", "-f", path.to_str().expect("a path"), "--wait=true", "--timeout=60s"]);
        for namespace in NAMESPACES {
            self.must(&["label", "namespace", namespace, "edge-"]);
        }
        verdicts::read(&answer)
    }

    /// The objects of all kinds that have a status, as soon as that stays unchanged.
    fn settled(&self, case: &str) -> Value {
        let begun = Instant::now();
        let (mut last, mut since) = (Value::Null, Instant::now());
        while begun.elapsed() < PATIENCE {
            let now: Value = serde_json::from_str(&self.must(&["get", KINDS, "-A", "-o", "json"])).expect("JSON");
            if now != last {
                (last, since) = (now, Instant::now());
            } else if since.elapsed() > SETTLED && begun.elapsed() > 2 * SETTLED {
                return by_lists(&last);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{case}: statuses don't settle: {}", self.log("gateway"))
    }

    fn spawn(&mut self, name: &str, command: &mut Command) {
        let log = File::create(self.folder.path().join(format!("{name}.log"))).expect("a file");
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log).spawn();
        self.children.push(child.unwrap_or_else(|error| panic!("{name}: {error}")));
    }

    /// Whether kubectl succeeded, and its output.
    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let kubeconfig = self.folder.path().join("kubeconfig");
        let ran = Command::new(&self.kubectl).arg("--kubeconfig").arg(kubeconfig).args(arguments).output();
        let ran = ran.expect("kubectl starts");
        let text = if ran.status.success() { ran.stdout } else { ran.stderr };
        (ran.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    fn must(&self, arguments: &[&str]) -> String {
        let (done, text) = self.run(arguments);
        assert!(done, "kubectl {arguments:?}: {text}");
        text
    }

    /// The end of a program's output.
    fn log(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.folder.path().join(format!("{name}.log"))).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// As Envoy Gateway's translator lists them.
fn by_lists(all: &Value) -> Value {
    let of = |kind: &str| -> Vec<&Value> {
        all["items"].as_array().into_iter().flatten().filter(|object| object["kind"] == kind).collect()
    };
    json!({"gateways": of("Gateway"), "listenerSets": of("ListenerSet"), "httpRoutes": of("HTTPRoute"),
        "grpcRoutes": of("GRPCRoute"), "tlsRoutes": of("TLSRoute"), "backendTLSPolicies": of("BackendTLSPolicy")})
}

fn etcd_arguments(folder: &Path) -> Vec<String> {
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    vec![
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={}", url(2379)),
        format!("--advertise-client-urls={}", url(2379)),
        format!("--listen-peer-urls={}", url(2380)),
        format!("--initial-advertise-peer-urls={}", url(2380)),
        format!("--initial-cluster=default={}", url(2380)),
        // Nothing here has to survive a power failure.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

fn api_arguments(folder: &Path) -> Vec<String> {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let signing = Authority::new("tokens").leaf(&["tokens"]).key(Key::P256).issue();
    vec![
        "--etcd-servers=http://127.0.0.1:2379".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--advertise-address={}", crate::standalone::BACKENDS),
        "--secure-port=6443".to_owned(),
        format!("--cert-dir={}", folder.join("pki").display()),
        format!("--service-account-key-file={}", file("tokens.crt", &signing.certificate)),
        format!("--service-account-signing-key-file={}", file("tokens.key", &signing.key)),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--token-auth-file={}", file("users.csv", "the-suite,admin,admin,system:masters\n")),
        "--authorization-mode=RBAC".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        // ServiceAccounts are created by a controller that doesn't run here.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
    ]
}

fn write_kubeconfig(path: &Path) {
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "suite",
        "clusters": [{"name": "suite", "cluster": {"server": format!("https://{API}"), "insecure-skip-tls-verify": true}}],
        "users": [{"name": "suite", "user": {"token": "the-suite"}}],
        "contexts": [{"name": "suite", "context": {"cluster": "suite", "user": "suite"}}]});
    std::fs::write(path, config.to_string()).expect("a file");
}
