//! What a judgement would have to ask AWS first.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::apis::Subject;
use crate::aws::{Arn, ArnKind, Question};
use crate::mesh::View;
use crate::policy::Policy;
use crate::rules::acm::{home, questions_about_roles, references_of};
use crate::rules::context::{Context, Surface};

/// What isn't known yet of the certificates and authorities that the object names, and that the other ends of its calls name.
/// Each once.
///
/// An answer may lead to another question (from a certificate to its authority): ask again, with what was answered laid over
/// the world, until nothing comes back.
pub fn questions_to_ask(subject: &Subject, view: View<'_>, policy: &Policy) -> Vec<Question> {
    let policy = policy.effective(subject.object.namespace(), view);
    // No rule runs: neither the time nor the surface plays a part.
    open_questions(&Context::new(subject, view, &policy, Timestamp::UNIX_EPOCH, Surface::Admission))
}

/// The same, of what was looked up already.
pub(super) fn open_questions(cx: &Context<'_>) -> Vec<Question> {
    let view = cx.view;
    let mut wanted = BTreeSet::new();
    let peers = cx.pairs.iter().flat_map(|pair| [&pair.server, &pair.client]).flat_map(|files| {
        let certificates = files.certificates.iter().map(|using| using.end);
        certificates.chain(files.trusts.iter().map(|using| using.end))
    });
    let mut own = false;
    for (end, is_own) in cx.ends().map(|end| (end, true)).chain(peers.map(|end| (end, false))) {
        for arn in references_of(end).into_iter().filter_map(|reference| reference.arn.ok()) {
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
    // The authorities that the policy allows (MV302), to be told from others by their keys.
    let allowed = cx.policy.allowed_issuers.iter().filter(|_| !cx.certificates.is_empty());
    wanted.extend(allowed.flat_map(|allowed| allowed.authorities.iter().cloned().map(Question::of)));
    wanted.into_iter().filter(|question| view.answer(question).is_none()).collect()
}

/// Whether the object names something at AWS, and its own Region or account isn't known: MV402 and MV403 claim nothing then.
pub fn is_unplaced(subject: &Subject, view: View<'_>, policy: &Policy) -> bool {
    let policy = policy.effective(subject.object.namespace(), view);
    let cx = Context::new(subject, view, &policy, Timestamp::UNIX_EPOCH, Surface::Admission);
    let home = home(&cx);
    (home.region.is_none() || home.account.is_none())
        && cx.ends().flat_map(references_of).any(|reference| reference.arn.is_ok())
}
