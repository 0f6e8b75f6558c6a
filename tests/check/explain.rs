//! `explain` and `schema`.

use std::path::Path;

use meshvet::finding::RULES;
use serde_json::Value;

use crate::run::Folder;

#[test]
fn a_rule_is_explained_by_code_or_name() {
    let folder = Folder::empty();
    let by_code = folder.run(&["explain", "MV206"]);
    assert_eq!(by_code.code, Some(0));
    assert!(by_code.out.starts_with("MV206: key-mismatch\n"), "{}", by_code.out);
    for heading in ["\nWhat it checks\n", "\nWhy it matters\n", "\nExample\n", "\nHow to fix\n"] {
        assert!(by_code.out.contains(heading), "{heading}: {}", by_code.out);
    }
    assert_eq!(folder.run(&["explain", "mv206"]).out, by_code.out);
    assert_eq!(folder.run(&["explain", "Key-Mismatch"]).out, by_code.out);
}

#[test]
fn without_a_rule_all_are_listed() {
    let ran = Folder::empty().run(&["explain"]);
    assert_eq!(ran.code, Some(0));
    for rule in RULES {
        let line = ran.out.lines().find(|line| line.starts_with(rule.code)).unwrap_or_else(|| panic!("{}", rule.code));
        assert!(line.contains(rule.name) && line.ends_with(rule.summary), "{line}");
    }
}

#[test]
fn rules_are_found_by_severity_and_by_word() {
    let folder = Folder::empty();
    let codes = |arguments: &[&str]| -> Vec<String> {
        let ran = folder.run(&[&["explain"], arguments].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.out.lines().filter(|line| line.starts_with("MV")).map(|line| line[..5].to_owned()).collect()
    };
    assert_eq!(codes(&["--severity", "off"]), ["MV307"]);
    assert!(codes(&["--severity", "deny"]).contains(&"MV101".to_owned()));
    assert!(!codes(&["--severity", "deny"]).contains(&"MV102".to_owned()));
    assert!(codes(&["--find", "KUBELET"]).contains(&"MV306".to_owned()));
    let both = codes(&["--find", "certificate", "--severity", "warn"]);
    assert!(both.contains(&"MV209".to_owned()) && !both.contains(&"MV207".to_owned()), "{both:?}");
}

#[test]
fn programs_get_the_manuals_as_json() {
    let ran = Folder::empty().run(&["explain", "MV206", "key-unreadable", "-o", "json"]);
    let json: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    assert_eq!(json["version"], 1);
    let rules = json["rules"].as_array().expect("rules");
    assert_eq!(
        rules.iter().map(|rule| rule["code"].as_str().unwrap_or_default()).collect::<Vec<_>>(),
        ["MV206", "MV205"]
    );
    assert_eq!((&rules[0]["name"], &rules[0]["severity"]), (&"key-mismatch".into(), &"deny".into()));
    for part in ["summary", "checks", "matters", "example", "fix"] {
        assert!(rules[0][part].as_str().is_some_and(|text| text.len() > 20), "{part}: {json:#}");
    }
    let all: Value = serde_json::from_str(&Folder::empty().run(&["explain", "-o", "json"]).out).expect("JSON");
    assert_eq!(all["rules"].as_array().map(Vec::len), Some(RULES.len()));
}

#[test]
fn a_manual_and_the_list_come_as_markdown() {
    let folder = Folder::empty();
    let page = folder.run(&["explain", "MV206", "-o", "markdown"]).out;
    assert!(page.starts_with("# MV206: `key-mismatch`\n\n") && page.contains("\n## How to fix\n\n"), "{page}");
    let table = folder.run(&["explain", "-o", "markdown"]).out;
    assert_eq!(table.lines().count(), RULES.len() + 2, "{table}");
    assert!(table.contains("| MV206 | key-mismatch | deny | "), "{table}");
}

#[test]
fn the_pages_of_the_rules_are_fresh() {
    let folder = Folder::empty();
    assert_eq!(folder.run(&["explain", "--write", "rules"]).code, Some(0));
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let names = |folder: &Path| -> Vec<_> {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).expect("a folder").flatten().map(|it| it.file_name()).collect();
        names.sort();
        names
    };
    let made = folder.path().join("rules");
    assert_eq!(names(&kept), names(&made), "docs/rules is stale: run `just rules`");
    for name in names(&made) {
        let text = |folder: &Path| std::fs::read_to_string(folder.join(&name)).expect("a page");
        assert!(text(&kept) == text(&made), "docs/rules/{} is stale: run `just rules`", name.display());
    }
}

#[test]
fn pages_of_rules_that_are_no_more_go() {
    let folder = Folder::empty();
    folder.write("rules/MV999.md", "old");
    folder.write("rules/notes.md", "kept");
    folder.run(&["explain", "--write", "rules"]);
    assert!(!folder.path().join("rules/MV999.md").exists());
    assert!(folder.path().join("rules/notes.md").exists());
}

#[test]
fn an_unknown_rule_leads_to_the_nearest() {
    let ran = Folder::empty().run(&["explain", "hostname-missmatch"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("did you mean hostname-mismatch?"), "{ran:?}");
}

#[test]
fn the_schema_knows_the_policys_keys() {
    let ran = Folder::empty().run(&["schema"]);
    let schema: Value = serde_json::from_str(&ran.out).expect("JSON");
    for key in ["severities", "unknown", "thresholds", "scopes"] {
        assert!(schema["properties"].get(key).is_some(), "{key}");
    }
}

#[test]
fn each_command_has_help_with_examples() {
    let folder = Folder::empty();
    for command in ["check", "explain", "schema"] {
        let ran = folder.run(&[command, "--help"]);
        assert_eq!(ran.code, Some(0));
        assert!(ran.out.contains("Examples:\n  ") && ran.out.contains(&format!("meshvet {command}")), "{}", ran.out);
    }
    assert!(folder.run(&["--help"]).out.contains("Exit codes: 0 clean, 1 findings"));
    assert_eq!(folder.run(&["chekc"]).code, Some(2));
}
