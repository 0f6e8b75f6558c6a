//! JUnit's XML, for CI that shows tests: a suite a file, a case a finding, and one for each object without any.

use std::collections::{BTreeMap, HashSet};

use quick_junit::{NonSuccessKind, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::finding::{Finding, Severity};
use crate::k8s::ObjectRef;
use crate::survey::{Report, Reported};
use crate::text::clean;

/// What is in no file.
const NOWHERE: &str = "cluster";

/// The report as JUnit XML, with a final line feed. Findings of `fail_on` and above fail; milder ones pass and say so; what an
/// owner ignores or a baseline knows is skipped; what can't be read is an error.
///
/// # Errors
/// None in practice: what XML doesn't allow is left out of texts.
pub(crate) fn junit(report: &Report, fail_on: Severity) -> Result<String, SerializeError> {
    let mut suites: BTreeMap<String, TestSuite> = BTreeMap::new();
    let mut add = |file: &str, case: TestCase| {
        let file = clean(file);
        suites.entry(file.clone()).or_insert_with(|| TestSuite::new(file)).add_test_case(case);
    };
    for error in &report.errors {
        let name = match (error.line, error.column) {
            (Some(line), Some(column)) => format!("{}:{line}:{column} can be read", error.file),
            _ => format!("{} can be read", error.file),
        };
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(clean(&error.message)).set_type("unread");
        let mut case = TestCase::new(name, status);
        case.set_classname("meshvet");
        add(&error.file, case);
    }
    let file = |reported: &Reported| reported.place.as_ref().map_or(NOWHERE, |place| place.to_mend().0).to_owned();
    for reported in &report.findings {
        let status = status(&reported.finding, fail_on);
        add(&file(reported), finding(reported, status));
    }
    for reported in &report.known {
        let mut status = TestCaseStatus::skipped();
        status.set_message("in the baseline");
        add(&file(reported), finding(reported, status));
    }
    let found = report.findings.iter().chain(&report.known).map(|reported| &reported.finding.object);
    let found: HashSet<&ObjectRef> = found.collect();
    for (object, file) in &report.judged {
        if !found.contains(object) {
            let mut case = TestCase::new("nothing wrong", TestCaseStatus::success());
            case.set_classname(object.to_string());
            add(file.as_deref().unwrap_or(NOWHERE), case);
        }
    }
    let mut document = quick_junit::Report::new("meshvet");
    document.add_test_suites(suites.into_values());
    let mut text = document.to_string()?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn status(finding: &Finding, fail_on: Severity) -> TestCaseStatus {
    let mut status = match &finding.suppressed {
        Some(reason) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(clean(&format!("ignored: {reason}")));
            return status;
        }
        None if finding.severity < fail_on => return TestCaseStatus::success(),
        None => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    status
        .set_message(clean(&finding.problem.message))
        .set_type(format!("{} {}", finding.rule.code, finding.rule.name))
        .set_description(described(finding));
    status
}

fn finding(reported: &Reported, status: TestCaseStatus) -> TestCase {
    let finding = &reported.finding;
    let field = finding.field().kubernetes();
    let at = if field.is_empty() { String::new() } else { format!(" at {field}") };
    let told = matches!(status, TestCaseStatus::Success { .. });
    let mut case = TestCase::new(format!("{} {}{at}", finding.rule.code, finding.rule.name), status);
    case.set_classname(finding.object.to_string());
    if let Some(place) = &reported.place {
        let (file, line) = place.to_mend();
        case.extra.insert("file".into(), file.into());
        if let Some((line, _)) = line {
            case.extra.insert("line".into(), line.to_string().into());
        }
    }
    if told {
        case.set_system_out(format!(
            "{} {}\n{}",
            finding.severity,
            clean(&finding.problem.message),
            described(finding)
        ));
    }
    case
}

fn described(finding: &Finding) -> String {
    let problem = &finding.problem;
    let parts = [
        ("expected:  ", &problem.expected),
        ("found:     ", &problem.found),
        ("at run time: ", &problem.consequence),
        ("fix:       ", &problem.fix),
    ];
    let parts = parts.into_iter().filter_map(|(label, part)| {
        let lines: Vec<String> = part.as_ref()?.lines().map(clean).collect();
        Some(format!("{label}{}", lines.join("\n           ")))
    });
    parts.collect::<Vec<_>>().join("\n")
}
