//! `--baseline`: a repository with old findings starts today, and hears only of new ones.

use serde_json::{Value, json};

use crate::run::{BLUE, Folder, GREEN, NODE, codes, secret};

const BASELINE: [&str; 2] = ["--baseline", "old.cfg"];
const UPDATE: [&str; 3] = ["--baseline", "old.cfg", "--update-baseline"];

#[test]
fn only_what_is_new_is_told() {
    let folder = Folder::with(NODE, &GREEN);
    let (code, json) = folder.json(&UPDATE);
    assert_eq!((code, codes(&json)), (Some(0), vec![]), "{json:#}");
    assert_eq!(
        json["summary"],
        json!({"objects": 2, "deny": 0, "warn": 0, "suppressed": 0, "notAsked": 0, "baseline": 1})
    );
    assert_eq!(json["baseline"][0]["code"], "MV101");

    // The file's lines move, and another finding comes.
    let node = format!("# new\n\n{}", NODE.replace("        mode:", "        moode: x\n        mode:"));
    folder.write("node.yaml", node);
    let (code, json) = folder.json(&[&BASELINE[..], &["--fail-on", "warn"]].concat());
    assert_eq!((code, codes(&json)), (Some(1), vec!["MV001".to_owned()]), "{json:#}");
    let ran = folder.run(&[&["check", "."], &BASELINE[..]].concat());
    assert!(ran.out.contains("2 objects judged: 1 warning, 1 in the baseline\n"), "{ran:?}");
    assert!(!ran.out.contains("MV101"), "{ran:?}");
}

#[test]
fn what_is_gone_can_be_removed() {
    let folder = Folder::with(NODE, &GREEN);
    folder.json(&UPDATE);
    folder.write("secret.yaml", secret(&BLUE.chain, &BLUE.key));
    let ran = folder.run(&[&["check", "."], &BASELINE[..]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("1 entry of the baseline is no longer found: --update-baseline removes"), "{ran:?}");
    let (_, json) = folder.json(&BASELINE);
    assert_eq!((&json["gone"][0]["rule"], &json["gone"][0]["at"]), (&"MV101".into(), &"listener 8443".into()));
    folder.json(&UPDATE);
    let (_, json) = folder.json(&BASELINE);
    assert_eq!(json["gone"], json!([]));
}

#[test]
fn the_file_is_for_people_to_review() {
    let folder = Folder::with(NODE, &GREEN);
    let ran = folder.run(&[&["check", "."], &UPDATE[..]].concat());
    assert_eq!(ran.err, "note: the baseline old.cfg now has 1 finding\n");
    let text = std::fs::read_to_string(folder.path().join("old.cfg")).expect("the file");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        json,
        json!({"version": 1, "findings": [{
            "object": {"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode", "namespace": "shop", "name": "blue"},
            "rule": "MV101", "name": "hostname-mismatch", "at": "listener 8443", "severity": "deny", "count": 1
        }]})
    );
    assert!(text.ends_with("\n") && text.lines().count() > 10, "{text}");
}

#[test]
fn what_an_owner_ignores_is_not_in_it() {
    let node = NODE.replace("        mode:", "        # meshvet: ignore MV001 soon\n        moode: x\n        mode:");
    let folder = Folder::with(&node, &BLUE);
    folder.json(&UPDATE);
    let text = std::fs::read_to_string(folder.path().join("old.cfg")).expect("the file");
    assert!(!text.contains("MV001"), "{text}");
}

#[test]
fn a_baseline_that_cant_be_used_is_an_error_that_says_what_to_do() {
    let folder = Folder::with(NODE, &GREEN);
    for (text, words) in [
        (None, "the baseline old.cfg can't be read (--update-baseline writes it)"),
        (Some("{\"version\": 1,\n \"findings\": [x]}"), "line 2 column 15"),
        (Some("{\"version\": 2, \"findings\": []}"), "version 2, and this meshvet reads version 1"),
        (Some("{\"version\": 1, \"findings\": [], \"more\": 1}"), "unknown field `more`"),
        (Some("<<<<<<< ours"), "restore it from version control, or write a new one with --update-baseline"),
    ] {
        if let Some(text) = text {
            folder.write("old.cfg", text);
        }
        let ran = folder.run(&[&["check", "."], &BASELINE[..]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.starts_with("error: the baseline old.cfg") && ran.err.contains(words), "{words}: {ran:?}");
    }
}

#[test]
fn nothing_is_written_where_not_everything_was_read() {
    let folder = Folder::with(NODE, &GREEN);
    folder.write("broken.yaml", "a: [\n");
    let ran = folder.run(&[&["check", "."], &UPDATE[..]].concat());
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("was not written: broken.yaml can't be read"), "{ran:?}");
    assert!(!folder.path().join("old.cfg").exists());
    assert_eq!(folder.run(&["check", ".", "--update-baseline"]).code, Some(2), "--baseline says which");
}
