//! What was wrong with an object before a change, and whether a problem of the new one was there already.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::apis::Subject;
use crate::finding::{Breaks, Finding, Severity};
use crate::k8s::ObjectRef;
use crate::mesh::ServerEnd;
use crate::rules::Judgement;

/// How a problem stands to what was wrong before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is new.
    New,
    /// It was there.
    Known,
    /// It is new, and the part of the object that it is about worked no better before: a repair goes in steps.
    BrokenBefore,
}

/// A finding's name across an edit: severity, rule, object, part of the object.
type Weighed<'a> = (Severity, &'static str, &'a ObjectRef, Cow<'a, str>);

/// The old object's findings, counted: by weight and identity, and by these and words.
#[derive(Default)]
pub(crate) struct Before<'a> {
    by_identity: HashMap<Weighed<'a>, usize>,
    by_words: HashMap<(Weighed<'a>, &'a str, Option<&'a str>), usize>,
    dead: Vec<Dead<'a>>,
}

/// A part of an object that did not work at all, and why.
struct Dead<'a> {
    object: &'a ObjectRef,
    part: Cow<'a, str>,
    finding: &'a Finding,
}

impl Dead<'_> {
    /// Whether this is why another finding is no news. A warning too, since a file that isn't mounted yet is no working listener either;
    /// but what was only doubtful then and is certain now is news.
    fn hid(&self, object: &ObjectRef, part: &str, finding: &Finding) -> bool {
        let is_certain = self.finding.severity == Severity::Deny || self.finding.rule.code != finding.rule.code;
        self.object == object && is_certain && are_of_one_part(&self.part, part)
    }
}

impl<'a> Before<'a> {
    pub(crate) fn new(old: &'a Judgement, moves: &Moves) -> Self {
        let mut before = Self::default();
        for finding in &old.findings {
            let weighed = weighed(finding, |anchor| moves.anchor(anchor));
            if matches!(finding.rule.breaks, Breaks::Starting | Breaks::Applying) && finding.problem.site.call.is_none()
            {
                before.dead.push(Dead { object: weighed.2, part: weighed.3.clone(), finding });
            }
            *before.by_words.entry(words(finding, weighed.clone())).or_default() += 1;
            *before.by_identity.entry(weighed).or_default() += 1;
        }
        before
    }

    /// How each of the new findings stands to the old ones; those that aren't compared are new. Those in the very same words are matched
    /// first, so that of two findings of one identity the one that is reported as new is the new one.
    pub(crate) fn standings(mut self, new: &'a [Finding], is_compared: impl Fn(&Finding) -> bool) -> Vec<Standing> {
        let mut standings = vec![Standing::New; new.len()];
        if self.by_identity.is_empty() {
            return standings;
        }
        let same = |anchor: &'a str| Cow::Borrowed(anchor);
        let mut compared: Vec<_> = standings.iter_mut().zip(new).filter(|(_, finding)| is_compared(finding)).collect();
        for (standing, finding) in &mut compared {
            let weighed = weighed(finding, same);
            if take(&mut self.by_words, &words(finding, weighed.clone())) && take(&mut self.by_identity, &weighed) {
                **standing = Standing::Known;
            }
        }
        for (standing, finding) in compared {
            if *standing == Standing::New && take(&mut self.by_identity, &weighed(finding, same)) {
                *standing = Standing::Known;
            } else if *standing == Standing::New && self.was_dead(finding) {
                *standing = Standing::BrokenBefore;
            }
        }
        standings
    }

    /// Whether the part that a finding is about, or an end of the call that it is about, did not work at all.
    fn was_dead(&self, finding: &Finding) -> bool {
        let site = &finding.problem.site;
        self.dead.iter().any(|dead| match site.call.as_deref() {
            None => dead.hid(&finding.object, &site.anchor, finding),
            Some(call) => {
                let by_client = |policy: &Arc<str>| dead.hid(&call.client, policy, finding);
                dead.hid(&call.server, &call.listener, finding) || call.policy.as_ref().is_some_and(by_client)
            }
        })
    }
}

/// `listener 8443`, and `listener 8443 name x` of it.
fn are_of_one_part(one: &str, other: &str) -> bool {
    let within =
        |part: &str, whole: &str| part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    within(one, other) || within(other, one)
}

fn weighed<'a>(finding: &'a Finding, anchor: impl FnOnce(&'a str) -> Cow<'a, str>) -> Weighed<'a> {
    let (code, object, part) = finding.identity();
    (finding.severity, code, object, anchor(part))
}

fn words<'a>(finding: &'a Finding, weighed: Weighed<'a>) -> (Weighed<'a>, &'a str, Option<&'a str>) {
    (weighed, &finding.problem.message, finding.problem.found.as_deref())
}

fn take<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) -> bool {
    match counts.get_mut(key) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
}

/// The listeners that go by another anchor after an edit, since their port has changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Moves(Vec<(Arc<str>, Arc<str>)>);

impl Moves {
    /// Between two versions of an object. A listener is the same when all but its port is, or when it is the only one that has gone and
    /// there is one new.
    pub(crate) fn between(old: &Subject, new: &Subject) -> Self {
        let servers = |subject: &Subject, other: &Subject| -> Vec<ServerEnd> {
            let other: Vec<&ServerEnd> = other.member().into_iter().flat_map(|member| &member.servers).collect();
            let all = subject.member().into_iter().flat_map(|member| &member.servers);
            all.filter(|one| other.iter().all(|it| it.anchor != one.anchor)).cloned().collect()
        };
        let (gone, mut come) = (servers(old, new), servers(new, old));
        let mut moves = Vec::new();
        let is_only_one = gone.len() == 1 && come.len() == 1;
        for server in gone {
            let alike = |it: &ServerEnd| it.protocol == server.protocol && it.tls == server.tls;
            if let Some(place) = come.iter().position(|it| is_only_one || alike(it)) {
                moves.push((server.anchor, come.swap_remove(place).anchor));
            }
        }
        Self(moves)
    }

    /// What an anchor of the old object is called in the new one.
    fn anchor<'a>(&self, anchor: &'a str) -> Cow<'a, str> {
        for (old, new) in &self.0 {
            if let Some(rest) = anchor.strip_prefix(&**old).filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
                return format!("{new}{rest}").into();
            }
            if let Some(rest) = anchor.strip_suffix(&**old).filter(|rest| rest.ends_with(' ')) {
                return format!("{rest}{new}").into();
            }
        }
        anchor.into()
    }
}
