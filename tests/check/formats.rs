//! What programs read: SARIF against its schema, JUnit by an XML parser, GitHub's commands taken apart as GitHub does.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use insta::assert_snapshot;
use serde_json::Value;

use crate::run::{BLUE, Folder, GREEN, NODE, WORKLOAD};

/// A world with a denial, a warning, one that is ignored, and a file that can't be read; and a file name that has to be escaped.
fn world() -> Folder {
    let node = NODE
        .replace(
            "        mode: STRICT\n",
            "        # meshvet: ignore MV001 until 100% of it, is gone: soon\n        moode: x\n        mode: STRICT\n",
        )
        .replace("spec:\n", "spec:\n  spek: {}\n")
        .replace("  listeners:\n", "  listenrs: []\n  listeners:\n");
    let folder = Folder::with("", &GREEN);
    std::fs::remove_file(folder.path().join("node.yaml")).expect("it goes");
    folder.write("deploy, all/nöde 1.yaml", node);
    folder.write("broken.yaml", "a: [1\n");
    folder
}

/// SARIF's schema, the one that OASIS publishes, under its own `$id`: from the package that brings it, where cargo keeps that.
static SARIF_SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let machine = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let machine = String::from_utf8(machine.stdout).expect("UTF-8");
    let machine = machine.lines().find_map(|line| line.strip_prefix("host: ")).expect("the machine's kind");
    let output = Command::new(env!("CARGO"))
        // Packages of other systems may not have been fetched.
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", machine, "--manifest-path"])
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").expect("the package serde-sarif");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
    let text = std::fs::read_to_string(manifest.with_file_name("src").join("schema.json")).expect("its schema");
    // One pattern, of a language's code, has a bracket too many, which a strict reader of patterns refuses.
    let text = text.replace("-[a-zA-Z]{2}]?$", "-[a-zA-Z]{2}?$");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    assert!(schema["$id"].as_str().is_some_and(|id| id.contains("oasis-tcs/sarif-spec")), "{}", schema["$id"]);
    schema
});

#[track_caller]
pub(crate) fn sarif(folder: &Folder, arguments: &[&str]) -> Value {
    let ran = folder.run(&[&["check", ".", "-o", "sarif"], arguments].concat());
    let log: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let validator = jsonschema::options().should_validate_formats(true).build(&SARIF_SCHEMA).expect("a schema");
    let wrong: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(wrong, Vec::<String>::new(), "{log:#}");
    log
}

