//! Each finding once, whichever objects it is found from.

use std::collections::HashMap;

use crate::finding::{Finding, Severity};
use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::CallKey;

/// Collects findings without duplicates: a workload's annotation is found from each member that selects it, a call from both its ends.
#[derive(Debug)]
pub(crate) struct Collector<T> {
    /// For each finding its index, and whether it was found on the object under review itself.
    told: HashMap<Known, (usize, bool)>,
    /// What has been collected.
    pub(crate) findings: Vec<T>,
}

impl<T> Default for Collector<T> {
    fn default() -> Self {
        Self { told: HashMap::new(), findings: Vec::new() }
    }
}

/// What makes two findings the same.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Known {
    /// The same message about the same field.
    Field(&'static str, ObjectRef, FieldPath, String),
    /// The same message about the same call.
    Call(&'static str, CallKey, String, Option<String>),
}

impl Known {
    fn of(Finding { rule, object, problem, .. }: &Finding) -> Self {
        let site = &problem.site;
        match &site.call {
            Some(call) => Self::Call(rule.code, (**call).clone(), site.anchor.clone(), problem.found.clone()),
            None => Self::Field(rule.code, object.clone(), site.field.clone(), problem.message.clone()),
        }
    }
}

fn weight(finding: &Finding) -> (bool, Severity) {
    (finding.suppressed.is_none(), finding.severity)
}

impl<T: AsRef<Finding>> Collector<T> {
    /// Adds a finding, unless it is known. `own`: it is on the object under review.
    pub(crate) fn add(&mut self, reported: T, own: bool) {
        let finding = reported.as_ref();
        match self.told.get_mut(&Known::of(finding)) {
            // The finding on the object itself takes precedence; among others, one that isn't suppressed, and the stricter of
            // two policies.
            Some((place, known_own)) => {
                let known = self.findings.get_mut(*place);
                let counts = |known: &T| match (own, *known_own) {
                    (true, false) => true,
                    (false, true) => false,
                    _ => weight(known.as_ref()) < weight(finding),
                };
                if let Some(known) = known.filter(|known| counts(known)) {
                    *known_own = own;
                    *known = reported;
                }
            }
            None => {
                self.told.insert(Known::of(finding), (self.findings.len(), own));
                self.findings.push(reported);
            }
        }
    }
}
