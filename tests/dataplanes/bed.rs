//! The cluster that a controller is recorded in.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command};

use serde_json::{Value, json};

use crate::backend;
use crate::case::Case;
use crate::control_plane::{ControlPlane, spawn};
use crate::sandbox::{self, API_SERVER, eventually, tail};
use crate::support::manifests::list;

/// A cluster with Gateway API's kinds.
pub(crate) fn cluster(name: &str) -> ControlPlane {
    let plane = ControlPlane::start(name);
    let definitions = std::env::var(sandbox::GATEWAY_CRDS).expect("called inside");
    install(&plane, Path::new(&definitions));
    plane
}

/// Installs CustomResourceDefinitions, and waits until they are served.
pub(crate) fn install(plane: &ControlPlane, definitions: &Path) {
    plane.kubectl.run(&["apply", "--server-side", "-f", &definitions.display().to_string()], "").succeeds();
    eventually("every CRD is established", || {
        let wait = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
        let outcome = plane.kubectl.run(&wait, "");
        if outcome.code == 0 { Ok(()) } else { Err(outcome.to_string()) }
    });
}

/// Applies the namespaces, the applications behind the cases, and the cases.
pub(crate) fn apply(plane: &ControlPlane, cases: &[Case], also: impl Fn(&Case) -> Vec<Value>) {
    let namespaces = cases.iter().map(|case| namespace(case.name));
    plane.kubectl.apply(&list(namespaces), &["--server-side"]).succeeds();
    let plain = backend::start(None);
    for case in cases {
        let port = case.backend.as_ref().map_or(plain, |pair| backend::start(Some(pair)));
        let slice = endpoints(case.name, "app", "web", port);
        let objects = also(case).into_iter().chain([slice]).chain(case.objects.iter().cloned());
        plane.kubectl.apply(&list(objects), &["--server-side"]).succeeds();
    }
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// One endpoint of a Service, on this machine.
fn endpoints(namespace: &str, service: &str, name: &str, port: u16) -> Value {
    json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"namespace": namespace, "name": service, "labels": {"kubernetes.io/service-name": service}},
        "endpoints": [{"addresses": [API_SERVER.to_string()], "conditions": {"ready": true}}],
        "ports": [{"name": name, "port": port, "protocol": "TCP"}]})
}

/// A program that runs beside the cluster: it ends when dropped.
pub(crate) struct Running {
    child: Child,
    log: std::path::PathBuf,
}

impl Running {
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let program = command.get_program().to_owned();
        let mut dying = Command::new("setpriv");
        dying.args(["--pdeathsig", "KILL"]).arg(program).args(command.get_args());
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                dying.env(name, value);
            }
        }
        command = dying;
        Self { child: spawn(command, log), log: log.to_owned() }
    }

    /// Fails if the program has ended.
    pub(crate) fn lives(&mut self) {
        if let Ok(Some(status)) = self.child.try_wait() {
            panic!("{status}\n{}", tail(&self.log, 20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the controller reports for the objects of a case: for Gateways by listener, for policies by ancestor.
pub(crate) fn conditions(plane: &ControlPlane, case: &Case) -> BTreeMap<String, String> {
    let all = plane.kubectl.get(&["-n", case.name, "gateways,backendtlspolicies"]);
    let mut said = BTreeMap::new();
    for object in all["items"].as_array().into_iter().flatten() {
        let name = format!(
            "{} {}",
            object["kind"].as_str().unwrap_or_default(),
            object["metadata"]["name"].as_str().unwrap_or_default()
        );
        let parts = object["status"]["listeners"].as_array().into_iter().flatten();
        for part in parts {
            let listener = part["name"].as_str().unwrap_or_default();
            said.insert(format!("{name} listener {listener}"), conditions_of(part));
        }
        for part in object["status"]["ancestors"].as_array().into_iter().flatten() {
            let ancestor = part["ancestorRef"]["name"].as_str().unwrap_or_default();
            said.insert(format!("{name} of {ancestor}"), conditions_of(part));
        }
    }
    said
}

/// `Accepted: True, Programmed: False (Invalid)`.
fn conditions_of(part: &Value) -> String {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let mut all: Vec<String> = part["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| {
            let usual = text(one, "reason") == text(one, "type");
            let reason = if usual { String::new() } else { format!(" ({})", text(one, "reason")) };
            format!("{}: {}{reason}", text(one, "type"), text(one, "status"))
        })
        .collect();
    all.sort();
    all.join(", ")
}
