//! Judges many objects: shared by `check`, `audit`, `tree` and the running webhook's report.
//!
//! ```text
//! Objects ──► Surveyor: look ──stores──► read ─┐         ┌─► Survey: Report, notes
//!               ▲      │ └──questions──► ask ──┤         │
//!               └──────┴─── laid over ◄────────┘  look ──┴─► Map
//! ```
//!
//! One look at an object finds what is wrong, and what has to be learnt before that is final. What is learnt is laid
//! over the world, and everything is looked at again, until nothing is left to learn. I/O goes through the traits of
//! [`sources`](crate::sources); without a reader, unknowns stay unknown.

pub(crate) mod baseline;
mod collect;
mod comments;
mod entry;
pub(crate) mod fixes;
mod learn;
pub(crate) mod map;
mod objects;
mod place;
mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::apis::{Subject, Undecodable};
use crate::aws::{AwsFacts, Question};
use crate::k8s::ObjectRef;
use crate::mesh::{Overlay, StoreKey, View, World};
use crate::policy::Policy;
use crate::rules::{self, Examined, LeftOut, Surface};
use crate::survey::map::{Map, MapBuilder};
use crate::survey::objects::Held;
use crate::work;

pub(crate) use collect::Collector;
pub(crate) use comments::stray as stray_comments;
pub(crate) use entry::Entry;
pub(crate) use learn::StoresRead;
pub(crate) use objects::Objects;
pub(crate) use report::{Place, Report, Reported, Unread};

/// How many objects a thread judges before it takes others.
const AT_ONCE: usize = 64;

/// What was read in addition to the world.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// What is laid over the world: Secrets and ConfigMaps, by name.
    pub overlay: Overlay,
    /// AWS's answers.
    pub aws: AwsFacts,
}

impl Read {
    /// The world with all of this laid over it.
    pub(crate) fn view<'a>(&'a self, world: &'a World) -> View<'a> {
        View::new(world).over(&self.overlay).answered(&self.aws)
    }
}

/// The result of judging many objects.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The findings.
    pub report: Report,
    /// The number of certificates and authorities in AWS that weren't asked about.
    pub not_asked: usize,
    /// Notes for the user about questions to AWS, one sentence each.
    pub notes: Vec<String>,
    /// The time as of which it was judged.
    pub judged_at: Timestamp,
}

/// Judges objects, and learns what is needed for that.
///
/// Manifests are judged on all cores. A live world is locked for one object at a time, so that reviews don't wait: an object that changes meanwhile is judged
/// in its state when its turn comes.
#[derive(Debug)]
pub(crate) struct Surveyor<'a> {
    objects: Objects<'a>,
    policy: &'a Policy,
    now: Option<Timestamp>,
    namespace: Option<&'a str>,
    read: Read,
    /// The last look, until something more is learnt.
    look: Option<Look<'a>>,
}

/// The result of one look at all objects.
#[derive(Debug)]
struct Look<'a> {
    judged_at: Timestamp,
    subjects: Vec<Held<'a, Subject>>,
    undecodable: Vec<Held<'a, Undecodable>>,
    findings: Collector<Reported>,
    /// What has to be read first.
    stores: BTreeSet<StoreKey>,
    /// What has to be asked first.
    questions: BTreeSet<Question>,
    /// How many objects have an unknown Region or account.
    unplaced: usize,
    /// What isn't judged.
    left_out: LeftOut,
}

impl<'a> Surveyor<'a> {
    /// A surveyor that has judged nothing yet. `now`: the time as of which to judge; None: the time of each look.
    pub(crate) fn new(objects: impl Into<Objects<'a>>, policy: &'a Policy, now: Option<Timestamp>) -> Self {
        Self { objects: objects.into(), policy, now, namespace: None, read: Read::default(), look: None }
    }

    /// With a namespace, only its objects and their calls are reported; everything else still affects the
    /// judgement.
    #[must_use]
    pub(crate) fn within(self, namespace: Option<&'a str>) -> Self {
        Self { namespace, look: None, ..self }
    }

    /// Starts with what was read before.
    #[must_use]
    pub(crate) fn knowing(self, read: Read) -> Self {
        Self { read, look: None, ..self }
    }

    /// What has been read so far.
    pub(crate) fn read(&self) -> &Read {
        &self.read
    }

    /// Takes what has been read.
    pub(crate) fn into_read(self) -> Read {
        self.read
    }

    /// The findings, with everything that was learnt.
    pub(crate) fn survey(&mut self) -> Survey {
        let mut look = self.take_look();
        let survey = self.everything(&mut look);
        self.told(survey, &look)
    }

    /// The same, with a map.
    pub(crate) fn survey_with_map(&mut self) -> (Survey, Map) {
        let mut look = self.take_look();
        let survey = self.everything(&mut look);
        let map = self.map(&survey.report, &look);
        (self.told(survey, &look), map)
    }

    /// A map with another report of the same objects.
    pub(crate) fn map_of(&mut self, report: &Report) -> Map {
        let look = self.take_look();
        self.map(report, &look)
    }

    fn map(&self, report: &Report, look: &Look<'_>) -> Map {
        // Findings in other namespaces matter for the map.
        let mut map = MapBuilder::new(report, self.namespace);
        let mut members: Vec<_> = look.subjects.iter().map(|held| &held.it).collect();
        // Sorted, so that the same world gives the same map even if something is left out.
        members.sort_by_key(|subject| (!self.is_within(&subject.object), &subject.object));
        for subject in members {
            if let Some(member) = subject.member() {
                self.objects.look(|world| map.member(self.read.view(world), self.policy, member));
            }
        }
        map.finish()
    }

