//! What Envoy Gateway says of Gateways, held against what `meshvet check` says of the same manifests.
//!
//! Each case is minted anew, and its verdicts stand in `envoy-gateway.json`: the conditions that Envoy Gateway's own translator gave each
//! listener. `scripts/test gateway` builds that translator and records them again. Where both differ on purpose, the case says why.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

mod cases;
mod secrets;

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use cases::{Case, Differs};

/// The version of Envoy Gateway that the verdicts are of: the one in scripts/parts.d/egctl.
const VERSION: &str = "v1.9.1";

/// Of each case, by its listeners: what is wrong, or nothing.
type Verdicts = BTreeMap<String, BTreeMap<String, Option<String>>>;

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gateway/envoy-gateway.json")
}

fn recorded() -> Verdicts {
    let text = std::fs::read_to_string(page()).expect("the recorded verdicts");
    let page: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(page["version"], VERSION, "record the verdicts again: scripts/test gateway");
    serde_json::from_value(page["verdicts"].clone()).expect("verdicts")
}

/// The manifests of a case, in a file of a folder of its own.
fn written(case: &Case) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("case.yaml");
    let documents: Vec<String> = case.objects().iter().map(Value::to_string).collect();
    std::fs::write(&path, documents.join("\n---\n")).expect("a file");
    (folder, path)
}

/// What Envoy Gateway says of each listener: the first condition that isn't as it should be.
fn translated(egctl: &str, case: &Case) -> BTreeMap<String, Option<String>> {
    let (_folder, path) = written(case);
    let ran = Command::new(egctl)
        .args([
            "x",
            "translate",
            "--from",
            "gateway-api",
            "--to",
            "gateway-api",
            "--add-missing-resources",
            "-o",
            "json",
        ])
        .arg("-f")
        .arg(&path)
        .output()
        .expect("egctl starts");
    let answer: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {}", case.name, String::from_utf8_lossy(&ran.stderr)));
    let statuses = answer["gateways"].as_array().into_iter().flatten();
    let listeners = statuses.flat_map(|gateway| gateway["status"]["listeners"].as_array().cloned().unwrap_or_default());
    listeners
        .map(|listener| {
            let conditions = listener["conditions"].as_array().cloned().unwrap_or_default();
            let wrong = conditions.iter().find(|condition| {
                condition["status"] == "False"
                    && matches!(condition["type"].as_str(), Some("ResolvedRefs" | "Accepted"))
            });
            let wrong = wrong.or_else(|| {
                conditions.iter().find(|condition| condition["status"] == "False" && condition["type"] == "Programmed")
            });
            let text = |condition: &Value| {
                let part = |key: &str| condition[key].as_str().unwrap_or_default().to_owned();
                format!("{}: {}", part("reason"), part("message"))
            };
            (listener["name"].as_str().unwrap_or_default().to_owned(), wrong.map(text))
        })
        .collect()
}

/// How severe the worst is that meshvet says of each listener.
fn checked(case: &Case) -> BTreeMap<String, String> {
    let (folder, _) = written(case);
    let ran = Command::new(env!("CARGO_BIN_EXE_meshvet"))
        .args(["check", ".", "-o", "json"])
        .current_dir(folder.path())
        .output()
        .expect("meshvet starts");
    let answer: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {}", case.name, String::from_utf8_lossy(&ran.stderr)));
    let mut worst: BTreeMap<String, String> = BTreeMap::new();
    for finding in answer["findings"].as_array().expect("findings") {
        let field = finding["field"].as_str().unwrap_or_default();
        // Each case has one Gateway.
        let place = field.strip_prefix("/spec/listeners/").and_then(|rest| rest.split('/').next());
        let Some(place) = place.and_then(|place| place.parse::<usize>().ok()) else { continue };
        let listener = case.listener(place);
        let severity = finding["severity"].as_str().unwrap_or_default();
        let known = worst.entry(listener.to_owned()).or_default();
        if severity == "deny" || known.is_empty() {
            severity.clone_into(known);
        }
    }
    worst
}

#[test]
fn meshvet_and_envoy_gateway_agree_but_where_it_is_meant() {
    let recorded = recorded();
    let mut wrong = Vec::new();
    for case in cases::all() {
        let verdicts =
            recorded.get(case.name).unwrap_or_else(|| panic!("no verdict of {}: scripts/test gateway", case.name));
        let said = checked(&case);
        for (listener, refused) in verdicts {
            let severity = said.get(listener).map_or("", String::as_str);
            let right = match (&case.differs, refused) {
                (Differs::No, Some(_)) => severity == "deny",
                (Differs::No, None) => severity != "deny",
                (Differs::Stricter(_), refused) => refused.is_none() && severity == "deny",
                (Differs::Softer(_), refused) => refused.is_some() && severity == "warn",
            };
            if !right {
                wrong.push(format!("{} {listener}: {refused:?}, and meshvet says {severity:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_difference_says_why() {
    for case in cases::all() {
        match case.differs {
            Differs::No => {}
            Differs::Stricter(why) | Differs::Softer(why) => {
                assert!(why.len() > 10, "{}", case.name)
            }
        }
    }
}

/// Where the translator is given: whether it still says what was recorded; or, when asked to, records it anew.
#[test]
fn envoy_gateway_says_what_was_recorded() {
    let Ok(egctl) = std::env::var("MESHVET_EGCTL") else { return };
    let mut verdicts = Verdicts::new();
    for case in cases::all() {
        verdicts.insert(case.name.to_owned(), translated(&egctl, &case));
    }
    if std::env::var("MESHVET_RECORD").is_ok() {
        let page_text = json!({"version": VERSION, "verdicts": stable(&verdicts)});
        let text = serde_json::to_string_pretty(&page_text).expect("JSON");
        std::fs::write(page(), format!("{text}\n")).expect("a file");
        return;
    }
    assert_eq!(stable(&verdicts), recorded());
}

/// Without what each run mints anew: dates of certificates.
fn stable(verdicts: &Verdicts) -> Verdicts {
    let cut = |text: &String| {
        let dated = [" has expired since ", " will be valid after "]
            .into_iter()
            .find_map(|words| Some((text.split_once(words)?.0, words)));
        dated.map_or_else(|| text.clone(), |(before, words)| format!("{before}{words}…"))
    };
    let listeners = |of: &BTreeMap<String, Option<String>>| {
        of.iter().map(|(name, wrong)| (name.clone(), wrong.as_ref().map(cut))).collect()
    };
    verdicts.iter().map(|(name, of)| (name.clone(), listeners(of))).collect()
}
