//! Objects that lead callers to members without being members: services, routers, routes, groups of services.

use crate::k8s::{FieldPath, Labels, ObjectRef, TypeRef};
use crate::mesh::release::Release;
use crate::mesh::service::SERVICE;

/// An object that leads callers on: where calls come in, and where they go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The object.
    pub object: ObjectRef,
    /// Its labels, which a gateway may select.
    pub labels: Labels,
    /// Which release it belongs to.
    pub release: Release,
    /// Where its callers come from.
    pub from: Vec<Inlet>,
    /// Where callers are led, in the object's order.
    pub to: Vec<Outlet>,
    /// The hosts of the requests that it takes, each with its field; empty: all hosts of the listener.
    pub hosts: Vec<(String, FieldPath)>,
    /// Whether it only stands for the services that it lists. Callers have policies for those and none for the group, which
    /// is ignored unless [`Settings::groups`](crate::mesh::Settings) is set.
    pub group: bool,
    /// Whether it may pass connections through unchanged: then it isn't known who calls what is behind it, and no policy is sure to apply.
    pub raw: bool,
}

/// Where a hop's callers come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inlet {
    /// Any object that refers to it: members by their backends, other hops by their outlets.
    Callers,
    /// A gateway that the object names.
    Named {
        /// The gateway.
        parent: ObjectRef,
        /// The one listener of the gateway, by name; None: all.
        section: Option<String>,
        /// The port of the gateway's listeners; None: all.
        port: Option<u16>,
        /// The field that names it.
        field: FieldPath,
    },
    /// Every gateway that [selects](crate::mesh::RouteSelector) it.
    Selected,
}

/// One way out of a hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// Where it leads.
    pub to: Target,
    /// The listener's port, where the object names one.
    pub port: Option<u16>,
    /// The hop's own ports whose requests go this way; empty where the object names none.
    pub arriving: Vec<u16>,
    /// Whether no request goes there now (its weight is 0).
    pub idle: bool,
    /// The field that names the target.
    pub field: FieldPath,
}

/// The target of a hop's outlet or of a member's backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A member or another hop.
    Object(ObjectRef),
    /// An object with this name in the caller's namespace.
    InCallersNamespace {
        /// Its type.
        kind: TypeRef,
        /// Its name.
        name: String,
    },
    /// Every object of a type in a namespace.
    Every {
        /// The type.
        kind: TypeRef,
        /// The namespace; None: the caller's.
        namespace: Option<String>,
    },
    /// Something that no object in the cluster represents, such as a service named by its ARN.
    Outside,
}

impl Inlet {
    /// The gateway that is named.
    pub(crate) fn parent(&self) -> Option<&ObjectRef> {
        match self {
            Inlet::Named { parent, .. } => Some(parent),
            Inlet::Callers | Inlet::Selected => None,
        }
    }
}

impl Hop {
    /// Whether an outlet leads to a Kubernetes Service.
    pub(crate) fn leads_to_services(&self) -> bool {
        self.to.iter().any(|outlet| matches!(&outlet.to, Target::Object(object) if object.is_a(SERVICE)))
    }

    /// Whether callers refer to it directly: a service that a policy may apply to.
    pub(crate) fn is_service(&self) -> bool {
        !self.group && self.from.contains(&Inlet::Callers)
    }
}

impl Target {
    /// The object, where the target is one.
    pub(crate) fn object(&self) -> Option<&ObjectRef> {
        match self {
            Target::Object(object) => Some(object),
            Target::InCallersNamespace { .. } | Target::Every { .. } | Target::Outside => None,
        }
    }

    /// Whether the target may be this object, and for callers of which namespace.
    pub(crate) fn leads_to<'o>(&self, object: &'o ObjectRef) -> Option<Within<'o>> {
        match self {
            Target::Object(named) => (named == object).then_some(None),
            Target::InCallersNamespace { kind, name } => {
                (object.is_a(*kind) && object.name == *name).then(|| Some(object.namespace()))
            }
            Target::Every { kind, namespace: Some(namespace) } => {
                (object.is_a(*kind) && object.namespace() == namespace).then_some(None)
            }
            Target::Every { kind, namespace: None } => object.is_a(*kind).then(|| Some(object.namespace())),
            Target::Outside => None,
        }
    }
}

/// The one namespace whose callers are concerned; None: all.
pub(crate) type Within<'o> = Option<&'o str>;
