//! The judged objects: manifests with their locations, or a live world.

use std::sync::Arc;

use crate::apis::{Subject, Undecodable};
use crate::finding::Finding;
use crate::k8s::ObjectRef;
use crate::mesh::World;
use crate::sources::SharedWorld;
use crate::sources::manifests::{Manifests, Site};
use crate::survey::{Place, Unread, place};
use crate::work;

/// The objects to judge, and their world.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Objects<'a> {
    /// Manifests: objects in the order of their files.
    Manifests(&'a Manifests),
    /// The world's [inventory](SharedWorld::with_inventory): objects ordered by name.
    Living(&'a SharedWorld),
}

/// An object, and its location.
#[derive(Debug)]
pub(super) struct Held<'a, T> {
    pub(super) it: Arc<T>,
    /// None if it isn't in a file.
    pub(super) site: Option<&'a Site>,
}

impl<'a> From<&'a Manifests> for Objects<'a> {
    fn from(manifests: &'a Manifests) -> Self {
        Self::Manifests(manifests)
    }
}

impl<'a> From<&'a SharedWorld> for Objects<'a> {
    fn from(world: &'a SharedWorld) -> Self {
        Self::Living(world)
    }
}

impl<'a> Objects<'a> {
    /// Reads from the world. A live one is locked meanwhile: for one object at a time, so that reviews don't wait.
    pub(super) fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        match self {
            Self::Manifests(manifests) => look(&manifests.world),
            Self::Living(world) => world.read(look),
        }
    }

    /// On how many threads the objects are judged. Reviews go on beside those of a live world.
    pub(super) fn threads(&self) -> usize {
        match self {
            Self::Manifests(_) => work::threads(),
            Self::Living(_) => 1,
        }
    }

    /// The objects that rules judge, in their current state.
    pub(super) fn subjects(&self) -> Vec<Held<'a, Subject>> {
        match self {
            Self::Manifests(manifests) => {
                let objects = manifests.objects.iter();
                objects.map(|it| Held { it: Arc::clone(&it.reviewed), site: Some(&it.site) }).collect()
            }
            Self::Living(world) => world.reviewed().into_iter().map(|it| Held { it, site: None }).collect(),
        }
    }

    /// The objects that can't be read.
    pub(super) fn undecodable(&self) -> Vec<Held<'a, Undecodable>> {
        match self {
            Self::Manifests(manifests) => {
                let objects = manifests.undecodable.iter();
                objects.map(|it| Held { it: Arc::clone(&it.error), site: Some(&it.site) }).collect()
            }
            Self::Living(world) => world.undecodable().into_iter().map(|it| Held { it, site: None }).collect(),
        }
    }

    /// What couldn't be read at all, if the objects are manifests.
    pub(super) fn unread(&self) -> Vec<Unread> {
        let Self::Manifests(manifests) = self else { return Vec::new() };
        let unread = manifests.problems.iter().map(|problem| Unread {
            file: problem.file.clone(),
            line: problem.line,
            column: problem.column,
            message: problem.message.clone(),
        });
        unread.collect()
    }

    /// A judged object's location.
    pub(super) fn site(&self, object: &ObjectRef) -> Option<&'a Site> {
        self.manifests()?.site(object)
    }

    /// The place of a finding on the object at this location.
    pub(super) fn place(&self, site: Option<&Site>, finding: &Finding) -> Option<Place> {
        self.manifests().zip(site).map(|(manifests, site)| place::of_finding(manifests, site, finding))
    }

    /// The manifests, if the objects are from manifests.
    pub(super) fn manifests(&self) -> Option<&'a Manifests> {
        match self {
            Self::Manifests(manifests) => Some(manifests),
            Self::Living(_) => None,
        }
    }
}
