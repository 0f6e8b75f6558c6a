//! helm, got by `scripts/parts`, and what it renders.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// Nothing set.
pub(crate) const DEFAULTS: &[&str] = &[];

/// The chart's folder.
pub(crate) fn chart() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/meshvet").display().to_string()
}

fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let parts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/parts");
        let output = Command::new(parts).arg("helm").stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.expect("scripts/parts runs");
        assert!(output.status.success(), "scripts/parts helm failed: what is missing stands above");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}

/// `helm ARGUMENTS…`: what it prints, or how it complains.
pub(crate) fn helm(arguments: &[&str]) -> Result<String, String> {
    let home = tempfile::tempdir().expect("a folder");
    let output = Command::new(program())
        .args(arguments)
        // None of the user's own repositories and plugins.
        .env("HOME", home.path())
        .env_remove("KUBECONFIG")
        .stdin(Stdio::null())
        .output()
        .expect("helm runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    let (printed, told) = (text(output.stdout), text(output.stderr));
    if output.status.success() { Ok(printed) } else { Err(format!("helm {}:\n{printed}{told}", arguments.join(" "))) }
}

/// Renders the release `meshvet` with these values, each as `--set` takes them (`--set-json` where it holds JSON).
pub(crate) fn try_render(values: &[&str]) -> Result<Vec<Value>, String> {
    let chart = chart();
    let mut arguments = vec!["template", "meshvet", &chart, "-n", "meshvet-system"];
    for value in values {
        let json = value.contains("=[") || value.contains("={");
        arguments.extend([if json { "--set-json" } else { "--set" }, value]);
    }
    helm(&arguments).map(|rendered| documents(&rendered))
}

/// The same, which has to succeed.
#[track_caller]
pub(crate) fn render(values: &[&str]) -> Vec<Value> {
    try_render(values).unwrap_or_else(|told| panic!("{told}"))
}

/// The documents of a YAML stream.
pub(crate) fn documents(text: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    documents.into_iter().filter(|document| !document.is_null()).collect()
}

/// The first object of a kind that belongs to no test.
#[track_caller]
pub(crate) fn of_kind<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let found = objects
        .iter()
        .find(|object| object["kind"] == kind && object["metadata"]["annotations"]["helm.sh/hook"].is_null());
    found.unwrap_or_else(|| panic!("no {kind}"))
}
