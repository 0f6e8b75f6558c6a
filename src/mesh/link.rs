//! One call: a client, the hops in between, and the listener. [`View`](super::View) finds them.

use std::sync::Arc;

use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::attached::Attached;
use crate::mesh::end::{ClientEnd, ServerEnd};
use crate::mesh::hop::{Hop, Outlet, Target};
use crate::mesh::member::Member;
use crate::mesh::service::SERVICE;

/// One path from a client to a server.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    /// The caller.
    pub client: &'a Member,
    /// What the client's policy means for this call.
    pub policy: PolicyInForce<'a>,
    /// The policy's object, where the policy is an object of its own attached to the called object.
    pub attached: Option<&'a Attached>,
    /// The hops in between, from the client's side.
    pub via: Vec<Step<'a>>,
    /// The member that is called.
    pub server: &'a Member,
    /// The listener that is reached.
    pub listener: &'a ServerEnd,
    /// The listeners that the same call may reach instead, each in a link of its own, because nothing on the path names one. Empty
    /// where the listener is certain.
    pub instead: Vec<&'a ServerEnd>,
    /// Whether a weight on the path is 0, so that no request takes it now.
    pub idle: bool,
}

/// A hop on the path, and the outlet taken.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The hop.
    pub hop: &'a Hop,
    /// The outlet.
    pub outlet: &'a Outlet,
}

impl<'a> Step<'a> {
    /// The Kubernetes Service that it leads to, if any.
    pub(in crate::mesh) fn to_service(self) -> Option<&'a ObjectRef> {
        match &self.outlet.to {
            Target::Object(object) if object.is_a(SERVICE) => Some(object),
            _ => None,
        }
    }
}

/// What a client's policy means for one call.
#[derive(Clone, Copy, Debug)]
pub enum PolicyInForce<'a> {
    /// The client uses TLS by this policy: it is enforced, and applies to the listener's port.
    Enforced(&'a ClientEnd),
    /// There is a policy, but it isn't enforced or is for other ports: the server decides.
    NotEnforced(&'a ClientEnd),
    /// No policy: the server decides.
    None,
}

impl<'a> PolicyInForce<'a> {
    /// What a policy means for a listener.
    pub(in crate::mesh) fn of(policy: Option<&'a ClientEnd>, listener: &ServerEnd) -> Self {
        let Some(end) = policy else { return PolicyInForce::None };
        let covered = end.ports.is_empty() || listener.port.is_some_and(|port| end.ports.contains(&port));
        if end.enforce && covered { PolicyInForce::Enforced(end) } else { PolicyInForce::NotEnforced(end) }
    }

    /// The policy, if it is in force.
    pub fn enforced(&self) -> Option<&'a ClientEnd> {
        match self {
            PolicyInForce::Enforced(end) => Some(end),
            PolicyInForce::NotEnforced(_) | PolicyInForce::None => None,
        }
    }

    /// The policy, in force or not.
    pub fn end(&self) -> Option<&'a ClientEnd> {
        match self {
            PolicyInForce::Enforced(end) | PolicyInForce::NotEnforced(end) => Some(end),
            PolicyInForce::None => None,
        }
    }
}

/// What identifies a call: two services that lead to one listener under one policy are the same call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    /// The caller.
    pub client: ObjectRef,
    /// The member that is called.
    pub server: ObjectRef,
    /// The [anchor](ServerEnd::anchor) of the listener.
    pub listener: Arc<str>,
    /// The [anchor](ClientEnd::anchor) of the client's policy for it, enforced or not; None where there is none.
    pub policy: Option<Arc<str>>,
}

impl<'a> Link<'a> {
    /// What the client asks for: the service on the path, else the server itself.
    pub fn service(&self) -> &'a ObjectRef {
        service_of(&self.via).unwrap_or(&self.server.object)
    }

    /// The Kubernetes Service that leads to the pods, where the path ends at one. Callers of it use TLS only if a policy
    /// says so.
    pub fn by_service(&self) -> Option<&'a ObjectRef> {
        self.via.last().and_then(|step| step.to_service())
    }

    /// The field of a hop on the path that leads on.
    pub(crate) fn field_of(&self, hop: &ObjectRef) -> Option<&'a FieldPath> {
        self.via.iter().find(|step| step.hop.object == *hop).map(|step| &step.outlet.field)
    }

    /// Whether both go to the same listener of the same server.
    pub(in crate::mesh) fn is_like(&self, other: &Link<'_>) -> bool {
        self.listener.anchor == other.listener.anchor && self.server.object == other.server.object
    }

    /// How certain the path is; of several paths of one call the most certain counts.
    pub(in crate::mesh) fn certainty(&self) -> (bool, bool) {
        (!self.idle, self.instead.is_empty())
    }
}

/// The service on a path, if any.
pub(in crate::mesh) fn service_of<'a>(via: &[Step<'a>]) -> Option<&'a ObjectRef> {
    let of_mesh = via.iter().map(|step| step.hop).find(|hop| hop.is_service()).map(|hop| &hop.object);
    of_mesh.or_else(|| via.last().and_then(|step| step.to_service()))
}
