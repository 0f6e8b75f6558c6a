//! `# meshvet: ignore`: findings left by a comment in the manifest, and comments that leave none.

use serde_json::Value;

use crate::run::{BLUE, Folder, GREEN, NODE, WORKLOAD, codes, places};

/// The node with a field on line 13 that doesn't exist, and a line put before each line of this text.
fn node(before: &str, comment: &str) -> String {
    let node = NODE.replace("        mode: STRICT\n", "        mode: STRICT\n        moode: x\n");
    let indent = before.len() - before.trim_start().len();
    node.replace(before, &format!("{}{comment}\n{before}", " ".repeat(indent)))
}

fn judged(node: &str) -> Value {
    Folder::with(node, &BLUE).json(&[]).1
}

#[track_caller]
fn leaves(node: &str) {
    let json = judged(node);
    assert_eq!(codes(&json), Vec::<String>::new(), "{json:#}\n{node}");
    assert_eq!(json["summary"]["suppressed"], 1);
    assert_eq!(
        (&json["suppressed"][0]["code"], &json["suppressed"][0]["reason"]),
        (&"MV001".into(), &"why not".into())
    );
}

#[test]
fn a_comment_above_speaks_of_what_begins_below_it() {
    const COMMENT: &str = "# meshvet: ignore MV001 why not";
    leaves(&node("        moode: x\n", COMMENT));
    leaves(&node("      tls:\n", COMMENT));
    leaves(&node("    - portMapping:", COMMENT));
    leaves(&node("spec:\n", COMMENT));
    leaves(&node("apiVersion: appmesh", COMMENT));
    leaves(&format!("{COMMENT}\n\n# by hand\n---\n{}", node("spec:\n", "# of the shop")));
    leaves(&format!("--- {COMMENT}\n{}", node("spec:\n", "# of the shop")));
    leaves(&node("      tls:\n", &format!("{COMMENT}\n\n      # more of it\n")));
}

#[test]
fn a_comment_behind_a_field_speaks_of_that_field() {
    let behind =
        |line: &str| node(line, "# x").replace(line, &format!("{} # meshvet: ignore MV001 why not\n", line.trim_end()));
    leaves(&behind("        moode: x\n"));
    leaves(&behind("      tls:\n"));
    leaves(&behind("  listeners:\n"));
    let json = judged(&behind("        mode: STRICT\n"));
    assert_eq!(codes(&json), ["MV001", "MV007"], "{json:#}");
}

#[test]
fn a_comment_that_leaves_nothing_is_told_at_its_place() {
    let json = judged(&node("        mode: STRICT\n", "# meshvet: ignore MV001 why not"));
    assert_eq!(places(&json), [("MV001".to_owned(), 14, 9), ("MV007".to_owned(), 12, 9)], "{json:#}");
    let unused = &json["findings"][1];
    assert_eq!(unused["severity"], "warn");
    assert_eq!(unused["field"], "/spec/listeners/0/tls/mode");
    assert!(unused["message"].as_str().is_some_and(|text| text.contains("MV001 unknown-field is ignored here")));
}

#[test]
fn a_comment_that_cant_be_followed_says_why() {
    for (comment, words) in [
        ("# meshvet: ignore MV001", "has no reason"),
        ("# meshvet: ignore unknown-feild x", "did you mean unknown-field?"),
        ("# meshvet: ignore", "names no rule"),
        ("# meshvet: skip MV001 x", "the only word is ignore"),
        ("# meshvet ignore MV001 x", "the colon"),
    ] {
        let json = judged(&node("        moode: x\n", comment));
        assert_eq!(places(&json), [("MV001".to_owned(), 14, 9), ("MV007".to_owned(), 13, 9)], "{json:#}");
        assert!(json["findings"][1]["message"].as_str().is_some_and(|text| text.contains(words)), "{json:#}");
    }
    let json = judged(&node("        moode: x\n", "# meshvet reads this, and that is all"));
    assert_eq!(codes(&json), ["MV001"]);
}

#[test]
fn a_denial_is_left_only_where_the_policy_says_so() {
    let node = NODE.replace(
        "            certificateChain",
        "            # meshvet: ignore MV101 known\n            certificateChain",
    );
    let folder = Folder::with(&node, &GREEN);
    let (code, json) = folder.json(&[]);
    assert_eq!((code, codes(&json)), (Some(1), vec!["MV101".to_owned(), "MV007".to_owned()]));
    assert!(json["findings"][1]["message"].as_str().is_some_and(|text| text.contains("it denies")), "{json:#}");
    folder.write("policy.cfg", "ignore: {denials: true}\n");
    let (code, json) = folder.json(&["--config", "policy.cfg"]);
    assert_eq!((code, codes(&json)), (Some(0), vec![]), "{json:#}");
}

