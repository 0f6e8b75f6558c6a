//! # MV008: `refused-by-crd`
//!
//! ## What it checks
//! Manifests, against the schema of the API's own CustomResourceDefinitions: required fields, types, allowed values,
//! lengths, numbers of items, limits of numbers. The constraints are recorded from the App Mesh controller's CRDs. Where a
//! list item lacks what the item before it has, an extra dash is named as the cause. Objects in a cluster, and those under
//! review, are not checked: the API server has validated them against its own CRDs.
//!
//! ## Why it matters
//! The API server refuses the object, so that a pipeline fails at its last step, or a release stops halfway. Other rules
//! report nothing about a value that is missing.
//!
//! ## Example
//! ```yaml
//! listeners:
//!   - portMapping: {port: 8080, protocol: http}
//!   - tls: {mode: STRICT, …}          # spec.listeners[1].portMapping: Required value
//! ```
//!
//! ## How to fix
//! Add the field, or bring its value within the limits. An extra dash: remove it, so that both become one item.

use crate::apis::{SchemaFault, SchemaRefusal};
use crate::finding::catalogue::REFUSED_BY_CRD;
use crate::finding::{Breaks, Finding, Mend, Problem, Site};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for fault in &cx.subject.schema_faults {
        out.add(problem(cx, fault));
    }
}

/// Takes away what other rules say of a value that isn't there, or of one that the API server refuses itself.
pub(in crate::rules) fn settle(cx: &Context<'_>, findings: &mut Vec<Finding>) {
    let faults = &cx.subject.schema_faults;
    let is_own = |finding: &Finding| finding.rule == REFUSED_BY_CRD;
    // Where the rule is off, or the owner ignores it, the others have the word.
    if !findings.iter().any(|finding| is_own(finding) && finding.suppressed.is_none()) {
        return;
    }
    findings.retain(|finding| {
        let elsewhere = finding.object != cx.subject.object;
        let spoken_of = faults.iter().any(|fault| match fault.refusal.is_empty() {
            true => fault.field.holds(finding.field()),
            false => fault.field == *finding.field() && finding.rule.breaks == Breaks::Applying,
        });
        is_own(finding) || elsewhere || !spoken_of
    });
}

fn problem(cx: &Context<'_>, fault: &SchemaFault) -> Problem {
    let SchemaFault { field, refusal } = fault;
    let place = field.kubernetes();
    let name = field.split_last().map(|(_, name)| name).unwrap_or_default();
    let site = Site::new(format!("schema {place}"), field.clone());
    let problem = |message: String| {
        let refuses = format!("the API server refuses the object: {place}: {refusal}");
        Problem::deny(site, message).consequence(refuses)
    };
    match refusal {
        SchemaRefusal::Missing { split_from } => {
            let misplaced = cx.unknown_fields().iter().find(|unknown| unknown.name.eq_ignore_ascii_case(&name));
            let (hint, fix) = match (split_from, misplaced) {
                (Some(before), _) => {
                    let before = before.kubernetes();
                    (
                        format!("; an extra dash separates this item from {before}"),
                        format!("remove the dash that begins this item, so that it becomes part of {before}"),
                    )
                }
                (None, Some(unknown)) => {
                    let there = unknown.field.kubernetes();
                    (format!("; it is at {there}"), format!("move {there} to {place}"))
                }
                (None, None) => (String::new(), format!("add {place}")),
            };
            problem(format!("{name} is required and missing{hint}"))
                .expected(format!("a value of {name}"))
                .found("nothing")
                .fix(fix)
        }
        SchemaRefusal::Type { expected, found } => {
            problem(format!("{name} is of type {found}, and must be {expected}"))
                .expected(expected.clone())
                .found(*found)
                .fix(format!("give {name} a value of type {expected}"))
        }
        SchemaRefusal::NotOneOf { allowed, found } => {
            let meant = allowed.iter().find(|known| known.eq_ignore_ascii_case(found));
            problem(format!("{name} is {found:?}, which is not an allowed value"))
                .expected(allowed.join(", "))
                .found(found.clone())
                .fix("use one of these values")
                .mend(meant.map(|known| Mend::Replace { old: found.clone(), new: known.clone() }))
        }
        SchemaRefusal::TooShort { least, found: 0 } => problem(format!("{name} is empty"))
            .expected(format!("at least {}", characters(*least)))
            .found("nothing")
            .fix(format!("give {name} a value")),
        SchemaRefusal::TooShort { least, found } => problem(format!("{name} has {}", characters(*found)))
            .expected(format!("at least {}", characters(*least)))
            .found(characters(*found))
            .fix("give a longer value"),
        SchemaRefusal::TooLong { most, found } => problem(format!("{name} has {}", characters(*found)))
            .expected(format!("at most {}", characters(*most)))
            .found(characters(*found))
            .fix("give a shorter value"),
        SchemaRefusal::TooFew { least, found } => problem(format!("{name} has {}", items(*found)))
            .expected(format!("at least {}", items(*least)))
            .found(items(*found))
            .fix("add what is missing, or leave the list out"),
        SchemaRefusal::TooMany { most, found } => {
            problem(format!("{name} has {}, and at most {most} are allowed", items(*found)))
                .expected(format!("at most {}", items(*most)))
                .found(items(*found))
                .fix(format!("keep {most} of them"))
        }
        SchemaRefusal::TooSmall { least, found } => problem(format!("{name} is {found}, below the minimum of {least}"))
            .expected(format!("{least} or more"))
            .found(found.clone())
            .fix("give a number within the limits"),
        SchemaRefusal::TooLarge { most, found } => problem(format!("{name} is {found}, above the maximum of {most}"))
            .expected(format!("{most} or less"))
            .found(found.clone())
            .fix("give a number within the limits"),
    }
}

fn characters(count: u64) -> String {
    if count == 1 { "1 character".to_owned() } else { format!("{count} characters") }
}

fn items(count: u64) -> String {
    if count == 1 { "1 item".to_owned() } else { format!("{count} items") }
}
