//! JSON for programs. A value that doesn't apply is null; the shape is stable while `version` is.

use serde::Serialize;

use crate::finding::Severity;
use crate::survey::Entry;
use crate::survey::{Report, Reported};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    findings: Vec<Item<'a>>,
    summary: Summary,
    errors: Vec<Error<'a>>,
    /// What owners ignore, each with its reason.
    suppressed: Vec<Item<'a>>,
    /// What a baseline knew already.
    baseline: Vec<Item<'a>>,
    /// What a baseline holds and is no longer found.
    gone: &'a [Entry],
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
    /// Of what was rendered from `file` and came by a pipe, where it is in the pipe.
    rendered: Option<Rendered<'a>>,
    /// The same for the same finding in every run, whatever its line.
    fingerprint: String,
    /// What fixes it: characters of one line to replace.
    edit: Option<Edit<'a>>,
    /// The owner's reason to ignore it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Rendered<'a> {
    file: &'a str,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct Edit<'a> {
    line: u32,
    column: u32,
    width: u32,
    text: &'a str,
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
    baseline: usize,
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
/// Suppressed findings, and those that a baseline knew, are counted and listed apart: `findings` adds up to `deny` and `warn`.
///
/// # Errors
/// None in practice: every part can be written as JSON.
pub(crate) fn json(report: &Report) -> serde_json::Result<String> {
    let document = Document {
        version: 1,
        findings: report.findings.iter().filter(|it| it.finding.suppressed.is_none()).map(item).collect(),
        summary: Summary {
            objects: report.objects,
            deny: report.count(Severity::Deny),
            warn: report.count(Severity::Warn),
            suppressed: report.suppressed(),
            baseline: report.known.len(),
            not_asked: report.not_asked,
        },
        errors: report
            .errors
            .iter()
            .map(|it| Error { file: &it.file, line: it.line, column: it.column, message: &it.message })
            .collect(),
        suppressed: report.findings.iter().filter(|it| it.finding.suppressed.is_some()).map(item).collect(),
        baseline: report.known.iter().map(item).collect(),
        gone: &report.gone,
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

fn item(reported: &Reported) -> Item<'_> {
    let Reported { finding, place } = reported;
    let problem = &finding.problem;
    let at = place.as_ref().and_then(|place| place.to_mend().1);
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
        file: place.as_ref().map(|place| place.to_mend().0),
        line: at.map(|at| at.0),
        column: at.map(|at| at.1),
        rendered: place.as_ref().filter(|place| place.template.is_some()).map(|place| Rendered {
            file: &place.file,
            line: place.line,
            column: place.column,
        }),
        fingerprint: reported.fingerprint(),
        edit: place.as_ref().and_then(|place| place.edit.as_ref()).map(|edit| Edit {
            line: edit.line,
            column: edit.column,
            width: edit.width,
            text: &edit.text,
        }),
        reason: finding.suppressed.as_deref(),
    }
}
