//! One call: a client, the hops in between, and the listener that is reached. [`View`](super::View) finds them.

use std::sync::Arc;

use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::end::{ClientEnd, ServerEnd};
use crate::mesh::hop::{Hop, Outlet};
use crate::mesh::member::Member;

/// One way by which a client reaches a server.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    /// The one that calls.
    pub client: &'a Member,
    /// What its policy says of this call.
    pub policy: PolicyInForce<'a>,
    /// The hops in between, the client's first.
    pub via: Vec<Step<'a>>,
    /// The one that is called.
    pub server: &'a Member,
    /// The listener that is reached.
    pub reaches: Reaches<'a>,
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

/// Which listener a link leads to.
#[derive(Clone, Copy, Debug)]
pub enum Reaches<'a> {
    /// This one.
    One(&'a ServerEnd),
    /// One of these: the way there names no port, and the server has several.
    OneOf(&'a [ServerEnd]),
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
    /// What a policy comes to at listeners of which one is reached.
    pub(in crate::mesh) fn of(policy: Option<&'a ClientEnd>, reaches: &Reaches<'a>) -> Self {
        let Some(end) = policy else { return PolicyInForce::None };
        let covers =
            |listener: &ServerEnd| end.ports.is_empty() || listener.port.is_some_and(|port| end.ports.contains(&port));
        let covered = match reaches {
            Reaches::One(listener) => covers(listener),
            Reaches::OneOf(listeners) => listeners.iter().all(covers),
        };
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

    /// The field of an object on the way by which it leads on.
    pub(crate) fn field_of(&self, hop: &ObjectRef) -> Option<&'a FieldPath> {
        self.via.iter().find(|step| step.hop.object == *hop).map(|step| &step.outlet.field)
    }

    /// Whether both are between the same two members, by the same service, to the same listeners.
    pub(in crate::mesh) fn is_like(&self, other: &Link<'_>) -> bool {
        let listener = match (&self.reaches, &other.reaches) {
            (Reaches::One(one), Reaches::One(other)) => one.anchor == other.anchor,
            (Reaches::OneOf(_), Reaches::OneOf(_)) => true,
            (Reaches::One(_), Reaches::OneOf(_)) | (Reaches::OneOf(_), Reaches::One(_)) => false,
        };
        listener && self.server.object == other.server.object
    }
}

/// The service on a way, if there is one.
pub(in crate::mesh) fn service_of<'a>(via: &[Step<'a>]) -> Option<&'a ObjectRef> {
    via.iter().map(|step| step.hop).find(|hop| hop.is_service()).map(|hop| &hop.object)
}
