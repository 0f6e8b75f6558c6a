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

#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use expectation::Told;
use folder::Case;
use run::Ran;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases = folder::all("cases");
    let corpus = folder::all("corpus");
    let mut trials = vec![siblings(&cases, 0, "case"), siblings(&corpus, 3, "repository")];
    trials.extend(cases.iter().flat_map(|case| tests("case", case)));
    trials.extend(corpus.iter().flat_map(|case| tests("repository", case)));
    trials.extend(corpus.iter().map(silent));
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
        let ran = Ran::of(&case, sibling);
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
