//! istiod, and an Envoy for each case, whose Gateway is deployed manually: a Service, a Pod without a node, and the proxy here.

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
use crate::support::manifests::list;
use crate::support::mint::Authority;

/// Set inside: the program.
pub(crate) const PROGRAM: &str = "MESHVET_ISTIOD";

const NAMESPACE: &str = "istio-system";
/// Where it serves proxies that authenticate: others get no Secrets.
const XDS: u16 = 15_012;
/// How often a proxy is started again when one certificate may break other listeners.
const STARTS: usize = 5;
/// How many cases run in parallel: they wait more than they compute.
const WORKERS: usize = 4;

/// Where the proxy of a case listens for a port of its Gateway.
fn port_of(number: usize, port: u16) -> u16 {
    10_000 + 2 * u16::try_from(number).expect("a case") + u16::from(port != 443)
}

/// The Gateway's address: its Service.
pub(crate) fn address(namespace: &str) -> Value {
    json!({"type": "Hostname", "value": format!("web.{namespace}.svc.cluster.local")})
}

/// An address of its own for each proxy. 198.51.100.0/24 is reserved for documentation.
fn pod_address(number: usize) -> String {
    format!("198.51.100.{}", number + 1)
}

/// Runs all cases.
pub(crate) fn record(cases: &[Case]) -> BTreeMap<String, Seen> {
    let program = PathBuf::from(std::env::var_os(PROGRAM).expect("called inside"));
    let plane = bed::cluster("istio");
    let authority = Authority::new("istiod");
    plane.kubectl.apply(&list([bed::namespace(NAMESPACE)]), &["--server-side"]).succeeds();
    let numbers: BTreeMap<&str, usize> = cases.iter().enumerate().map(|(number, case)| (case.name, number)).collect();
    assert_eq!(numbers.len(), cases.len(), "two cases have one name");
    bed::apply(&plane, cases, |case| deployment(case, numbers[case.name]));
    for case in cases {
        run(&plane, case, numbers[case.name]);
    }
    let mut istiod = Running::start(discovery(&program, &plane, &authority), &plane.folder().join("istiod.log"));
    eventually("istiod serves proxies", || {
        istiod.lives();
        std::net::TcpStream::connect(("127.0.0.1", XDS)).map_err(|error| error.to_string())
    });
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut seen = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            seen.push((case.name.to_owned(), tried(&plane, &authority, case, numbers[case.name])));
        }
        seen
    };
    let mut seen: BTreeMap<String, Seen> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    istiod.lives();
    for case in cases {
        seen.get_mut(case.name).expect("a case").conditions = bed::conditions(&plane, case);
    }
    seen
}

/// Starts the proxy of a case, more than once if it has neighbours, and makes the requests.
fn tried(plane: &ControlPlane, authority: &Authority, case: &Case, number: usize) -> Seen {
    let folder = plane.folder().join(case.name);
    std::fs::create_dir_all(&folder).unwrap();
    let configuration = folder.join("envoy.json");
    std::fs::write(&configuration, bootstrap(&folder, authority, case, number).to_string()).unwrap();
    let mut seen = Seen { fingerprint: case.fingerprint(), ..Seen::default() };
    let shared = case.probes.iter().any(|probe| probe.neighbour) || case.name.ends_with("-is-refused");
    let starts = if shared { STARTS } else { 1 };
    for _ in 0..starts {
        let proxy = Proxy::start(&folder, &configuration);
        proxy.settle();
        seen.ready.push(proxy.is_ready());
        for probe in &case.probes {
            let answer = client::ask(probe, port_of(number, probe.port));
            seen.clients.entry(probe.label()).or_default().push(answer);
        }
    }
    seen
}

/// The objects that a manually deployed Gateway needs. Its proxy may read the Secrets of its namespace.
fn deployment(case: &Case, number: usize) -> Vec<Value> {
    let ports = [("https", 443), ("https-other", 8443)];
    let service_ports =
        ports.map(|(name, port)| json!({"name": name, "port": port, "targetPort": port_of(number, port)}));
    let slice_ports = ports.map(|(name, port)| json!({"name": name, "port": port_of(number, port), "protocol": "TCP"}));
    let metadata =
        json!({"namespace": case.name, "name": "web", "labels": {"app": "web", "kubernetes.io/service-name": "web"}});
    vec![
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": {"app": "web"}, "ports": service_ports}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "metadata": metadata,
            "endpoints": [{"addresses": [pod_address(number)], "conditions": {"ready": true},
                "targetRef": {"kind": "Pod", "namespace": case.name, "name": "web"}}],
            "ports": slice_ports}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": case.name, "name": "web"}}),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": {"serviceAccountName": "web", "containers": [{"name": "istio-proxy", "image": "none"}]}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata,
            "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]}]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "web"},
            "subjects": [{"kind": "ServiceAccount", "namespace": case.name, "name": "web"}]}),
    ]
}

