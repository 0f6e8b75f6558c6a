//! From what is wrong with an object, before and after, to what is refused and what is only reported.
//!
//! An UPDATE is refused only for what it makes worse: a problem that was there before is a warning, so that repairs,
//! labels, finalizers and controllers' writes always pass. Pure: no I/O, no clock.

use std::collections::{BTreeSet, HashSet};

use crate::admission::before::{Before, Moves, Standing};
use crate::finding::{Finding, Severity};
use crate::k8s::ObjectRef;
use crate::mesh::StoreKey;
use crate::policy::{Detail, Enforcement};
use crate::rules::Judgement;

/// What the answer to a review says.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What refuses the object, most severe first. Empty: it is allowed.
    pub denials: Vec<Finding>,
    /// What is reported without refusing anything.
    pub warnings: Vec<Warned>,
    /// What the owner has seen and left: counted, not told.
    pub suppressed: Vec<Finding>,
    /// Whether it refuses at all.
    pub enforcement: Enforcement,
    /// How much of it is reported.
    pub detail: Detail,
    /// Whether it is on a change of what members rest on: its findings are those of the members.
    pub of_change: bool,
    /// Of such a change the members that it is refused for.
    pub broken: BTreeSet<ObjectRef>,
    /// How many members such a change touches besides those that were judged.
    pub unjudged: usize,
    /// Kinds of which nothing was heard for so long that what is known of them may be old, and since when: one sentence.
    pub known_as_of: Option<String>,
}

/// A finding that is reported as a warning.
#[derive(Clone, Debug)]
pub struct Warned {
    /// The finding.
    pub finding: Finding,
    /// Why it doesn't refuse.
    pub because: Because,
    /// The member that it is about, where that isn't the object under review.
    pub member: Option<ObjectRef>,
}

impl Warned {
    /// A finding on the object under review.
    pub(crate) fn new(finding: Finding, because: Because) -> Self {
        Self { finding, because, member: None }
    }
}

/// Why a finding is only a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// The policy says so.
    Mild,
    /// The object had this problem already, which otherwise might refuse.
    SameAsBefore,
    /// It would refuse, but what it is about did not work before either.
    BrokenBefore,
    /// The change under review brings it, and such changes are only warned about.
    Change,
    /// A member has this problem already; pods that restart load what makes it.
    LoadedAnew,
    /// It would refuse, but the object could not even be read before.
    UnreadableBefore,
    /// It would refuse, but the policy has nothing refused here.
    NotEnforced,
    /// It would refuse, but what it rests on could not be read afresh: why.
    Unconfirmed(String),
}

/// The object as it is, which a change may not make worse.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Old<'a> {
    /// There is none: a CREATE.
    Absent,
    /// It can't be read, and nothing is worse than that: a repair in steps passes.
    Unreadable,
    /// What is wrong with it, and which of its listeners have another port now.
    Judged(&'a Judgement, &'a Moves),
}

impl Verdict {
    /// Compares what is wrong with the new object with what was wrong with the old one.
    ///
    /// A finding was there before when the old object has one of the same [identity](Finding::identity) and severity,
    /// suppressed or not. Two of one identity where there was one before: one of them is new. Only what is
    /// [compared](is_compared) is looked for. A listener or policy that did not work at all can't be made worse: what a worse problem hid
    /// refuses no repair.
    pub(crate) fn weigh(new: Judgement, old: Old<'_>) -> Self {
        let standings = match old {
            Old::Judged(judgement, moves) => Before::new(judgement, moves).standings(&new.findings, is_compared),
            Old::Absent | Old::Unreadable => vec![Standing::New; new.findings.len()],
        };
        let mut verdict = Self::default();
        for (finding, standing) in new.findings.into_iter().zip(standings) {
            if finding.suppressed.is_some() {
                verdict.suppressed.push(finding);
            } else if standing == Standing::Known {
                verdict.warnings.push(Warned::new(finding, Because::SameAsBefore));
            } else if standing == Standing::BrokenBefore && finding.denies() {
                verdict.warnings.push(Warned::new(finding, Because::BrokenBefore));
            } else if !finding.denies() {
                verdict.warnings.push(Warned::new(finding, Because::Mild));
            } else if matches!(old, Old::Unreadable) {
                verdict.warnings.push(Warned::new(finding, Because::UnreadableBefore));
            } else {
                verdict.denials.push(finding);
            }
        }
        // What would refuse is reported before what never does, and then what is new.
        verdict.warnings.sort_by_key(|warned| (!warned.finding.denies(), warned.because == Because::SameAsBefore));
        verdict
    }

