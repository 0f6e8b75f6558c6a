//! Objects that lead callers to members without being members: services, routers, routes, groups of services.

use std::collections::BTreeMap;

use crate::k8s::{FieldPath, ObjectRef, TypeRef};
use crate::mesh::release::Release;
use crate::mesh::service::SERVICE;

/// One object that leads callers on: where calls come in, and where they go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The object.
    pub object: ObjectRef,
    /// Its labels, by which a gateway may select it.
    pub labels: BTreeMap<String, String>,
    /// What says which release it is of.
    pub release: Release,
    /// Who gets here.
    pub from: Vec<Inlet>,
    /// Where callers are led, in the object's order.
    pub to: Vec<Outlet>,
    /// The hosts of the requests that it takes, each with its field; empty: whatever the listener is for.
    pub hosts: Vec<(String, FieldPath)>,
    /// Whether it only stands for the services that it lists. Callers have policies for those and none for it, and it
    /// counts only where [`Settings::groups`](crate::mesh::Settings) says so.
    pub group: bool,
    /// Whether it may hand connections on as they come: who calls what is behind it isn't known then, and no policy is certain to hold.
    pub raw: bool,
}

/// Who gets to a hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inlet {
    /// Whoever names it: members by their backends, other hops by their outlets.
    Callers,
    /// A gateway that the object names.
    Named {
        /// The gateway.
        parent: ObjectRef,
        /// The one listener of it that is meant, by its name; None: all.
        section: Option<String>,
        /// The port of the listeners that are meant; None: all.
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
    /// The listener's port that is meant, where the object says.
    pub port: Option<u16>,
    /// The hop's own ports at which the requests arrive that go this way; empty where it says nothing of them.
    pub arriving: Vec<u16>,
    /// Whether no request goes there now (a weight of 0).
    pub idle: bool,
    /// The field that names the target.
    pub field: FieldPath,
}

/// What a hop, or a member's backend, names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A member or another hop.
    Object(ObjectRef),
    /// An object of this name in the namespace of the caller.
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
        /// The namespace; None: that of the caller.
        namespace: Option<String>,
    },
    /// Something that no object here stands for, such as a service named by its ARN.
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
    /// Whether a way out of it leads to a Service of the cluster.
    pub(crate) fn leads_to_services(&self) -> bool {
        self.to.iter().any(|outlet| matches!(&outlet.to, Target::Object(object) if object.is_a(SERVICE)))
    }

    /// Whether callers name it and ask for it: the service that a policy may be for.
    pub(crate) fn is_service(&self) -> bool {
        !self.group && self.from.contains(&Inlet::Callers)
    }
}

impl Target {
    /// The object that it names, where it names one.
    pub(crate) fn object(&self) -> Option<&ObjectRef> {
        match self {
            Target::Object(object) => Some(object),
            Target::InCallersNamespace { .. } | Target::Every { .. } | Target::Outside => None,
        }
    }

    /// Whether it may be this object; within: for callers of which namespace, None for all.
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

/// The one namespace whose callers are meant; None: all.
pub(crate) type Within<'o> = Option<&'o str>;
