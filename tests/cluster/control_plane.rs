//! etcd and kube-apiserver: a cluster without machines.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use base64::Engine as _;
use rcgen::KeyPair;
use serde_json::{Value, json};

use crate::kubectl::Kubectl;
use crate::sandbox::{self, API_SERVER};
use crate::support::mint::{Authority, Issued};

/// The token of a user of group `system:masters`, who may do everything.
const ADMIN: &str = "the-suite";

/// A control plane of its own: ends when dropped.
pub(crate) struct ControlPlane {
    etcd: Child,
    api_server: Child,
    /// What the API server was started with.
    arguments: Vec<String>,
    folder: PathBuf,
    etcd_port: u16,
    port: u16,
    /// Who issues its servers' certificates, those of its kubelets too.
    authority: Authority,
    pub(crate) kubectl: Kubectl,
}

impl ControlPlane {
    /// Starts one and waits until it is ready: some three seconds.
    pub(crate) fn start(name: &str) -> Self {
        Self::start_with(name, |_| Vec::new())
    }

    /// The same, with more arguments, which may name files that are put into its folder.
    pub(crate) fn start_with(name: &str, more: impl FnOnce(&Path) -> Vec<String>) -> Self {
        static COUNT: AtomicU16 = AtomicU16::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // Nobody else lives in this network, so ports can be counted up, below those that clients are given.
        Self::start_adapted(name, number, 20_002 + 10 * number, |arguments, folder| arguments.extend(more(folder)))
    }

    /// One for pods that run: they have ServiceAccounts, and reach the API server at the address of its own Service, 10.0.0.1, which
    /// has to be an address of this machine: no kube-proxy leads there.
    #[allow(dead_code, reason = "for the suite `node`")]
    pub(crate) fn start_for_pods(name: &str) -> Self {
        Self::start_adapted(name, 0, 443, |arguments, _| {
            let without = ["--bind-address=", "--disable-admission-plugins="];
            arguments.retain(|argument| !without.iter().any(|flag| argument.starts_with(flag)));
            arguments.push("--bind-address=0.0.0.0".to_owned());
            // No name server knows the nodes.
            arguments.push("--kubelet-preferred-address-types=InternalIP".to_owned());
        })
    }

    fn start_adapted(name: &str, number: u16, port: u16, adapt: impl FnOnce(&mut Vec<String>, &Path)) -> Self {
        let etcd_port = 20_000 + 10 * number;
        let folder = sandbox::work().join(name);
        std::fs::create_dir_all(&folder).unwrap();

        let etcd = start_etcd(&folder, etcd_port);
        let authority = Authority::new("Kubernetes");
        std::fs::write(folder.join("ca.crt"), authority.pem()).unwrap();
        let mut arguments = api_server_arguments(&folder, &authority, number, etcd_port, port);
        adapt(&mut arguments, &folder);
        let api_server = start_api_server(&folder, &arguments);
        let kubeconfig = folder.join("kubeconfig");
        write_kubeconfig(&kubeconfig, port, &folder.join("ca.crt"), ADMIN);
        let mut plane = Self {
            etcd,
            api_server,
            arguments,
            etcd_port,
            port,
            authority,
            kubectl: Kubectl::new(&kubeconfig),
            folder,
        };
        plane.wait_until_ready();
        plane
    }

    fn wait_until_ready(&mut self) {
        let log = self.folder.join("kube-apiserver.log");
        sandbox::eventually("the API server is ready", || {
            if let Ok(Some(status)) = self.api_server.try_wait() {
                panic!("kube-apiserver: {status}\n{}", sandbox::tail(&log, 20));
            }
            let outcome = self.kubectl.run(&["get", "--raw=/readyz"], "");
            if outcome.code == 0 { Ok(()) } else { Err(format!("{outcome}\n{}", sandbox::tail(&log, 20))) }
        });
    }

    /// Where the API server listens, at [`API_SERVER`].
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A serving certificate that the API server accepts, for a kubelet at this address.
    pub(crate) fn kubelet_certificate(&self, address: Ipv4Addr) -> Issued {
        self.authority.leaf(&["kubelet"]).address(address.into()).issue()
    }

    /// A kubeconfig for the bearer of `token`, in a file called `name`.
    pub(crate) fn kubeconfig_for(&self, name: &str, token: &str) -> PathBuf {
        let path = self.folder.join(format!("{name}.kubeconfig"));
        write_kubeconfig(&path, self.port, &self.folder.join("ca.crt"), token);
        path
    }

    /// Starts kube-controller-manager, each of whose controllers writes by a ServiceAccount of its own. It ends when dropped.
    pub(crate) fn start_controllers(&self) -> Controllers {
        let file = |name: &str| self.folder.join(name).display().to_string();
        let mut command = Command::new(sandbox::controllers());
        command
            .arg(format!("--kubeconfig={}", file("kubeconfig")))
            .arg(format!("--root-ca-file={}", file("ca.crt")))
            .arg(format!("--service-account-private-key-file={}", file("service-accounts.key")))
            .args(["--use-service-account-credentials=true", "--leader-elect=false", "--secure-port=0"]);
        Controllers(spawn(command, &self.folder.join("kube-controller-manager.log")))
    }

