//! One call: a client, the hops in between, and the listener that is reached. [`View`](super::View) finds them.

use std::sync::Arc;

use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::attached::Attached;
use crate::mesh::end::{ClientEnd, ServerEnd};
use crate::mesh::hop::{Hop, Outlet, Target};
use crate::mesh::member::Member;
use crate::mesh::service::SERVICE;

/// One way by which a client reaches a server.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    /// The one that calls.
    pub client: &'a Member,
    /// What its policy says of this call.
    pub policy: PolicyInForce<'a>,
    /// The object that the policy is of, where it is one by itself, attached to what is called.
    pub attached: Option<&'a Attached>,
    /// The hops in between, the client's first.
    pub via: Vec<Step<'a>>,
    /// The one that is called.
    pub server: &'a Member,
    /// The listener that is reached.
    pub listener: &'a ServerEnd,
    /// The listeners that the same call may reach instead, each by a link of its own: nothing on the way says which of them is
    /// meant. Empty where it is certain.
    pub instead: Vec<&'a ServerEnd>,
    /// Whether the way there has weight 0, so that no request takes it now.
    pub idle: bool,
}

/// A hop on the way, and the way out of it that is taken.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The hop.
    pub hop: &'a Hop,
    /// The way out.
    pub outlet: &'a Outlet,
}

impl<'a> Step<'a> {
    /// The Service of the cluster that it leads to, where it leads to one.
    pub(in crate::mesh) fn to_service(self) -> Option<&'a ObjectRef> {
        match &self.outlet.to {
            Target::Object(object) if object.is_a(SERVICE) => Some(object),
            _ => None,
        }
    }
}

/// What a client's policy says of one call.
#[derive(Clone, Copy, Debug)]
pub enum PolicyInForce<'a> {
    /// TLS, as this policy has it: it is enforced, and holds for the listener's port.
    Enforced(&'a ClientEnd),
    /// There is a policy that isn't enforced or holds for other ports: the server decides.
    NotEnforced(&'a ClientEnd),
    /// None: the server decides.
    None,
}

impl<'a> PolicyInForce<'a> {
    /// What a policy comes to at a listener.
    pub(in crate::mesh) fn of(policy: Option<&'a ClientEnd>, listener: &ServerEnd) -> Self {
        let Some(end) = policy else { return PolicyInForce::None };
        let covered = end.ports.is_empty() || listener.port.is_some_and(|port| end.ports.contains(&port));
        if end.enforce && covered { PolicyInForce::Enforced(end) } else { PolicyInForce::NotEnforced(end) }
    }

    /// The policy that counts, if one does.
    pub fn enforced(&self) -> Option<&'a ClientEnd> {
        match self {
            PolicyInForce::Enforced(end) => Some(end),
            PolicyInForce::NotEnforced(_) | PolicyInForce::None => None,
        }
    }

    /// The policy, whether it counts or not.
    pub fn end(&self) -> Option<&'a ClientEnd> {
        match self {
            PolicyInForce::Enforced(end) | PolicyInForce::NotEnforced(end) => Some(end),
            PolicyInForce::None => None,
        }
    }
}

/// What tells one call from another: two services that lead to one listener by one policy are the same call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    /// The one that calls.
    pub client: ObjectRef,
    /// The one that is called.
    pub server: ObjectRef,
    /// The [anchor](ServerEnd::anchor) of the listener.
    pub listener: Arc<str>,
    /// The [anchor](ClientEnd::anchor) of the client's policy for it, enforced or not; None where there is none.
    pub policy: Option<Arc<str>>,
}

impl<'a> Link<'a> {
    /// What the client asks for: the service on the way, else the server itself.
    pub fn service(&self) -> &'a ObjectRef {
        service_of(&self.via).unwrap_or(&self.server.object)
    }

    /// The Service of the cluster by which the pods are reached, where the way ends at one. Whoever calls it speaks TLS only by a
    /// policy.
    pub fn by_service(&self) -> Option<&'a ObjectRef> {
        self.via.last().and_then(|step| step.to_service())
    }

    /// The field of an object on the way by which it leads on.
    pub(crate) fn field_of(&self, hop: &ObjectRef) -> Option<&'a FieldPath> {
        self.via.iter().find(|step| step.hop.object == *hop).map(|step| &step.outlet.field)
    }

    /// Whether both are between the same two members, by the same service, to the same listener.
    pub(in crate::mesh) fn is_like(&self, other: &Link<'_>) -> bool {
        self.listener.anchor == other.listener.anchor && self.server.object == other.server.object
    }

    /// How much is certain of it: of several ways of one call the most certain counts.
    pub(in crate::mesh) fn certainty(&self) -> (bool, bool) {
        (!self.idle, self.instead.is_empty())
    }
}

/// The service on a way, if there is one.
pub(in crate::mesh) fn service_of<'a>(via: &[Step<'a>]) -> Option<&'a ObjectRef> {
    let of_mesh = via.iter().map(|step| step.hop).find(|hop| hop.is_service()).map(|hop| &hop.object);
    of_mesh.or_else(|| via.last().and_then(|step| step.to_service()))
}
