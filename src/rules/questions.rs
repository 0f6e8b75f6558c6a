//! What a judgement would have to ask AWS first.

use std::collections::BTreeSet;

use crate::aws::{Arn, ArnKind, Question};
use crate::rules::OWN;
use crate::rules::acm::{home, questions_about_roles, references_of};
use crate::rules::context::Context;

/// What isn't known yet of what the object, and the other ends of its calls, name at AWS: see [`Examined`](super::Examined).
pub(super) fn open_questions(cx: &Context<'_>) -> Vec<Question> {
    let view = cx.view;
    let mut wanted = BTreeSet::new();
    let peers = cx.pairs.iter().flat_map(|pair| [&pair.server, &pair.client]).flat_map(|files| {
        let certificates = files.certificates.iter().map(|using| using.end);
        certificates.chain(files.trusts.iter().map(|using| using.end))
    });
    let mut own = false;
    for (end, is_own) in cx.ends().map(|end| (end, true)).chain(peers.map(|end| (end, false))) {
        for arn in references_of(end).filter_map(|reference| reference.arn.ok()) {
            own |= is_own;
            let facts = view.certificate(&arn).known().filter(|_| arn.kind == ArnKind::Certificate);
            let authority = facts.and_then(|facts| Arn::parse(facts.authority.as_deref()?, ArnKind::Authority).ok());
            wanted.extend(authority.map(Question::of));
            wanted.insert(Question::of(arn));
        }
    }
    let home = home(cx);
    // The rules on roles need the node's ARN, with TLS by files too.
    let own = own || (cx.policy.aws.roles.enabled && cx.member().is_some_and(|member| member.uses_tls()));
    if own && (home.region.is_none() || home.account.is_none()) {
        wanted.insert(Question::Home);
    }
    wanted.extend(questions_about_roles(cx));
    wanted.extend(OWN.into_iter().flat_map(|own| (own.questions)(cx)));
    // The authorities that the policy allows (MV302), to be distinguished from others by their keys.
    let allowed = cx.policy.allowed_issuers.iter().filter(|_| !cx.certificates.is_empty());
    wanted.extend(allowed.flat_map(|allowed| allowed.authorities.iter().cloned().map(Question::of)));
    wanted.into_iter().filter(|question| view.answer(question).is_none()).collect()
}

/// Whether the object names something at AWS, and its own Region or account isn't known.
pub(super) fn is_unplaced(cx: &Context<'_>) -> bool {
    let home = home(cx);
    (home.region.is_none() || home.account.is_none())
        && cx.ends().flat_map(references_of).any(|reference| reference.arn.is_ok())
}