#[test]
fn a_comment_holds_for_one_object_of_several() {
    let ignoring = node("spec:\n", "# meshvet: ignore MV001 why not");
    let other = ignoring.replace("name: blue\n", "name: other\n").replace("# meshvet: ignore MV001 why not", "# -");
    let folder = Folder::with(&format!("{ignoring}---\n{other}"), &BLUE);
    let (_, json) = folder.json(&[]);
    let left: Vec<_> =
        json["findings"].as_array().expect("findings").iter().filter(|it| it["code"] == "MV001").collect();
    assert_eq!(left.len(), 1, "{json:#}");
    assert_eq!(left[0]["object"]["name"], "other");

    let item = |text: &str| {
        text.lines()
            .enumerate()
            .map(|(n, line)| format!("{}{line}\n", if n == 0 { "- " } else { "  " }))
            .collect::<String>()
    };
    let node = node("spec:\n", "# -");
    let (first, second) = (item(&node), item(&node.replace("name: blue\n", "name: other\n")));
    let list = |head: &str, above: &str| format!("{head}apiVersion: v1\nkind: List\nitems:\n{above}{first}{second}");
    for (head, above, expected) in
        [("", "# meshvet: ignore MV001 why not\n", 1), ("# meshvet: ignore MV001 why not\n", "", 0), ("", "", 2)]
    {
        let folder = Folder::with(&list(head, above), &BLUE);
        let (_, json) = folder.json(&[]);
        let left = codes(&json).iter().filter(|code| *code == "MV001").count();
        assert_eq!(left, expected, "{head}{above}: {json:#}");
    }
}

#[test]
fn a_workloads_comment_leaves_a_finding_on_the_workload() {
    let folder = Folder::sound();
    folder.write("policy.cfg", "severities: {MV002: warn}\n");
    let workload = WORKLOAD.replace("blue-cert:/certs", "blue-cert:/certs,").replace(
        "      annotations:",
        "      # meshvet: ignore MV002 the chart is mended upstream\n      annotations:",
    );
    folder.write("workload.yaml", workload);
    let (code, json) = folder.json(&["--config", "policy.cfg"]);
    assert_eq!((code, codes(&json)), (Some(0), vec![]), "{json:#}");
    assert_eq!(json["summary"]["suppressed"], 1);
}

#[test]
fn a_workloads_annotation_leaves_it_too() {
    let folder = Folder::sound();
    folder.write("policy.cfg", "severities: {MV002: warn}\n");
    let workload = WORKLOAD.replace("blue-cert:/certs", "blue-cert:/certs,").replace(
        "metadata: {name: blue, namespace: shop}",
        "metadata: {name: blue, namespace: shop, annotations: {meshvet.dev/ignore: MV002=the chart is mended upstream}}",
    );
    folder.write("workload.yaml", workload);
    let (code, json) = folder.json(&["--config", "policy.cfg"]);
    assert_eq!((code, codes(&json)), (Some(0), vec![]), "{json:#}");
    assert_eq!(json["summary"]["suppressed"], 1);
}

#[test]
fn what_looks_like_a_comment_in_a_text_is_none() {
    let node = NODE.replace(
        "metadata:\n",
        "metadata:\n  annotations:\n    a: |\n      # meshvet: ignore MV001 x\n    b: \"# meshvet: ignore MV001 x\"\n",
    );
    let json = judged(&node);
    assert_eq!(codes(&json), Vec::<String>::new(), "{json:#}");
}

#[test]
fn a_comment_at_nothing_is_noted() {
    let folder = Folder::sound();
    folder.write("other.yaml", "apiVersion: v1\nkind: Service\n# meshvet: ignore MV001 x\nmetadata: {name: x}\n");
    folder.write(
        "tail.yaml",
        format!("{}# meshvet: ignore MV001 x\n---\n", NODE.replace("name: blue\n", "name: tail\n")),
    );
    let ran = folder.run(&["check", "."]);
    assert!(ran.err.contains("other.yaml:3:1: this comment ignores nothing"), "{ran:?}");
    assert!(ran.err.contains("tail.yaml:17:1: this comment ignores nothing"), "{ran:?}");
}

#[test]
fn an_annotation_that_leaves_nothing_is_told() {
    let ignoring = |entry: &str| {
        NODE.replace("metadata:\n", &format!("metadata:\n  annotations: {{meshvet.dev/ignore: \"{entry}\"}}\n"))
    };
    let json = judged(&ignoring("MV209=rotation on Friday"));
    assert_eq!(places(&json), [("MV007".to_owned(), 4, 37)], "{json:#}");
    let json = judged(&ignoring("MV307=not here"));
    assert_eq!(codes(&json), Vec::<String>::new(), "a rule that is off by default: {json:#}");
    let json = judged(&ignoring("MV209"));
    assert_eq!(codes(&json), ["MV002"], "told once: {json:#}");
}
