//! Policies that are objects of their own, attached to what they are about.

use crate::k8s::ObjectRef;
use crate::mesh::end::ClientEnd;

/// How a caller of a target connects to it, where the caller has no policy of its own for it (a Gateway API
/// BackendTLSPolicy, an Istio DestinationRule).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The policy's object.
    pub object: ObjectRef,
    /// What it is attached to: hops or members.
    pub aims: Vec<Aim>,
    /// Of several for one target the lowest holds (the oldest, as Gateway API has it: seconds since 1970), then the first by name.
    pub rank: i64,
    /// The policy.
    pub client: ClientEnd,
}

/// One thing that a policy is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// The object.
    pub target: ObjectRef,
    /// The part of it that is meant, by its name; None: all of it.
    pub section: Option<String>,
}

impl Attached {
    /// Whether it is attached to an object, or to this section of it.
    pub(crate) fn means(&self, target: &ObjectRef, section: Option<&str>) -> bool {
        self.aims.iter().any(|aim| aim.target == *target && aim.section.as_deref() == section)
    }

    /// Whether it is attached to all of an object.
    pub(crate) fn is_for(&self, target: &ObjectRef) -> bool {
        self.aims.iter().any(|aim| aim.target == *target && aim.section.is_none())
    }
}
