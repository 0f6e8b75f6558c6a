//! What meshvet reports for a case, compared with what was seen.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use crate::case::{BACKEND, Case};
use crate::differences::{self, Says};
use crate::record::{self, Controller, Seen};

/// The outcome of a case, from the worst to the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// A client that should be served wasn't, by at least one proxy.
    Dead,
    /// A client was served that shouldn't be.
    Open,
    /// Served with a certificate that clients refuse.
    Refused,
    /// Everything was as the owner wants it.
    Sound,
}

/// The worst outcome of what a case is about, without its neighbours.
fn came(case: &Case, seen: &Seen) -> Came {
    let mut worst = Came::Sound;
    for probe in case.probes.iter().filter(|probe| !probe.neighbour) {
        for answer in &seen.clients[&probe.label()] {
            let came = match (answer.starts_with("200"), probe.welcome) {
                (true, false) => Came::Open,
                (false, false) => Came::Sound,
                (false, true) => Came::Dead,
                (true, true) if answer == "200" => Came::Sound,
                (true, true) => Came::Refused,
            };
            worst = worst.min(came);
        }
    }
    worst
}

/// The highest severity that meshvet gives a case, and the codes that it reports.
fn said(case: &Case) -> (Says, BTreeSet<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let documents: Vec<String> = case.objects.iter().map(Value::to_string).collect();
    std::fs::write(folder.path().join("case.yaml"), documents.join("\n---\n")).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshvet"));
    command.args(["check", "case.yaml", "-o", "json"]);
    if case.backend.is_some() {
        let policy = json!({"backends": {format!("{}/app", case.name): {"secret": BACKEND}}});
        std::fs::write(folder.path().join("policy.yaml"), policy.to_string()).expect("a file");
        command.args(["--config", "policy.yaml"]);
    }
    let ran = command.current_dir(folder.path()).output().expect("meshvet starts");
    let answer: Value = serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {}", case.name, String::from_utf8_lossy(&ran.stderr)));
    let findings = answer["findings"].as_array().expect("findings");
    let codes = findings.iter().map(|finding| finding["code"].as_str().unwrap_or_default().to_owned()).collect();
    let worst = findings.iter().map(|finding| match finding["severity"].as_str() {
        Some("deny") => Says::Denies,
        Some("warn") => Says::Warns,
        _ => Says::Nothing,
    });
    (worst.max().unwrap_or(Says::Nothing), codes)
}

/// Whether meshvet reports for a case what its record requires.
fn agrees(came: Came, says: Says) -> bool {
    match came {
        Came::Dead => says == Says::Denies,
        Came::Refused => says >= Says::Warns,
        Came::Open => says == Says::Warns,
        Came::Sound => says < Says::Denies,
    }
}

/// Compares each case with its record, and fails with everything that is wrong.
pub(crate) fn hold(controller: Controller, cases: &[Case]) {
    let record = record::read(controller);
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    let mut wrong: Vec<String> = record
        .cases
        .keys()
        .filter(|name| !names.contains(name.as_str()))
        .map(|name| format!("{name}: recorded, and no case"))
        .collect();
    for case in cases {
        let Some(seen) = record.cases.get(case.name).filter(|seen| seen.fingerprint == case.fingerprint()) else {
            wrong.push(format!("{}: not recorded as it is now: scripts/test gateway", case.name));
            continue;
        };
        let came = came(case, seen);
        let (says, codes) = said(case);
        let meant = differences::of(controller, case.name);
        let right = match meant {
            None => agrees(came, says),
            Some(meant) => !agrees(came, says) && says == meant.says,
        };
        if !right {
            let listed =
                meant.map_or(String::new(), |meant| format!(", listed as {:?} because {}", meant.says, meant.why));
            wrong.push(format!(
                "{}: {came:?}, and meshvet: {says:?} {codes:?}{listed}; seen: {:?}",
                case.name, seen.clients
            ));
        }
        for code in case.says.iter().filter(|code| !codes.contains(**code)) {
            wrong.push(format!("{}: meshvet doesn't name {code}, but {codes:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
