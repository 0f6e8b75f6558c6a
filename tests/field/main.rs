//! What the field showed: each case is a folder of manifests on which `meshvet check` once said too much, too little or the
//! wrong thing; and repositories as they are in the wild, of which it has to say nothing.
//!
//! ```text
//! cases/NAME/    manifests + expect.yaml ─┬─ the case itself
//! corpus/NAME/                            └─ its siblings: the same folder with a change, and what is expected then
//! ```
//!
//! Manifests name certificates by what they are (`"@chain ledger"`); they are minted for each run. A case that another issue will
//! make right says so (`known`): its test fails when it becomes right, so that nobody forgets to say that it is.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that can't go on fails")]

mod change;
mod expectation;
mod folder;
mod material;
mod run;
mod variants;

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use expectation::Told;
use folder::Case;
use run::Ran;
use variants::Variant;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases = folder::all("cases");
    let corpus = folder::all("corpus");
    let mut trials = vec![siblings(&cases, 0, "case"), siblings(&corpus, 3, "repository")];
    trials.extend(cases.iter().flat_map(|case| tests("case", case)));
    trials.extend(corpus.iter().flat_map(|case| tests("repository", case)));
    trials.extend(corpus.iter().map(silent));
    trials.extend(corpus.iter().flat_map(written_another_way));
    trials.extend(corpus.iter().flat_map(broken_another_way));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The test of a case, and one of each of its siblings.
fn tests(group: &str, case: &Arc<Case>) -> Vec<Trial> {
    let expect = &case.expect;
    let mut trials = vec![trial(format!("{group} {}", case.name), case, expect.told.clone(), None)];
    for (at, sibling) in expect.siblings.iter().enumerate() {
        let name = format!("{group} {}: {}", case.name, sibling.name);
        trials.push(trial(name, case, sibling.told.clone(), Some(at)));
    }
    trials
}

fn trial(name: String, case: &Arc<Case>, told: Told, sibling: Option<usize>) -> Trial {
    let case = Arc::clone(case);
    Trial::test(name, move || {
        let sibling = sibling.map(|at| &case.expect.siblings[at]);
        let ran = Ran::of(&case, sibling, None);
        verdict(told.known.as_deref(), ran.agrees(&told))
    })
}

/// What a comparison means where something is known to be wrong.
fn verdict(known: Option<&str>, compared: Result<(), String>) -> Result<(), Failed> {
    match (known, compared) {
        (None, compared) => compared.map_err(Into::into),
        (Some(_), Err(_)) => Ok(()),
        (Some(why), Ok(())) => Err(format!("this is right now: take `known` ({why}) out of its expect.yaml").into()),
    }
}

/// People read this of a sound repository, and nothing else.
fn silent(case: &Arc<Case>) -> Trial {
    let case = Arc::clone(case);
    Trial::test(format!("repository {} in text", case.name), move || {
        let text = run::text(&case);
        let last = text.trim_end().lines().last().unwrap_or_default();
        if last.contains("nothing wrong") { Ok(()) } else { Err(text.into()) }
    })
}

/// Of a sound repository there is nothing to say either when it is written another way.
fn written_another_way(case: &Arc<Case>) -> Vec<Trial> {
    let trial = |(name, variant): &(&str, Variant)| {
        let (case, variant) = (Arc::clone(case), *variant);
        Trial::test(format!("repository {} {name}", case.name), move || {
            let told = Told { judged: case.expect.told.judged, ..Told::default() };
            Ran::of(&case, None, Some(variant)).agrees(&told).map_err(Into::into)
        })
    };
    variants::ALL.iter().map(trial).collect()
}

/// What is wrong with a repository is wrong with workloads of other kinds as well.
fn broken_another_way(case: &Arc<Case>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (at, sibling) in case.expect.siblings.iter().enumerate() {
        for (kind, variant) in variants::WORKLOADS {
            let case = Arc::clone(case);
            let mut told = sibling.told.clone();
            let renamed = |it: &String| it.replace(" Deployment ", &format!(" {kind} "));
            told.findings = told.findings.iter().map(renamed).collect();
            trials.push(Trial::test(format!("repository {}: {}, of {kind}s", case.name, sibling.name), move || {
                let ran = Ran::of(&case, Some(&case.expect.siblings[at]), Some(variant));
                verdict(told.known.as_deref(), ran.agrees(&told))
            }));
        }
    }
    trials
}

/// A case without siblings shows one point, not a rule: each that isn't another issue's has two at least. Of a repository that is
/// never found fault with, nobody knows whether it is judged at all.
fn siblings(cases: &[Arc<Case>], findings: usize, what: &str) -> Trial {
    let wrong: Vec<String> = cases
        .iter()
        .filter(|case| {
            let siblings = &case.expect.siblings;
            let with_findings = siblings.iter().filter(|sibling| !sibling.told.findings.is_empty()).count();
            case.expect.told.known.is_none() && (siblings.len() < 2 || with_findings < findings)
        })
        .map(|case| case.name.clone())
        .collect();
    Trial::test(format!("each {what} has siblings"), move || {
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join(", ").into()) }
    })
}
