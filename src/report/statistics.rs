//! How many findings each rule has: for those who begin, and for those who count.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::finding::{Rule, Severity};
use crate::survey::Report;
use crate::text::plural;

/// The findings of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Counts {
    deny: usize,
    warn: usize,
    suppressed: usize,
    baseline: usize,
}

impl Counts {
    fn counted(self) -> usize {
        self.deny + self.warn
    }
}

#[derive(Serialize)]
struct Row<'a> {
    code: &'a str,
    name: &'a str,
    count: usize,
    #[serde(flatten)]
    counts: Counts,
}

/// The rules with findings, those with most of them first.
fn counted(report: &Report) -> Vec<(&'static Rule, Counts)> {
    let mut by_rule: BTreeMap<&str, (&'static Rule, Counts)> = BTreeMap::new();
    let all = report.findings.iter().map(|it| (it, false)).chain(report.known.iter().map(|it| (it, true)));
    for (reported, known) in all {
        let finding = &reported.finding;
        let (_, counts) = by_rule.entry(finding.rule.code).or_insert((finding.rule, Counts::default()));
        let count = match (known, &finding.suppressed, finding.severity) {
            (true, ..) => &mut counts.baseline,
            (_, Some(_), _) => &mut counts.suppressed,
            (_, None, Severity::Deny) => &mut counts.deny,
            (_, None, _) => &mut counts.warn,
        };
        *count += 1;
    }
    let mut rows: Vec<_> = by_rule.into_values().collect();
    rows.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.counted()));
    rows
}

/// A line for each rule: count, severity, code and name.
pub(crate) fn statistics(report: &Report) -> String {
    let rows = counted(report);
    let width = rows.iter().map(|(_, counts)| counts.counted().to_string().len()).max().unwrap_or(1);
    let mut text = String::new();
    for (rule, counts) in &rows {
        let severity = match (counts.deny, counts.warn) {
            (_, 0) if counts.deny > 0 => "deny",
            (0, _) if counts.warn > 0 => "warn",
            (0, _) => "-   ",
            _ => "both",
        };
        let apart: Vec<String> = [(counts.suppressed, "ignored"), (counts.baseline, "in the baseline")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let apart = if apart.is_empty() { String::new() } else { format!("  (besides {})", apart.join(", ")) };
        let _ = writeln!(text, "{:>width$}  {severity}  {} {}{apart}", counts.counted(), rule.code, rule.name);
    }
    let findings = report.count(Severity::Deny) + report.count(Severity::Warn);
    let unread = match report.errors.len() {
        0 => String::new(),
        count => format!("; {} not read", plural(count, "place")),
    };
    let _ = writeln!(text, "{} in {}{unread}", plural(findings, "finding"), plural(report.objects, "object"));
    text
}

/// The same as a JSON list, with a final line feed.
///
/// # Errors
/// None in practice.
pub(crate) fn statistics_json(report: &Report) -> serde_json::Result<String> {
    let rows = counted(report);
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(rule, counts)| Row { code: rule.code, name: rule.name, count: counts.counted(), counts: *counts })
        .collect();
    let mut text = serde_json::to_string_pretty(&rows)?;
    text.push('\n');
    Ok(text)
}
