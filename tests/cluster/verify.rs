//! `meshvet verify` through the API server's port-forward: two real Envoys behind pods, and the kubelet's own streaming code
//! between them and the API server.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::control_plane::ControlPlane;
use crate::envoy;
use crate::kubelet::{Kubelet, Pod};
use crate::proxies::{NAME, Pair, ROOT, Server};
use crate::sandbox;
use crate::support::manifests;

tests![
    proxies_are_read_by_name_by_label_and_all_of_a_namespace,
    a_pair_that_fails_is_told_by_both_of_its_pods,
    how_far_it_is_is_shown_on_a_terminal,
    a_pod_that_cant_be_read_says_why,
    a_missing_permission_is_named,
    kubectl_is_forwarded_by_the_same_kubelet,
];

/// The port of an injected proxy's admin interface.
const ADMIN: u16 = 9901;
const NODE: &str = "machine";

/// A cluster with one machine, on which pods `client` and `server` of namespace `shop` run an Envoy each.
struct Cluster {
    plane: ControlPlane,
    kubelet: Kubelet,
    pods: [Pod; 2],
    _pair: Pair,
}

impl Cluster {
    /// With a client that calls the server by this name, and is answered with this status.
    fn start(name: &str, calls: &str, status: u16) -> Self {
        let plane = ControlPlane::start(name);
        plane.kubectl.create(&manifests::namespace("shop"), &[]).succeeds();
        let pods = [Pod::new("shop", "client"), Pod::new("shop", "server")];
        let [of_client, of_server] = pods.map(|pod| envoy::address(&pod.loopback.to_string(), ADMIN));
        let certificate = ROOT.leaf(&[NAME]).issue();
        let server = Server { certificate: Some(&certificate), client_trust: None };
        let pair = Pair::at([&of_server, &of_client], &server, &ROOT, calls, status);
        let kubelet = Kubelet::start(&plane, NODE, &pods);
        for pod in &pods {
            pod.runs(&plane, NODE, "envoy", "Running");
        }
        Self { plane, kubelet, pods, _pair: pair }
    }

    fn sound(name: &str) -> Self {
        Self::start(name, NAME, 200)
    }

    /// Runs `meshvet verify` as the one who may do everything.
    fn verify(&self, arguments: &[&str]) -> Output {
        verify_as(&self.plane.folder().join("kubeconfig"), arguments)
    }

    #[track_caller]
    fn says(&self, arguments: &[&str], code: i32, expected: &[&str]) {
        told(&self.verify(arguments), code, expected);
    }
}

fn verify_as(kubeconfig: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(sandbox::meshvet());
    command.arg("verify").args(arguments).arg("--kubeconfig").arg(kubeconfig);
    command.env_remove("MESHVET_CONTEXT").output().expect("meshvet runs")
}

/// The exit code, and texts of the output, errors included.
#[track_caller]
fn told(output: &Output, code: i32, expected: &[&str]) {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}");
    for expected in expected {
        assert!(said.contains(expected), "{expected:?} is not in:\n{said}");
    }
}

fn proxies_are_read_by_name_by_label_and_all_of_a_namespace() {
    let cluster = Cluster::sound("verify");
    let handshake = "cluster blue: 1 TLS handshake in 1 connection, TLSv1.2";
    cluster.says(&["-n", "shop", "client"], 0, &["shop/client", handshake, "1 proxy read: TLS is in use and sound"]);
    let by_label = ["-n", "shop", "--selector", "app=server"];
    cluster.says(
        &by_label,
        0,
        &["shop/server", "listener ingress: 1 TLS handshake", "presents tls.crt (blue.shop.svc)"],
    );
    let both = ["shop/client", "shop/server", "2 proxies read: TLS is in use and sound"];
    cluster.says(&["-n", "shop"], 0, &both);
    cluster.says(&["-n", "shop", "server", "client"], 0, &both);

    // All of the mesh: another namespace has a pod without a proxy, and one that hasn't started.
    cluster.plane.kubectl.create(&manifests::namespace("other"), &[]).succeeds();
    Pod::new("other", "plain").runs(&cluster.plane, NODE, "app", "Running");
    Pod::new("other", "later").runs(&cluster.plane, NODE, "envoy", "Pending");
    let output = cluster.verify(&["-A", "-o", "json"]);
    told(&output, 0, &[]);
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let proxies: Vec<&Value> = document["proxies"].as_array().expect("proxies").iter().map(|it| &it["proxy"]).collect();
    assert_eq!(proxies, ["shop/client", "shop/server"]);
    assert_eq!(document["errors"], json!([]));
    cluster.says(&["-n", "other"], 2, &["no running pod in namespace other has a container `envoy`"]);
}

fn a_pair_that_fails_is_told_by_both_of_its_pods() {
    let cluster = Cluster::start("verify-fails", "green.shop.svc", 503);
    cluster.says(
        &["-n", "shop"],
        1,
        &["shop/client", "fail_verify_san", "MV104", "shop/server", "connection_error", "2 proxies read: 2 failures"],
    );
}