    /// Whether the object may pass.
    pub fn allows(&self) -> bool {
        self.denials.is_empty()
    }

    /// Whether it refuses, and for nothing but calls, whose other ends may change at any time.
    pub(crate) fn denies_only_calls(&self) -> bool {
        !self.allows() && self.denials.iter().all(|finding| finding.problem.site.call.is_some())
    }

    /// Everything that is reported, what refuses first.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.denials.iter().chain(self.warnings.iter().map(|warned| &warned.finding))
    }

    /// What is counted: the code of each finding's rule, and what came of it.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let denied = self.denials.iter().map(|finding| (finding.rule.code, "denied"));
        let warned = self.warnings.iter().map(|warned| {
            let outcome = if warned.because == Because::NotEnforced { "unenforced" } else { "warned" };
            (warned.finding.rule.code, outcome)
        });
        let suppressed = self.suppressed.iter().map(|finding| (finding.rule.code, "suppressed"));
        denied.chain(warned).chain(suppressed)
    }

    /// The Secrets and ConfigMaps that the denials were read from, each once.
    pub(crate) fn rests_on(&self) -> Vec<StoreKey> {
        let mut seen = HashSet::new();
        let stores = self.denials.iter().flat_map(|finding| &finding.problem.site.rests_on);
        stores.filter(|store| seen.insert(*store)).cloned().collect()
    }

    /// Both, of one object.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.denials.extend(other.denials);
        self.warnings.extend(other.warnings);
        self.suppressed.extend(other.suppressed);
        self.broken.extend(other.broken);
        self.unjudged += other.unjudged;
        self
    }

    /// Makes warnings of the denials, where the policy has nothing refused.
    pub(crate) fn enforced(mut self) -> Self {
        if self.enforcement == Enforcement::Warn {
            let denials = std::mem::take(&mut self.denials).into_iter();
            self.warnings.splice(0..0, denials.map(|finding| Warned::new(finding, Because::NotEnforced)));
        }
        self
    }

    /// Makes warnings of the denials that `doubtful` gives a reason to doubt.
    pub(crate) fn soften(&mut self, doubtful: impl Fn(&Finding) -> Option<String>) {
        let mut softened = Vec::new();
        self.denials.retain(|finding| match doubtful(finding) {
            None => true,
            Some(why) => {
                softened.push(Warned::new(finding.clone(), Because::Unconfirmed(why)));
                false
            }
        });
        self.warnings.splice(0..0, softened);
    }
}

/// How each of some findings stands to what was wrong before: everything that is reported counts, warnings too.
pub(crate) fn standings(old: &Judgement, new: &[Finding]) -> Vec<Standing> {
    Before::new(old, &Moves::default()).standings(new, |finding| finding.suppressed.is_none())
}

