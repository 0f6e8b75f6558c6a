//! What the two formats look like.

use insta::assert_snapshot;
use serde_json::json;

use crate::run::{BLUE, Folder, GREEN, NODE, codes, secret};

/// Each run mints keys of its own.
fn without_digests(text: &str) -> String {
    let mut parts = text.split("SHA-256 ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        format!("{text}SHA-256 DIGEST{}", part.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
    })
}

#[test]
fn a_sound_mesh_is_clean() {
    let ran = Folder::sound().run(&["check", "."]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    assert_snapshot!("a_sound_mesh", ran.out);
}

#[test]
fn each_finding_shows_its_line_and_what_to_do() {
    let node = NODE.replace("        mode: STRICT\n", "        mode: STRICT\n        modee: STRICT\n");
    let folder = Folder::with(&node, &GREEN);
    let ran = folder.run(&["check", "."]);
    assert_eq!(ran.code, Some(1));
    assert_snapshot!("a_finding", ran.out);
}

#[test]
fn the_worst_comes_first_and_objects_are_apart() {
    let folder = Folder::with(NODE, &GREEN);
    folder.write("secret.yaml", secret(&GREEN.chain, &BLUE.key));
    folder.write("lone.yaml", NODE.replace("blue", "lone"));
    let ran = folder.run(&["check", "."]);
    assert_eq!(ran.code, Some(1));
    assert_snapshot!("the_worst_first", without_digests(&ran.out));
}

#[test]
fn what_an_owner_ignores_is_told_and_counted_apart() {
    let node = NODE
        .replace("metadata:\n", "metadata:\n  annotations:\n    meshvet.dev/ignore: MV001=until the next release\n");
    let folder = Folder::with(&node.replace("        mode:", "        moode: x\n        mode:"), &BLUE);
    let ran = folder.run(&["check", ".", "--fail-on", "warn"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_snapshot!("ignored", ran.out);
    let (_, json) = folder.json(&[]);
    assert_eq!(json["findings"], json!([]));
    assert_eq!(json["summary"], json!({"objects": 2, "deny": 0, "warn": 0, "suppressed": 1, "notAsked": 0}));
}

#[test]
fn json_has_every_key_and_null_where_nothing_applies() {
    let node = NODE.replace("        mode:", "        moode: x\n        mode:");
    let (code, json) = Folder::with(&node, &GREEN).json(&[]);
    assert_eq!(code, Some(1));
    assert_eq!(json["version"], 1);
    assert_eq!(json["summary"], json!({"objects": 2, "deny": 1, "warn": 1, "suppressed": 0, "notAsked": 0}));
    assert_eq!(json["errors"], json!([]));
    assert_eq!(codes(&json), ["MV101", "MV001"]);

    let first = json["findings"][0].as_object().expect("a finding");
    let keys = [
        "code",
        "rule",
        "severity",
        "object",
        "field",
        "message",
        "expected",
        "found",
        "consequence",
        "fix",
        "file",
        "line",
        "column",
    ];
    assert_eq!(first.len(), keys.len(), "{first:?}");
    assert!(keys.iter().all(|key| first.contains_key(*key)), "{first:?}");
    assert_eq!(first["rule"], "hostname-mismatch");
    assert_eq!(first["severity"], "deny");
    assert_eq!(
        first["object"],
        json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode", "namespace": "shop", "name": "blue"})
    );
    assert_eq!(first["field"], "/spec/listeners/0/tls/certificate/file/certificateChain");
    assert_eq!(first["file"], "node.yaml");
    assert_eq!((&first["line"], &first["column"]), (&json!(16), &json!(31)));
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    let folder = Folder::with(NODE, &GREEN);
    assert!(!folder.run(&["check", "."]).out.contains('\x1b'));
    assert!(folder.run(&["check", ".", "--color", "always"]).out.contains("\x1b[1;31mdeny\x1b[0m"));
    assert!(!folder.run(&["check", ".", "--color", "never"]).out.contains('\x1b'));
}

#[test]
fn what_a_manifest_says_never_drives_the_terminal() {
    let node = NODE.replace("hostname: blue.apps.local", "hostname: \"blue\\e[2J.apps.local\"");
    let ran = Folder::with(&node, &BLUE).run(&["check", "."]);
    assert!(!ran.out.contains('\x1b'), "{ran:?}");
    assert!(ran.out.contains("blue\\u{1b}[2J.apps.local"), "{ran:?}");
}

#[test]
fn no_line_of_a_secret_is_shown() {
    // A Secret and a broken node on one line, and a Secret that can't be decoded.
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"},
         "stringData": {"tls.key": "very-private"}},
        {"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualNode", "metadata": {"name": "n", "namespace": "shop"},
         "spec": {"listeners": [{"portMapping": {"port": 1, "protocol": "http"}, "tlss": {}}]}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "t", "namespace": "shop"},
         "data": {"tls.key": "very-private, and no base64"}},
    ]});
    for text in [list.to_string(), serde_json::to_string_pretty(&list).expect("JSON")] {
        let folder = Folder::empty();
        folder.write("list.json", text);
        for format in ["text", "json"] {
            let ran = folder.run(&["check", ".", "-o", format]);
            assert!(ran.out.contains("MV001") && ran.out.contains("MV006"), "{ran:?}");
            assert!(!ran.out.contains("very-private") && !ran.err.contains("very-private"), "{ran:?}");
        }
    }
}
