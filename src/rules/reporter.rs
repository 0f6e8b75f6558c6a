//! What becomes of the problems that rules report: findings, with the severity that the policy sets.

use std::collections::HashMap;

use crate::apis::Subject;
use crate::finding::{Finding, Problem, Rule, Severity, Suppressions, may_ignore};
use crate::k8s::FieldPath;
use crate::policy::Effective;
use crate::rules::Check;
use crate::rules::context::Context;

/// What the rules report of one object.
pub(super) struct Reported<'a> {
    cx: &'a Context<'a>,
    suppressions: &'a Suppressions,
    findings: Vec<Finding>,
    /// Where findings stand, by rule, anchor and field: comparing each with all would cost the square of a
    /// large object.
    told: HashMap<(&'static str, String, FieldPath), Vec<usize>>,
}

impl<'a> Reported<'a> {
    pub(super) fn new(cx: &'a Context<'a>, suppressions: &'a Suppressions) -> Self {
        Self { cx, suppressions, findings: Vec::new(), told: HashMap::new() }
    }

    /// Takes what one rule reports.
    pub(super) fn of(&mut self, rule: &'static Rule) -> Reporter<'_> {
        let Self { cx, suppressions, findings, told } = self;
        Reporter { rule, cx, suppressions, findings, told }
    }

    /// All that was reported.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

/// Takes one rule's problems and makes findings of them.
pub(crate) struct Reporter<'r> {
    rule: &'static Rule,
    cx: &'r Context<'r>,
    suppressions: &'r Suppressions,
    findings: &'r mut Vec<Finding>,
    told: &'r mut HashMap<(&'static str, String, FieldPath), Vec<usize>>,
}

impl Reporter<'_> {
    /// Reports a problem. The same problem twice (two workloads with one file) is one.
    pub(crate) fn add(&mut self, problem: Problem) {
        let finding = Finding::of(self.rule, problem, self.cx.subject, self.cx.policy, self.suppressions);
        let Some(finding) = finding else { return };
        let site = &finding.problem.site;
        let known = self.told.entry((self.rule.code, site.anchor.clone(), site.field.clone())).or_default();
        if !known.iter().filter_map(|index| self.findings.get(*index)).any(|known| same(known, &finding)) {
            known.push(self.findings.len());
            self.findings.push(finding);
        }
    }
}

/// Whether a rule has nothing to say, suppressed or not.
pub(super) fn finds_nothing(rule: &'static Rule, check: Check, cx: &Context<'_>) -> bool {
    let suppressions = Suppressions::default();
    let mut reported = Reported::new(cx, &suppressions);
    check(cx, &mut reported.of(rule));
    reported.into_findings().is_empty()
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