    fn is_within(&self, object: &ObjectRef) -> bool {
        self.namespace.is_none_or(|namespace| object.namespace() == namespace)
    }

    /// The last look; a new one if something was learnt since.
    fn look(&mut self) -> &Look<'a> {
        let look = self.take_look();
        self.look.insert(look)
    }

    fn take_look(&mut self) -> Look<'a> {
        self.look.take().unwrap_or_else(|| self.look_anew())
    }

    /// Judges everything with what is known now.
    fn look_anew(&self) -> Look<'a> {
        let (mut subjects, undecodable) = (self.objects.subjects(), self.objects.undecodable());
        // A call is reported at the end that is judged first: the end in the requested namespace.
        subjects.sort_by_key(|held| !self.is_within(&held.it.object));
        let mut look = Look {
            judged_at: self.now.unwrap_or_else(Timestamp::now),
            subjects,
            undecodable,
            findings: Collector::default(),
            stores: BTreeSet::new(),
            questions: BTreeSet::new(),
            unplaced: 0,
            left_out: LeftOut::default(),
        };
        for Held { it: error, site } in &look.undecodable {
            let Examined { judgement, stores, questions, .. } = self.objects.look(|world| {
                let view = self.read.view(world);
                rules::examine_undecodable(error, view, self.policy, look.judged_at, Surface::Check)
            });
            look.stores.extend(stores);
            look.questions.extend(questions);
            for finding in judgement.findings {
                let place = self.objects.place(*site, &finding);
                look.findings.add(Reported { finding, place }, true);
            }
        }
        let subjects = std::mem::take(&mut look.subjects);
        let judged_at = look.judged_at;
        let examine = |some: &'_ [Held<'a, Subject>]| -> Vec<Examined> {
            let examine = |subject| {
                let look =
                    |world: &_| rules::examine(subject, self.read.view(world), self.policy, judged_at, Surface::Check);
                self.objects.look(look)
            };
            some.iter().map(|held| examine(&held.it)).collect()
        };
        let mut places = subjects.iter();
        work::in_order(self.objects.threads(), subjects.chunks(AT_ONCE), examine, |examined| {
            // The objects second: zip asks the first for one more than it returns.
            for (examined, held) in examined.into_iter().zip(places.by_ref()) {
                self.note(&mut look, held, examined);
            }
        });
        look.subjects = subjects;
        look
    }

    /// Notes what one look at an object showed.
    fn note(&self, look: &mut Look<'a>, Held { it: subject, site }: &Held<'a, Subject>, examined: Examined) {
        let Examined { judgement, stores, questions, unplaced, left_out, .. } = examined;
        look.stores.extend(stores);
        look.questions.extend(questions);
        look.unplaced += usize::from(unplaced);
        if self.is_within(&subject.object) {
            look.left_out.add(left_out);
        }
        for finding in judgement.findings {
            let own = finding.object == subject.object;
            let site = if own { *site } else { self.objects.site(&finding.object) };
            let place = self.objects.place(site, &finding);
            look.findings.add(Reported { finding, place }, own);
        }
    }

    /// All findings of a look, with ignore comments applied.
    fn everything(&self, look: &mut Look<'_>) -> Survey {
        let findings = std::mem::take(&mut look.findings).findings;
        let mut report = Report { findings, errors: self.objects.unread(), ..Report::default() };
        if let Some(manifests) = self.objects.manifests() {
            comments::apply(manifests, self.policy, &mut report);
        }
        let mut notes = learn::notes(&self.read.aws, look.unplaced, &look.left_out);
        notes.extend(self.objects.look(|world| rules::unmet(self.read.view(world), self.policy)));
        Survey { report, not_asked: learn::not_asked(&look.questions), notes, judged_at: look.judged_at }
    }

    /// Keeps what is to be reported: what is in the namespace, and the calls from and to it.
    fn told(&self, mut survey: Survey, look: &Look<'_>) -> Survey {
        let report = &mut survey.report;
        report.findings.retain(|Reported { finding, .. }| {
            let call = finding.problem.site.call.as_ref();
            self.is_within(&finding.object)
                || call.is_some_and(|call| self.is_within(&call.client) || self.is_within(&call.server))
        });
        report.judged = look.judged(&self.objects);
        report.judged.retain(|(object, _)| self.is_within(object));
        report.objects = report.judged.len();
        survey
    }
}

impl Look<'_> {
    /// Each judged object, with its file if it is in one.
    fn judged(&self, objects: &Objects<'_>) -> Vec<(ObjectRef, Option<String>)> {
        let manifests = objects.manifests();
        let file = |site| manifests.zip(site).and_then(|(manifests, site)| place::file(manifests, site));
        let read = self.subjects.iter().map(|held| (held.it.object.clone(), file(held.site)));
        let unread = self.undecodable.iter().map(|held| (held.it.object.clone(), file(held.site)));
        // The order in which JUnit lists them.
        match objects {
            Objects::Manifests(_) => unread.chain(read).collect(),
            Objects::Living(_) => read.chain(unread).collect(),
        }
    }
}
