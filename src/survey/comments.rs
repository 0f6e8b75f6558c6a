//! `# meshvet: ignore`: applies the comments of manifests to the findings.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::apis;
use crate::finding::Finding;
use crate::finding::catalogue::UNUSED_SUPPRESSION;
use crate::finding::{Ignore, Use, covers, may_ignore};
use crate::k8s::ObjectRef;
use crate::mesh::View;
use crate::policy::{Effective, Policy};
use crate::rules::{broken_comment, unused_comment};
use crate::sources::manifests::{Comment, Manifests};
use crate::survey::{Report, Reported, place};

/// Suppresses the findings that comments ignore, and reports comments that suppress none or can't be parsed.
pub(super) fn apply(manifests: &Manifests, policy: &Policy, report: &mut Report) {
    let mut found: HashMap<ObjectRef, Vec<usize>> = HashMap::new();
    for (index, reported) in report.findings.iter().enumerate() {
        found.entry(reported.finding.object.clone()).or_default().push(index);
    }
    let judged = manifests.objects.iter().map(|located| (&located.reviewed.object, &located.site, true));
    let broken = manifests.undecodable.iter().map(|located| (&located.error.object, &located.site, false));
    for (object, site, whole) in judged.chain(broken).filter(|(_, site, _)| !site.comments.is_empty()) {
        let policy = policy.effective(object.namespace(), View::new(&manifests.world));
        let own = found.get(object).map(Vec::as_slice).unwrap_or_default();
        for comment in &site.comments {
            let mut told = follow(comment, object, own, &policy, &mut report.findings);
            // If an object can't be read as a whole, it isn't known what a comment would suppress.
            told.retain(|finding| {
                whole
                    || finding.rule.code != UNUSED_SUPPRESSION.code
                    || Ignore::parse(&comment.text).is_none_or(|it| it.is_err())
            });
            let reported = |finding| Reported { finding, place: Some(place::of_mark(manifests, site, comment.mark)) };
            report.findings.extend(told.into_iter().map(reported));
        }
    }
    // Findings about comments go with the other findings of their object, and suppressed ones after the reported ones.
    let mut order: HashMap<ObjectRef, usize> = HashMap::new();
    for (index, reported) in report.findings.iter().enumerate() {
        order.entry(reported.finding.object.clone()).or_insert(index);
    }
    let rank = |reported: &Reported| {
        let finding = &reported.finding;
        let object = order.get(&finding.object).copied();
        (object, Reverse(finding.severity), finding.suppressed.is_some(), finding.rule.code)
    };
    report
        .findings
        .sort_by(|one, other| rank(one).cmp(&rank(other)).then_with(|| one.finding.field().cmp(other.finding.field())));
}

/// Applies one comment to an object's findings; returns findings about the comment itself.
fn follow(
    comment: &Comment,
    object: &ObjectRef,
    own: &[usize],
    policy: &Effective,
    findings: &mut [Reported],
) -> Vec<Finding> {
    let ignore = match Ignore::parse(&comment.text) {
        None => return Vec::new(),
        Some(Err(why)) => return broken_comment(&why, object, &comment.fields, policy).into_iter().collect(),
        Some(Ok(ignore)) => ignore,
    };
    let mut told = Vec::new();
    for rule in ignore.rules {
        let covered = |finding: &Finding| finding.rule == rule && covers(&comment.fields, finding);
        for index in own {
            let Some(Reported { finding, .. }) = findings.get_mut(*index).filter(|it| covered(&it.finding)) else {
                continue;
            };
            if finding.suppressed.is_none() && may_ignore(finding.severity, policy.ignore_denials) {
                finding.suppressed = Some(ignore.reason.clone());
            }
        }
        let here = own.iter().filter_map(|index| findings.get(*index)).map(|reported| &reported.finding);
        let came = Use::of(here.filter(|finding| covered(finding)));
        told.extend(unused_comment(rule, came, object, &comment.fields, policy));
    }
    told
}

/// What to report about comments outside judged objects.
pub(crate) fn stray(manifests: &Manifests) -> Vec<String> {
    let asks = manifests.stray.iter().filter(|(_, _, text)| Ignore::parse(text).is_some());
    let object = apis::words(|names| names.object);
    let told = asks.map(|(source, mark, _)| {
        let file = manifests.source(*source).map_or("", |source| source.name.as_str());
        format!(
            "{file}:{}:{}: this comment ignores nothing: no field of {object} or of a workload begins there",
            mark.line, mark.column
        )
    });
    told.collect()
}
