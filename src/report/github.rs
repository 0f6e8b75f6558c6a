//! GitHub's workflow commands: each finding an annotation at its line of the change.
//!
//! Source: GitHub's "Workflow commands for GitHub Actions": `::error file=…,line=…,col=…,title=…::message`. A percent sign and
//! line ends are escaped everywhere, in properties commas and colons too.

use std::fmt::Write;

use crate::finding::Severity;
use crate::report::uri;
use crate::survey::{Report, Reported};
use crate::text::{clean, plural};

/// The report as workflow commands, one a line; denials are errors, what an owner or a baseline knows is a notice. Last, a
/// line for the log.
pub(crate) fn github(report: &Report) -> String {
    let mut out = String::new();
    for error in &report.errors {
        let place = Place { file: Some(&error.file), line: error.line, column: error.column, width: 1 };
        command(&mut out, "error", &place, "meshvet: not read", &clean(&error.message));
    }
    for reported in &report.findings {
        let level = match (&reported.finding.suppressed, reported.finding.severity) {
            (Some(_), _) => "notice",
            (None, Severity::Deny) => "error",
            (None, _) => "warning",
        };
        finding(&mut out, level, reported);
    }
    for reported in &report.known {
        finding(&mut out, "notice", reported);
    }
    let (deny, warn) = (report.count(Severity::Deny), report.count(Severity::Warn));
    let _ = write!(
        out,
        "meshvet: {} judged, {}, {}",
        plural(report.objects, "object"),
        plural(deny, "denial"),
        plural(warn, "warning")
    );
    let _ = writeln!(out, ", {} ignored, {} in the baseline", report.suppressed(), report.known.len());
    out
}

struct Place<'a> {
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
    width: u32,
}

fn finding(out: &mut String, level: &str, reported: &Reported) {
    let finding = &reported.finding;
    let problem = &finding.problem;
    let mut message = format!("{}: {}", finding.object, problem.message);
    let parts = [
        ("expected: ", problem.expected.as_deref()),
        ("found: ", problem.found.as_deref()),
        ("at run time: ", problem.consequence.as_deref()),
        ("fix: ", problem.fix.as_deref()),
        ("ignored: ", finding.suppressed.as_deref()),
    ];
    for (label, part) in parts {
        if let Some(part) = part {
            let _ = write!(message, "\n{label}{part}");
        }
    }
    let mut shown = Place { file: None, line: None, column: None, width: 0 };
    if let Some(place) = &reported.place {
        let (file, at) = place.to_mend();
        shown = Place { file: Some(file), line: at.map(|at| at.0), column: at.map(|at| at.1), width: place.width };
        if place.template.is_some() {
            let _ = write!(message, "\nrendered: line {} of {}", place.line, place.file);
        }
    }
    let title = format!("{} {}", finding.rule.code, finding.rule.name);
    // Line ends are escaped, and may stand; what else drives a terminal may not.
    let lines: Vec<String> = message.lines().map(clean).collect();
    command(out, level, &shown, &title, &lines.join("\n"));
}

fn command(out: &mut String, level: &str, place: &Place<'_>, title: &str, message: &str) {
    let mut properties = Vec::new();
    if let Some(file) = place.file {
        properties.push(format!("file={}", property(&uri::slashed(file))));
    }
    if let Some(line) = place.line {
        properties.push(format!("line={line}"));
    }
    if let Some(column) = place.column {
        properties.push(format!("col={column}"));
        if place.width > 0 {
            properties.push(format!("endColumn={}", column.saturating_add(place.width)));
        }
    }
    properties.push(format!("title={}", property(title)));
    let _ = writeln!(out, "::{level} {}::{}", properties.join(","), data(message));
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_early() {
        let mut out = String::new();
        let place = Place { file: Some("a,b:c%.yaml"), line: Some(3), column: Some(5), width: 4 };
        command(&mut out, "error", &place, "x: y", "100%\n::error::forged");
        assert_eq!(
            out,
            "::error file=a%2Cb%3Ac%25.yaml,line=3,col=5,endColumn=9,title=x%3A y::100%25%0A::error::forged\n"
        );
    }
}
