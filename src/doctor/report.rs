//! A diagnosis as text and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::doctor::{Diagnosis, Outcome};
use crate::text::{BOLD, GREEN, RED, Style, YELLOW, clean, plural};

/// Text for people: a line a check, below it what to do, and a summary line.
pub(crate) fn text(diagnosis: &Diagnosis, style: Style) -> String {
    let mut out = String::new();
    for check in &diagnosis.checks {
        let colour = match check.outcome {
            Outcome::Ok => GREEN,
            Outcome::Warning => YELLOW,
            Outcome::Failed => RED,
        };
        let word = format!("{:<7}", check.outcome.as_str());
        let name = format!("{:<14}", check.name);
        let _ = writeln!(out, "{} {} {}", style.paint(colour, &word), style.paint(BOLD, &name), clean(&check.message));
        if let Some(fix) = &check.fix {
            let _ = writeln!(out, "{:23}what to do: {}", "", clean(fix));
        }
    }
    let (failed, warnings) = (diagnosis.count(Outcome::Failed), diagnosis.count(Outcome::Warning));
    let summary = match (failed, warnings) {
        (0, 0) => style.paint(GREEN, "all is well"),
        (0, warnings) => style.paint(YELLOW, &plural(warnings, "warning")),
        (failed, 0) => style.paint(RED, &format!("{failed} failed")),
        (failed, warnings) => style.paint(RED, &format!("{failed} failed, {}", plural(warnings, "warning"))),
    };
    let _ = writeln!(out, "\n{}: {summary}", plural(diagnosis.checks.len(), "check"));
    out
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    checks: Vec<Check<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Check<'a> {
    check: &'a str,
    /// `ok`, `warning` or `failed`.
    outcome: &'static str,
    message: &'a str,
    fix: Option<&'a str>,
}

impl<'a> Check<'a> {
    fn of(check: &'a super::Check) -> Self {
        let super::Check { name, outcome, message, fix } = check;
        Self { check: name, outcome: outcome.as_str(), message, fix: fix.as_deref() }
    }
}

#[derive(Serialize)]
struct Summary {
    ok: usize,
    warning: usize,
    failed: usize,
}

/// JSON for programs; the shape is stable while `version` is.
///
/// # Errors
/// None in practice: every part can be written as JSON.
pub(crate) fn json(diagnosis: &Diagnosis) -> serde_json::Result<String> {
    let document = Document {
        version: 1,
        checks: diagnosis.checks.iter().map(Check::of).collect(),
        summary: Summary {
            ok: diagnosis.count(Outcome::Ok),
            warning: diagnosis.count(Outcome::Warning),
            failed: diagnosis.count(Outcome::Failed),
        },
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}
