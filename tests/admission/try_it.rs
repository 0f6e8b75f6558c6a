//! `meshvet try`, as a newcomer runs it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::bed::{MISNAMED, SOUND, node};
use crate::support::manifests::{deployment, list, namespace, tls_secret, virtual_gateway};
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
            "To read more: meshvet explain MV101",
            "8 submitted: 3 created, 1 created with a warning, 4 refused, each as it should be.\n",
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
        &["virtualnode.appmesh.k8s.aws/blue created", "1 submitted: 1 created, 0 created with a warning, 0 refused."],
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
            "3 submitted: 0 created, 0 created with a warning, 3 refused.",
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
fn what_cant_be_submitted_is_told() {
    let nothing = folder([namespace("shop")]);
    ends(&meshvet(&["try", "mesh"], nothing.path()), 2, &["no VirtualNode and no VirtualGateway in mesh"]);
    ends(&meshvet(&["try", "absent"], nothing.path()), 2, &["absent"]);
    let broken = folder(world(&SOUND));
    std::fs::write(broken.path().join("mesh/broken.yaml"), "kind: [\n").expect("a file");
    ends(&meshvet(&["try", "mesh"], broken.path()), 2, &["broken.yaml:", "blue created"]);
}
