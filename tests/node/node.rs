//! A node: containerd and a kubelet, with a network for pods.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::json;

use crate::cgroups;
use crate::control_plane::{ControlPlane, spawn};
use crate::kubectl::Outcome;
use crate::sandbox::{self, ip};

/// Set inside: the folder with kubelet, kube-scheduler and pause.
pub(crate) const PROGRAMS: &str = "MESHVET_NODE_PROGRAMS";

/// The program of this name, beside the kubelet.
pub(crate) fn program(name: &str) -> PathBuf {
    Path::new(&std::env::var_os(PROGRAMS).expect("called inside")).join(name)
}

/// What all nodes have in common: folders that programs take for granted, and the network interface that nodes have addresses on.
pub(crate) fn prepare() {
    for folder in ["/run", "/var/log", "/var/lib/cni", "/var/lib/kubelet"] {
        std::fs::create_dir_all(folder).unwrap();
        run("mount", &["-t", "tmpfs", "tmpfs", folder]);
    }
    ip(&["link", "add", "eth0", "type", "veth", "peer", "name", "eth1"]);
    for link in ["eth0", "eth1"] {
        ip(&["link", "set", link, "up"]);
    }
    ip(&["address", "add", "192.0.2.10/24", "dev", "eth0"]);
    ip(&["route", "add", "default", "via", "192.0.2.254", "dev", "eth0"]);
    // Where pods look for the API server: nothing leads there but this.
    ip(&["address", "add", "10.0.0.1/32", "dev", "lo"]);
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status();
    let status = status.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

/// A machine of the cluster.
pub(crate) struct Node {
    pub(crate) name: &'static str,
    folder: PathBuf,
    containerd: Child,
    kubelet: Child,
}

impl Node {
    /// Starts the node `name`, the `number`th. Each has some memory and ports of its own, and shares the kernel with the others.
    pub(crate) fn start(plane: &ControlPlane, name: &'static str, number: u8, images: &[PathBuf]) -> Self {
        let address = Ipv4Addr::new(192, 0, 2, 10 + number);
        ip(&["address", "add", &format!("{address}/24"), "dev", "eth0"]);
        let folder = sandbox::work().join(name);
        std::fs::create_dir_all(folder.join("cni")).unwrap();
        write_network(&folder, number);
        let containerd = start_containerd(&folder);
        for image in images {
            import(&folder, image);
        }
        let kubelet = start_kubelet(plane, &folder, name, address);
        Self { name, folder, containerd, kubelet }
    }

    /// The files of a volume of a pod, as the kubelet keeps them: `kind` as in `kubernetes.io~secret`.
    pub(crate) fn volume(&self, pod: &str, kind: &str, volume: &str) -> PathBuf {
        self.folder.join(format!("kubelet/pods/{pod}/volumes/kubernetes.io~{kind}/{volume}"))
    }

    /// What its programs logged last.
    pub(crate) fn logs(&self) -> String {
        ["kubelet.log", "containerd.log"].map(|log| sandbox::tail(&self.folder.join(log), 15)).join("\n\n")
    }

    /// The tree of cgroups of its pods.
    pub(crate) fn cgroup(name: &str) -> String {
        format!("meshvet-{name}")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for child in [&mut self.kubelet, &mut self.containerd] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Pods are on a bridge of their node, and routes between the bridges are the kernel's own.
fn write_network(folder: &Path, number: u8) {
    let network = json!({
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [{
            "type": "bridge",
            "bridge": format!("pods{number}"),
            "isGateway": true,
            "hairpinMode": true,
            "ipam": {
                "type": "host-local",
                "dataDir": folder.join("addresses"),
                "ranges": [[{"subnet": format!("10.244.{number}.0/24")}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }, {"type": "loopback"}],
    });
    std::fs::write(folder.join("cni/pods.conflist"), network.to_string()).unwrap();
}

fn start_containerd(folder: &Path) -> Child {
    let shown = folder.display();
    // Lowering what the kernel kills first isn't permitted everywhere.
    let config = format!(
        r#"version = 2
root = "{shown}/containerd"
state = "{shown}/containerd-state"
[grpc]
  address = "{shown}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "localhost/pause:1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{shown}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"#
    );
    let path = folder.join("containerd.toml");
    std::fs::write(&path, config).unwrap();
    let mut command = Command::new("containerd");
    command.arg("--config").arg(path);
    let child = spawn(command, &folder.join("containerd.log"));
    sandbox::eventually("containerd listens", || {
        let version = ctr(folder, &["version"]);
        if version.code == 0 { Ok(()) } else { Err(sandbox::tail(&folder.join("containerd.log"), 10)) }
    });
    child
}

fn ctr(folder: &Path, arguments: &[&str]) -> Outcome {
    let mut command = Command::new("ctr");
    let socket = folder.join("containerd.sock");
    let output = command.arg("--address").arg(socket).args(["--namespace", "k8s.io"]).args(arguments).output();
    let output = output.expect("ctr runs");
    Outcome {
        command: format!("ctr {}", arguments.join(" ")),
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn import(folder: &Path, image: &Path) {
    ctr(folder, &["images", "import", &image.display().to_string()]).succeeds();
}

fn start_kubelet(plane: &ControlPlane, folder: &Path, name: &str, address: Ipv4Addr) -> Child {
    let file = |file: &str, text: &str| {
        let path = folder.join(file);
        std::fs::write(&path, text).unwrap();
        path
    };
    let cgroup = Node::cgroup(name);
    cgroups::make(&cgroup);
    let serving = plane.kubelet_certificate(address);
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": address.to_string(),
        "healthzPort": 0,
        "tlsCertFile": file("kubelet.crt", &serving.chain),
        "tlsPrivateKeyFile": file("kubelet.key", &serving.key),
        "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": format!("unix://{}/containerd.sock", folder.display()),
        "podLogsDir": folder.join("pods"),
        "resolvConf": file("resolv.conf", ""),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{cgroup}"),
        "enforceNodeAllocatable": [],
        "failCgroupV1": false,
        "failSwapOn": false,
        "makeIPTablesUtilChains": false,
        // How full the disk of this machine is says nothing about the pods.
        "evictionHard": {"memory.available": "50Mi"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        // How often volumes are compared with their Secrets: a minute by default.
        "syncFrequency": "10s",
    });
    let config = file("kubelet.json", &config.to_string());
    let mut command = Command::new(program("kubelet"));
    command
        .arg(format!("--config={}", config.display()))
        .arg(format!("--kubeconfig={}", plane.folder().join("kubeconfig").display()))
        .arg(format!("--root-dir={}", folder.join("kubelet").display()))
        .arg(format!("--hostname-override={name}"))
        .arg(format!("--node-ip={address}"));
    spawn(command, &folder.join("kubelet.log"))
}
