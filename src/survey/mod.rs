//! The one judge of many objects: `check`, `audit`, `tree` and the report of a running webhook all come here.
//!
//! ```text
//! Objects ──► Surveyor: look ──stores──► read ─┐         ┌─► Survey: Report, notes
//!               ▲      │ └──questions──► ask ──┤         │
//!               └──────┴─── laid over ◄────────┘  look ──┴─► Map
//! ```
//!
//! One look at an object shows what is wrong with it, and what is to be learnt before that is final. What is learnt is laid
//! over the world, and everything is looked at again, until nothing more is to be learnt. I/O goes through the traits of
//! [`sources`](crate::sources); without a reader, what isn't known stays so.

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
use crate::rules::{self, Examined, Surface};
use crate::survey::map::{Map, MapBuilder};
use crate::survey::objects::Held;

pub(crate) use collect::Collector;
pub(crate) use comments::stray as stray_comments;
pub(crate) use entry::Entry;
pub(crate) use learn::StoresRead;
pub(crate) use objects::Objects;
pub(crate) use report::{Place, Report, Reported, Unread};

/// What was read besides the world.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// What is laid over the world: Secrets and ConfigMaps, by name.
    pub overlay: Overlay,
    /// What AWS has answered.
    pub aws: AwsFacts,
}

impl Read {
    /// The world with all of it laid over.
    pub(crate) fn view<'a>(&'a self, world: &'a World) -> View<'a> {
        View::new(world).over(&self.overlay).answered(&self.aws)
    }
}

/// What judging many objects showed.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The findings.
    pub report: Report,
    /// Certificates and authorities at AWS that nobody asked about.
    pub not_asked: usize,
    /// What a reader should know of what was asked of AWS, one sentence each.
    pub notes: Vec<String>,
    /// The time that it was judged as of.
    pub judged_at: Timestamp,
}

/// Judges all of some objects, and learns what that takes.
///
/// A living world is locked for one object at a time, so that reviews don't wait: an object that changes meanwhile is seen as
/// it is when its turn comes.
#[derive(Debug)]
pub(crate) struct Surveyor<'a> {
    objects: Objects<'a>,
    policy: &'a Policy,
    now: Option<Timestamp>,
    namespace: Option<&'a str>,
    read: Read,
    /// The last look, while it is of all that was learnt.
    look: Option<Look<'a>>,
}

/// What one look at all objects showed.
#[derive(Debug)]
struct Look<'a> {
    judged_at: Timestamp,
    subjects: Vec<Held<'a, Subject>>,
    undecodable: Vec<Held<'a, Undecodable>>,
    findings: Collector<Reported>,
    /// What is to be read first.
    stores: BTreeSet<StoreKey>,
    /// What is to be asked first.
    questions: BTreeSet<Question>,
    /// How many objects are of a Region or account that isn't known.
    unplaced: usize,
    /// How many objects call by groups of services, which the policy doesn\'t count.
    unused_groups: usize,
}

impl<'a> Surveyor<'a> {
    /// Nothing is judged yet. `now`: the time to judge as of; None for that of the look.
    pub(crate) fn new(objects: impl Into<Objects<'a>>, policy: &'a Policy, now: Option<Timestamp>) -> Self {
        Self { objects: objects.into(), policy, now, namespace: None, read: Read::default(), look: None }
    }

    /// With a namespace, only what is in it, or calls it, or is called by it, is reported; everything plays its part in the
    /// judgement all the same.
    #[must_use]
    pub(crate) fn within(self, namespace: Option<&'a str>) -> Self {
        Self { namespace, look: None, ..self }
    }

    /// Begins with what was read before.
    #[must_use]
    pub(crate) fn knowing(self, read: Read) -> Self {
        Self { read, look: None, ..self }
    }

    /// What has been read so far.
    pub(crate) fn read(&self) -> &Read {
        &self.read
    }

    /// The same, to keep.
    pub(crate) fn into_read(self) -> Read {
        self.read
    }

    /// What is wrong, by all that was learnt.
    pub(crate) fn survey(&mut self) -> Survey {
        let mut look = self.take_look();
        let survey = self.everything(&mut look);
        self.told(survey, &look)
    }

    /// The same with a map of it.
    pub(crate) fn survey_with_map(&mut self) -> (Survey, Map) {
        let mut look = self.take_look();
        let survey = self.everything(&mut look);
        let map = self.map(&survey.report, &look);
        (self.told(survey, &look), map)
    }

    /// A map by another report of the same objects.
    pub(crate) fn map_of(&mut self, report: &Report) -> Map {
        let look = self.take_look();
        self.map(report, &look)
    }

    fn map(&self, report: &Report, look: &Look<'_>) -> Map {
        // What is found in other namespaces plays its part on the map.
        let mut map = MapBuilder::new(report, self.namespace);
        let mut members: Vec<_> = look.subjects.iter().map(|held| &held.it).collect();
        // In one order, so that the same world gives the same map where something is left out.
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

    /// The last look; a new one where something was learnt since.
    fn look(&mut self) -> &Look<'a> {
        let look = self.take_look();
        self.look.insert(look)
    }

    fn take_look(&mut self) -> Look<'a> {
        self.look.take().unwrap_or_else(|| self.look_anew())
    }

    /// Judges everything by what is known now.
    fn look_anew(&self) -> Look<'a> {
        let (mut subjects, undecodable) = (self.objects.subjects(), self.objects.undecodable());
        // A call is reported at the end that is judged first: at the one that was asked about.
        subjects.sort_by_key(|held| !self.is_within(&held.it.object));
        let mut look = Look {
            judged_at: self.now.unwrap_or_else(Timestamp::now),
            subjects,
            undecodable,
            findings: Collector::default(),
            stores: BTreeSet::new(),
            questions: BTreeSet::new(),
            unplaced: 0,
            unused_groups: 0,
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
        for Held { it: subject, site } in &look.subjects {
            let Examined { judgement, stores, questions, unplaced, unused_groups, .. } = self.objects.look(|world| {
                rules::examine(subject, self.read.view(world), self.policy, look.judged_at, Surface::Check)
            });
            look.stores.extend(stores);
            look.questions.extend(questions);
            look.unplaced += usize::from(unplaced);
            look.unused_groups += usize::from(unused_groups && self.is_within(&subject.object));
            for finding in judgement.findings {
                let own = finding.object == subject.object;
                let site = if own { *site } else { self.objects.site(&finding.object) };
                let place = self.objects.place(site, &finding);
                look.findings.add(Reported { finding, place }, own);
            }
        }
        look
    }

    /// All that was found, with the owners' comments laid over it: taken from the look.
    fn everything(&self, look: &mut Look<'_>) -> Survey {
        let findings = std::mem::take(&mut look.findings).findings;
        let mut report = Report { findings, errors: self.objects.unread(), ..Report::default() };
        if let Some(manifests) = self.objects.manifests() {
            comments::apply(manifests, self.policy, &mut report);
        }
        Survey {
            report,
            not_asked: learn::not_asked(&look.questions),
            notes: learn::notes(&self.read.aws, look.unplaced, look.unused_groups),
            judged_at: look.judged_at,
        }
    }

    /// Leaves of it what is to be reported: what is within the namespace, and the calls from and to it.
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
    /// Each object that was judged, with its file where it is in one.
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
