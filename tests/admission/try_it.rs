//! `meshvet try`, as a newcomer runs it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::bed::{MISNAMED, SOUND, node};
use crate::support::manifests::{deployment, list, namespace, secret, tls_secret, virtual_gateway};
use crate::support::mint::Issued;

fn meshvet(arguments: &[&str], within: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshvet"));
    command.args(arguments).current_dir(within).output().expect("meshvet runs")
}

#[track_caller]
fn ends(output: &Output, code: i32, texts: &[&str]) -> String {
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}");
    for text in texts {
        assert!(said.contains(text), "{said}\nlacks {text:?}");
    }
    said
}

fn folder(objects: impl IntoIterator<Item = Value>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("mesh")).expect("a folder");
    std::fs::write(folder.path().join("mesh/all.json"), list(objects).to_string()).expect("a file");
    folder
}

fn world(issued: &Issued) -> Vec<Value> {
    vec![
        namespace("shop"),
        deployment("shop", "blue", "blue-cert:/certs"),
        tls_secret("shop", "blue-cert", issued),
        node(),
    ]
}

#[test]
fn the_example_behaves_as_it_should_and_reads_as_kubectl_does() {
    let output = meshvet(&["try"], Path::new("."));
    let said = ends(
        &output,
        0,
        &[
            "\nvirtualnode.appmesh.k8s.aws/catalog created\n",
            "\nvirtualnode.appmesh.k8s.aws/front created\n",
            "\nvirtualgateway.appmesh.k8s.aws/ingress created\n",
            "Warning: shop/reviews MV102: ",
            "\nError from server (Forbidden): error when creating \"examples/mesh/cart.yaml\": admission webhook \
         \"virtualnodes.meshvet.dev\" denied the request: VirtualNode shop/cart ",
            "MV101 hostname-mismatch at spec.listeners[0].tls.certificate.file.certificateChain",
            "MV202 file-missing",
            "server.key",
            "MV206 key-mismatch",
            "MV207 certificate-expired",
            "For more: meshvet explain MV101",
            "\nsecret/cart-tls created\n",
            "\nvirtualnode.appmesh.k8s.aws/shipping created\n",
            "Warning: shop/shipping MV203: no workload has app=shipping yet, so its certificate files aren't checked",
            "Warning: shop/shipping MV101: ",
            "The watcher reports 2 problems of the result, each by an Event:\n",
            "\n  VirtualNode shop/shipping: deny MV101: ",
            "30 submitted (28 reviewed by meshvet): 23 created, 3 created with a warning, 4 refused, each as expected.\n",
        ],
    );
    assert!(!said.contains("PRIVATE KEY"), "{said}");
}

#[test]
fn a_folder_of_ones_own_is_submitted() {
    let sound = folder(world(&SOUND));
    ends(
        &meshvet(&["try", "mesh"], sound.path()),
        0,
        &[
            "namespace/shop created\ndeployment.apps/blue created\nsecret/blue-cert created\nvirtualnode.appmesh.k8s.aws/blue created\n",
            "The watcher finds nothing wrong with the result.",
            "4 submitted (3 reviewed by meshvet): 4 created, 0 created with a warning, 0 refused.",
        ],
    );
    let mut objects = world(&MISNAMED);
    let mut unreadable = node();
    unreadable["metadata"]["name"] = "green".into();
    unreadable["spec"]["listeners"] = "none".into();
    let gateway = virtual_gateway("shop", "ingress", serde_json::json!({}));
    objects.extend([unreadable, gateway]);
    let misnamed = folder(objects);
    ends(
        &meshvet(&["try", "mesh/all.json"], misnamed.path()),
        1,
        &[
            "error when creating \"mesh/all.json\"",
            "VirtualNode shop/blue would not work",
            "MV101",
            "VirtualNode shop/green would not work",
            "MV006 undecodable-object at spec.listeners",
            "VirtualGateway shop/ingress would not work",
            "MV004",
            "6 submitted (5 reviewed by meshvet): 3 created, 0 created with a warning, 3 refused.",
        ],
    );
}

