//! Runs `meshvet check` on a folder, and compares.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use serde_json::Value;

use crate::expectation::{Sibling, Told};
use crate::folder::Case;
use crate::material::Material;
use crate::variants::Variant;

/// What a run said.
pub(crate) struct Ran {
    findings: BTreeSet<String>,
    /// Every sentence of it.
    words: String,
    code: Option<i32>,
    judged: u64,
}

/// Runs in a folder of its own, with everything minted.
fn check(case: &Case, sibling: Option<&Sibling>, variant: Option<Variant>, arguments: &[&str]) -> Output {
    let mut files = case.files.clone();
    let mut recipes = case.expect.material.clone();
    if let Some(sibling) = sibling {
        sibling.change.iter().for_each(|change| change.apply(&mut files));
        recipes.certificates.extend(sibling.material.certificates.clone());
        recipes.revocations.extend(sibling.material.revocations.clone());
    }
    if let Some(variant) = variant {
        variant.apply(&mut files, &recipes);
    }
    let mut material = Material::new(&recipes);
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in &files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        std::fs::write(path, material.fill(text)).expect("a file");
    }
    let own: Vec<&str> = case.expect.arguments.iter().map(String::as_str).collect();
    let own = if own.is_empty() { vec!["."] } else { own };
    Command::new(env!("CARGO_BIN_EXE_meshvet"))
        .arg("check")
        .args(own)
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .expect("meshvet starts")
}

/// What people read of a folder.
pub(crate) fn text(case: &Case) -> String {
    let ran = check(case, None, None, &["--color", "never"]);
    String::from_utf8(ran.stdout).expect("UTF-8")
}

impl Ran {
    pub(crate) fn of(case: &Case, sibling: Option<&Sibling>, variant: Option<Variant>) -> Self {
        let ran = check(case, sibling, variant, &["-o", "json"]);
        let notes = String::from_utf8(ran.stderr).expect("UTF-8");
        let json: Value = serde_json::from_slice(&ran.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{notes}", String::from_utf8_lossy(&ran.stdout)));
        let list = |key: &str| json[key].as_array().expect("a list").clone();
        let mut words = Vec::new();
        for finding in list("findings") {
            words.push(format!("\n{}: {}", line(&finding), finding["message"].as_str().expect("a message")));
            for (label, key) in
                [("expected", "expected"), ("found", "found"), ("at run time", "consequence"), ("fix", "fix")]
            {
                words.extend(finding[key].as_str().map(|text| format!("  {label}: {text}")));
            }
        }
        words
            .extend(list("errors").iter().map(|it| format!("\nerror: {}", it["message"].as_str().expect("a message"))));
        words.push(notes);
        Self {
            findings: list("findings").iter().map(line).collect(),
            words: words.join("\n"),
            code: ran.status.code(),
            judged: json["summary"]["objects"].as_u64().expect("a number"),
        }
    }

    /// Whether exactly this was said; otherwise what wasn't, and what was.
    pub(crate) fn agrees(&self, told: &Told) -> Result<(), String> {
        let is = |found: &str, expected: &str| match expected.strip_suffix('*') {
            Some(start) => found.starts_with(start),
            None => found == expected,
        };
        let missing = told.findings.iter().filter(|it| !self.findings.iter().any(|found| is(found, it)));
        let mut wrong: Vec<String> = missing.map(|it| format!("not found: {it}")).collect();
        if !told.others {
            let others = self.findings.iter().filter(|found| !told.findings.iter().any(|it| is(found, it)));
            wrong.extend(others.map(|it| format!("found, and shouldn't be: {it}")));
            let denied = told.findings.iter().any(|it| it.starts_with("deny"));
            let code = told.exit.unwrap_or(i32::from(denied));
            if self.code != Some(code) {
                wrong.push(format!("exit code {:?} instead of {code}", self.code));
            }
        }
        wrong.extend(told.says.iter().filter(|it| !self.words.contains(*it)).map(|it| format!("not said: {it}")));
        wrong.extend(told.never.iter().filter(|it| self.words.contains(*it)).map(|it| format!("said: {it}")));
        if self.judged < told.judged {
            wrong.push(format!("{} objects were judged, not {}", self.judged, told.judged));
        }
        if wrong.is_empty() { Ok(()) } else { Err(format!("{}\n{}", wrong.join("\n"), self.words)) }
    }
}

/// A finding as `expect.yaml` names it.
fn line(finding: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = &finding["object"];
    let name = match object["namespace"].as_str() {
        Some(namespace) => format!("{namespace}/{}", text(&object["name"])),
        None => text(&object["name"]),
    };
    format!("{} {} {} {name}", text(&finding["severity"]), text(&finding["code"]), text(&object["kind"]))
}
