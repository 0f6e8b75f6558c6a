//! Whom a change touches, and what it makes worse for them: each member judged before and after, both in one snapshot of the world.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use crate::admission::again::Doubted;
use crate::admission::before::Standing;
use crate::admission::moved::{Moved, Rest};
use crate::admission::review::Request;
use crate::admission::verdict::{Because, Verdict, Warned, standings};
use crate::apis::Subject;
use crate::finding::catalogue::BACKEND_DELETED;
use crate::finding::catalogue::SECRET_BREAKS_NEIGHBOURS;
use crate::finding::{Finding, Severity, Trait};
use crate::k8s::ObjectRef;
use crate::mesh::{FactId, Overlay, StoreKey, View};
use crate::policy::{Changes, Effective, Policy};
use crate::rules::{Surface, basis, examine, judge};
use crate::sources::SharedWorld;

/// The most members that one review judges. The others are left to whoever judges by state.
const MOST_MEMBERS: usize = 200;
/// Members judged while the world is held for reading: a watch that has something to write waits, and every other review with it.
const STEP: usize = 16;
/// Readers of a store from which on a change of it is more than one of many reviews' tasks.
const MANY: usize = 8;
/// Stores read afresh for one review.
const MOST_STORES: usize = 64;

/// What a change comes to.
pub(super) struct Touched {
    /// What it makes worse.
    pub(super) verdict: Verdict,
    /// What that rests on, or lacks, but for the changed object itself: to be read afresh before it is said.
    pub(super) doubted: Doubted,
}

/// Whether a change may touch so many that others shouldn't wait for their judgement.
pub(super) fn may_touch_many(moved: &Moved, world: &SharedWorld) -> bool {
    match (&moved.id, moved.rest) {
        (FactId::Store(store), _) => world.read(|world| View::new(world).readers(store).nth(MANY).is_some()),
        (_, rest) => rest != Rest::Workload,
    }
}

/// Judges the members that a change touches. `read`: what was read afresh for this review.
pub(super) fn touched(
    request: &Request,
    moved: &Moved,
    world: &SharedWorld,
    read: &Overlay,
    policy: &Policy,
    now: Timestamp,
) -> Touched {
    let (mut before, mut after) = (moved.overlay_before(), moved.overlay_after());
    // By what was known at first: a workload that was read again is the same one.
    let members = world.read(|world| {
        let here = policy.effective(&request.namespace, View::new(world));
        let view = View::new(world).under(here.settings());
        let sides = [view.over(&before), view.over(&after)];
        let touched: BTreeSet<&ObjectRef> = sides.iter().flat_map(|view| view.touched_by(&moved.id)).collect();
        // A member that goes is nobody's problem any more.
        let others = touched.into_iter().filter(|member| !matches!(&moved.id, FactId::Object(gone) if gone == *member));
        others.cloned().collect::<Vec<_>>()
    });
    for overlay in [&mut before, &mut after] {
        overlay.stores.extend(read.stores.iter().map(|(key, state)| (key.clone(), state.clone())));
        // The changed object itself is as the change has it.
        overlay.learnt.extend(read.learnt.iter().filter(|fact| fact.id() != moved.id).cloned());
        overlay.forgotten.extend(read.forgotten.iter().cloned());
    }
    let unjudged = members.len().saturating_sub(MOST_MEMBERS);
    let subjects = world.subjects(members.iter().take(MOST_MEMBERS));
    let (mut verdict, mut doubted) = (Verdict::of_change(unjudged), Doubted::default());
    // Each member before and after in one snapshot.
    for some in subjects.chunks(STEP) {
        world.read(|world| {
            let view = View::new(world);
            for subject in some {
                let policy_here = policy.effective(subject.object.namespace(), view.over(&after));
                let change = Change { request, moved, policy: &policy_here };
                doubted.extend(change.judge(subject, (view, &before, &after), policy, now, &mut verdict));
            }
        });
    }
    (verdict.detail, verdict.enforcement) = world.read(|world| {
        let here = policy.effective(&request.namespace, View::new(world));
        (here.detail, here.enforcement)
    });
    verdict.once();
    let own = |store: &StoreKey| matches!(&moved.id, FactId::Store(changed) if changed == store);
    // First what decides: only so many are read.
    doubted.stores.splice(0..0, verdict.rests_on());
    let mut seen = HashSet::new();
    doubted.stores.retain(|store| !own(store) && seen.insert(store.clone()));
    doubted.stores.truncate(MOST_STORES);
    doubted.objects.retain(|object| !matches!(&moved.id, FactId::Object(changed) if changed == object));
    doubted.services.retain(|service| !matches!(&moved.id, FactId::Object(changed) if changed == service));
    Touched { verdict, doubted }
}

/// One change, as the policy of one member's namespace has it.
struct Change<'a> {
    request: &'a Request,
    moved: &'a Moved,
    policy: &'a Effective,
}

