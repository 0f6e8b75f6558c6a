//! # MV408: `acm-unverified`
//!
//! ## What it checks
//! Whether AWS answered the questions that the verdict depends on. If not, this names the call that was denied (with the
//! permission and the principal), throttled, or not answered in the time of the review. It reports nothing where meshvet
//! doesn't ask AWS (without `--aws`).
//!
//! ## Why it matters
//! A certificate that could not be looked up may be wrong in any way. Applying again a moment later usually works: an
//! answer that came late is kept.
//!
//! ## Example
//! ```text
//! acm:DescribeCertificate is denied to arn:aws:sts::111122223333:assumed-role/meshvet/meshvet
//! ```
//!
//! ## How to fix
//! Give meshvet the permissions in deploy/iam/meshvet.json; docs/aws.md explains how.

use crate::aws::{Answer, Arn, ArnKind, Question, Unanswered};
use crate::finding::Problem;
use crate::rules::acm::{Reference, home, references};
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let mut first = None;
    for reference in references(cx) {
        if let Ok(arn) = &reference.arn {
            for why in unanswered(cx, arn) {
                out.add(problem(&reference, why));
            }
            first.get_or_insert(reference);
        }
    }
    // Without a Region and an account to compare with, these rules say nothing.
    if let (Some(reference), Some(why)) = (first, home(cx).unanswered) {
        let mut problem = problem(&reference, &why);
        problem.site.anchor = "account".to_owned();
        problem.message = format!("the node's account is unknown: {why}");
        out.add(problem.fix("set aws.account in meshvet's policy, or give meshvet a role"));
    }
}

/// Why something about a reference isn't known. What stands behind a certificate counts, too.
fn unanswered<'a>(cx: &Context<'a>, arn: &Arn) -> Vec<&'a Unanswered> {
    match cx.view.answer(&Question::of(arn.clone())) {
        Some(Answer::Unanswered(why)) => vec![why],
        Some(Answer::Authority(facts)) => facts.bundle_unanswered.iter().collect(),
        Some(Answer::Certificate(facts)) => {
            let authority = facts.authority.as_deref().and_then(|arn| Arn::parse(arn, ArnKind::Authority).ok());
            authority.map(|authority| unanswered(cx, &authority)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn problem(reference: &Reference<'_>, why: &Unanswered) -> Problem {
    let mut site = reference.site();
    site.anchor = format!("{} {}", site.anchor, why.call());
    // The call comes first: of a warning, kubectl's users see 120 characters.
    Problem::warn(site, format!("{why} ({} is not verified)", reference.owner()))
        .expected(format!("an answer to {}", why.call()))
        .found(why.to_string())
        .consequence(format!("{} isn't checked", reference.named.arn))
        .fix(why.fix())
}
