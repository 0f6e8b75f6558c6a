//! The problems of every object, as of its last judgement. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::apis::{Part, Row, row};
use crate::finding::Finding;
use crate::k8s::ObjectRef;
use crate::sources::Touched;
use crate::survey::Collector;

/// The problems of every object, by the judged object.
#[derive(Debug, Default)]
pub struct Board {
    subjects: BTreeMap<ObjectRef, Kept>,
    /// Findings about objects that can't be read.
    undecodable: Vec<Seen>,
}

/// The result of judging one object.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) findings: Vec<Finding>,
    /// When the passing of time alone may change it.
    pub(super) until: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Kept {
    findings: Vec<Seen>,
    until: Option<Timestamp>,
}

/// A finding, and the object that was judged when it was found.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The finding.
    pub finding: Arc<Finding>,
    /// The judged object.
    pub subject: Arc<ObjectRef>,
}

impl AsRef<Finding> for Seen {
    fn as_ref(&self) -> &Finding {
        &self.finding
    }
}

impl Board {
    /// Stores the result of judging an object; None if the object is gone.
    pub(super) fn place(&mut self, object: &ObjectRef, judged: Option<Judged>) {
        let Some(Judged { findings, until }) = judged else {
            self.subjects.remove(object);
            return;
        };
        let subject = Arc::new(object.clone());
        let seen = |finding| Seen { finding: Arc::new(finding), subject: Arc::clone(&subject) };
        let kept = Kept { findings: findings.into_iter().map(seen).collect(), until };
        self.subjects.insert(object.clone(), kept);
    }

    /// Replaces all findings about objects that can't be read.
    pub(super) fn place_undecodable(&mut self, findings: impl IntoIterator<Item = Finding>) {
        let seen = findings.into_iter().map(|finding| {
            let subject = Arc::new(finding.object.clone());
            Seen { finding: Arc::new(finding), subject }
        });
        self.undecodable = seen.collect();
    }

    /// The objects to judge again: of the known ones (`reviewed` are those that exist now) those that are affected, and those whose time
    /// has come.
    pub(super) fn wanted(
        &self,
        touched: &Touched,
        reviewed: BTreeSet<ObjectRef>,
        now: Timestamp,
    ) -> BTreeSet<ObjectRef> {
        let due = self.subjects.iter().filter(|(_, kept)| kept.until.is_some_and(|until| until <= now));
        let mut wanted: BTreeSet<ObjectRef> = due.map(|(object, _)| object.clone()).collect();
        let is_touched = |object: &ObjectRef| {
            touched.everybody || touched.objects.contains(object) || touched.namespaces.contains(object.namespace())
        };
        wanted.extend(self.subjects.keys().filter(|object| is_touched(object)).cloned());
        wanted.extend(reviewed.into_iter().filter(is_touched));
        wanted
    }

    /// When the passing of time alone may next change anything.
    pub(super) fn until(&self) -> Option<Timestamp> {
        self.subjects.values().filter_map(|kept| kept.until).min()
    }

    /// The objects that have their own proxies.
    pub(super) fn members(&self) -> impl Iterator<Item = &ObjectRef> {
        let part = |object: &ObjectRef| row(&object.api_version, &object.kind).map(|row| row.part);
        self.subjects.keys().filter(move |object| part(object) == Some(Part::Member))
    }

    /// How many mesh objects have been judged, by kind.
    pub(super) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        let is_of_the_mesh = |object: &&ObjectRef| row(&object.api_version, &object.kind).is_some_and(Row::is_reviewed);
        for object in self.subjects.keys().filter(is_of_the_mesh) {
            *counts.entry(object.kind.to_string()).or_default() += 1;
        }
        counts
    }

    /// All problems, each once, as in `audit`; suppressed ones included.
    pub fn problems(&self) -> Vec<Seen> {
        let mut collector = Collector::default();
        let all = self.undecodable.iter().chain(self.subjects.values().flat_map(|kept| &kept.findings));
        for seen in all {
            collector.add(seen.clone(), seen.finding.object == *seen.subject);
        }
        collector.findings
    }
}
