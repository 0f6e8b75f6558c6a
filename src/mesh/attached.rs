//! Policies that are objects of their own, attached to their targets.

use crate::k8s::ObjectRef;
use crate::mesh::end::ClientEnd;

/// How callers of a target connect to it, unless they have a policy of their own for it (a Gateway API
/// BackendTLSPolicy, an Istio DestinationRule).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The policy's object.
    pub object: ObjectRef,
    /// Its targets: hops or members.
    pub aims: Vec<Aim>,
    /// Of several policies for one target the lowest rank wins (Gateway API: the oldest, in seconds since 1970), then the first by name.
    pub rank: i64,
    /// The policy.
    pub client: ClientEnd,
}

/// One target of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// The object.
    pub target: ObjectRef,
    /// The section of it, by name; None: all of it.
    pub section: Option<String>,
}

impl Attached {
    /// Whether it is attached to exactly this object, or to this section of it.
    pub(crate) fn means(&self, target: &ObjectRef, section: Option<&str>) -> bool {
        self.aims.iter().any(|aim| aim.target == *target && aim.section.as_deref() == section)
    }

    /// Whether it is attached to the whole object.
    pub(crate) fn is_for(&self, target: &ObjectRef) -> bool {
        self.aims.iter().any(|aim| aim.target == *target && aim.section.is_none())
    }
}
