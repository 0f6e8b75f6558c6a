//! One look at an object under review, in one snapshot of the world.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::admission::before::Moves;
use crate::admission::confirm::Rests;
use crate::admission::review::{Change, Matter, Request};
use crate::admission::verdict::{Old, Verdict, is_compared};
use crate::apis::{Subject, Undecodable};
use crate::aws::{AwsFacts, Question};
use crate::mesh::{Overlay, StoreKey, View, World};
use crate::policy::Policy;
use crate::rules::{Absent, Surface, basis, examine, examine_undecodable};

/// One look at the world: a verdict, the stores to read before it is final, what to ask AWS, and what may be there all the same.
#[derive(Default)]
pub(super) struct Look {
    pub(super) verdict: Verdict,
    pub(super) wanted: Vec<StoreKey>,
    pub(super) questions: Vec<Question>,
    pub(super) absent: Absent,
    /// What the verdict rests on, where the world is written by watches.
    pub(super) rests: Option<Rests>,
}

/// Judges the new object and, where it matters what was there before, the old one, in one snapshot of the world. `aws` is what AWS has answered;
/// None where it
/// isn't asked. `watched`: whether the world is written by watches, which may be behind.
pub(super) fn look(
    request: &Request,
    world: &World,
    overlay: &Overlay,
    aws: Option<&AwsFacts>,
    (policy, now): (&Policy, Timestamp),
    watched: bool,
) -> Look {
    let Matter::Object(change) = &request.subject else {
        return Look::default();
    };
    let Change { new, old } = change.as_ref();
    let mut view = View::new(world).over(overlay);
    if let Some(facts) = aws {
        view = view.answered(facts);
    }
    let (mut wanted, mut questions, mut absent) = (Vec::new(), Vec::new(), Absent::default());
    let mut judged = |reviewed: &Result<Subject, Box<Undecodable>>| {
        let examined = match reviewed {
            Ok(reviewed) => examine(reviewed, view, policy, now, Surface::Admission),
            Err(error) => examine_undecodable(error, view, policy, now, Surface::Admission),
        };
        wanted.extend(examined.stores);
        questions.extend(examined.questions);
        absent.extend(examined.absent);
        examined.judgement
    };
    let judgement = judged(new);
    let mut verdict = match old {
        // The old object only ever excuses.
        Some(old) if judgement.findings.iter().any(is_compared) => match old {
            Ok(before) => {
                let moves = new.as_ref().map(|new| Moves::between(before, new)).unwrap_or_default();
                Verdict::weigh(judgement, Old::Judged(&judged(old), &moves))
            }
            Err(_) => Verdict::weigh(judgement, Old::Unreadable),
        },
        _ => Verdict::weigh(judgement, Old::Absent),
    };
    let here = policy.effective(&request.namespace, view);
    (verdict.detail, verdict.enforcement) = (here.detail, here.enforcement);
    // First what decides: only so many are read.
    let mut first = verdict.rests_on();
    first.extend(wanted);
    let mut seen = HashSet::new();
    first.retain(|store| seen.insert(store.clone()));
    questions.sort_unstable();
    questions.dedup();
    let rests = new.as_ref().ok().filter(|_| watched).map(|new| {
        let basis = basis(new, view, policy, now, !verdict.allows());
        Rests::of(basis, &request.namespace, &verdict, world)
    });
    Look { verdict, wanted: first, questions, absent, rests }
}
