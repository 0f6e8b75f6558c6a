//! SARIF 2.1.0, for code scanning and editors.
//!
//! Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0". What an owner ignores and what a baseline
//! knows is there as suppressed; what can't be read is a notification of the invocation.

use std::collections::BTreeMap;

use serde_json::json;
use serde_sarif::sarif::{
    ArtifactChange, ArtifactContent, ArtifactLocation, Fix, Invocation, Location, LogicalLocation, Message,
    MultiformatMessageString, Notification, PhysicalLocation, PropertyBag, Region, Replacement, ReportingConfiguration,
    ReportingDescriptor, Result as Found, ResultLevel, Run, Sarif, Suppression, Tool, ToolComponent,
};

use crate::finding::Rule;
use crate::finding::Severity;
use crate::report::uri;
use crate::survey::fixes::Edit;
use crate::survey::{Place, Report, Reported, Unread};

/// SARIF's own schema, as editors and validators look it up.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Where readers find what meshvet is.
const HOME: &str = "https://meshvet.dev";
/// The name of the fingerprint: a number that changes when its making does.
const FINGERPRINT: &str = "meshvet/v1";
/// Bytes of a line that is shown around a finding; a minified manifest is one line.
const LONGEST_SNIPPET: usize = 400;

/// The report as a SARIF log, with a final line feed.
///
/// # Errors
/// None in practice: every part can be written as JSON.
pub(crate) fn sarif(report: &Report) -> serde_json::Result<String> {
    let all = || report.findings.iter().chain(&report.known);
    let mut rules: Vec<&Rule> = all().map(|reported| reported.finding.rule).collect();
    rules.sort_by_key(|rule| rule.code);
    rules.dedup();
    let told = report.findings.iter().map(|reported| found(reported, &rules, false));
    let known = report.known.iter().map(|reported| found(reported, &rules, true));
    let mut driver = ToolComponent::builder()
        .name("meshvet")
        .full_name("meshvet: the TLS of service-mesh workloads")
        .information_uri(HOME)
        .semantic_version(env!("CARGO_PKG_VERSION"))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    driver.rules = Some(rules.iter().map(|rule| descriptor(rule)).collect());
    let invocation = Invocation::builder()
        .execution_successful(report.errors.is_empty())
        .tool_execution_notifications(report.errors.iter().map(unread).collect::<Vec<_>>())
        .build();
    let run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .results(told.chain(known).collect::<Vec<_>>())
        .invocations(vec![invocation])
        // The columns of a place count characters.
        .column_kind("unicodeCodePoints")
        .build();
    let log = Sarif::builder().schema(SCHEMA).version("2.1.0").runs(vec![run]).build();
    let mut text = serde_json::to_string_pretty(&log)?;
    text.push('\n');
    Ok(text)
}

fn level(severity: Severity) -> ResultLevel {
    match severity {
        Severity::Deny => ResultLevel::Error,
        Severity::Warn => ResultLevel::Warning,
        Severity::Off => ResultLevel::None,
    }
}

fn text(text: impl Into<String>) -> Message {
    Message::builder().text(text.into()).build()
}

fn descriptor(rule: &Rule) -> ReportingDescriptor {
    let manual = rule.manual();
    let plain = format!("{}\n\n{}\n\n{}", manual.what.trim(), manual.why.trim(), manual.fix.trim());
    let mut configuration = ReportingConfiguration::builder().level(level(rule.default).to_string()).build();
    configuration.enabled = Some(rule.default != Severity::Off);
    ReportingDescriptor::builder()
        .id(rule.code)
        .name(rule.name)
        .short_description(both(rule.summary.to_owned(), None))
        .full_description(both(manual.what.trim().to_owned(), None))
        .help(both(plain, Some(rule.markdown())))
        .default_configuration(configuration)
        .properties(PropertyBag::builder().tags(vec!["tls".to_owned(), "service-mesh".to_owned()]).build())
        .build()
}

fn both(text: String, markdown: Option<String>) -> MultiformatMessageString {
    let mut message = MultiformatMessageString::builder().text(text).build();
    message.markdown = markdown;
    message
}