/// Submits objects in an order; what was printed for each, and what the watcher reports, once: `object: answers`.
#[track_caller]
fn submitted(objects: Vec<Value>, code: i32) -> (String, String) {
    let folder = folder(objects);
    let said = ends(&meshvet(&["try", "mesh"], folder.path()), code, &["$ kubectl apply -f mesh\n"]);
    let (_, answers) = said.split_once("$ kubectl apply -f mesh\n").expect("the answers");
    let (answers, watcher) = answers.split_once("\nThe watcher ").expect("the watcher's report");
    (answers.to_owned(), watcher.to_owned())
}

#[test]
fn whatever_the_order_the_object_that_breaks_it_is_the_one_that_is_answered() {
    let order = |issued: &Issued, order: [usize; 3]| {
        let parts = [tls_secret("shop", "blue-cert", issued), deployment("shop", "blue", "blue-cert:/certs"), node()];
        let mut objects = vec![namespace("shop")];
        objects.extend(order.map(|part| parts[part].clone()));
        objects
    };
    let (secret, workload, member) = (0, 1, 2);
    let orders = [
        ([secret, workload, member], "Error from server (Forbidden)"),
        ([workload, secret, member], "Error from server (Forbidden)"),
        ([secret, member, workload], "\nWarning: shop/blue MV101: hostname "),
        ([member, secret, workload], "\nWarning: shop/blue MV101: hostname "),
    ];
    for (parts, word) in orders {
        let (answers, watcher) = submitted(order(&MISNAMED, parts), 1);
        let at = answers.find(word).unwrap_or_else(|| panic!("{answers}\nlacks {word:?}"));
        assert!(!answers[..at].contains("MV101"), "not before the last of the three: {answers}");
        let is_stored = parts[2] != member;
        assert_eq!(watcher.contains("VirtualNode shop/blue: deny MV101: "), is_stored, "{watcher}");
        let (answers, watcher) = submitted(order(&SOUND, parts), 0);
        assert!(
            !answers.contains("MV101") && watcher.starts_with("finds nothing wrong with the result"),
            "{answers}{watcher}"
        );
    }
    // Whose Secret isn't there is refused, unless its workload isn't there either; a Secret that comes last is judged then.
    let (answers, watcher) = submitted(order(&MISNAMED, [member, workload, secret]), 1);
    let (before, last) = answers.split_once("deployment.apps/blue created\n").expect("the Deployment");
    assert!(before.contains("Warning: shop/blue MV202: "), "{answers}");
    assert!(last.contains("Warning: shop/blue MV101: hostname "), "{answers}");
    assert!(watcher.contains("VirtualNode shop/blue: deny MV101: "), "{watcher}");
}

#[test]
fn what_is_applied_again_is_an_update() {
    let moved = tls_secret("shop", "blue-cert", &MISNAMED);
    let mut objects = world(&SOUND);
    objects.push(node());
    objects.push(moved);
    let (answers, watcher) = submitted(objects, 1);
    assert!(answers.contains("virtualnode.appmesh.k8s.aws/blue unchanged\n"), "{answers}");
    assert!(
        answers.contains("Warning: shop/blue MV101: ") && answers.ends_with("secret/blue-cert configured\n"),
        "{answers}"
    );
    assert!(watcher.contains("deny MV101"), "{watcher}");
    // What holds no PEM is never sent.
    let other = serde_json::json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "shop", "name": "other"},
        "data": {"password": "aHVzaA=="}});
    let mut objects = world(&SOUND);
    objects.push(other);
    let folder = folder(objects);
    ends(
        &meshvet(&["try", "mesh"], folder.path()),
        0,
        &["secret/other created", "5 submitted (3 reviewed by meshvet)"],
    );
}

