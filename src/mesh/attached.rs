//! Policies that are objects of their own, attached to what they are about.

use crate::k8s::ObjectRef;
use crate::mesh::end::ClientEnd;

/// How whoever calls a target connects to it, where the caller has no policy of its own for it (a Gateway API
/// BackendTLSPolicy, an Istio DestinationRule).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The policy's object.
    pub object: ObjectRef,
    /// What it is attached to: a hop or a member.
    pub target: ObjectRef,
    /// Of several for one target the lowest holds (the oldest, as Gateway API has it: seconds since 1970), then the first by name.
    pub rank: i64,
    /// The policy.
    pub client: ClientEnd,
}
