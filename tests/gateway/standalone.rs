//! Envoy Gateway without a cluster, and the Envoy that it starts, in a network of their own.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::records::{self, versions};

/// The address of backends: Envoy Gateway accepts no loopback address.
pub(crate) const BACKENDS: &str = "10.99.0.1";
/// The port of the backend that speaks TLS; the other's is 8080.
pub(crate) const TLS_PORT: u16 = 8443;
/// The port that Envoy listens on as soon as it has its listeners.
const READY: u16 = 19003;
const PATIENCE: Duration = Duration::from_secs(60);
/// Tells a process in a network of its own which share of a test it has, and where it writes its results.
const INSIDE: &str = "MESHVET_INSIDE";

/// Runs this test again in each of so many networks of their own; whatever they start dies with them. Each does its share, which `act` gets
/// as indexes of a list, and the results are combined. None in the networks themselves.
pub(crate) fn in_networks<T: Serialize + DeserializeOwned>(
    test: &str,
    count: usize,
    act: impl Fn(&dyn Fn(usize) -> bool) -> BTreeMap<String, T>,
) -> Option<BTreeMap<String, T>> {
    if let Ok(inside) = std::env::var(INSIDE) {
        let (share, path) = inside.split_once(':').expect("a share");
        let share: usize = share.parse().expect("a number");
        let made = act(&|place| place % count == share);
        std::fs::write(path, serde_json::to_string(&made).expect("JSON")).expect("a file");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let shares: Vec<(PathBuf, Child)> = (0..count)
        .map(|share| {
            let path = folder.path().join(share.to_string());
            let child = in_network(test, &format!("{share}:{}", path.display()));
            (path, child)
        })
        .collect();
    let mut all = BTreeMap::new();
    for (path, mut child) in shares {
        assert!(child.wait().expect("a process").success(), "{test}: what it said stands above");
        let text = std::fs::read_to_string(path).expect("a share");
        all.extend(serde_json::from_str::<BTreeMap<String, T>>(&text).expect("a share"));
    }
    Some(all)
}

fn in_network(test: &str, inside: &str) -> Child {
    // Each Envoy makes one shared memory of one name, and stops if another does so at the same moment.
    let prepare = format!(
        "mount -t tmpfs tmpfs /dev/shm && ip link set lo up && ip address add {BACKENDS}/32 dev lo && exec \"$@\""
    );
    let own = std::env::current_exe().expect("the test's program");
    Command::new("unshare")
        .args(["-rnpf", "--mount-proc", "--kill-child", "sh", "-c", &prepare, "-"])
        .arg(own)
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(INSIDE, inside)
        .spawn()
        .expect("unshare runs (Debian: apt-get install util-linux)")
}

/// The two programs, and the folder for their files.
pub(crate) struct Programs {
    gateway: PathBuf,
    envoy_version: String,
    home: tempfile::TempDir,
}

impl Programs {
    pub(crate) fn new() -> Self {
        let home = tempfile::Builder::new().prefix("meshvet-gateway-").tempdir().expect("a folder");
        let (gateway, envoy) = (records::part("envoy-gateway"), records::part("envoy"));
        let envoy_version = versions()["envoy"].clone();
        let bin = home.path().join("data/envoy-versions").join(&envoy_version).join("bin");
        std::fs::create_dir_all(&bin).expect("a folder");
        std::os::unix::fs::symlink(envoy, bin.join("envoy")).expect("a link");
        let mut certgen = Command::new(&gateway);
        certgen.args(["certgen", "--local", "--config-home"]).arg(home.path().join("config"));
        let made = certgen.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("envoy-gateway starts");
        assert!(made.success(), "envoy-gateway certgen failed");
        Programs { gateway, envoy_version, home }
    }

    /// Starts both with these objects.
    pub(crate) fn start(&self, objects: &[Value]) -> Running {
        let resources = tempfile::tempdir_in(self.home.path()).expect("a folder");
        let objects = with_host(objects, &self.envoy_version);
        crate::verdicts::write(&resources.path().join("all.yaml"), &objects);
        let config = resources.path().join("config.json");
        let own = |name: &str| self.home.path().join(name);
        let host = json!({"configHome": own("config"), "dataHome": own("data"), "stateHome": own("state"), "runtimeDir": own("run")});
        let text = json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyGateway",
            "gateway": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
            "provider": {"type": "Custom", "custom": {
                "resource": {"type": "File", "file": {"paths": [resources.path().join("all.yaml")]}},
                "infrastructure": {"type": "Host", "host": host}}},
            "logging": {"level": {"default": "info"}}, "extensionApis": {"enableBackend": true}});
        std::fs::write(&config, text.to_string()).expect("a file");
        let log = std::fs::File::create(resources.path().join("log")).expect("a file");
        let gateway = Command::new("unshare")
            .args(["-pf", "--kill-child"])
            .arg(&self.gateway)
            .args(["server", "-c"])
            .arg(&config)
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .expect("envoy-gateway starts");
        Running { gateway, resources }
    }
}

