//! `--diff`: patches that real tools take, after which the finding is gone.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::run::{BLUE, Folder, NODE, WORKLOAD, codes, secret};

/// Feeds a patch to a program in the folder.
#[track_caller]
fn apply(folder: &Folder, program: &str, arguments: &[&str], patch: &str) {
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} is needed (Debian: apt-get install {program}): {error}"));
    child.stdin.take().expect("a pipe").write_all(patch.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}\n{patch}");
    assert!(!said.contains("fuzz") && !said.contains("offset"), "{program}: {said}\n{patch}");
}

/// A world with these files besides the Secret, whose findings are gone once the patch is applied; what the patch changes.
#[track_caller]
fn mends(files: &[(&str, String)], found: &[&str]) -> Vec<String> {
    let mut changes = Vec::new();
    for (program, arguments) in [("patch", &["-p1"][..]), ("git", &["apply", "-"][..])] {
        let folder = Folder::empty();
        folder.write("secret.yaml", secret(&BLUE.chain, &BLUE.key));
        files.iter().for_each(|(name, text)| folder.write(name, text));
        assert_eq!(codes(&folder.json(&[]).1), found);
        let ran = folder.run(&["check", ".", "--diff"]);
        assert!(ran.err.contains("made automatically"), "{ran:?}");
        apply(&folder, program, arguments, &ran.out);
        let (code, json) = folder.json(&[]);
        assert_eq!((code, codes(&json)), (Some(0), vec![]), "{program}:\n{}\n{json:#}", ran.out);
        let again = folder.run(&["check", ".", "--diff"]);
        assert_eq!((again.code, again.out.as_str()), (Some(0), ""), "{again:?}");
        let changed =
            |line: &&str| line.starts_with(['-', '+']) && !line.starts_with("---") && !line.starts_with("+++");
        changes = ran.out.lines().filter(changed).map(str::to_owned).collect();
    }
    changes
}

#[test]
fn a_misspelt_field_gets_its_name() {
    let node = NODE.replace("        certificate:\n", "        certificat:\n");
    let node = node.replace(
        "serviceDiscovery: {dns: {hostname: blue.apps.local}}",
        "\"serviceDiscovry\": {dns: {hostname: blue.apps.local}}",
    );
    let folder = Folder::with(&node, &BLUE);
    assert_eq!(codes(&folder.json(&[]).1).iter().filter(|code| *code == "MV001").count(), 2);
    let patch = folder.run(&["check", ".", "--diff"]).out;
    assert!(patch.contains("-        certificat:\n+        certificate:\n"), "{patch}");
    assert!(
        patch.contains("-  \"serviceDiscovry\": {dns") && patch.contains("+  \"serviceDiscovery\": {dns"),
        "{patch}"
    );
    apply(&folder, "git", &["apply", "-"], &patch);
    assert_eq!(codes(&folder.json(&[]).1), Vec::<String>::new());
}

#[test]
fn a_path_is_led_to_where_its_file_is_mounted() {
    let node = NODE.replace("/certs/", "/cert/");
    let changes = mends(&[("node.yaml", node), ("workload.yaml", WORKLOAD.to_owned())], &["MV201", "MV201"]);
    assert_eq!(
        changes,
        [
            "-            certificateChain: /cert/tls.crt",
            "+            certificateChain: /certs/tls.crt",
            "-            privateKey: /cert/tls.key",
            "+            privateKey: /certs/tls.key",
        ]
    );
}

#[test]
fn a_mount_annotation_gets_its_slash_and_loses_its_comma() {
    let workload = WORKLOAD.replace("blue-cert:/certs", "blue-cert:certs");
    let changes = mends(&[("node.yaml", NODE.to_owned()), ("workload.yaml", workload)], &["MV002"]);
    assert!(changes[1].contains("{appmesh.k8s.aws/secretMounts: \"blue-cert:/certs\"}"), "{changes:?}");
    let workload = WORKLOAD.replace("blue-cert:/certs", "blue-cert:/certs,");
    mends(&[("node.yaml", NODE.to_owned()), ("workload.yaml", workload)], &["MV002"]);
}

#[test]
fn a_mode_gets_its_letters() {
    let node = NODE.replace("STRICT", "strict");
    let changes = mends(&[("node.yaml", node), ("workload.yaml", WORKLOAD.to_owned())], &["MV008"]);
    assert_eq!(changes[1], "+        mode: STRICT");
}

