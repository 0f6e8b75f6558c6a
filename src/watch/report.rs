//! Each member's problems as a Report of openreports.io. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::finding::{Finding, Severity};
use crate::k8s::{ObjectName, ObjectRef};
use crate::watch::notice::{Told, digest_of, event_name};

/// The most results of a Report, the most severe first: the summary counts all.
const MOST_RESULTS: usize = 100;
/// How long to wait if Reports are refused: for example, the CRD isn't installed, or a right is missing.
const REFUSED: SignedDuration = SignedDuration::from_mins(10);

/// Namespace and name.
type Key = (String, String);

/// The Report of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The whole object, for server-side apply.
    pub(crate) body: Value,
}

/// A member's results so far.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    results: Vec<Value>,
    counts: BTreeMap<&'static str, usize>,
}

impl Draft {
    /// Adds a problem.
    pub(crate) fn add(&mut self, told: &Told<'_>) {
        let Finding { rule, severity, suppressed, .. } = told.finding;
        let result = match (suppressed, severity) {
            (Some(_), _) => "skip",
            (None, Severity::Deny) => "fail",
            (None, _) => "warn",
        };
        *self.counts.entry(result).or_default() += 1;
        if self.results.len() < MOST_RESULTS {
            self.results.push(json!({
                "policy": rule.name,
                "rule": rule.code,
                "category": "TLS",
                "severity": if *severity == Severity::Deny { "high" } else { "medium" },
                "result": result,
                "scored": true,
                "message": told.note(),
            }));
        }
    }

    /// The member's Report.
    pub(crate) fn report(self, member: &ObjectRef, uid: &str) -> Report {
        let name = event_name(&member.name, &digest_of(&[&member.kind, uid]));
        let ObjectName { api_version, kind, name: member_name, .. } = &**member;
        let namespace = member.namespace();
        let count = |result| self.counts.get(result).copied().unwrap_or_default();
        let body = json!({
            "apiVersion": "openreports.io/v1alpha1",
            "kind": "Report",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": {"app.kubernetes.io/managed-by": "meshvet"},
                "ownerReferences": [{"apiVersion": api_version, "kind": kind, "name": member_name, "uid": uid}],
            },
            "source": "meshvet",
            "scope": {"apiVersion": api_version, "kind": kind, "namespace": namespace, "name": member_name, "uid": uid},
            "summary": {"pass": 0, "fail": count("fail"), "warn": count("warn"), "error": 0, "skip": count("skip")},
            "results": self.results,
        });
        Report { namespace: namespace.to_owned(), name, body }
    }
}

/// The Reports that should exist, and those that this replica has applied.
#[derive(Debug, Default)]
pub(super) struct Reports {
    wanted: BTreeMap<Key, Arc<Report>>,
    applied: BTreeMap<Key, Arc<Report>>,
    paused: Option<Timestamp>,
}

impl Reports {
    /// Forgets what was applied: another replica may have applied something else since.
    pub(super) fn lead_anew(&mut self) {
        self.applied.clear();
    }

    /// Takes over the current Reports. A deleted member's Report is garbage-collected through its owner reference.
    pub(super) fn update(&mut self, reports: &[Arc<Report>]) {
        let key = |report: &Arc<Report>| (report.namespace.clone(), report.name.clone());
        self.wanted = reports.iter().map(|report| (key(report), Arc::clone(report))).collect();
        let wanted = &self.wanted;
        self.applied.retain(|key, _| wanted.contains_key(key));
    }

    /// What to apply next, at most `most` Reports.
    pub(super) fn due(&self, now: Timestamp, most: usize) -> Vec<Arc<Report>> {
        if self.paused.is_some_and(|until| until > now) {
            return Vec::new();
        }
        let stale = self.wanted.iter().filter(|(key, report)| self.applied.get(*key) != Some(*report));
        stale.take(most).map(|(_, report)| Arc::clone(report)).collect()
    }

    /// Notes that a Report was applied.
    pub(super) fn done(&mut self, report: &Arc<Report>) {
        self.applied.insert((report.namespace.clone(), report.name.clone()), Arc::clone(report));
    }

    /// Waits before anything else is applied.
    pub(super) fn pause(&mut self, now: Timestamp) {
        self.paused = now.checked_add(REFUSED).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::notice::tests::finding;

    fn report(findings: &[Finding]) -> Arc<Report> {
        let member = finding("MV101", "blue", "").object;
        let mut draft = Draft::default();
        for finding in findings {
            let now = Timestamp::UNIX_EPOCH;
            draft.add(&Told { finding, object: &member, uid: "u-1", brief: false, now });
        }
        Arc::new(draft.report(&member, "u-1"))
    }

    #[test]
    fn a_report_belongs_to_its_member_and_counts_what_is_wrong() {
        let mut left = finding("MV206", "blue", "of another key");
        left.suppressed = Some("known".to_owned());
        let mut mild = finding("MV209", "blue", "ends soon");
        mild.severity = Severity::Warn;
        let body = &report(&[finding("MV101", "blue", "no name matches"), left, mild]).body;
        assert_eq!(body["metadata"]["ownerReferences"][0]["uid"], "u-1");
        assert_eq!(body["scope"]["name"], "blue");
        assert_eq!(body["summary"], json!({"pass": 0, "fail": 1, "warn": 1, "error": 0, "skip": 1}));
        let first = &body["results"][0];
        assert_eq!((&first["rule"], &first["result"]), (&json!("MV101"), &json!("fail")));
        assert!(first["message"].as_str().is_some_and(|message| message.contains("no name matches")));
    }

    #[test]
    fn a_report_is_applied_when_it_has_changed_and_when_another_replica_may_have_written_it() {
        let mut reports = Reports::default();
        let now = Timestamp::UNIX_EPOCH;
        let broken = report(&[finding("MV101", "blue", "no name matches")]);
        reports.update(std::slice::from_ref(&broken));
        assert_eq!(reports.due(now, 10), [Arc::clone(&broken)]);
        reports.done(&broken);
        reports.update(std::slice::from_ref(&broken));
        assert!(reports.due(now, 10).is_empty());
        let sound = report(&[]);
        reports.update(std::slice::from_ref(&sound));
        assert_eq!(reports.due(now, 10), [Arc::clone(&sound)], "a repaired member's has no results");
        reports.done(&sound);
        reports.lead_anew();
        assert_eq!(reports.due(now, 10).len(), 1);
        reports.pause(now);
        assert!(reports.due(now, 10).is_empty());
        reports.update(&[]);
        assert!(reports.due(now + SignedDuration::from_hours(1), 10).is_empty(), "it goes with its member");
    }
}
