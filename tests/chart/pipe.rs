//! `helm template … | meshvet check -`, with the real helm: a finding is told at the template that makes it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::helm::helm;

const NODE: &str = "\
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata:
  name: {{ .Release.Name }}
  namespace: shop
spec:
  podSelector: {matchLabels: {app: {{ .Values.app }}}}
  listeners:
    - portMapping: {port: 8443, protocol: http}
      tlss: {mode: STRICT}
  serviceDiscovery: {dns: {hostname: {{ .Values.app }}.apps.local}}
";

#[test]
fn what_helm_renders_is_told_at_its_template() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join("shop").join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("a file");
    };
    write("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n");
    write("values.yaml", "app: blue\n");
    write("templates/a-service.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: first, namespace: shop}\n");
    write("templates/node.yaml", NODE);
    let rendered = helm(&["template", "blue", &folder.path().join("shop").display().to_string()]).expect("rendered");
    let line = 1 + rendered.lines().position(|line| line.contains("tlss")).expect("the field");

    let mut child = Command::new(env!("CARGO_BIN_EXE_meshvet"))
        .args(["check", "-", "-o", "json", "--fail-on", "warn"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    child.stdin.take().expect("its input").write_all(rendered.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("findings");
    let unknown = findings.iter().find(|finding| finding["code"] == "MV001").expect("the misspelt field");
    assert_eq!(unknown["object"]["name"], "blue");
    assert_eq!(unknown["field"], "/spec/listeners/0/tlss");
    assert_eq!(unknown["rendered"]["line"], line, "{unknown:#}");
    assert_eq!(unknown["file"], "shop/templates/node.yaml", "{unknown:#}");
}