#[test]
fn a_policy_may_refuse_a_change_here_too() {
    let objects = [
        namespace("shop"),
        tls_secret("shop", "blue-cert", &MISNAMED),
        node(),
        deployment("shop", "blue", "blue-cert:/certs"),
    ];
    let folder = folder(objects);
    std::fs::write(folder.path().join("policy.yaml"), "changes: {workloads: deny}").expect("a file");
    let output = meshvet(&["try", "mesh", "--config", "policy.yaml"], folder.path());
    ends(
        &output,
        1,
        &[
            "admission webhook \"workloads.meshvet.dev\" denied the request: Deployment shop/blue would break VirtualNode shop/blue: MV101",
        ],
    );
}

#[test]
fn a_policy_holds_here_too() {
    let misnamed = folder(world(&MISNAMED));
    std::fs::write(misnamed.path().join("policy.yaml"), "severities: {MV101: warn}").expect("a file");
    let output = meshvet(&["try", "mesh", "--config", "policy.yaml"], misnamed.path());
    ends(&output, 0, &["Warning: shop/blue MV101", "blue created", "1 created with a warning"]);
}

#[test]
fn the_example_of_gateways_fares_as_it_should() {
    let nothing = tempfile::tempdir().expect("a folder");
    let ran = meshvet(&["try", "--example", "gateway"], nothing.path());
    ends(
        &ran,
        0,
        &[
            "$ kubectl apply -f examples/gateway",
            "MV206",
            "MV207",
            "MV501",
            "MV503",
            "HTTPRoute edge/api",
            "Secret edge/news-tls would break Gateway edge/news: MV502",
            "beside it archive.example.com",
            "each as expected",
        ],
    );
}

/// A Secret of type `kubernetes.io/tls` with the pair of tests/fixtures/pki that has this name.
fn fixture(name: &str, pair: &str) -> Value {
    let file = |extension: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/pki/{pair}.{extension}"));
        std::fs::read_to_string(path).expect("a fixture")
    };
    let mut secret = secret("edge", name, &[("tls.crt", &file("crt")), ("tls.key", &file("key"))]);
    secret["type"] = json!("kubernetes.io/tls");
    secret
}

#[test]
fn the_denial_of_the_readme_is_what_is_printed() {
    let api = "gateway.networking.k8s.io/v1";
    let listener = |name: &str| {
        json!({"name": name, "port": 443, "protocol": "HTTPS", "hostname": format!("{name}.example.com"),
            "tls": {"certificateRefs": [{"name": format!("{name}-tls")}]}})
    };
    let class = json!({"apiVersion": api, "kind": "GatewayClass", "metadata": {"name": "eg"},
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}});
    let gateway = json!({"apiVersion": api, "kind": "Gateway", "metadata": {"namespace": "edge", "name": "web"},
        "spec": {"gatewayClassName": "eg", "listeners": [listener("shop"), listener("news")]}});
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).expect("a file");
    write("edge.json", list([class, gateway, fixture("shop-tls", "p256")]).to_string());
    write("news-tls.yaml", fixture("news-tls", "rsa1024").to_string());

    let readme = include_str!("../../README.md");
    let (_, shown) = readme.split_once("```text\n$ kubectl apply -f news-tls.yaml\n").expect("the denial");
    let (shown, _) = shown.split_once("```").expect("its end");
    ends(&meshvet(&["try", "edge.json", "news-tls.yaml"], folder.path()), 1, &[shown]);
}

#[test]
fn what_cant_be_submitted_is_told() {
    let nothing = folder([namespace("shop")]);
    ends(
        &meshvet(&["try", "mesh"], nothing.path()),
        2,
        &["no VirtualNode, VirtualGateway, Gateway, ListenerSet or Ingress in mesh"],
    );
    ends(&meshvet(&["try", "absent"], nothing.path()), 2, &["absent"]);
    let broken = folder(world(&SOUND));
    std::fs::write(broken.path().join("mesh/broken.yaml"), "kind: [\n").expect("a file");
    ends(&meshvet(&["try", "mesh"], broken.path()), 2, &["broken.yaml:", "blue created"]);
}