impl Change<'_> {
    /// Judges one member before and after. Returns what the news about it rests on, or takes for absent.
    fn judge(
        &self,
        subject: &Subject,
        (view, before, after): (View<'_>, &Overlay, &Overlay),
        policy: &Policy,
        now: Timestamp,
        verdict: &mut Verdict,
    ) -> Doubted {
        let most = self.most(self.policy.changes);
        if most == Severity::Off {
            return Doubted::default();
        }
        let examined = examine(subject, view.over(after), policy, now, Surface::Admission);
        let new = examined.judgement.findings;
        let old = judge(subject, view.over(before), policy, now, Surface::Admission);
        let standings = standings(&old, &new);
        let mut doubted = Doubted { services: examined.absent.services, ..Doubted::default() };
        if standings.iter().any(|standing| *standing != Standing::Known) {
            // What watches haven't told of yet isn't missing, and what was corrected a moment ago isn't broken.
            let news = new.iter().zip(&standings).filter(|(_, standing)| **standing != Standing::Known);
            doubted.stores.extend(news.flat_map(|(finding, _)| finding.problem.site.rests_on.iter().cloned()));
            doubted.stores.extend(examined.absent.stores);
            let news = new.iter().zip(&standings).filter(|(_, standing)| **standing != Standing::Known);
            let calls: HashSet<_> = news.filter_map(|(finding, _)| finding.problem.site.call.as_deref()).collect();
            if !calls.is_empty() {
                let basis = basis(subject, view.over(after), policy, now, true);
                let through = basis.calls.into_iter().filter(|(call, _)| calls.contains(call));
                doubted.objects.extend(through.flat_map(|(_, through)| through));
            }
            // Nor is broken who read the store until a moment ago.
            let readers = subject.member().filter(|_| self.moved.rest == Rest::Store);
            let readers = readers.into_iter().flat_map(|member| view.workloads_of(member));
            doubted.workloads.extend(readers.map(|workload| workload.object.clone()));
        }
        let (mut denied, mut warned) = (Vec::new(), Vec::new());
        for (finding, standing) in new.into_iter().zip(standings) {
            let member = Some(subject.object.clone());
            if self.goes_as_a_whole(&finding, subject) {
                continue;
            }
            if finding.suppressed.is_some() {
                verdict.suppressed.push(finding);
            } else if standing == Standing::BrokenBefore && self.is_a_repair() && !self.harms_others(&finding) {
                warned.push(Warned { finding, because: Because::BrokenBefore, member });
            } else if standing != Standing::Known {
                match self.refuses(&finding, most, subject) {
                    true => denied.push(finding),
                    false => warned.push(Warned { finding, because: Because::Change, member }),
                }
            } else if self.is_loaded_anew() && finding.denies() {
                warned.push(Warned { finding, because: Because::LoadedAnew, member });
            }
        }
        if !denied.is_empty() {
            verdict.broken.insert(subject.object.clone());
        }
        verdict.denials.extend(denied);
        verdict.warnings.extend(warned);
        doubted
    }

    /// The most that a problem weighs which this kind of change brings.
    fn most(&self, changes: Changes) -> Severity {
        if self.moved.gone || self.request.by_service_account {
            // Refused, a namespace would never go, and a controller would try again forever.
            return changes.severity_of(self.moved.rest).min(Severity::Warn);
        }
        changes.severity_of(self.moved.rest)
    }

    /// Whether a problem refuses the change.
    fn refuses(&self, finding: &Finding, most: Severity, subject: &Subject) -> bool {
        if self.harms_others(finding) && !self.moved.gone && !self.request.by_service_account {
            return finding.denies();
        }
        finding.severity.min(most) == Severity::Deny && !self.excuses(finding, subject)
    }

    /// Whether others have the damage of a Secret: as it was it goes on working, and nothing that follows makes the new one do so.
    fn harms_others(&self, finding: &Finding) -> bool {
        self.moved.rest == Rest::Store && finding.rule == SECRET_BREAKS_NEIGHBOURS
    }

    /// Whether a problem doesn't refuse the change, though others might.
    fn excuses(&self, finding: &Finding, member: &Subject) -> bool {
        let of_time = self.moved.rest == Rest::Workload && finding.rule.has(Trait::Time);
        // The rest of the release may follow in a moment.
        of_time || self.is_of_one_release(member)
    }

    /// Whether a member loses what it calls while its own release is taken away.
    fn goes_as_a_whole(&self, finding: &Finding, member: &Subject) -> bool {
        finding.rule.code == BACKEND_DELETED.code && self.is_of_one_release(member)
    }

    fn is_of_one_release(&self, member: &Subject) -> bool {
        member.member().is_some_and(|member| member.release.is_that_of(&self.moved.release))
    }

    /// Whether it may be a step of a repair. What wasn't there before was no broken one.
    fn is_a_repair(&self) -> bool {
        !self.moved.before.is_empty() && !self.moved.after.is_empty()
    }

    /// Whether pods restart with the change, and load what was changed since they last did.
    fn is_loaded_anew(&self) -> bool {
        self.moved.rest == Rest::Workload && !self.moved.before.is_empty() && !self.moved.gone
    }
}

impl Changes {
    /// What a kind of change weighs at most.
    fn severity_of(self, rest: Rest) -> Severity {
        let set = match rest {
            Rest::Workload => self.workloads,
            Rest::Store => self.secrets,
            Rest::Namespace => self.namespaces,
            Rest::Service => self.services,
            Rest::Class | Rest::Member | Rest::Grant => self.meshes,
        };
        set.unwrap_or(Severity::Warn)
    }
}

impl Verdict {
    /// A verdict on a change that touches so many members more than are judged.
    fn of_change(unjudged: usize) -> Self {
        Self { unjudged, of_change: true, ..Self::default() }
    }

    /// What both ends of a call say is said once.
    fn once(&mut self) {
        let mut told = HashSet::new();
        let mut is_new = |finding: &Finding| {
            let call = finding.problem.site.call.as_deref().cloned();
            call.is_none_or(|call| told.insert((finding.rule.code, call)))
        };
        self.denials.retain(&mut is_new);
        self.warnings.retain(|warned| is_new(&warned.finding));
        self.denials.sort_by(|one, other| one.rule.code.cmp(other.rule.code));
        self.warnings.sort_by_key(|warned| (!warned.finding.denies(), warned.because == Because::LoadedAnew));
    }
}
