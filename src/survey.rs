//! Judges everything that is there, and draws its map: for `audit`, and for the report of a running webhook.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::field::FieldPath;
use crate::mesh::{FreshStores, ObjectRef, View};
use crate::policy::Policy;
use crate::report::map::{Map, MapBuilder};
use crate::report::{Report, Reported};
use crate::rules::{self, Surface};
use crate::sources::{Body, SharedWorld};

/// What judging a whole world showed.
#[derive(Debug, Default)]
pub struct Survey {
    /// The findings.
    pub report: Report,
    /// The same as a map.
    pub map: Map,
}

impl Survey {
    /// Judges all objects of a world's inventory, with newer stores laid over it. With a namespace, only what is in it, or
    /// calls it, or is called by it, is told; everything plays its part in the judgement all the same.
    ///
    /// A living world is locked for one object at a time, so that reviews don't wait: an object that changes meanwhile is
    /// seen as it is when its turn comes.
    pub fn of(
        world: &SharedWorld,
        fresh: &FreshStores,
        policy: &Policy,
        now: Timestamp,
        namespace: Option<&str>,
    ) -> Self {
        let (reviewed, undecodable) = (world.reviewed(), world.undecodable());
        let mut collector = Collector::default();
        for error in &undecodable {
            if let Some(finding) = world.read(|world| rules::undecodable(error, policy, world)) {
                collector.add(Reported { finding, place: None }, true);
            }
        }
        for object in &reviewed {
            let judgement =
                world.read(|world| rules::judge(object, View::with_fresh(world, fresh), policy, now, Surface::Check));
            for finding in judgement.findings {
                let own = finding.object == object.object;
                collector.add(Reported { finding, place: None }, own);
            }
        }
        let within = |object: &ObjectRef| namespace.is_none_or(|namespace| object.namespace() == namespace);
        let mut report = Report { findings: collector.findings, ..Report::default() };
        let mut map = MapBuilder::new(&report, namespace);
        for object in &reviewed {
            if let Body::Member(member) = &object.body {
                world.read(|world| map.member(View::with_fresh(world, fresh), policy, member));
            }
        }
        let map = map.finish();
        report.findings.retain(|reported| within(&reported.finding.object));
        report.objects = reviewed.iter().map(|it| &it.object).filter(|object| within(object)).count()
            + undecodable.iter().filter(|it| within(&it.object)).count();
        Self { report, map }
    }
}

/// Collects findings, each once: a workload's annotation is seen from each member that selects it.
#[derive(Debug, Default)]
pub struct Collector {
    /// Of each finding its place, and whether it was told of the object under review itself.
    told: HashMap<(&'static str, ObjectRef, FieldPath, String), (usize, bool)>,
    /// What has been collected.
    pub findings: Vec<Reported>,
}

impl Collector {
    /// Adds a finding, unless it is there already. `own`: it is at the object that was under review.
    pub fn add(&mut self, reported: Reported, own: bool) {
        let finding = &reported.finding;
        let key = (finding.rule.code, finding.object.clone(), finding.field().clone(), finding.problem.message.clone());
        match self.told.get_mut(&key) {
            // What the owner of the object says of it counts; else one who looks at it doesn't ignore it.
            Some((place, known_own)) => {
                let ignored = |known: &Reported| known.finding.suppressed.is_some() && finding.suppressed.is_none();
                let known = self.findings.get_mut(*place);
                if let Some(known) = known.filter(|known| own || (!*known_own && ignored(known))) {
                    *known_own = own;
                    *known = reported;
                }
            }
            None => {
                self.told.insert(key, (self.findings.len(), own));
                self.findings.push(reported);
            }
        }
    }
}
