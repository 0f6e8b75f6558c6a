//! # MV007: `unused-suppression`
//!
//! ## What it checks
//! Whether each entry of the annotation `meshvet.dev/ignore`, and each comment `# meshvet: ignore` of a manifest, matches a
//! finding; and whether such a comment is valid: a rule that exists, a reason, a field that it applies to. Only `check` and
//! `audit` report it: at admission an entry may be there before the finding that it is for.
//!
//! ## Why it matters
//! An entry that outlives its finding hides the next one of that rule, under a reason that is no longer true. An invalid
//! one hides nothing, while its author believes that it does.
//!
//! ## Example
//! ```yaml
//! metadata:
//!   annotations:
//!     meshvet.dev/ignore: "MV209=rotation on Friday"   # the certificate was renewed long ago
//! ```
//!
//! ## How to fix
//! Remove the entry. A comment on a line of its own applies to what begins on the next line (above an object's first line:
//! to the whole object); a comment after a field applies to that field. Both include everything nested below.

use crate::finding::catalogue::UNUSED_SUPPRESSION;
use crate::finding::{Finding, Problem, Rule, Severity, Site};
use crate::finding::{IGNORE_ANNOTATION, Suppressions, Use};
use crate::k8s::FieldPath;
use crate::k8s::ObjectRef;
use crate::mesh::Place;
use crate::policy::Effective;
use crate::rules::context::{Context, Surface};
use crate::rules::reporter::Reporter;

/// Nothing to check while the other rules run: the engine asks [`of_annotation`] when they are through, and those who read
/// comments ask [`unused_comment`].
pub(crate) fn check(_: &Context<'_>, _: &mut Reporter<'_>) {}

/// What is to be said of the annotation's entries, by all that was found on the object.
pub(crate) fn of_annotation(cx: &Context<'_>, suppressions: &Suppressions, findings: &[Finding]) -> Vec<Problem> {
    if cx.surface == Surface::Admission {
        return Vec::new();
    }
    // What the entry leaves may be in what nobody could read.
    let is_certain = |came: &Use| *came != Use::Nothing || !rests_on_unread(cx);
    let field = FieldPath::root().keys(["metadata", "annotations", IGNORE_ANNOTATION]);
    let entries = suppressions.entries().filter(|(rule, _)| is_judged(rule, cx.policy));
    let problems = entries.filter_map(|(rule, _)| {
        let came = Some(Use::of(findings.iter().filter(|finding| finding.rule == rule))).filter(is_certain)?;
        let site = Site::new(format!("{IGNORE_ANNOTATION} {}", rule.code), field.clone());
        problem(rule, came, site)
    });
    problems.collect()
}

/// Whether anything was not listed, or a file of the object or of its calls not read.
fn rests_on_unread(cx: &Context<'_>) -> bool {
    cx.view.has_gaps() || cx.every_place().any(|place| matches!(place, Place::StoreUnread { .. }))
}

/// The finding on a comment's entry for one rule, by what came of it; None where it leaves a finding. `fields`: what it
/// stands at, the first of them by name.
pub(crate) fn unused_comment(
    rule: &'static Rule,
    came: Use,
    object: &ObjectRef,
    fields: &[FieldPath],
    policy: &Effective,
) -> Option<Finding> {
    if !is_judged(rule, policy) {
        return None;
    }
    finding(problem(rule, came, comment_site(rule.code, fields))?, object, policy)
}

/// The finding on a comment that can't be followed, and why.
pub(crate) fn broken_comment(
    why: &str,
    object: &ObjectRef,
    fields: &[FieldPath],
    policy: &Effective,
) -> Option<Finding> {
    let problem = Problem::warn(comment_site(why, fields), format!("the comment ignores nothing: {why}"))
        .expected("# meshvet: ignore MV209 the reason")
        .consequence("the findings are reported as if the comment were not there")
        .fix("name a rule and give the reason, or remove the comment");
    finding(problem, object, policy)
}

fn finding(problem: Problem, object: &ObjectRef, policy: &Effective) -> Option<Finding> {
    let severity = policy.severity(UNUSED_SUPPRESSION, problem.severity);
    let told = severity != Severity::Off;
    told.then(|| Finding { rule: UNUSED_SUPPRESSION, severity, object: object.clone(), problem, suppressed: None })
}

fn comment_site(what: &str, fields: &[FieldPath]) -> Site {
    let field = fields.first().cloned().unwrap_or_default();
    Site::new(format!("comment {what} at {field}"), field)
}

/// An entry for a rule that is off may be there for another policy; one for this very rule can't be judged by it.
fn is_judged(rule: &Rule, policy: &Effective) -> bool {
    rule != UNUSED_SUPPRESSION && policy.severity(rule, rule.default) != Severity::Off
}

fn problem(rule: &Rule, came: Use, site: Site) -> Option<Problem> {
    let Rule { code, name, .. } = rule;
    match came {
        Use::Left => None,
        Use::Denied => Some(
            Problem::warn(
                site,
                format!("{code} {name} is ignored here, but it denies, and only warnings can be ignored"),
            )
            .expected("a rule that warns, or `ignore: {denials: true}` in the policy")
            .found(format!("{code} denies"))
            .consequence("the finding is reported, and refuses the object, as if the entry were not there")
            .fix("fix the finding, or let the policy allow it"),
        ),
        Use::Nothing => Some(
            Problem::warn(site, format!("{code} {name} is ignored here, and there is no such finding"))
                .expected(format!("a finding of {code} that the entry ignores"))
                .found("none")
                .consequence(format!(
                    "the next finding of {code} would be hidden under a reason that is no longer true"
                ))
                .fix("remove the entry"),
        ),
    }
}
