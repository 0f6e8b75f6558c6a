//! # MV006: `undecodable-object`
//!
//! ## What it checks
//! Whether the object can be read at all: each field that meshvet needs is of the type that the API gives it.
//!
//! ## Why it matters
//! meshvet can't judge what it can't read. The API server refuses such an object, or its controller can't read it and keeps the object's former state.
//! An UPDATE passes when the old object couldn't be read either, so that a repair in steps is never blocked.
//!
//! ## Example
//! ```yaml
//! spec:
//!   listeners:
//!     - portMapping: {port: "8080", protocol: http}   # a string where the API has a number
//! ```
//!
//! ## How to fix
//! Give the field at each place that is named a value of the type that the API expects. The rest of the object is judged without those
//! fields, so that one slip hides no other; its calls are judged once it can be read.

use crate::apis::{self, Undecodable};
use crate::finding::catalogue::{UNDECODABLE_OBJECT, UNKNOWN_FIELD, UNUSED_SUPPRESSION};
use crate::finding::{Breaks, Finding, Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::View;
use crate::policy::Policy;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

/// Nothing to check on an object that could be read: those who decode report with [`undecodable`].
pub(crate) fn check(_: &Context<'_>, _: &mut Reporter<'_>) {}

/// The findings for an object that couldn't be read, one for each place; none where the policy has the rule off.
pub(in crate::rules) fn undecodable(error: &Undecodable, policy: &Policy, view: View<'_>) -> Vec<Finding> {
    let rule = UNDECODABLE_OBJECT;
    let severity = policy.effective(error.object.namespace(), view).severity(rule, rule.default);
    if severity == crate::finding::Severity::Off {
        return Vec::new();
    }
    let more = error.more.iter().map(|error| (&error.field, &error.message));
    let places = std::iter::once((&error.field, &error.message)).chain(more);
    let finding = |(field, message): (&FieldPath, &String)| Finding {
        rule,
        severity,
        object: error.object.clone(),
        problem: problem(error, field, message),
        suppressed: None,
    };
    places.map(finding).collect()
}

fn problem(error: &Undecodable, field: &FieldPath, message: &str) -> Problem {
    let place = match field.kubernetes() {
        place if place.is_empty() => String::new(),
        place => format!("{place}: "),
    };
    Problem::deny(Site::new("object", field.clone()), format!("the object can't be read: {place}{message}"))
        .consequence(match apis::mesh_api(error.object.group()) {
            Some((_, names)) => format!(
                "the API server refuses it, or {} can't read it and keeps the object's former state",
                names.controller
            ),
            None => {
                "the API server refuses it, or its controller can't read it; what rests on it isn't checked".to_owned()
            }
        })
        .fix("give the field a value of the type that the API expects")
}

/// Whether a finding on what is left of an object holds for all of it: it is about the object's own text or files, and about none of the
/// values that are missing. Which pods an object selects is not known where its selector or its metadata can't be read.
pub(in crate::rules) fn holds_without(finding: &Finding, error: &Undecodable) -> bool {
    let field = finding.field();
    let own_text = finding.rule.breaks == Breaks::Applying || finding.rule.code == UNKNOWN_FIELD.code;
    finding.object == error.object
        && finding.problem.site.call.is_none()
        && finding.rule.code != UNUSED_SUPPRESSION.code
        && !error.fields().any(|missing| missing.holds(field) || field.holds(missing))
        && (own_text || !error.fields().any(selects))
}

fn selects(field: &FieldPath) -> bool {
    let mut segments = field.segments();
    segments.next().is_some_and(|first| first == "metadata") || segments.any(|segment| segment.ends_with("elector"))
}