#[test]
fn line_ends_a_mark_and_a_missing_last_line_feed_are_kept() {
    let wrong = NODE.replace("        mode: STRICT\n", "        mode: Strict\n");
    let workload = || ("workload.yaml", WORKLOAD.to_owned());
    mends(&[("node.yaml", wrong.replace('\n', "\r\n")), workload()], &["MV008"]);
    let first = format!("\u{feff}{}", NODE.replace("kind: VirtualNode\n", "kind: VirtualNode\nspek: {}\n"));
    let folder = Folder::with(&first, &BLUE);
    let patch = folder.run(&["check", ".", "--diff"]).out;
    assert_eq!(patch, "", "beside spec, spek is for a person to mend");
    mends(&[("node.yaml", format!("\u{feff}{wrong}")), workload()], &["MV008"]);
    let short = NODE.replace("/certs/tls.key", "/cert/tls.key");
    mends(&[("node.yaml", short.trim_end().to_owned()), workload()], &["MV201"]);
}

#[test]
fn several_files_and_hunks_are_one_patch_under_their_names() {
    let node = NODE.replace("STRICT", "strict");
    let far = format!("{}# {}\n---\n{node}", WORKLOAD, "x\n# ".repeat(20));
    let changes = mends(
        &[
            ("a b/first.yaml", far),
            ("second.yaml", WORKLOAD.replace("name: blue,", "name: blue2,").replace("blue-cert:/", "blue-cert:")),
        ],
        &["MV002", "MV008"],
    );
    assert_eq!(changes.len(), 4, "{changes:?}");
}

#[test]
fn a_patch_shows_no_line_of_a_secret() {
    let node = NODE.replace("privateKey: /certs/tls.key", "privateKey: /cert/tls.key");
    let folder = Folder::empty();
    folder.write("all.yaml", format!("{}---\n{node}---\n{}", secret(&BLUE.chain, &BLUE.key), WORKLOAD));
    let patch = folder.run(&["check", ".", "--diff"]).out;
    assert!(patch.contains("+            privateKey: /certs/tls.key"), "{patch}");
    assert!(!patch.contains("PRIVATE") && !patch.contains("stringData"), "{patch}");
    apply(&folder, "patch", &["-p1"], &patch);
    assert_eq!(codes(&folder.json(&[]).1), Vec::<String>::new());
}

#[test]
fn a_patch_shows_no_line_of_a_config_map() {
    let list = "\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: x}
  data:
    key: very-private # meshvet: ignore MV001 x
- apiVersion: appmesh.k8s.aws/v1beta2
  kind: VirtualRouter
  sepc: {}
  metadata: {name: router, namespace: shop}
";
    let folder = Folder::empty();
    folder.write("list.yaml", list);
    let patch = folder.run(&["check", ".", "--diff"]).out;
    assert!(patch.contains("@@ -9,4 +9,4 @@\n - apiVersion: appmesh"), "{patch}");
    assert!(!patch.contains("very-private"), "{patch}");
    apply(&folder, "git", &["apply", "-"], &patch);
}

#[test]
fn what_stands_behind_an_alias_or_comes_by_a_pipe_is_left_to_people() {
    let node = NODE
        .replace("metadata:\n", "metadata:\n  labels: {mode: &mode strict}\n")
        .replace("mode: STRICT", "mode: *mode");
    let folder = Folder::with(&node, &BLUE);
    let ran = folder.run(&["check", ".", "--diff"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("nothing can be fixed automatically"), "{ran:?}");
    let ran =
        folder.run_with(&["check", "-", "workload.yaml", "secret.yaml", "--diff"], &NODE.replace("STRICT", "strict"));
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
}

#[test]
fn the_report_says_that_there_is_a_patch() {
    let folder = Folder::with(&NODE.replace("STRICT", "strict"), &BLUE);
    let ran = folder.run(&["check", "."]);
    assert!(ran.out.contains("1 can be fixed automatically: the same command with --diff prints the patch"), "{ran:?}");
    let (_, json) = folder.json(&[]);
    assert_eq!(
        json["findings"][0]["edit"],
        serde_json::json!({"line": 12, "column": 15, "width": 6, "text": "STRICT"})
    );
}