    /// Kills the API server, does `meanwhile`, then starts it again and waits until it is ready.
    pub(crate) fn restart_api_server(&mut self, meanwhile: impl FnOnce(&Self)) {
        let _ = self.api_server.kill();
        let _ = self.api_server.wait();
        meanwhile(self);
        self.api_server = start_api_server(&self.folder, &self.arguments);
        self.wait_until_ready();
    }

    /// Stops etcd without ending it, does `meanwhile`, and lets it go on.
    pub(crate) fn pause_etcd(&self, meanwhile: impl FnOnce()) {
        let send = |signal: &str| {
            let kill = format!("kill -{signal} {}", self.etcd.id());
            assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
        };
        send("STOP");
        meanwhile();
        send("CONT");
    }

    /// Writes an object into etcd past the API server and all that it checks: objects that no API server would take now, but
    /// an older one may have.
    #[track_caller]
    pub(crate) fn write_raw(&self, key: &str, value: &str) {
        self.etcd("put", &json!({"key": base64(key), "value": base64(value)}));
    }

    /// Deletes an object from etcd, with or without an API server.
    #[track_caller]
    pub(crate) fn delete_raw(&self, key: &str) {
        let answer = self.etcd("deleterange", &json!({"key": base64(key)}));
        assert!(answer.contains(r#""deleted":"1""#), "etcd has no {key}: {answer}");
    }

    #[track_caller]
    fn etcd(&self, call: &str, body: &Value) -> String {
        let body = body.to_string();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.etcd_port)).expect("etcd");
        write!(
            stream,
            "POST /v3/kv/{call} HTTP/1.1\r\nHost: etcd\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "etcd: {answer}");
        answer
    }
}

/// A running kube-controller-manager.
pub(crate) struct Controllers(Child);

impl Drop for Controllers {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        for child in [&mut self.api_server, &mut self.etcd] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn start_etcd(folder: &Path, port: u16) -> Child {
    let client = format!("http://127.0.0.1:{port}");
    let peer = format!("http://127.0.0.1:{}", port + 1);
    let mut command = Command::new(sandbox::assets().join("etcd"));
    command
        .arg(format!("--data-dir={}", folder.join("etcd").display()))
        .arg(format!("--listen-client-urls={client}"))
        .arg(format!("--advertise-client-urls={client}"))
        .arg(format!("--listen-peer-urls={peer}"))
        .arg(format!("--initial-advertise-peer-urls={peer}"))
        .arg(format!("--initial-cluster=default={peer}"))
        // Nothing here needs to survive a power cut.
        .arg("--unsafe-no-fsync")
        .arg("--log-level=warn");
    spawn(command, &folder.join("etcd.log"))
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn start_api_server(folder: &Path, arguments: &[String]) -> Child {
    let mut command = Command::new(sandbox::assets().join("kube-apiserver"));
    command.args(arguments);
    spawn(command, &folder.join("kube-apiserver.log"))
}

fn api_server_arguments(folder: &Path, authority: &Authority, number: u16, etcd_port: u16, port: u16) -> Vec<String> {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    // Pods find it at the first address of the range of Services.
    let service = Ipv4Addr::from([10, 0, number.to_be_bytes()[1], 1]);
    let serving =
        authority.leaf(&["kubernetes.default.svc"]).address(API_SERVER.into()).address(service.into()).issue();
    let signing = KeyPair::generate().expect("a key");
    let verifying = file("service-accounts.pub", &signing.public_key_pem());
    let signing = file("service-accounts.key", &signing.serialize_pem());
    let arguments = [
        format!("--etcd-servers=http://127.0.0.1:{etcd_port}"),
        format!("--bind-address={API_SERVER}"),
        format!("--advertise-address={API_SERVER}"),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", file("server.crt", &serving.chain)),
        format!("--tls-private-key-file={}", file("server.key", &serving.key)),
        format!("--cert-dir={}", folder.display()),
        format!("--service-account-key-file={verifying}"),
        format!("--service-account-signing-key-file={signing}"),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--token-auth-file={}", file("tokens.csv", &format!("{ADMIN},admin,admin,system:masters\n"))),
        "--authorization-mode=RBAC".to_owned(),
        format!("--service-cluster-ip-range=10.0.{number}.0/24"),
        format!("--kubelet-certificate-authority={}", folder.join("ca.crt").display()),
        // Service accounts are made by a controller that doesn't run here: pods don't need one.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        // Webhooks are called at the addresses of EndpointSlices, one replica or another, as through kube-proxy.
        "--enable-aggregator-routing=true".to_owned(),
        "--profiling=false".to_owned(),
    ];
    arguments.into()
}

/// Starts a program whose output goes to `log`.
pub(crate) fn spawn(mut command: Command, log: &Path) -> Child {
    let output = File::create(log).unwrap();
    command
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()))
}

fn write_kubeconfig(path: &Path, port: u16, authority: &Path, token: &str) {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "suite", "cluster": {"server": format!("https://{API_SERVER}:{port}"), "certificate-authority": authority}}],
        "users": [{"name": "suite", "user": {"token": token}}],
        "contexts": [{"name": "suite", "context": {"cluster": "suite", "user": "suite"}}],
        "current-context": "suite",
    });
    std::fs::write(path, config.to_string()).unwrap();
}
