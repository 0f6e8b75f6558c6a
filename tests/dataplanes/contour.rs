//! Contour, and the one Envoy that it configures for all cases: each case has another host.

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
use crate::sandbox::eventually;

/// Set inside: the program. Its CustomResourceDefinitions are in the same folder.
pub(crate) const PROGRAM: &str = "MESHVET_CONTOUR";

const XDS: u16 = 18_001;
const HTTPS: u16 = 18_443;
/// Where Envoy serves port 443 of a Gateway, as Contour configures it.
const HTTPS_OF_GATEWAYS: u16 = 8443;

/// How often the proxy is started again.
const STARTS: usize = 3;

/// Runs all cases: those of Ingresses at once, and each Gateway with a Contour of its own, which serves only one.
pub(crate) fn record(cases: &[Case]) -> BTreeMap<String, Seen> {
    let program = PathBuf::from(std::env::var_os(PROGRAM).expect("called inside"));
    let plane = bed::cluster("contour");
    bed::install(&plane, &program.with_file_name("crds.yaml"));
    bed::apply(&plane, cases, |_| Vec::new());
    let (gateways, ingresses): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| is_gateway(case));
    let mut seen = tried(&program, &plane, &ingresses, None);
    for case in gateways {
        seen.append(&mut tried(&program, &plane, &[case], Some(case.name)));
    }
    assert_eq!(seen.len(), cases.len(), "two cases have one name");
    seen
}

fn is_gateway(case: &Case) -> bool {
    case.objects.iter().any(|object| object["kind"] == "Gateway")
}

/// Starts a Contour, for Ingresses or for the Gateway of this namespace, and then Envoys one after another.
fn tried(program: &Path, plane: &ControlPlane, cases: &[&Case], gateway: Option<&str>) -> BTreeMap<String, Seen> {
    let log = plane.folder().join(format!("contour-{}.log", gateway.unwrap_or("ingresses")));
    let mut contour = Running::start(serve(program, plane, gateway), &log);
    let configuration = bootstrap(program, plane);
    let port = if gateway.is_some() { HTTPS_OF_GATEWAYS } else { HTTPS };
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    for case in cases {
        seen.insert(case.name.to_owned(), Seen { fingerprint: case.fingerprint(), ..Seen::default() });
    }
    eventually("Contour serves proxies", || {
        contour.lives();
        std::net::TcpStream::connect(("127.0.0.1", XDS)).map_err(|error| error.to_string())
    });
    for _ in 0..STARTS {
        let proxy = Proxy::start(plane.folder(), &configuration);
        proxy.settle();
        for seen in seen.values_mut() {
            seen.ready.push(proxy.is_ready());
        }
        contour.lives();
        for case in cases {
            let seen = seen.get_mut(case.name).expect("a case");
            for probe in &case.probes {
                seen.clients.entry(probe.label()).or_default().push(client::ask(probe, port));
            }
        }
    }
    for case in cases {
        seen.get_mut(case.name).expect("a case").conditions = bed::conditions(plane, case);
    }
    seen
}

/// The configuration that Contour writes for an Envoy, with a node name, which is otherwise given on the command line.
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

fn serve(program: &Path, plane: &ControlPlane, gateway: Option<&str>) -> Command {
    let file = plane.folder().join("contour.yaml");
    let configuration = match gateway {
        Some(namespace) => json!({"gateway": {"gatewayRef": {"namespace": namespace, "name": "web"}}}),
        None => json!({}),
    };
    std::fs::write(&file, configuration.to_string()).expect("the configuration");
    let mut command = Command::new(program);
    command
        .args(["serve", "--insecure", "--disable-leader-election", "--ingress-class-name=contour"])
        // Their kinds aren't served in the versions that it knows.
        .args(["tlsroutes", "tcproutes", "backendtlspolicies"].map(|kind| format!("--disable-feature={kind}")))
        .arg(format!("--config-path={}", file.display()))
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
