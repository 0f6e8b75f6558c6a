//! One replica of meshvet, run as a kubelet would from the Deployment that is in the cluster.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use serde_json::Value;

use crate::control_plane::{ControlPlane, spawn};
use crate::sandbox::{self, API_SERVER};
use crate::volume::{self, Files, Volume};

/// The namespace of `deploy/`.
pub(crate) const NAMESPACE: &str = "meshvet-system";

/// The secret of whoever asks AWS.
pub(crate) const AWS_SECRET: &str = "hush-hush-hush";

/// How a replica differs from what the Deployment says.
pub(crate) struct Pod<'a> {
    /// Names its files and its log.
    pub(crate) name: String,
    /// The Deployment that it is one of: its namespace and its name.
    pub(crate) of: (&'a str, &'a str),
    /// The token of its ServiceAccount.
    pub(crate) token: &'a str,
    /// What volume `tls` holds, in place of its Secret.
    pub(crate) tls: Option<Files>,
    /// Where AWS is, for one that asks there.
    pub(crate) aws: Option<String>,
    /// Arguments in place of those that tell of its certificate, for a copy that keeps it by itself.
    pub(crate) managed: &'a [String],
    /// The port by which it reaches the API server, where that isn't the server's own.
    pub(crate) api_port: Option<u16>,
}

/// How the arguments begin that tell where the certificate comes from.
const CERTIFICATE: [&str; 6] = [
    "--tls-",
    "--managed-certificate=",
    "--webhook-configuration=",
    "--service=",
    "--certificate-life=",
    "--authority-life=",
];

/// Puts the folder `$0` where a pod finds its ServiceAccount, in a mount namespace of its own, and becomes `$@`.
pub(crate) const IN_A_POD: &str = "mount -t tmpfs tmpfs /var/run && mkdir -p /var/run/secrets/kubernetes.io \
    && cp -r \"$0\" /var/run/secrets/kubernetes.io/serviceaccount && exec \"$@\"";

/// A running meshvet: ends when dropped.
pub(crate) struct Replica {
    child: Child,
    pub(crate) address: Ipv4Addr,
    probe_port: u16,
    log: PathBuf,
    volumes: BTreeMap<String, Volume>,
}

