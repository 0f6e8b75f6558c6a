//! Runs the binary in a folder of its own.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::mint::{Authority, Issued};

pub(crate) static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("check root"));
/// The sound certificate of node `blue`.
pub(crate) static BLUE: LazyLock<Issued> = LazyLock::new(|| AUTHORITY.leaf(&["blue.apps.local"]).issue());
/// Sound, but another name's.
pub(crate) static GREEN: LazyLock<Issued> = LazyLock::new(|| AUTHORITY.leaf(&["green.apps.local"]).issue());

/// A virtual node `shop/blue` whose listener serves `/certs/tls.crt`; the path stands on line 15, at column 31.
pub(crate) const NODE: &str = "\
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata:
  name: blue
  namespace: shop
spec:
  podSelector: {matchLabels: {app: blue}}
  serviceDiscovery: {dns: {hostname: blue.apps.local}}
  listeners:
    - portMapping: {port: 8443, protocol: http}
      tls:
        mode: STRICT
        certificate:
          file:
            certificateChain: /certs/tls.crt
            privateKey: /certs/tls.key
";

/// The Deployment that the node selects, in a namespace that proxies are injected into.
pub(crate) const WORKLOAD: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {appmesh.k8s.aws/sidecarInjectorWebhook: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: blue, namespace: shop}
spec:
  selector: {matchLabels: {app: blue}}
  template:
    metadata:
      labels: {app: blue}
      annotations: {appmesh.k8s.aws/secretMounts: \"blue-cert:/certs\"}
    spec: {containers: [{name: app, image: app:1}]}
";

/// The Secret that the Deployment mounts.
pub(crate) fn secret(chain: &str, key: &str) -> String {
    let block = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: blue-cert, namespace: shop}}\nstringData:\n  tls.crt: |\n{}  tls.key: |\n{}",
        block(chain),
        block(key)
    )
}

/// A folder with manifests, in which `meshvet` runs.
pub(crate) struct Folder(TempDir);

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// A folder with the sound world: `node.yaml`, `workload.yaml`, `secret.yaml`.
    pub(crate) fn sound() -> Self {
        Self::with(NODE, &BLUE)
    }

    /// The sound world but for the node's text and its certificate.
    pub(crate) fn with(node: &str, issued: &Issued) -> Self {
        let folder = Self::empty();
        folder.write("node.yaml", node);
        folder.write("workload.yaml", WORKLOAD);
        folder.write("secret.yaml", secret(&issued.chain, &issued.key));
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, content).expect("a file");
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// Runs with a text on the standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_meshvet"))
            .args(arguments)
            .current_dir(self.path())
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("meshvet starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_owned();
        let writer = std::thread::spawn(move || {
            // It may exit before it has read everything.
            let _ = stdin.write_all(input.as_bytes());
        });
        let Output { status, stdout, stderr } = child.wait_with_output().expect("meshvet ends");
        writer.join().expect("the writer ends");
        Ran {
            code: status.code(),
            out: String::from_utf8(stdout).expect("UTF-8"),
            err: String::from_utf8(stderr).expect("UTF-8"),
        }
    }

    /// Runs `check . -o json` with more arguments.
    pub(crate) fn json(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let ran = self.run(&[&["check", ".", "-o", "json"], arguments].concat());
        let json = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        (ran.code, json)
    }
}

/// Code, line and column of each finding.
pub(crate) fn places(json: &Value) -> Vec<(String, u64, u64)> {
    let findings = json["findings"].as_array().expect("findings");
    let number = |finding: &Value, key: &str| finding[key].as_u64().unwrap_or(0);
    findings
        .iter()
        .map(|it| (it["code"].as_str().expect("a code").to_owned(), number(it, "line"), number(it, "column")))
        .collect()
}

/// The codes of the findings.
pub(crate) fn codes(json: &Value) -> Vec<String> {
    places(json).into_iter().map(|(code, ..)| code).collect()
}