fn how_far_it_is_is_shown_on_a_terminal() {
    let cluster = Cluster::sound("verify-progress");
    let kubeconfig = cluster.plane.folder().join("kubeconfig");
    let command = format!("{} verify -n shop --kubeconfig {}", sandbox::meshvet().display(), kubeconfig.display());
    // script runs it on a terminal of its own.
    let output = Command::new("script").args(["-qec", &command, "/dev/null"]).output().expect("script runs");
    told(&output, 0, &["0 of 2 proxies read", "1 of 2 proxies read", "2 of 2 proxies read"]);
    // Elsewhere it would be litter.
    let output = cluster.verify(&["-n", "shop"]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

fn a_pod_that_cant_be_read_says_why() {
    let cluster = Cluster::sound("verify-unreadable");
    let absent = ["error shop/absent: there is no such pod", "kubectl -n shop get pods", "shop/client", "1 proxy read"];
    cluster.says(&["-n", "shop", "absent", "client"], 2, &absent);
    Pod::new("shop", "later").runs(&cluster.plane, NODE, "envoy", "Pending");
    cluster.says(&["-n", "shop", "later"], 2, &["error shop/later: the pod is Pending, and not Running"]);
    let no_proxy = [
        "error shop/client: port 9999 of the pod can't be reached",
        "connection refused",
        "inside the pod",
        "--admin-port",
    ];
    cluster.says(&["-n", "shop", "client", "--admin-port", "9999"], 2, &no_proxy);
    // A pod that the machine doesn't know yet, or any more.
    Pod::new("shop", "unknown").runs(&cluster.plane, NODE, "envoy", "Running");
    cluster.says(&["-n", "shop", "unknown"], 2, &["error shop/unknown: no port-forward", "pod does not exist"]);
    // A machine that is away.
    drop(cluster.kubelet);
    let output = verify_as(&cluster.plane.folder().join("kubeconfig"), &["-n", "shop", cluster.pods[0].name]);
    told(&output, 2, &["error shop/client: no port-forward", "connection refused"]);
}

/// A user who may do this in namespace `shop`: verbs and a resource.
#[track_caller]
fn user(plane: &ControlPlane, name: &str, rights: &[(&[&str], &str)]) -> PathBuf {
    let run = |arguments: &[&str]| plane.kubectl.run(&[&["-n", "shop"], arguments].concat(), "").succeeds();
    run(&["create", "serviceaccount", name]);
    let rules: Vec<Value> = rights
        .iter()
        .map(|(verbs, resource)| json!({"apiGroups": [""], "resources": [resource], "verbs": verbs}))
        .collect();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"namespace": "shop", "name": name},
        "rules": rules,
    });
    plane.kubectl.create(&role, &[]).succeeds();
    run(&["create", "rolebinding", name, &format!("--role={name}"), &format!("--serviceaccount=shop:{name}")]);
    let token = run(&["create", "token", name]);
    plane.kubeconfig_for(name, token.stdout.trim())
}

fn a_missing_permission_is_named() {
    let cluster = Cluster::sound("verify-rights");
    let (look, forward): (&[&str], &[&str]) = (&["get", "list"], &["get", "create"]);
    let says = |name: &str, rights: &[(&[&str], &str)], arguments: &[&str], code: i32, expected: &[&str]| {
        let kubeconfig = user(&cluster.plane, name, rights);
        // What a role binding allows is known a moment later.
        sandbox::eventually("the rights are known", || {
            let output = verify_as(&kubeconfig, arguments);
            let said = format!("{output:?}");
            let right = output.status.code() == Some(code) && expected.iter().all(|text| said.contains(text));
            if right { Ok(()) } else { Err(said) }
        });
    };
    let nothing: &[(&[&str], &str)] = &[];
    says(
        "nobody",
        nothing,
        &["-n", "shop"],
        2,
        &["you (ServiceAccount", "may not create, get and list pods, pods/portforward in namespace shop", "kind: Role"],
    );
    let forbidden =
        ["no port-forward: you (ServiceAccount", "may not ", "pods/portforward in namespace shop", "kind: Role"];
    says("looker", &[(look, "pods")], &["-n", "shop", "client"], 2, &forbidden);
    says("looker-at-all", &[(look, "pods")], &["-n", "shop"], 2, &forbidden);
    says("reader", &[(look, "pods"), (forward, "pods/portforward")], &["-n", "shop"], 0, &["2 proxies read"]);
    // To forward a port is enough where the pod is named.
    says("forwarder", &[(forward, "pods/portforward")], &["-n", "shop", "client"], 0, &["1 proxy read"]);
}

/// Not only meshvet gets through: kubectl speaks another protocol (SPDY) to the same port-forward.
fn kubectl_is_forwarded_by_the_same_kubelet() {
    let cluster = Cluster::sound("verify-kubectl");
    let mut kubectl = Command::new(sandbox::assets().join("kubectl"))
        .arg("--kubeconfig")
        .arg(cluster.plane.folder().join("kubeconfig"))
        .args(["-n", "shop", "port-forward", "pod/client", &format!(":{ADMIN}")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("kubectl runs");
    let mut line = String::new();
    // Held open: kubectl tells of each connection.
    let mut stdout = BufReader::new(kubectl.stdout.take().expect("its output"));
    stdout.read_line(&mut line).expect("a line");
    let address = line.strip_prefix("Forwarding from ").and_then(|line| line.split(" -> ").next());
    let address = address.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("{line}"));
    let answer = envoy::get(address, "/ready");
    let _ = kubectl.kill();
    let _ = kubectl.wait();
    drop(stdout);
    let answer = answer.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("LIVE"), "{answer}");
}
