//! What becomes of the problems that rules report: findings, with the severity that the policy sets.

use std::collections::HashMap;

use crate::apis::Subject;
use crate::finding::{Finding, Problem, Rule, Severity, Suppressions, may_ignore};
use crate::k8s::FieldPath;
use crate::policy::Effective;
use crate::rules::context::Context;

/// Takes one rule's problems and makes findings of them.
pub(crate) struct Reporter<'a> {
    rule: &'static Rule,
    cx: &'a Context<'a>,
    suppressions: &'a Suppressions,
    findings: Vec<Finding>,
    /// Where findings stand, by anchor and field: comparing each with all would cost the square of a
    /// large object.
    told: HashMap<(String, FieldPath), Vec<usize>>,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(rule: &'static Rule, cx: &'a Context<'a>, suppressions: &'a Suppressions) -> Self {
        Self { rule, cx, suppressions, findings: Vec::new(), told: HashMap::new() }
    }

    /// All that was reported.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Reports a problem. The same problem twice (two workloads with one file) is one.
    pub(crate) fn add(&mut self, problem: Problem) {
        let finding = Finding::of(self.rule, problem, self.cx.subject, self.cx.policy, self.suppressions);
        let Some(finding) = finding else { return };
        let site = &finding.problem.site;
        let known = self.told.entry((site.anchor.clone(), site.field.clone())).or_default();
        if !known.iter().filter_map(|index| self.findings.get(*index)).any(|known| same(known, &finding)) {
            known.push(self.findings.len());
            self.findings.push(finding);
        }
    }
}

fn same(one: &Finding, other: &Finding) -> bool {
    one.identity() == other.identity()
        && one.field() == other.field()
        && one.problem.message == other.problem.message
        && one.problem.found == other.problem.found
}

impl Finding {
    /// What the policy makes of a problem; None where the rule is off.
    pub(crate) fn of(
        rule: &'static Rule,
        problem: Problem,
        subject: &Subject,
        policy: &Effective,
        suppressions: &Suppressions,
    ) -> Option<Finding> {
        let mut severity = policy.severity(rule, problem.severity);
        if problem.site.call.is_some() && subject.hop().is_some() {
            severity = severity.min(policy.routing);
        }
        if severity == Severity::Off {
            return None;
        }
        let suppressed =
            suppressions.reason(rule).filter(|_| may_ignore(severity, policy.ignore_denials)).map(str::to_owned);
        let object = problem.site.object.clone().unwrap_or_else(|| subject.object.clone());
        Some(Finding { rule, severity, object, problem, suppressed })
    }
}
