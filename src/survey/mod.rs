//! Judges everything that is there, and draws its map: for `audit`, and for the report of a running webhook.

pub mod baseline;
pub mod fixes;
pub mod map;
mod report;

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::apis::Body;
use crate::aws::{AwsFacts, Question};
use crate::finding::{Finding, Severity};
use crate::k8s::FieldPath;
use crate::k8s::ObjectRef;
use crate::mesh::{CallKey, FreshStores, View, World};
use crate::policy::Policy;
use crate::rules::{self, Surface};
use crate::sources::SharedWorld;
use crate::survey::map::{Map, MapBuilder};

pub use report::{Place, Report, Reported, Unread};

/// What was read besides the world.
#[derive(Debug, Default)]
pub struct Read {
    /// Secrets and ConfigMaps, by name.
    pub stores: FreshStores,
    /// What AWS has answered.
    pub aws: AwsFacts,
}

impl Read {
    /// The world with all of it laid over.
    pub fn view<'a>(&'a self, world: &'a World) -> View<'a> {
        View::with_fresh(world, &self.stores).answered(&self.aws)
    }

    /// What isn't known yet of what the objects of the world's inventory name at AWS.
    pub fn unknown_at_aws(&self, world: &SharedWorld, policy: &Policy) -> BTreeSet<Question> {
        let objects = world.reviewed();
        let asked = |object| world.read(|world| rules::questions_to_ask(object, self.view(world), policy));
        objects.iter().flat_map(|object| asked(object)).collect()
    }

    /// How many of those objects are of a Region or account that isn't known.
    pub fn unplaced(&self, world: &SharedWorld, policy: &Policy) -> usize {
        let objects = world.reviewed();
        objects.iter().filter(|object| world.read(|world| rules::is_unplaced(object, self.view(world), policy))).count()
    }
}

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
    pub fn of(world: &SharedWorld, read: &Read, policy: &Policy, now: Timestamp, namespace: Option<&str>) -> Self {
        let within = |object: &ObjectRef| namespace.is_none_or(|namespace| object.namespace() == namespace);
        let (mut reviewed, undecodable) = (world.reviewed(), world.undecodable());
        // A call is told at the end that is judged first: at the one that was asked about.
        reviewed.sort_by_key(|object| !within(&object.object));
        let mut collector = Collector::default();
        for error in &undecodable {
            if let Some(finding) = world.read(|world| rules::undecodable(error, policy, world)) {
                collector.add(Reported { finding, place: None }, true);
            }
        }
        for object in &reviewed {
            let judgement = world.read(|world| rules::judge(object, read.view(world), policy, now, Surface::Check));
            for finding in judgement.findings {
                let own = finding.object == object.object;
                collector.add(Reported { finding, place: None }, own);
            }
        }
        let mut report = Report { findings: collector.findings, ..Report::default() };
        let mut map = MapBuilder::new(&report, namespace);
        for object in &reviewed {
            if let Body::Member(member) = &object.body {
                world.read(|world| map.member(read.view(world), policy, member));
            }
        }
        let map = map.finish();
        report.findings.retain(|Reported { finding, .. }| {
            let call = finding.problem.site.call.as_ref();
            within(&finding.object) || call.is_some_and(|call| within(&call.client) || within(&call.server))
        });
        report.objects = reviewed.iter().map(|it| &it.object).filter(|object| within(object)).count()
            + undecodable.iter().filter(|it| within(&it.object)).count();
        let judged = reviewed.iter().map(|it| &it.object).chain(undecodable.iter().map(|it| &it.object));
        report.judged = judged.filter(|object| within(object)).map(|object| (object.clone(), None)).collect();
        Self { report, map }
    }
}

/// Collects findings, each once: a workload's annotation is seen from each member that selects it, a call from both its ends.
#[derive(Debug, Default)]
pub struct Collector {
    /// Of each finding its place, and whether it was told of the object under review itself.
    told: HashMap<Known, (usize, bool)>,
    /// What has been collected.
    pub findings: Vec<Reported>,
}

/// What makes two findings one.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Known {
    /// The same, said of the same field.
    Field(&'static str, ObjectRef, FieldPath, String),
    /// The same, said of the same call.
    Call(&'static str, CallKey, String, Option<String>),
}

impl Known {
    fn of(Finding { rule, object, problem, .. }: &Finding) -> Self {
        let site = &problem.site;
        match &site.call {
            Some(call) => Self::Call(rule.code, (**call).clone(), site.anchor.clone(), problem.found.clone()),
            None => Self::Field(rule.code, object.clone(), site.field.clone(), problem.message.clone()),
        }
    }
}

fn weight(finding: &Finding) -> (bool, Severity) {
    (finding.suppressed.is_none(), finding.severity)
}

impl Collector {
    /// Adds a finding, unless it is there already. `own`: it is at the object that was under review.
    pub fn add(&mut self, reported: Reported, own: bool) {
        let finding = &reported.finding;
        match self.told.get_mut(&Known::of(finding)) {
            // What the owner of the object says of it counts; else one who looks at it doesn't ignore it, and the stricter of two
            // policies holds.
            Some((place, known_own)) => {
                let known = self.findings.get_mut(*place);
                let counts = |known: &Reported| match (own, *known_own) {
                    (true, false) => true,
                    (false, true) => false,
                    _ => weight(&known.finding) < weight(finding),
                };
                if let Some(known) = known.filter(|known| counts(known)) {
                    *known_own = own;
                    *known = reported;
                }
            }
            None => {
                self.told.insert(Known::of(finding), (self.findings.len(), own));
                self.findings.push(reported);
            }
        }
    }
}
