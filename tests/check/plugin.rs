//! meshvet as `kubectl meshvet`, run by a real kubectl; completions and manual pages.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use crate::run::{Folder, NODE};

/// A real kubectl: from `KUBEBUILDER_ASSETS`, or built by scripts/parts.
pub(crate) static KUBECTL: LazyLock<PathBuf> = LazyLock::new(|| {
    let parts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/parts");
    let output = Command::new(&parts).arg("assets").stderr(Stdio::inherit()).output().expect("scripts/parts runs");
    assert!(output.status.success(), "there is no kubectl: see what scripts/parts says above");
    PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim()).join("kubectl")
});

/// A folder with meshvet under the plugin's name, and the script that completes it.
fn plugin() -> Folder {
    let folder = Folder::empty();
    folder.write("node.yaml", NODE);
    folder.write("bin/.keep", "");
    let bin = folder.path().join("bin");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_meshvet"), bin.join("kubectl-meshvet")).expect("a link");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/kubectl_complete-meshvet");
    std::os::unix::fs::symlink(script, bin.join("kubectl_complete-meshvet")).expect("a link");
    folder
}

/// Exit code, standard output and standard error.
fn kubectl(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let path = format!("{}:/usr/bin:/bin", folder.path().join("bin").display());
    let output = Command::new(&*KUBECTL)
        .args(arguments)
        .current_dir(folder.path())
        .env("PATH", path)
        .env("HOME", folder.path())
        .env("COLUMNS", "100")
        .output()
        .expect("kubectl runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn kubectl_runs_it_and_its_help_speaks_of_kubectl() {
    let folder = plugin();
    let (code, help, _) = kubectl(&folder, &["meshvet", "--help"]);
    assert_eq!(code, Some(0), "{help}");
    assert!(help.contains("Usage: kubectl meshvet <COMMAND>"), "{help}");
    assert!(help.contains("  kubectl meshvet explain MV101 "), "{help}");
    let (_, help, _) = kubectl(&folder, &["meshvet", "check", "--help"]);
    assert!(help.contains("Usage: kubectl meshvet check [OPTIONS] [PATH]..."), "{help}");
    assert!(help.contains("helm template ./chart | kubectl meshvet check -"), "{help}");
    let (code, said, _) = kubectl(&folder, &["meshvet", "check", "node.yaml"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("MV203 workload-unknown"), "{said}");
    let (code, _, said) = kubectl(&folder, &["meshvet", "check"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("Usage: kubectl meshvet check <PATH>..."), "{said}");
}

/// What kubectl's own completion offers for these words, without descriptions; last its directive.
fn offers(folder: &Folder, words: &[&str]) -> Vec<String> {
    let (code, said, why) = kubectl(folder, &[&["__complete", "meshvet"], words].concat());
    assert_eq!(code, Some(0), "{why}");
    said.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn kubectl_completes_it() {
    let folder = plugin();
    assert_eq!(offers(&folder, &["ch"]), ["check", ":4"]);
    assert!(offers(&folder, &[""]).contains(&"explain".to_owned()));
    assert!(!offers(&folder, &[""]).iter().any(|word| word.starts_with('_')));
    assert_eq!(offers(&folder, &["check", "--fa"]), ["--fail-on", ":4"]);
    assert_eq!(offers(&folder, &["check", "--fail-on", ""]), ["deny", "warn", ":4"]);
    assert_eq!(offers(&folder, &["check", "-o", "s"]), ["sarif", ":4"]);
    assert_eq!(offers(&folder, &["check", "deploy/", "n"]), [":0"], "files");
    assert_eq!(offers(&folder, &["check", "--config", ""]), [":0"], "files");
    assert_eq!(offers(&folder, &["explain", "MV21"])[..2], ["MV210", "MV211"]);
    assert_eq!(offers(&folder, &["completions", "z"]), ["zsh", ":4"]);
}

#[test]
fn each_shell_gets_its_script() {
    let folder = Folder::empty();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let ran = folder.run(&["completions", shell]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(
            ran.out.contains("meshvet") && ran.out.contains("fail-on") && !ran.out.contains("__complete"),
            "{shell}"
        );
    }
    // bash, which every machine of the project has, takes its script and completes by it.
    let script = "source <(\"$1\" completions bash); COMP_WORDS=(meshvet ch); COMP_CWORD=1; _meshvet meshvet ch meshvet; echo \"${COMPREPLY[@]}\"";
    let output =
        Command::new("bash").args(["-c", script, "bash", env!("CARGO_BIN_EXE_meshvet")]).output().expect("bash runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "check", "{output:?}");
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let folder = Folder::empty();
    let ran = folder.run(&["man"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains(".TH meshvet 1") && ran.out.contains(".SH SYNOPSIS"), "{}", ran.out);
    assert_eq!(folder.run(&["man", "--dir", "pages"]).code, Some(0));
    let pages = std::fs::read_dir(folder.path().join("pages")).expect("the folder");
    let mut pages: Vec<String> = pages.flatten().map(|page| page.file_name().to_string_lossy().into_owned()).collect();
    pages.sort();
    assert!(pages.contains(&"meshvet.1".to_owned()) && pages.contains(&"meshvet-check.1".to_owned()), "{pages:?}");
    assert!(!pages.iter().any(|page| page.contains("__complete") || page.contains("help")), "{pages:?}");
    let check = std::fs::read_to_string(folder.path().join("pages/meshvet-check.1")).expect("the page");
    assert!(check.contains("\\-\\-update\\-baseline"), "{check}");
}

#[test]
fn what_kustomize_builds_says_which_file_is_to_be_mended() {
    let folder = plugin();
    folder.write("base/node.yaml", NODE.replace("mode: STRICT", "mode: strict"));
    folder.write("base/kustomization.yaml", "resources: [node.yaml]\n");
    let overlay = "buildMetadata: [originAnnotations]\nresources: [../base]\nnamespace: shop\n";
    folder.write("prod/kustomization.yaml", overlay);
    let (code, built, why) = kubectl(&folder, &["kustomize", "prod"]);
    assert_eq!(code, Some(0), "{why}");
    let ran = folder.run_with(&["check", "-", "-o", "json"], &built);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let finding = json["findings"].as_array().and_then(|all| all.iter().find(|it| it["code"] == "MV008"));
    let finding = finding.unwrap_or_else(|| panic!("{json:#}"));
    assert_eq!(finding["file"], "../base/node.yaml");
    let line = built.lines().position(|line| line.contains("mode: strict")).expect("the line") + 1;
    assert_eq!(finding["rendered"]["line"], line);
}
