//! Files of other tools beside manifests: each is named with the command that builds manifests, and none is judged as an object.

use crate::run::{BLUE, Folder, NODE, WORKLOAD, codes, secret};

const TEMPLATE: &str = "\
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata:
  name: {{ .Values.name }}
spec:
  listeners:
  {{- range .Values.ports }}
    - portMapping: {port: {{ . }}, protocol: http}
  {{- end }}
";

/// A text and what is said of it, alone and in a folder.
#[track_caller]
fn named(file: &str, text: &str, words: &[&str]) {
    let folder = Folder::sound();
    folder.write(file, text);
    let alone = folder.run(&["check", file]);
    assert_eq!(alone.code, Some(2), "{alone:?}");
    let beside = folder.run(&["check", "."]);
    assert_eq!(beside.code, Some(0), "{beside:?}");
    for word in words {
        assert!(alone.out.contains(word), "{word}: {alone:?}");
        assert!(beside.err.contains(word), "{word}: {beside:?}");
    }
    assert!(alone.out.contains(&format!("error {file}:1:1: ")), "{alone:?}");
}

#[test]
fn each_tools_file_is_named_with_its_command() {
    named(
        "skaffold.yaml",
        "apiVersion: skaffold/v4beta6\nkind: Config\n",
        &["Skaffold", "skaffold render | meshvet check -"],
    );
    named(
        "kind.yaml",
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: []\n",
        &["a file of kind, not a manifest"],
    );
    named(
        "c.yaml",
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: a}\n",
        &["a file of eksctl"],
    );
    named("compose.yaml", "services: {a: {image: b}}\n", &["Docker Compose"]);
    named("helmfile.yaml", "releases: []\n", &["helmfile template | meshvet check -"]);
    named("config.yaml", "apiVersion: v1\nkind: Config\nclusters: []\n", &["a kubeconfig"]);
    named("values-prod.yaml", "tls: {mode: STRICT}\n", &["Helm", "helm template CHART | meshvet check -"]);
    named(
        "patch.json",
        "[{\"op\": \"add\", \"path\": \"/a\", \"value\": 1}]",
        &["kustomize build FOLDER | meshvet check -"],
    );
}

#[test]
fn the_templates_of_a_chart_are_one_line_with_the_command_that_renders_them() {
    let folder = Folder::sound();
    folder.write("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n");
    folder.write("shop/values.yaml", "ports: [1]\n");
    for number in 0..25 {
        folder.write(&format!("shop/templates/node{number}.yaml"), TEMPLATE);
    }
    // It can be read as it stands, and is a template all the same.
    folder.write(
        "shop/templates/quoted.yaml",
        NODE.replace("hostname: blue.apps.local", "hostname: \"{{ .Values.host }}\""),
    );
    let ran = folder.run(&["check", "."]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let expected = "error shop/templates/node0.yaml:4:9: this is a template of the Helm chart in shop, as are 25 more files there; \
                    to judge what it renders: helm template shop | meshvet check -\n";
    assert!(ran.out.starts_with(expected), "{ran:?}");
    assert_eq!(ran.out.matches("error ").count(), 1, "{ran:?}");
    assert!(ran.out.contains("2 objects judged: nothing wrong; 1 place not read"), "{ran:?}");
    // Of a subchart the chart around it is what is rendered.
    folder.write("shop/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n");
    folder.write("shop/charts/sub/templates/node.yaml", TEMPLATE);
    let ran = folder.run(&["check", "shop/charts"]);
    assert!(ran.out.contains("helm template shop | meshvet check -"), "{ran:?}");
}

#[test]
fn the_same_of_templates_of_no_chart_is_one_line_with_a_count() {
    let folder = Folder::sound();
    for number in 0..25 {
        folder.write(&format!("t/{number}.yaml"), TEMPLATE);
    }
    let ran = folder.run(&["check", "."]);
    assert_eq!((ran.code, ran.out.matches("error ").count()), (Some(2), 1), "{ran:?}");
    assert!(
        ran.out.contains("`helm template . | meshvet check -` (and at 24 more places, in 24 other files)"),
        "{ran:?}"
    );
}

#[test]
fn a_patch_of_kustomize_is_no_object_wherever_it_is_named() {
    let folder = Folder::empty();
    folder.write("base/kustomization.yaml", "resources: [node.yaml, workload.yaml, secret.yaml]\n");
    folder.write("base/node.yaml", NODE);
    folder.write("base/workload.yaml", WORKLOAD);
    folder.write("base/secret.yaml", secret(&BLUE.chain, &BLUE.key));
    folder.write("prod/kustomization.yaml", "resources: [../base]\npatches: [{path: patches/port.yaml}]\n");
    // As an object of its own it would be half a virtual node.
    let patch = "apiVersion: appmesh.k8s.aws/v1beta2\nkind: VirtualNode\nmetadata: {name: blue, namespace: shop}\n\
                 spec: {listeners: [{portMapping: {port: no}}]}\n";
    folder.write("prod/patches/port.yaml", patch);
    for arguments in [&["check", "prod/patches/port.yaml"][..], &["check", "base", "prod/patches/port.yaml"]] {
        let ran = folder.run(arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.out.contains("prod/patches/port.yaml:1:1: this is a file of kustomize"), "{ran:?}");
        assert!(ran.out.contains("kustomize build prod | meshvet check -"), "{ran:?}");
        assert!(!ran.out.contains("MV0"), "{ran:?}");
    }
    let ran = folder.run(&["check", "base", "prod/patches"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("prod/patches/port.yaml is a file of kustomize"), "{ran:?}");
    let (_, json) = folder.json(&[]);
    assert_eq!(codes(&json), <[String; 0]>::default(), "{json:#}");
}