fn found(reported: &Reported, rules: &[&Rule], known: bool) -> Found {
    let finding = &reported.finding;
    let problem = &finding.problem;
    let details = [
        ("Expected", &problem.expected),
        ("Found", &problem.found),
        ("At run time", &problem.consequence),
        ("Fix", &problem.fix),
    ];
    let details = details.into_iter().filter_map(|(label, part)| Some(format!("{label}: {}", part.as_ref()?)));
    let message = format!("{}: {}", finding.object, problem.message);
    let lines: Vec<String> = [message].into_iter().chain(details).collect();
    let index = rules.iter().position(|rule| *rule == finding.rule).and_then(|index| i64::try_from(index).ok());
    let mut result = Found::builder()
        .rule_id(finding.rule.code)
        .level(level(finding.severity))
        .message(text(lines.join("\n")))
        .locations(vec![location(reported)])
        .partial_fingerprints(BTreeMap::from([(FINGERPRINT.to_owned(), reported.fingerprint())]))
        .build();
    result.rule_index = index;
    let ignored = finding.suppressed.as_ref().map(|reason| suppression("inSource", reason));
    let old = known.then(|| suppression("external", "in the baseline"));
    // Where any result says whether it is suppressed, each has to.
    result.suppressions = Some(ignored.into_iter().chain(old).collect());
    if known {
        result.baseline_state = Some("unchanged".into());
    }
    if let Some(Place { file, edit: Some(edit), .. }) = &reported.place {
        let title = problem.fix.clone().unwrap_or_else(|| problem.message.clone());
        result.fixes = Some(vec![fix(file, edit, title)]);
    }
    result
}

fn suppression(kind: &str, reason: &str) -> Suppression {
    Suppression::builder().kind(kind).justification(reason).build()
}

fn location(reported: &Reported) -> Location {
    let finding = &reported.finding;
    let field = finding.field().kubernetes();
    let object = finding.object.to_string();
    let name = if field.is_empty() { object } else { format!("{object}: {field}") };
    let logical = LogicalLocation::builder().fully_qualified_name(name).kind("member").build();
    let mut location = Location::builder().logical_locations(vec![logical]).build();
    if let Some(place) = &reported.place {
        location.physical_location = Some(physical(place));
        if place.template.is_some() {
            let rendered = json!({"file": place.file, "line": place.line, "column": place.column});
            let more = BTreeMap::from([("rendered".to_owned(), rendered)]);
            location.properties = Some(PropertyBag::builder().additional_properties(more).build());
        }
    }
    location
}

fn physical(place: &Place) -> PhysicalLocation {
    let (file, at) = place.to_mend();
    let mut physical = PhysicalLocation::builder().artifact_location(artifact(file)).build();
    physical.region = at.map(|(line, column)| region(line, column, place.width));
    physical.context_region =
        at.zip(place.text.as_ref().filter(|text| text.len() <= LONGEST_SNIPPET)).map(|(at, text)| {
            let snippet = ArtifactContent::builder().text(text.clone()).build();
            Region::builder().start_line(at.0).snippet(snippet).build()
        });
    physical
}

fn artifact(file: &str) -> ArtifactLocation {
    ArtifactLocation::builder().uri(uri::of(file)).build()
}

/// `width` 0 is up to the end of the line, as SARIF has it without an end.
fn region(line: u32, column: u32, width: u32) -> Region {
    let mut region = Region::builder().start_line(line).start_column(column).build();
    if width > 0 {
        region.end_column = Some(i64::from(column) + i64::from(width));
    }
    region
}

fn fix(file: &str, edit: &Edit, title: String) -> Fix {
    let replacement = Replacement::builder()
        .deleted_region(region(edit.line, edit.column, edit.width))
        .inserted_content(ArtifactContent::builder().text(edit.text.clone()).build())
        .build();
    let change = ArtifactChange::builder().artifact_location(artifact(file)).replacements(vec![replacement]).build();
    Fix::builder().description(text(title)).artifact_changes(vec![change]).build()
}

fn unread(error: &Unread) -> Notification {
    let mut physical = PhysicalLocation::builder().artifact_location(artifact(&error.file)).build();
    physical.region = error.line.zip(error.column).map(|(line, column)| region(line, column, 0));
    Notification::builder()
        .level("error")
        .message(text(error.message.clone()))
        .locations(vec![Location::builder().physical_location(physical).build()])
        .build()
}