#[test]
fn sarif_is_valid_and_has_rules_places_and_fixes() {
    let folder = world();
    let log = sarif(&folder, &[]);
    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("results");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(results.len(), 4, "{log:#}");
    for result in results {
        let index = result["ruleIndex"].as_u64().and_then(|index| usize::try_from(index).ok()).expect("an index");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(rules[index]["help"]["markdown"].as_str().is_some_and(|text| text.contains("## How to fix")));
        assert!(!rules[index]["help"]["text"].as_str().expect("a text").is_empty());
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(uri, "deploy%2C%20all/n%C3%B6de%201.yaml");
        assert_eq!(result["partialFingerprints"]["meshvet/v1"].as_str().map(str::len), Some(32));
    }
    let by = |words: &str| {
        let found =
            results.iter().find(|result| result["message"]["text"].as_str().is_some_and(|text| text.contains(words)));
        found.unwrap_or_else(|| panic!("{words}: {log:#}"))
    };
    assert_eq!(by("matches no name of the certificate")["level"], "error");
    let ignored = by("\"moode\"");
    assert_eq!(ignored["suppressions"][0]["kind"], "inSource");
    assert_eq!(ignored["suppressions"][0]["justification"], "until 100% of it, is gone: soon");
    assert_eq!(by("\"spek\"")["suppressions"], serde_json::json!([]));
    let misspelt = by("\"listenrs\"");
    let region = &misspelt["locations"][0]["physicalLocation"]["region"];
    assert_eq!(
        (&region["startLine"], &region["startColumn"], &region["endColumn"]),
        (&10.into(), &3.into(), &11.into())
    );
    assert_eq!(misspelt["fixes"], Value::Null, "beside listeners it is for a person to mend");
    let notification = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert_eq!(notification["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "broken.yaml");
}

#[test]
fn a_fix_in_sarif_is_the_edit_of_the_patch() {
    let folder = Folder::with(&NODE.replace("STRICT", "strict"), &BLUE);
    let log = sarif(&folder, &[]);
    let change = &log["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], "node.yaml");
    assert_eq!(
        change["replacements"][0],
        serde_json::json!({
            "deletedRegion": {"startLine": 12, "startColumn": 15, "endColumn": 21},
            "insertedContent": {"text": "STRICT"}
        })
    );
}

#[test]
fn a_fingerprint_outlives_edits_above_it() {
    let fingerprints = |node: &str| {
        let log = sarif(&Folder::with(node, &GREEN), &[]);
        let results = log["runs"][0]["results"].as_array().expect("results").clone();
        results.iter().map(|result| result["partialFingerprints"]["meshvet/v1"].to_string()).collect::<Vec<_>>()
    };
    let node = NODE.replace("        mode:", "        moode: x\n        mode:");
    let before = fingerprints(&node);
    assert_eq!(before.len(), 2);
    assert_ne!(before[0], before[1]);
    assert_eq!(fingerprints(&format!("# all new\n\n{node}")), before);
}

#[test]
fn what_a_baseline_knows_is_suppressed_in_sarif() {
    let folder = Folder::with(NODE, &GREEN);
    folder.run(&["check", ".", "--baseline", "old.cfg", "--update-baseline"]);
    let log = sarif(&folder, &["--baseline", "old.cfg"]);
    let result = &log["runs"][0]["results"][0];
    assert_eq!(
        (&result["baselineState"], &result["suppressions"][0]["kind"]),
        (&"unchanged".into(), &"external".into())
    );
}

#[test]
fn a_path_of_windows_is_a_uri_of_windows() {
    let folder = Folder::with("", &GREEN);
    std::fs::remove_file(folder.path().join("node.yaml")).expect("it goes");
    // On this system a letter like any other, so that such a file can be made.
    folder.write("C:\\x\\y z.yaml", NODE);
    let log = sarif(&folder, &[]);
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "file:///C:/x/y%20z.yaml");
    let ran = folder.run(&["check", "."]);
    assert!(ran.out.contains("--> C:\\x\\y z.yaml:15:31\n"), "{ran:?}");
    let commands = github(&folder.run(&["check", ".", "-o", "github"]).out);
    assert_eq!(commands[0].1["file"], "C:/x/y z.yaml");
}

/// Level, properties and message of each command, read as GitHub's runner does: `::level key=value,…::message`, unescaped.
pub(crate) fn github(out: &str) -> Vec<(String, BTreeMap<String, String>, String)> {
    let unescaped = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    let commands = out.lines().filter_map(|line| line.strip_prefix("::"));
    commands
        .map(|line| {
            let (head, message) = line.split_once("::").expect("a message");
            let (level, properties) = head.split_once(' ').expect("properties");
            let property = |pair: &str| {
                let (key, value) = pair.split_once('=').expect("a value");
                let value = unescaped(value).replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
                (key.to_owned(), value)
            };
            (level.to_owned(), properties.split(',').map(property).collect(), unescaped(message).replace("%25", "%"))
        })
        .collect()
}

#[test]
fn github_shows_each_finding_at_its_line() {
    let ran = world().run(&["check", ".", "-o", "github"]);
    assert_eq!(ran.code, Some(2));
    let commands = github(&ran.out);
    let levels: Vec<&str> = commands.iter().map(|(level, ..)| level.as_str()).collect();
    assert_eq!(levels, ["error", "error", "warning", "warning", "notice"], "{}", ran.out);
    assert_eq!(commands[0].1["file"], "broken.yaml");
    let (_, place, message) = &commands[1];
    assert_eq!(place["file"], "deploy, all/nöde 1.yaml");
    assert_eq!((place["line"].as_str(), place["col"].as_str(), place["endColumn"].as_str()), ("19", "31", "45"));
    assert_eq!(place["title"], "MV101 hostname-mismatch");
    assert!(
        message.starts_with("VirtualNode shop/blue: hostname blue.apps.local matches no name")
            && message.contains("\nfix: "),
        "{message}"
    );
    assert!(commands[4].2.ends_with("\nignored: until 100% of it, is gone: soon"), "{:?}", commands[4]);
    assert_snapshot!("github", ran.out);
}

#[test]
fn junit_is_read_by_a_parser_of_xml() {
    let folder = world();
    let ran = folder.run(&["check", ".", "-o", "junit"]);
    assert_eq!(ran.code, Some(2));
    let document = roxmltree::Document::parse(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("name")), ("testsuites", Some("meshvet")));
    let count = |name: &str| root.attribute(name).and_then(|count| count.parse::<usize>().ok());
    let cases = || document.descendants().filter(|node| node.has_tag_name("testcase"));
    let with = |tag: &'static str| cases().filter(move |case| case.children().any(|child| child.has_tag_name(tag)));
    assert_eq!(count("tests"), Some(cases().count()));
    assert_eq!((count("failures"), with("failure").count()), (Some(1), 1));
    assert_eq!((count("errors"), with("error").count()), (Some(1), 1));
    assert_eq!(with("skipped").count(), 1);
    // Two warnings, below --fail-on deny, and the Deployment, which nothing is wrong with.
    assert_eq!(with("system-out").count(), 2);
    assert!(cases().any(|case| {
        case.attribute("classname") == Some("Deployment shop/blue") && case.attribute("name") == Some("nothing wrong")
    }));
    let failed = with("failure").next().expect("a failure");
    assert_eq!(failed.attribute("classname"), Some("VirtualNode shop/blue"));
    assert_eq!((failed.attribute("file"), failed.attribute("line")), (Some("deploy, all/nöde 1.yaml"), Some("19")));
    let failure = failed.children().find(|child| child.has_tag_name("failure")).expect("it");
    assert_eq!(failure.attribute("type"), Some("MV101 hostname-mismatch"));
    assert!(failure.text().is_some_and(|text| text.contains("found:     DNS:green.apps.local")));
    assert_snapshot!("junit", ran.out);

    let strict = folder.run(&["check", ".", "-o", "junit", "--fail-on", "warn"]).out;
    let document = roxmltree::Document::parse(&strict).expect("XML");
    assert_eq!(document.root_element().attribute("failures"), Some("3"));
}

#[test]
fn sarif_has_this_shape() {
    let folder = Folder::with(&NODE.replace("        mode:", "        moode: x\n        mode:"), &GREEN);
    let mut log = sarif(&folder, &[]);
    // The manuals have snapshots of their own: docs/rules.
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array_mut().expect("rules") {
        rule["help"] = "the manual".into();
        rule["fullDescription"] = "what it checks".into();
    }
    let text = serde_json::to_string_pretty(&log).expect("JSON").replace(env!("CARGO_PKG_VERSION"), "VERSION");
    assert_snapshot!("sarif", text);
}

#[test]
fn control_characters_of_a_manifest_stay_out_of_every_format() {
    let node = NODE.replace("hostname: blue.apps.local", "hostname: \"blue\\e[2J\\n::error::forged.local\"");
    let folder = Folder::with(&node, &BLUE);
    for format in ["text", "json", "sarif", "junit", "github"] {
        let ran = folder.run(&["check", ".", "-o", format]);
        assert_eq!(ran.code, Some(1), "{format}: {ran:?}");
        assert!(!ran.out.contains('\x1b'), "{format}: {ran:?}");
        assert!(!ran.out.lines().any(|line| line.starts_with("::error::forged")), "{format}: {ran:?}");
    }
}

#[test]
fn helm_says_which_template_is_to_be_mended() {
    let piped =
        format!("---\n# Source: shop/templates/node.yaml\n{NODE}---\n# Source: shop/templates/app.yaml\n{WORKLOAD}");
    let folder = Folder::with("", &GREEN);
    std::fs::remove_file(folder.path().join("node.yaml")).expect("it goes");
    std::fs::remove_file(folder.path().join("workload.yaml")).expect("it goes");
    let run = |format| folder.run_with(&["check", "-", ".", "-o", format], &piped).out;
    assert!(run("text").contains("--> shop/templates/node.yaml (rendered: stdin:17:31)\n"), "{}", run("text"));
    let json: Value = serde_json::from_str(&run("json")).expect("JSON");
    let finding = &json["findings"][0];
    assert_eq!((&finding["file"], &finding["line"]), (&"shop/templates/node.yaml".into(), &Value::Null));
    assert_eq!(finding["rendered"], serde_json::json!({"file": "stdin", "line": 17, "column": 31}));
    let log: Value = serde_json::from_str(&run("sarif")).expect("JSON");
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "shop/templates/node.yaml");
    assert_eq!(place["region"], Value::Null);
    let (_, properties, message) = github(&run("github")).remove(0);
    assert_eq!((properties["file"].as_str(), properties.get("line")), ("shop/templates/node.yaml", None));
    assert!(message.ends_with("rendered: line 17 of stdin"), "{message}");
}