/// Whether a finding is compared with those of the old object: what refuses, and what is said of a call, which may be
/// reported on the object that didn't break it.
pub(crate) fn is_compared(finding: &Finding) -> bool {
    finding.suppressed.is_none() && (finding.severity == Severity::Deny || finding.problem.site.call.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::fixtures::{finding, judgement};

    fn codes(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.rule.code).collect()
    }

    #[test]
    fn a_new_object_is_refused_for_all_that_denies() {
        let new = judgement([finding("MV206", "listener 1", "a"), finding("MV101", "listener 1", "b").mild()]);
        let verdict = Verdict::weigh(new, Old::Absent);
        assert_eq!(codes(&verdict.denials), ["MV206"]);
        assert_eq!(verdict.warnings.len(), 1);
        assert_eq!(verdict.warnings[0].because, Because::Mild);
        assert!(!verdict.allows());
    }

    #[test]
    fn an_update_is_refused_only_for_what_it_makes_worse() {
        let old = judgement([finding("MV101", "listener 1", "a")]);
        // In other words and at another index, but the same problem of the same listener.
        let moved = finding("MV101", "listener 1", "b").at("/spec/listeners/7");
        let new = judgement([moved, finding("MV206", "listener 1", "c"), finding("MV101", "listener 2", "d")]);
        let verdict = Verdict::weigh(new, Old::Judged(&old, &Moves::default()));
        let mut denied = codes(&verdict.denials);
        denied.sort_unstable();
        assert_eq!(denied, ["MV101", "MV206"]);
        assert_eq!(verdict.warnings.len(), 1);
        assert_eq!(verdict.warnings[0].because, Because::SameAsBefore);
        assert_eq!(verdict.warnings[0].finding.problem.site.anchor, "listener 1");
    }

    #[test]
    fn nothing_is_worse_than_an_object_that_cant_be_read() {
        let verdict = Verdict::weigh(judgement([finding("MV101", "listener 1", "a")]), Old::Unreadable);
        assert!(verdict.allows());
        assert_eq!(verdict.warnings[0].because, Because::UnreadableBefore);
    }

    #[test]
    fn two_where_one_was_before_is_worse_and_the_new_one_is_told() {
        let old = judgement([finding("MV104", "listener 1", "weights")]);
        let new = judgement([finding("MV104", "listener 1", "port"), finding("MV104", "listener 1", "weights")]);
        let verdict = Verdict::weigh(new, Old::Judged(&old, &Moves::default()));
        assert_eq!(verdict.denials.len(), 1);
        assert_eq!(verdict.denials[0].problem.message, "port");
    }

    #[test]
    fn what_did_not_work_before_can_not_be_made_worse() {
        let weigh = |old: Finding, new: Finding| {
            let old = judgement([old]);
            Verdict::weigh(judgement([new]), Old::Judged(&old, &Moves::default()))
        };
        // The file was missing, and the new one has the wrong name.
        let verdict = weigh(finding("MV202", "listener 1", "a"), finding("MV101", "listener 1", "b"));
        assert_eq!(verdict.warnings[0].because, Because::BrokenBefore);
        let verdict = weigh(finding("MV201", "listener 1", "a").mild(), finding("MV101", "listener 1 name x", "b"));
        assert_eq!(verdict.warnings[0].because, Because::BrokenBefore);
        // Another listener, and one that served those who don't verify.
        assert!(!weigh(finding("MV202", "listener 12", "a"), finding("MV101", "listener 1", "b")).allows());
        assert!(!weigh(finding("MV101", "listener 1", "a"), finding("MV202", "listener 1", "b")).allows());
        let call = finding("MV301", "front → blue", "b").between("front", "blue");
        assert!(weigh(finding("MV202", "listener 1", "a"), call).allows());
    }

    #[test]
    fn a_warning_that_becomes_a_denial_is_worse() {
        let old = judgement([finding("MV202", "listener 1", "a").mild()]);
        let new = judgement([finding("MV202", "listener 1", "b")]);
        assert!(!Verdict::weigh(new, Old::Judged(&old, &Moves::default())).allows());
    }

    #[test]
    fn of_a_call_that_only_warns_it_is_told_which_is_new() {
        let call = |finding: Finding| finding.between("front", "blue").mild();
        let old =
            judgement([call(finding("MV305", "front → blue", "a")), finding("MV209", "listener 1", "soon").mild()]);
        let new = judgement([
            call(finding("MV305", "front → blue", "b")),
            call(finding("MV305", "edge → blue", "c")),
            finding("MV209", "listener 1", "soon").mild(),
        ]);
        let verdict = Verdict::weigh(new, Old::Judged(&old, &Moves::default()));
        let told: Vec<(&str, &Because)> =
            verdict.warnings.iter().map(|it| (it.finding.problem.message.as_str(), &it.because)).collect();
        // The call that was broken before comes last.
        assert_eq!(told, [("soon", &Because::Mild), ("c", &Because::Mild), ("b", &Because::SameAsBefore)]);
    }

    #[test]
    fn a_problem_whose_suppression_is_taken_off_was_there_before() {
        let old = judgement([finding("MV101", "listener 1", "a").suppressed("known")]);
        let new = judgement([finding("MV101", "listener 1", "a")]);
        assert!(Verdict::weigh(new, Old::Judged(&old, &Moves::default())).allows());
    }

    #[test]
    fn what_the_owner_left_neither_refuses_nor_warns() {
        let new = judgement([finding("MV101", "listener 1", "a").suppressed("known")]);
        let verdict = Verdict::weigh(new, Old::Absent);
        assert!(verdict.allows());
        assert!(verdict.warnings.is_empty());
        assert_eq!(codes(&verdict.suppressed), ["MV101"]);
    }

    #[test]
    fn what_is_doubtful_is_softened_with_the_reason() {
        let store = StoreKey::secret("shop", "a");
        let resting = finding("MV101", "listener 1", "a").resting_on(&store);
        let mut verdict = Verdict::weigh(judgement([resting, finding("MV004", "listener 1", "b")]), Old::Absent);
        assert_eq!(verdict.rests_on(), [store]);
        verdict.soften(|finding| (!finding.problem.site.rests_on.is_empty()).then(|| "timed out".to_owned()));
        assert_eq!(codes(&verdict.denials), ["MV004"]);
        assert_eq!(verdict.warnings[0].because, Because::Unconfirmed("timed out".to_owned()));
    }
}
