//! A change of something that members rest on: a workload, a Secret or ConfigMap, a namespace, a Service, a mesh; or a member or a way to one that goes.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::apis::{Entry, Part, Row, decode_listed, row_of};
use crate::mesh::{Fact, FactId, Overlay, Release};

/// What kind of thing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// A workload.
    Workload,
    /// A Secret or ConfigMap.
    Store,
    /// A namespace.
    Namespace,
    /// A Service before pods.
    Service,
    /// A class, such as a mesh.
    Class,
    /// A member, or what leads to one.
    Member,
    /// Leave to name what lies in another namespace.
    Grant,
}

/// What changes of what members rest on.
#[derive(Clone, Debug)]
pub struct Moved {
    /// What it is.
    pub rest: Rest,
    /// What its facts go by.
    pub id: FactId,
    /// The release that it is of, as it will be or was.
    pub release: Release,
    /// What holds of it before the change.
    pub before: Vec<Fact>,
    /// What holds of it afterwards; nothing, where it is deleted.
    pub after: Vec<Fact>,
    /// Whether it goes.
    pub gone: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Head {
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl Moved {
    /// What a request changes. None where members don't rest on it, where it is a new object of a mesh, which is judged itself, and where it
    /// can't be read.
    pub(super) fn of(
        group: &str,
        version: &str,
        kind: &str,
        namespace: &str,
        new: Option<&str>,
        old: Option<&str>,
    ) -> Option<Self> {
        let row = row_of(group, version, kind)?;
        let rest = match row.part {
            Part::Workload(_) => Rest::Workload,
            Part::Store => Rest::Store,
            Part::Place if kind == "Namespace" => Rest::Namespace,
            Part::Service => Rest::Service,
            Part::Class if old.is_some() => Rest::Class,
            Part::Member | Part::Hop if new.is_none() => Rest::Member,
            // A new one takes nothing away.
            Part::Grant if old.is_some() => Rest::Grant,
            Part::Member
            | Part::Hop
            | Part::Class
            | Part::Settings
            | Part::Policy
            | Part::Grant
            | Part::Promise
            | Part::Place => return None,
        };
        let (before, after) = (facts(row, old, namespace)?, facts(row, new, namespace)?);
        let id = after.0.or(before.0)?;
        let head = new.or(old).and_then(|raw| serde_json::from_str::<Head>(raw).ok()).unwrap_or_default();
        let release = Release::of(&head.metadata.labels, &head.metadata.annotations);
        Some(Self { rest, id, release, before: before.1, after: after.1, gone: new.is_none() })
    }

    /// The world with the object as it was.
    pub(super) fn overlay_before(&self) -> Overlay {
        self.overlay(&self.before)
    }

    /// The world with the object as it will be.
    pub(super) fn overlay_after(&self) -> Overlay {
        self.overlay(&self.after)
    }

    fn overlay(&self, facts: &[Fact]) -> Overlay {
        let forgotten = if facts.is_empty() { vec![self.id.clone()] } else { Vec::new() };
        Overlay { learnt: facts.to_vec(), forgotten, ..Overlay::default() }
    }
}

/// The facts of an object and the name they go by; none of an object that isn't there. None where it can't be read.
fn facts(row: &'static Row, raw: Option<&str>, namespace: &str) -> Option<(Option<FactId>, Vec<Fact>)> {
    let Some(raw) = raw else { return Some((None, Vec::new())) };
    match decode_listed(row, raw.as_bytes(), namespace).ok()? {
        Entry::Subject(subject) => Some((subject.facts.first().map(Fact::id), subject.facts)),
        Entry::Fact(fact) => Some((Some(fact.id()), vec![fact])),
        Entry::Nothing(id) => Some((Some(id), Vec::new())),
        Entry::Other => None,
    }
}
