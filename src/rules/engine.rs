//! Runs the rules over one object and gives their problems the severity that the policy sets.

use jiff::Timestamp;

use crate::apis::{Subject, Undecodable};
use crate::aws::Question;
use crate::finding::catalogue::UNUSED_SUPPRESSION;
use crate::finding::{Finding, Severity, Suppressions};
use crate::mesh::{SecretAccess, StoreKey, View};
use crate::policy::Policy;
use crate::rules::CHECKS;
use crate::rules::absent::{Absent, absent};
use crate::rules::certainty;
use crate::rules::context::{Context, Surface};
use crate::rules::left_out::LeftOut;
use crate::rules::moments::next_moment;
use crate::rules::objects::undecodable_object::{holds_without, undecodable};
use crate::rules::objects::{refused_by_crd, unused_suppression};
use crate::rules::questions::{is_unplaced, open_questions};
use crate::rules::reporter::{Reported, finds_nothing};
use crate::rules::stores::unread_stores;

/// All that is wrong with one object, most severe first.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// By severity, then code, then field.
    pub findings: Vec<Finding>,
}

/// Judges one object against a mesh, a policy and a time. Reads nothing else, and is the same for every surface.
pub fn judge(subject: &Subject, view: View<'_>, policy: &Policy, now: Timestamp, surface: Surface) -> Judgement {
    let policy = policy.effective(subject.object.namespace(), view);
    run(&Context::new(subject, view, &policy, now, surface))
}

/// What one look at an object shows: what is wrong with it, and what is to be learnt before that is final.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// All that is wrong, as far as is known.
    pub judgement: Judgement,
    /// Where Secrets are read on demand: the stores that files of the object's proxies come from, then those of the proxies it
    /// calls or is called by, as far as they are unread. Each once. A path may lead to another store once the first one is
    /// read (a projected volume): look again, with what was read laid over the world, until nothing comes back.
    pub stores: Vec<StoreKey>,
    /// Where AWS is asked: what isn't known yet of the certificates and authorities that the object names, and that the other
    /// ends of its calls name. Each once. An answer may lead to another question (from a certificate to its authority): look
    /// again, likewise.
    pub questions: Vec<Question>,
    /// Where AWS is asked: whether the object names something there, and its own Region or account isn't known. MV402 and MV403
    /// claim nothing then.
    pub unplaced: bool,
    /// What isn't judged of it, where more objects or the policy file could tell.
    pub left_out: LeftOut,
    /// At admission: what may have been applied a moment ago, and would be read by now at its source.
    pub absent: Absent,
    /// Where everything is judged: the next moment at which the time alone may make another judgement of it. What AWS answers changes
    /// without a date.
    pub until: Option<Timestamp>,
}

/// Judges one object, and says what to read and to ask: all by one look at it.
pub fn examine(subject: &Subject, view: View<'_>, policy: &Policy, now: Timestamp, surface: Surface) -> Examined {
    let policy = policy.effective(subject.object.namespace(), view);
    let cx = Context::new(subject, view, &policy, now, surface);
    let on_demand = view.secret_access() == SecretAccess::OnDemand;
    Examined {
        judgement: run(&cx),
        stores: if on_demand { unread_stores(&cx) } else { Vec::new() },
        questions: if view.asks() { open_questions(&cx) } else { Vec::new() },
        unplaced: view.asks() && is_unplaced(&cx),
        left_out: if surface == Surface::Check { LeftOut::of(&cx) } else { LeftOut::default() },
        absent: if surface == Surface::Admission { absent(&cx) } else { Absent::default() },
        until: if surface == Surface::Check { next_moment(&cx) } else { None },
    }
}

/// Judges an object that can't be read: where it can't, and what is wrong with the rest of it. The rest never weighs more than that.
pub fn examine_undecodable(
    error: &Undecodable,
    view: View<'_>,
    policy: &Policy,
    now: Timestamp,
    surface: Surface,
) -> Examined {
    let mut findings = undecodable(error, policy, view);
    let most = findings.first().map_or(Severity::Warn, |finding| finding.severity);
    let mut examined = error.rest.as_deref().map(|rest| examine(rest, view, policy, now, surface)).unwrap_or_default();
    let of_rest = std::mem::take(&mut examined.judgement.findings).into_iter();
    findings.extend(of_rest.filter(|finding| holds_without(finding, error)).map(|mut finding| {
        finding.severity = finding.severity.min(most);
        finding
    }));
    examined.judgement = Judgement::new(findings);
    examined
}

/// Runs the rules.
fn run(cx: &Context<'_>) -> Judgement {
    let suppressions = Suppressions::parse(&cx.subject.annotations);
    let mut reported = Reported::new(cx, &suppressions);
    for &(rule, about, check) in CHECKS {
        let concerns = about.is(cx.subject);
        if concerns && !cx.policy.is_off(rule) {
            check(cx, &mut reported.of(rule));
        }
        debug_assert!(concerns || finds_nothing(rule, check, cx), "{} has something to say", rule.code);
    }
    let mut findings = reported.into_findings();
    refused_by_crd::settle(cx, &mut findings);
    certainty::settle(cx, &mut findings);
    // Only now is it known what the owner's entries left.
    for problem in unused_suppression::of_annotation(cx, &suppressions, &findings) {
        findings.extend(Finding::of(UNUSED_SUPPRESSION, problem, cx.subject, cx.policy, &suppressions));
    }
    Judgement::new(findings)
}

impl Judgement {
    /// Sorts findings as they are reported: most severe first.
    pub fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|a, b| {
            b.severity
                .cmp(&a.severity)
                .then_with(|| a.suppressed.is_some().cmp(&b.suppressed.is_some()))
                .then_with(|| a.rule.code.cmp(b.rule.code))
                .then_with(|| a.field().cmp(b.field()))
        });
        Self { findings }
    }

    /// Whether anything refuses the object.
    pub fn denies(&self) -> bool {
        self.findings.iter().any(Finding::denies)
    }
}
