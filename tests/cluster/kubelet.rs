//! A machine of the cluster: the kubelet's port-forward, and the pods that run there.

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::sandbox;

/// A kubelet that serves port-forwards and does nothing else: ends when dropped.
pub(crate) struct Kubelet {
    child: Child,
}

/// A pod with a loopback address of its own.
#[derive(Clone, Copy)]
pub(crate) struct Pod {
    pub(crate) namespace: &'static str,
    pub(crate) name: &'static str,
    /// Where the pod's processes find themselves.
    pub(crate) loopback: Ipv4Addr,
}

impl Pod {
    pub(crate) fn new(namespace: &'static str, name: &'static str) -> Self {
        static LAST: AtomicU8 = AtomicU8::new(0);
        let loopback = Ipv4Addr::new(127, 0, 1, LAST.fetch_add(1, Ordering::Relaxed) + 1);
        Self { namespace, name, loopback }
    }

    /// The pod in the cluster: bound to a machine, labelled `app: NAME`, with one container of this name, in this phase.
    #[track_caller]
    pub(crate) fn runs(&self, plane: &ControlPlane, node: &str, container: &str, phase: &str) {
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"namespace": self.namespace, "name": self.name, "labels": {"app": self.name}},
            "spec": {"nodeName": node, "containers": [{"name": container, "image": "envoy:1"}]},
        });
        plane.kubectl.create(&pod, &[]).succeeds();
        let status = json!({"status": {"phase": phase}}).to_string();
        let patch = ["patch", "pod", self.name, "--subresource=status", "--type=merge", "-p", &status];
        plane.kubectl.run(&[&["-n", self.namespace], &patch[..]].concat(), "").succeeds();
    }
}

impl Kubelet {
    /// Starts the kubelet of machine `node`, which has these pods, and tells the API server where it is.
    #[track_caller]
    pub(crate) fn start(plane: &ControlPlane, node: &str, pods: &[Pod]) -> Self {
        let address = sandbox::pod_address();
        let folder = plane.folder().join(node);
        std::fs::create_dir_all(&folder).unwrap();
        let issued = plane.kubelet_certificate(address);
        std::fs::write(folder.join("tls.crt"), &issued.chain).unwrap();
        std::fs::write(folder.join("tls.key"), &issued.key).unwrap();
        let mut command = Command::new(sandbox::kubelet());
        command.args(["-listen", &format!("{address}:0"), "-cert", "tls.crt", "-key", "tls.key"]).current_dir(&folder);
        for pod in pods {
            command.args(["-pod", &format!("{}/{}={}", pod.namespace, pod.name, pod.loopback)]);
        }
        let log = std::fs::File::create(folder.join("kubelet.log")).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("it starts");
        let mut port = String::new();
        let stdout = child.stdout.take().expect("its standard output");
        BufReader::new(stdout).read_line(&mut port).expect("a port");
        let port: u16 =
            port.trim().parse().unwrap_or_else(|_| panic!("{}", sandbox::tail(&folder.join("kubelet.log"), 20)));
        let machine: Value = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": node},
            "status": {
                "addresses": [{"type": "InternalIP", "address": address}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            },
        });
        plane.kubectl.create(&machine, &[]).succeeds();
        Self { child }
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
