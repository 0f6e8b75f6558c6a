//! Calls between two nodes of the manifests: each is told once, not once for each of its ends, nor for what leads from one to the
//! other.

use crate::run::{BLUE, Folder, NODE, codes};

/// A node that enforces TLS towards service `blue`, and the service.
const FRONT: &str = "\
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata: {name: front, namespace: shop}
spec:
  podSelector: {matchLabels: {app: front}}
  backends: [{virtualService: {virtualServiceRef: {name: blue}}}]
  backendDefaults: {clientPolicy: {tls: {validation: {trust: {sds: {secretName: ca}}}}}}
---
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualService
metadata: {name: blue, namespace: shop}
spec: {provider: {virtualNode: {virtualNodeRef: {name: blue}}}}
";

const POLICY: &str = "sds: {enabled: true}\nrouting: {severity: deny}\n";

fn plaintext() -> String {
    let (node, _) = NODE.split_once("      tls:\n").expect("a listener with TLS");
    node.to_owned()
}

fn folder(front: &str) -> Folder {
    let folder = Folder::with(&plaintext(), &BLUE);
    folder.write("front.yaml", front);
    folder.write("policy.conf", POLICY);
    folder
}

#[test]
fn a_broken_call_is_told_once() {
    let (code, json) = folder(FRONT).json(&["--config", "policy.conf"]);
    assert_eq!((code, codes(&json)), (Some(1), vec!["MV305".to_owned()]), "{json:#}");
    assert_eq!(json["summary"]["deny"], 1);
    let message = json["findings"][0]["message"].as_str().expect("a message");
    assert!(message.starts_with("front → blue: "), "{message}");
}

#[test]
fn two_calls_that_are_broken_alike_are_told_both() {
    let second = FRONT.replacen("name: front", "name: back", 1);
    let (_, json) = folder(&format!("{FRONT}---\n{}", second.split("---").next().expect("a node")))
        .json(&["--config", "policy.conf"]);
    assert_eq!(codes(&json), ["MV305", "MV305"], "{json:#}");
}

#[test]
fn who_looks_at_a_call_doesnt_ignore_it() {
    let ignoring = "metadata: {name: front, namespace: shop, annotations: {meshvet.dev/ignore: MV305=known}}";
    let front = FRONT.replace("metadata: {name: front, namespace: shop}", ignoring);
    let folder = folder(&front);
    folder.write("policy.conf", format!("{POLICY}ignore: {{denials: true}}\n"));
    let (code, json) = folder.json(&["--config", "policy.conf"]);
    assert_eq!((code, json["summary"]["suppressed"].as_u64()), (Some(1), Some(0)), "{json:#}");
    assert_eq!(codes(&json), ["MV305"]);
}
