//! A repository's existing findings, kept in a file so that only new ones are reported.
//!
//! A finding is identified by its rule, its object and the part of the object, never by its line: edits
//! above it change nothing. Its count and severity matter: a second one is new, and so is a warning that has become a
//! denial.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::finding::{Finding, Severity};
use crate::survey::Report;
use crate::survey::entry::{Entry, Object};

const VERSION: u32 = 1;

/// The contents of a baseline file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Baseline {
    entries: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    findings: Vec<Entry>,
}

/// Why a text isn't a baseline.
#[derive(Debug, Error)]
pub(crate) enum BaselineError {
    /// Its version is another one.
    #[error("it has version {0}, and this meshvet reads version {VERSION}")]
    Version(u64),
    /// It isn't what `--update-baseline` writes. The error contains line and column.
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
}

/// What makes two findings the same.
type Identity = (Object, String, String);

impl Baseline {
    /// Reads a baseline file's text.
    ///
    /// # Errors
    /// [`BaselineError`], with the position.
    pub(crate) fn parse(text: &str) -> Result<Self, BaselineError> {
        // Another version is reported as such, whatever its contents.
        let version = serde_json::from_str::<serde_json::Value>(text)?.get("version").and_then(|it| it.as_u64());
        if let Some(version) = version.filter(|version| *version != u64::from(VERSION)) {
            return Err(BaselineError::Version(version));
        }
        let file: File = serde_json::from_str(text)?;
        Ok(Self { entries: file.findings })
    }

    /// A baseline of the findings in a report, including those of an earlier baseline, but not suppressed ones.
    pub(crate) fn of(report: &Report) -> Self {
        let all = report.findings.iter().chain(&report.known).map(|reported| &reported.finding);
        let mut counts: BTreeMap<Entry, usize> = BTreeMap::new();
        for finding in all.filter(|finding| finding.suppressed.is_none()) {
            *counts.entry(Entry::of(finding)).or_default() += 1;
        }
        Self { entries: counts.into_iter().map(|(entry, count)| Entry { count, ..entry }).collect() }
    }

    /// How many findings it holds.
    pub(crate) fn len(&self) -> usize {
        self.entries.iter().map(|entry| entry.count).sum()
    }

    /// The file's text: sorted, with each field on its own line, so that its changes are easy to review.
    ///
    /// # Errors
    /// None in practice: every part can be serialized.
    pub(crate) fn text(&self) -> serde_json::Result<String> {
        let file = File { version: VERSION, findings: self.entries.clone() };
        Ok(serde_json::to_string_pretty(&file)? + "\n")
    }

    /// Moves findings in the baseline to [`Report::known`], and entries that are no longer found to [`Report::gone`].
    pub(crate) fn apply(&self, report: &mut Report) {
        let mut left: BTreeMap<Identity, [usize; 2]> = BTreeMap::new();
        for entry in &self.entries {
            let counts = left.entry((entry.object.clone(), entry.rule.clone(), entry.at.clone())).or_default();
            let denies = usize::from(entry.severity == Severity::Deny);
            counts[denies] = counts[denies].saturating_add(entry.count);
        }
        let mut knows = |finding: &Finding| {
            let entry = Entry::of(finding);
            let Some([warned, denied]) = left.get_mut(&(entry.object, entry.rule, entry.at)) else { return false };
            // A warning in place of a denial isn't worse.
            let counts = match finding.severity {
                Severity::Deny => [Some(denied), None],
                _ => [Some(warned), Some(denied)],
            };
            match counts.into_iter().flatten().find(|count| **count > 0) {
                Some(count) => {
                    *count -= 1;
                    true
                }
                None => false,
            }
        };
        let found = std::mem::take(&mut report.findings);
        for reported in found {
            let known = reported.finding.suppressed.is_none() && knows(&reported.finding);
            if known { report.known.push(reported) } else { report.findings.push(reported) }
        }
        report.gone = self
            .entries
            .iter()
            .filter_map(|entry| {
                let counts = left.get_mut(&(entry.object.clone(), entry.rule.clone(), entry.at.clone()))?;
                let count = &mut counts[usize::from(entry.severity == Severity::Deny)];
                let gone = entry.count.min(*count);
                *count -= gone;
                (gone > 0).then(|| Entry { count: gone, ..entry.clone() })
            })
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Rule;
    use crate::finding::{Problem, Site};
    use crate::k8s::{FieldPath, ObjectRef};
    use crate::survey::Reported;

    fn report(findings: &[(&str, &str, Severity)]) -> Report {
        let reported = |&(code, anchor, severity): &(&str, &str, Severity)| Reported {
            finding: Finding {
                rule: Rule::find(code).expect("a rule"),
                severity,
                object: ObjectRef::new("appmesh.k8s.aws/v1beta2", "VirtualNode", "shop", "blue"),
                problem: Problem::new(severity, Site::new(anchor, FieldPath::root()), "wrong"),
                suppressed: None,
            },
            place: None,
        };
        Report { findings: findings.iter().map(reported).collect(), ..Report::default() }
    }

    #[track_caller]
    fn leaves(old: &[(&str, &str, Severity)], new: &[(&str, &str, Severity)], told: &[&str], gone: usize) {
        let text = Baseline::of(&report(old)).text().expect("JSON");
        let mut report = report(new);
        Baseline::parse(&text).expect("its own text").apply(&mut report);
        let codes: Vec<_> = report.findings.iter().map(|it| it.finding.rule.code).collect();
        assert_eq!(codes, told);
        assert_eq!(report.known.len(), new.len() - told.len());
        assert_eq!(report.gone.iter().map(|entry| entry.count).sum::<usize>(), gone);
    }

    #[test]
    fn only_what_is_new_or_worse_is_told() {
        use Severity::{Deny, Warn};
        let (name, key) = (("MV101", "listener 1", Deny), ("MV206", "listener 1", Deny));
        leaves(&[name], &[name], &[], 0);
        leaves(&[name], &[name, key], &["MV206"], 0);
        leaves(&[name], &[("MV101", "listener 2", Deny)], &["MV101"], 1);
        leaves(&[name, name], &[name], &[], 1);
        leaves(&[name], &[name, name], &["MV101"], 0);
        leaves(&[("MV202", "a", Warn)], &[("MV202", "a", Deny)], &["MV202"], 1);
        leaves(&[("MV202", "a", Deny)], &[("MV202", "a", Warn)], &[], 0);
        leaves(&[name, key], &[], &[], 2);
    }

    #[test]
    fn what_is_no_baseline_says_so() {
        let error = |text: &str| Baseline::parse(text).expect_err("no baseline").to_string();
        assert!(error("{").contains("line 1 column 1"));
        assert!(error("{\"version\": 2}").contains("version 2"));
        assert!(error("{\"version\": 1, \"findings\": [{}]}").contains("missing field"));
        assert!(error("{\"findings\": []}").contains("missing field `version`"));
    }
}