/// The Pod's status, as a kubelet would set it.
fn run(plane: &ControlPlane, case: &Case, number: usize) {
    let address = pod_address(number);
    let status = json!({"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": "True"}]}});
    let patch =
        ["-n", case.name, "patch", "pod", "web", "--subresource=status", "--type=merge", "-p", &status.to_string()];
    plane.kubectl.run(&patch, "").succeeds();
}

fn discovery(program: &Path, plane: &ControlPlane, authority: &Authority) -> Command {
    let folder = plane.folder().join("istiod");
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    for name in ["ca-cert.pem", "root-cert.pem", "cert-chain.pem"] {
        file(name, &authority.pem());
    }
    file("ca-key.pem", &authority.key_pem());
    let mesh = file(
        "mesh",
        &json!({"enableAutoMtls": false, "defaultProviders": {}, "trustDomain": "cluster.local"}).to_string(),
    );
    let mut command = Command::new(program);
    command
        .arg("discovery")
        .arg(format!("--kubeconfig={}", plane.folder().join("kubeconfig").display()))
        .arg(format!("--meshConfig={}", mesh.display()))
        .args(["--networksConfig=/dev/null", "--domain=cluster.local", "--httpAddr=127.0.0.1:15080", "--httpsAddr="])
        .args([
            "--monitoringAddr=127.0.0.1:15014",
            "--grpcAddr=",
            "--ctrlz_port=0",
            &format!("--secureGRPCAddr=127.0.0.1:{XDS}"),
        ])
        .env("ROOT_CA_DIR", &folder)
        .env("POD_NAMESPACE", NAMESPACE)
        .env("POD_NAME", "istiod")
        .env("REVISION", "default")
        .env("INJECTION_WEBHOOK_CONFIG_NAME", "")
        .env("VALIDATION_WEBHOOK_CONFIG_NAME", "")
        .env("PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER", "false")
        // A plain Envoy has none of these filters.
        .env("PILOT_ENABLE_METADATA_EXCHANGE", "false")
        .env("PILOT_ENABLE_ALPN_FILTER", "false")
        .env("PILOT_ENABLE_TELEMETRY_LABEL", "false");
    command
}

/// The bootstrap configuration of an Envoy as the proxy of a case.
fn bootstrap(folder: &Path, authority: &Authority, case: &Case, number: usize) -> Value {
    let namespace = case.name;
    let identity = authority.leaf(&[&format!("spiffe://cluster.local/ns/{namespace}/sa/web")]).issue();
    let inline = |text: &str| json!({"inline_string": text});
    let ads = json!({"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"});
    json!({
        "node": {
            "id": format!("router~{}~web.{namespace}~{namespace}.svc.cluster.local", pod_address(number)),
            "cluster": format!("web.{namespace}"),
            "metadata": {"NAME": "web", "NAMESPACE": namespace, "SERVICE_ACCOUNT": "web", "CLUSTER_ID": "Kubernetes",
                "INSTANCE_IPS": pod_address(number), "LABELS": {"app": "web"}},
        },
        "admin": {"address": {"pipe": {"path": folder.join("admin")}}},
        "dynamic_resources": {"lds_config": ads, "cds_config": ads, "ads_config": {"api_type": "GRPC", "transport_api_version": "V3",
            "set_node_on_first_message_only": true, "grpc_services": [{"envoy_grpc": {"cluster_name": "istiod"}}]}},
        "static_resources": {"clusters": [{
            "name": "istiod", "type": "STATIC", "connect_timeout": "5s",
            "load_assignment": {"cluster_name": "istiod", "endpoints": [{"lb_endpoints": [{"endpoint": {"address":
                {"socket_address": {"address": "127.0.0.1", "port_value": XDS}}}}]}]},
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}}}},
            "transport_socket": {"name": "tls", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "sni": "istiod.istio-system.svc",
                "common_tls_context": {
                    "tls_certificates": [{"certificate_chain": inline(&identity.chain), "private_key": inline(&identity.key)}],
                    "validation_context": {"trusted_ca": inline(&authority.pem())}}}},
        }]},
    })
}
