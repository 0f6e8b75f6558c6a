//! Local folders that stand in for mounts (`check --files`).

use crate::k8s::ObjectRef;
use crate::mesh::mounts::{Mount, Mounts, Part, Volume, clean_path};
use crate::mesh::store::StoreKey;

/// A local folder that stands in for a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMount {
    /// The namespace and name of the one member it applies to; None: all members.
    pub member: Option<(String, String)>,
    /// The mount path in the proxy's container, cleaned.
    pub at: String,
    /// The folder's store.
    pub store: StoreKey,
}

impl LocalMount {
    fn holds_for(&self, object: &ObjectRef) -> bool {
        let is_that = |(namespace, name): &(String, String)| namespace == object.namespace() && *name == object.name;
        self.member.as_ref().is_none_or(is_that)
    }
}

/// All folders: those for one member first, then the longest path first.
#[derive(Debug, Default)]
pub(crate) struct Folders(Vec<(LocalMount, Mounts)>);

impl Folders {
    pub(crate) fn add(&mut self, mut mount: LocalMount) {
        mount.at = clean_path(&mount.at);
        let part = Part { store: mount.store.clone(), items: None, optional: false };
        let mounts = Mounts::new(vec![Mount {
            at: mount.at.clone(),
            sub_path: None,
            volume: Volume::Files(vec![part]),
            hidden: Vec::new(),
        }]);
        self.0.push((mount, mounts));
        self.0.sort_by_key(|(mount, _)| std::cmp::Reverse((mount.member.is_some(), mount.at.len())));
    }

    pub(crate) fn of<'a>(&'a self, member: &'a ObjectRef) -> impl Iterator<Item = &'a Mounts> {
        self.0.iter().filter(|(mount, _)| mount.holds_for(member)).map(|(_, mounts)| mounts)
    }
}
