//! The options of `check`, and the policy file.

use serde_json::Value;

use crate::run::{AUTHORITY, BLUE, Folder, GREEN, NODE, WORKLOAD, codes};
use crate::support::mint::Authority;

#[test]
fn a_time_is_judged_as_of() {
    let folder = Folder::sound();
    assert_eq!(folder.run(&["check", "."]).code, Some(0));
    let (code, json) = folder.json(&["--now", "2100-01-01T00:00:00Z"]);
    assert_eq!((code, codes(&json)), (Some(1), vec!["MV207".to_owned()]));
    let (code, json) = folder.json(&["--now", "2001-01-01T00:00:00Z"]);
    assert_eq!((code, codes(&json)), (Some(1), vec!["MV208".to_owned()]));
    let ran = folder.run(&["check", ".", "--now", "tomorrow"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("RFC 3339"), "{ran:?}");
}

#[test]
fn the_exit_code_follows_fail_on() {
    let folder = Folder::with(&NODE.replace("        mode:", "        moode: x\n        mode:"), &BLUE);
    assert_eq!(folder.run(&["check", "."]).code, Some(0));
    assert_eq!(folder.run(&["check", ".", "--fail-on", "warn"]).code, Some(1));
    assert_eq!(Folder::sound().run(&["check", ".", "--fail-on", "warn"]).code, Some(0));
    let worse = Folder::with(NODE, &GREEN);
    assert_eq!(worse.run(&["check", ".", "--fail-on", "deny"]).code, Some(1));
    assert_eq!(worse.run(&["check", ".", "--fail-on", "off"]).code, Some(2));
}

/// The sound world, its certificate in a folder instead of a Secret.
fn without_secret() -> Folder {
    let folder = Folder::empty();
    folder.write("mesh/node.yaml", NODE);
    folder.write("mesh/workload.yaml", WORKLOAD);
    folder.write("blue/tls.crt", &BLUE.chain);
    folder.write("blue/tls.key", &BLUE.key);
    folder.write("green/tls.crt", &GREEN.chain);
    folder.write("green/tls.key", &GREEN.key);
    folder.write("nested/tls/tls.crt", &GREEN.chain);
    folder.write("nested/tls/tls.key", &GREEN.key);
    folder.write("nested/..data/tls/tls.key", "not read");
    folder
}

#[track_caller]
fn finds(folder: &Folder, arguments: &[&str], expected: &[&str]) {
    let ran = folder.run(&[&["check", "mesh", "-o", "json"], arguments].concat());
    let json: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    assert_eq!(codes(&json), expected, "{json:#}");
}

#[test]
fn local_folders_stand_in_for_mounts() {
    let folder = without_secret();
    finds(&folder, &[], &["MV202", "MV202"]);
    finds(&folder, &["--files", "/certs=blue"], &[]);
    finds(&folder, &["--files", "/certs/=./green"], &["MV101"]);
    finds(&folder, &["--files", "/certs=green", "--files", "shop/blue:/certs=blue"], &[]);
    finds(&folder, &["--files", "/certs=blue", "--files", "shop/other:/certs=green"], &[]);
    folder.write("mesh/node.yaml", NODE.replace("/certs/", "/certs/tls/"));
    finds(&folder, &["--files", "/certs=nested"], &["MV101"]);
}

#[test]
fn a_folder_is_enough_without_any_workload() {
    let folder = without_secret();
    std::fs::remove_file(folder.path().join("mesh/workload.yaml")).expect("the file goes");
    let ran = folder.run(&["check", "mesh", "-o", "json", "--files", "/certs=green"]);
    assert!(codes(&serde_json::from_str(&ran.out).expect("JSON")).contains(&"MV101".to_owned()), "{ran:?}");
}

#[test]
fn a_folder_that_cannot_be_used_is_an_error() {
    let folder = without_secret();
    for (value, words) in [
        ("/certs=none", "the folder none can't be read"),
        ("/certs=mesh/node.yaml", "is a file"),
        ("certs=blue", "start with `/`"),
        ("/certs", "no `=FOLDER`"),
    ] {
        let ran = folder.run(&["check", "mesh", "--files", value]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{value}: {ran:?}");
        assert!(ran.err.contains(words), "{value}: {ran:?}");
    }
    let ran = folder.run(&["check", "mesh", "--files", "shop/bleu:/certs=blue"]);
    assert!(ran.err.contains("--files shop/bleu: the manifests have no virtual node or gateway"), "{ran:?}");
}

#[test]
fn the_policy_weighs_the_rules() {
    let folder = Folder::with(NODE, &GREEN);
    for (policy, code, expected) in [
        ("", 1, "deny"),
        ("severities: {hostname-mismatch: warn}\n", 0, "warn"),
        ("severities: {MV101: 'off'}\n", 0, ""),
        (
            "scopes: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}, severities: {MV101: warn}}]",
            0,
            "warn",
        ),
        (
            "scopes: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}, severities: {MV101: warn}}]",
            1,
            "deny",
        ),
    ] {
        folder.write("policy.cfg", policy);
        let (exit, json) = folder.json(&["--config", "policy.cfg"]);
        assert_eq!(exit, Some(code), "{policy}");
        assert_eq!(json["findings"][0]["severity"].as_str().unwrap_or_default(), expected, "{policy}");
    }
}

#[test]
fn a_policy_that_cannot_be_used_says_what_was_meant() {
    let folder = Folder::sound();
    for (policy, words) in [
        ("severitys: {}", "did you mean `severities`?"),
        ("severities: {hostname-missmatch: warn}", "did you mean `hostname-mismatch`?"),
        ("severities: {MV101: error}", "severities.MV101"),
        ("severities: [", "policy.cfg:1:13: unclosed bracket"),
    ] {
        folder.write("policy.cfg", policy);
        let ran = folder.run(&["check", ".", "--config", "policy.cfg"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{policy}: {ran:?}");
        assert!(ran.err.starts_with("error: the policy file policy.cfg can't be used"), "{ran:?}");
        assert!(ran.err.contains(words), "{policy}: {ran:?}");
    }
    let ran = folder.run(&["check", ".", "--config", "none.yaml"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("error: the policy file none.yaml can't be read\n  because: "), "{ran:?}");
}

#[test]
fn issuers_are_allowed_by_a_file_beside_the_policy() {
    let folder = Folder::sound();
    folder.write("policy/config.cfg", "issuers: {allowed: [{certificateFile: root.crt}]}");
    folder.write("policy/root.crt", Authority::new("somebody else's root").pem());
    let (exit, json) = folder.json(&["--config", "policy/config.cfg"]);
    assert_eq!((exit, codes(&json)), (Some(1), vec!["MV302".to_owned()]));
    assert!(json["findings"][0]["expected"].as_str().expect("a text").contains("CN=somebody else's root"), "{json}");
    folder.write("policy/root.crt", AUTHORITY.pem());
    assert_eq!(folder.json(&["--config", "policy/config.cfg"]).0, Some(0));
    let ran = folder.run(&["check", ".", "--config", "policy/config.cfg"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    folder.write("policy/config.cfg", "issuers: {allowed: [{certificateFile: none.crt}]}");
    let ran = folder.run(&["check", ".", "--config", "policy/config.cfg"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("issuers.allowed[0].certificateFile: ") && ran.err.contains("none.crt"), "{ran:?}");
}

#[test]
fn ignoring_holds_for_warnings_and_by_policy_for_denials() {
    let node = |entry: &str| {
        NODE.replace("metadata:\n", &format!("metadata:\n  annotations: {{meshvet.dev/ignore: \"{entry}\"}}\n"))
    };
    let folder = Folder::with(&node("MV101=known"), &GREEN);
    assert_eq!(folder.json(&[]).0, Some(1), "a denial is not ignored");
    folder.write("policy.cfg", "ignore: {denials: true}\n");
    let (code, json) = folder.json(&["--config", "policy.cfg"]);
    assert_eq!((code, &json["summary"]["suppressed"]), (Some(0), &Value::from(1)));
    folder.write("node.yaml", node("MV101"));
    let (code, json) = folder.json(&["--config", "policy.cfg"]);
    assert_eq!(
        (code, &json["summary"]["suppressed"]),
        (Some(1), &Value::from(0)),
        "without a reason nothing is ignored"
    );
}

#[test]
fn a_policy_lists_workloads_of_kinds_that_nobody_knows() {
    let folder = Folder::with(NODE, &GREEN);
    let fleet =
        WORKLOAD.replace("apps/v1", "example.com/v1").replace("Deployment", "Fleet").replace("  template:", "  pods:");
    folder.write("workload.yaml", fleet);
    let (_, json) = folder.json(&[]);
    assert_eq!(codes(&json), ["MV203"], "nobody knows a Fleet: {json:#}");
    folder.write(
        ".policy",
        "workloads: [{apiVersion: example.com/v1, kind: Fleet, plural: fleets, template: /spec/pods, selector: /spec/selector}]",
    );
    let (_, json) = folder.json(&["--config", ".policy"]);
    assert_eq!(codes(&json), ["MV101"], "{json:#}");
    folder.write(".policy", "workloads: [{apiVersion: example.com/v1, kind: Fleet, template: /spec/pods}]");
    let ran = folder.run(&["check", ".", "--config", ".policy"]);
    assert!(ran.code == Some(2) && ran.err.contains("workloads[0].plural"), "{ran:?}");
}