impl Replica {
    /// Starts the container of the Deployment: its arguments with the pod's own address and with its volumes where they are
    /// here.
    pub(crate) fn start(plane: &ControlPlane, pod: Pod<'_>) -> Self {
        let (namespace, name) = pod.of;
        let deployment = plane.kubectl.get(&["-n", namespace, "deployment", name]);
        let spec = &deployment["spec"]["template"]["spec"];
        let container = &spec["containers"][0];
        let folder = plane.folder().join(&pod.name);
        let mut volumes = BTreeMap::new();
        for volume in spec["volumes"].as_array().into_iter().flatten() {
            let name = text(&volume["name"]);
            let files = content(plane, namespace, volume);
            volumes.insert(name.to_owned(), Volume::mount(folder.join(name), &files));
        }
        let mut certificate: Vec<String> = pod.managed.into();
        if let Some(files) = &pod.tls {
            let volume = Volume::mount(folder.join("own-tls"), files);
            let file = |name: &str| volume.folder().join(name).display().to_string();
            certificate = vec![format!("--tls-cert={}", file("tls.crt")), format!("--tls-key={}", file("tls.key"))];
            volumes.insert("tls".to_owned(), volume);
        }
        let address = sandbox::pod_address();
        // A container has its ServiceAccount mounted, next to no environment, and a root that it can't write to.
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", IN_A_POD])
            .arg(service_account(plane, &folder, namespace, pod.token))
            .arg(sandbox::meshvet())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("KUBERNETES_SERVICE_HOST", API_SERVER.to_string())
            .env("KUBERNETES_SERVICE_PORT", pod.api_port.unwrap_or(plane.port()).to_string())
            .current_dir("/");
        for variable in container["env"].as_array().into_iter().flatten() {
            let value = match variable["valueFrom"]["fieldRef"]["fieldPath"].as_str() {
                Some("metadata.name") => pod.name.as_str(),
                _ => text(&variable["value"]),
            };
            command.env(text(&variable["name"]), value);
        }
        let is_replaced = |argument: &&str| {
            !certificate.is_empty() && CERTIFICATE.iter().any(|beginning| argument.starts_with(beginning))
        };
        let arguments = container["args"].as_array().expect("arguments").iter().map(text);
        for argument in arguments.filter(|argument| !is_replaced(argument)) {
            let mut argument = argument.replace("0.0.0.0", &address.to_string());
            if pod.aws.is_some() {
                // Whatever could be logged is, for a test to look at.
                argument = argument.replace("--log-level=info", "--log-level=trace");
            }
            for mount in container["volumeMounts"].as_array().into_iter().flatten() {
                let here = volumes[text(&mount["name"])].folder().display().to_string();
                argument = argument.replace(text(&mount["mountPath"]), &here);
            }
            command.arg(argument);
        }
        command.args(&certificate);
        if let Some(endpoint) = &pod.aws {
            command.arg("--aws").env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "eu-west-1");
            command.env("AWS_ACCESS_KEY_ID", "suite").env("AWS_SECRET_ACCESS_KEY", AWS_SECRET);
        }
        let log = plane.folder().join(format!("{}.log", pod.name));
        Self { child: spawn(command, &log), address, probe_port: probe_port(container), log, volumes }
    }

    /// Waits until the readiness probe succeeds.
    #[track_caller]
    pub(crate) fn wait_until_ready(&mut self) {
        sandbox::eventually("meshvet is ready", || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("meshvet ended, {status}\n{}", sandbox::tail(&self.log, 40));
            }
            match self.probe("/readyz") {
                Ok(200) => Ok(()),
                other => Err(format!("/readyz: {other:?}\n{}", sandbox::tail(&self.log, 40))),
            }
        });
    }

    /// The status of a GET of `path` on the probe port.
    pub(crate) fn probe(&self, path: &str) -> Result<u16, String> {
        let answer = self.get(path)?;
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        status.ok_or(answer)
    }

    /// The answer to a GET of `path` on the probe port, its head included.
    pub(crate) fn get(&self, path: &str) -> Result<String, String> {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect((self.address, self.probe_port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            write!(stream, "GET {path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        ask().map_err(|error| error.to_string())
    }

    /// The value of a line of its metrics that begins with this, labels included.
    pub(crate) fn figure(&self, begins: &str) -> Option<f64> {
        let text = self.get("/metrics").ok()?;
        let line = text.lines().find(|line| line.strip_prefix(begins).is_some_and(|rest| rest.starts_with(' ')))?;
        line.rsplit_once(' ')?.1.parse().ok()
    }

    /// What volume `name` holds from now on.
    pub(crate) fn update_volume(&self, name: &str, files: &Files) {
        self.volumes[name].update(files);
    }

    /// Its number.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM, as the kubelet does first.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success(), "{kill}: {status}");
    }

    /// Waits until the process has ended by itself.
    #[track_caller]
    pub(crate) fn wait_until_ended(&mut self) -> ExitStatus {
        let (child, log) = (&mut self.child, &self.log);
        sandbox::eventually("meshvet has ended", || match child.try_wait() {
            Ok(Some(status)) => Ok(status),
            other => Err(format!("{other:?}\n{}", sandbox::tail(log, 20))),
        })
    }

    /// What it has logged so far. Lines are written together, within some 20 ms.
    pub(crate) fn log(&self) -> String {
        std::thread::sleep(Duration::from_millis(200));
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The folder of the ServiceAccount's token, as the kubelet makes it.
pub(crate) fn service_account(plane: &ControlPlane, folder: &Path, namespace: &str, token: &str) -> PathBuf {
    let account = folder.join("serviceaccount");
    std::fs::create_dir_all(&account).unwrap();
    std::fs::write(account.join("token"), token).unwrap();
    std::fs::write(account.join("namespace"), namespace).unwrap();
    std::fs::copy(plane.folder().join("ca.crt"), account.join("ca.crt")).unwrap();
    account
}

/// What a volume of the pod holds: the Secret or ConfigMap that is in the cluster.
fn content(plane: &ControlPlane, namespace: &str, volume: &Value) -> Files {
    let (kind, name) = match (&volume["secret"], &volume["configMap"]) {
        (Value::Object(secret), _) => ("secret", text(&secret["secretName"])),
        (_, Value::Object(map)) => ("configmap", text(&map["name"])),
        _ => panic!("a volume of a kind that the suite doesn't know: {volume}"),
    };
    volume::files(&plane.kubectl.get(&["-n", namespace, kind, name]))
}

/// The port of the readiness probe, which names one of the container's.
fn probe_port(container: &Value) -> u16 {
    let wanted = &container["readinessProbe"]["httpGet"]["port"];
    let port = container["ports"]
        .as_array()
        .and_then(|ports| ports.iter().find(|port| port["name"] == *wanted))
        .map_or(wanted, |port| &port["containerPort"]);
    port.as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or_else(|| panic!("no port: {wanted}"))
}
