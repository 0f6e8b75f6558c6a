//! `explain` and `schema`.

use meshvet::rules::RULES;
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
