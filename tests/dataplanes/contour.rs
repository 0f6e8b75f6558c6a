//! Contour, and the one Envoy that it configures for all cases: each is of another host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::bed::{self, Running};
use crate::case::Case;
use crate::client;
use crate::control_plane::ControlPlane;
use crate::proxy::Proxy;
use crate::record::Seen;

/// Set inside: the program. Its CustomResourceDefinitions stand beside it.
pub(crate) const PROGRAM: &str = "MESHVET_CONTOUR";

const XDS: u16 = 18_001;
const HTTPS: u16 = 18_443;

/// How often the proxy is started afresh.
const STARTS: usize = 3;

/// Runs all cases.
pub(crate) fn record(cases: &[Case]) -> BTreeMap<String, Seen> {
    let program = PathBuf::from(std::env::var_os(PROGRAM).expect("called inside"));
    let plane = bed::cluster("contour");
    bed::install(&plane, &program.with_file_name("crds.yaml"));
    bed::apply(&plane, cases, |_| Vec::new());
    let mut contour = Running::start(serve(&program, &plane), &plane.folder().join("contour.log"));
    let configuration = bootstrap(&program, &plane);
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    for case in cases {
        let fresh = Seen { fingerprint: case.fingerprint(), ..Seen::default() };
        assert!(seen.insert(case.name.to_owned(), fresh).is_none(), "two cases are called {}", case.name);
    }
    for _ in 0..STARTS {
        let proxy = Proxy::start(plane.folder(), &configuration);
        proxy.settle();
        contour.lives();
        for case in cases {
            let seen = seen.get_mut(case.name).expect("a case");
            for probe in &case.probes {
                seen.clients.entry(probe.label()).or_default().push(client::ask(probe, HTTPS));
            }
        }
    }
    for case in cases {
        seen.get_mut(case.name).expect("a case").conditions = bed::conditions(&plane, case);
    }
    seen
}

/// The configuration that Contour makes for an Envoy, with a name for it, which is else given on the command line.
fn bootstrap(program: &Path, plane: &ControlPlane) -> PathBuf {
    let path = plane.folder().join("envoy.json");
    let ran = Command::new(program)
        .args(["bootstrap", "--xds-address=127.0.0.1", "--xds-resource-version=v3", &format!("--xds-port={XDS}")])
        .arg(format!("--admin-address={}", plane.folder().join("admin").display()))
        .arg(&path)
        .status();
    assert!(ran.expect("contour runs").success(), "contour bootstrap");
    let text = std::fs::read_to_string(&path).expect("the configuration");
    let mut configuration: Value = serde_json::from_str(&text).expect("JSON");
    configuration["node"] = json!({"id": "envoy", "cluster": "contour"});
    std::fs::write(&path, configuration.to_string()).expect("the configuration");
    path
}

fn serve(program: &Path, plane: &ControlPlane) -> Command {
    let mut command = Command::new(program);
    command
        .args(["serve", "--insecure", "--disable-leader-election", "--ingress-class-name=contour"])
        .arg(format!("--kubeconfig={}", plane.folder().join("kubeconfig").display()))
        .args(["--xds-address=127.0.0.1", &format!("--xds-port={XDS}")])
        .args(["--http-address=127.0.0.1", "--http-port=18002", "--health-address=127.0.0.1", "--health-port=18003"])
        .args([
            "--debug-http-address=127.0.0.1",
            "--debug-http-port=18004",
            "--stats-address=127.0.0.1",
            "--stats-port=18005",
        ])
        .args(["--envoy-service-http-address=127.0.0.1", "--envoy-service-http-port=18080"])
        .args(["--envoy-service-https-address=127.0.0.1", &format!("--envoy-service-https-port={HTTPS}")])
        .args(["--envoy-http-access-log=/dev/null", "--envoy-https-access-log=/dev/null"]);
    command
}