/// The objects, with what Envoy Gateway must know to start this Envoy, and backends of its own in place of Services.
fn with_host(objects: &[Value], version: &str) -> Vec<Value> {
    let proxy = json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyProxy",
        "metadata": {"namespace": "shop", "name": "host"},
        "spec": {"provider": {"type": "Host", "host": {"envoyVersion": version}}}});
    let calls_by_tls =
        objects.iter().any(|object| matches!(object["kind"].as_str(), Some("BackendTLSPolicy" | "TLSRoute")));
    let port = if calls_by_tls { TLS_PORT } else { 8080 };
    let backend = json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "Backend",
        "metadata": {"namespace": "shop", "name": "api"}, "spec": {"endpoints": [{"ip": {"address": BACKENDS, "port": port}}]}});
    let own = objects.iter().filter(|object| object["kind"] != "Service").map(of_backends);
    own.chain([proxy, backend]).collect()
}

fn of_backends(object: &Value) -> Value {
    let mut object = object.clone();
    if object["kind"] == "GatewayClass" {
        let reference =
            json!({"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "namespace": "shop", "name": "host"});
        object["spec"]["parametersRef"] = reference;
    }
    if object["kind"] == "Gateway" && object["metadata"]["name"] == "web" {
        // Without a listener that it can serve, Envoy Gateway starts no Envoy.
        let listeners = object["spec"]["listeners"].as_array_mut();
        listeners.expect("listeners").push(json!({"name": "ready", "port": 8081, "protocol": "HTTP"}));
    }
    let mut to_backend = |pointer: &str| {
        let Some(list) = object.pointer_mut(pointer).and_then(Value::as_array_mut) else { return };
        for reference in list.iter_mut().filter(|reference| reference["name"] == "api") {
            reference["group"] = "gateway.envoyproxy.io".into();
            reference["kind"] = "Backend".into();
            if reference["sectionName"] == "https" {
                reference["sectionName"] = TLS_PORT.to_string().into();
            }
        }
    };
    to_backend("/spec/rules/0/backendRefs");
    to_backend("/spec/targetRefs");
    object
}

/// Both, until dropped.
pub(crate) struct Running {
    gateway: Child,
    resources: tempfile::TempDir,
}

impl Running {
    /// Waits until Envoy has its listeners.
    pub(crate) fn ready(&mut self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", READY)).is_err() {
            let ended = self.gateway.try_wait().expect("a process");
            let patient = begun.elapsed() < PATIENCE && ended.is_none();
            assert!(patient, "Envoy isn't ready ({ended:?}):\n{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The output of both.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.resources.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.gateway.kill();
        let _ = self.gateway.wait();
        // Its ports are free only when everything that it started has ended.
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE && TcpListener::bind(("0.0.0.0", READY)).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
