//! JSON for programs. A value that doesn't apply is null; the shape is stable while `version` is.

use serde::Serialize;

use crate::finding::Severity;
use crate::report::{Report, Reported};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    findings: Vec<Item<'a>>,
    summary: Summary,
    errors: Vec<Error<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    code: &'static str,
    rule: &'static str,
    severity: Severity,
    object: Object<'a>,
    /// A JSON pointer.
    field: &'a str,
    message: &'a str,
    expected: Option<&'a str>,
    found: Option<&'a str>,
    consequence: Option<&'a str>,
    fix: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    api_version: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    objects: usize,
    deny: usize,
    warn: usize,
    suppressed: usize,
    /// Certificates and authorities at AWS that nobody asked about.
    not_asked: usize,
}

#[derive(Serialize)]
struct Error<'a> {
    file: &'a str,
    line: Option<u32>,
    column: Option<u32>,
    message: &'a str,
}

/// The report as one JSON object, with a final line feed.
///
/// Suppressed findings are counted and not listed: what is listed adds up to `deny` and `warn`.
///
/// # Errors
/// None in practice: every part can be written as JSON.
pub fn json(report: &Report) -> serde_json::Result<String> {
    let document = Document {
        version: 1,
        findings: report.findings.iter().filter(|it| it.finding.suppressed.is_none()).map(item).collect(),
        summary: Summary {
            objects: report.objects,
            deny: report.count(Severity::Deny),
            warn: report.count(Severity::Warn),
            suppressed: report.suppressed(),
            not_asked: report.not_asked,
        },
        errors: report
            .errors
            .iter()
            .map(|it| Error { file: &it.file, line: it.line, column: it.column, message: &it.message })
            .collect(),
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

fn item(reported: &Reported) -> Item<'_> {
    let Reported { finding, place } = reported;
    let problem = &finding.problem;
    Item {
        code: finding.rule.code,
        rule: finding.rule.name,
        severity: finding.severity,
        object: Object {
            api_version: &finding.object.api_version,
            kind: &finding.object.kind,
            namespace: finding.object.namespace.as_deref(),
            name: &finding.object.name,
        },
        field: finding.field().pointer(),
        message: &problem.message,
        expected: problem.expected.as_deref(),
        found: problem.found.as_deref(),
        consequence: problem.consequence.as_deref(),
        fix: problem.fix.as_deref(),
        file: place.as_ref().map(|place| place.file.as_str()),
        line: place.as_ref().map(|place| place.line),
        column: place.as_ref().map(|place| place.column),
    }
}
