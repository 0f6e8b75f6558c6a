//! What sources report of each object.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::k8s::ObjectRef;
use crate::mesh::attached::Attached;
use crate::mesh::class::Class;
use crate::mesh::grant::Grant;
use crate::mesh::hop::Hop;
use crate::mesh::member::Member;
use crate::mesh::promise::Promise;
use crate::mesh::service::Service;
use crate::mesh::store::{Store, StoreKey};
use crate::mesh::workload::Workload;

/// One thing known. One object may yield several facts, each of another kind; they are kept in the order of the variants.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A node or gateway with its own proxies.
    Member(Arc<Member>),
    /// An object that leads callers to members.
    Hop(Arc<Hop>),
    /// A policy attached to its targets.
    Attached(Arc<Attached>),
    /// A mesh or a gateway class.
    Class(Arc<Class>),
    /// Permission to refer to objects in another namespace.
    Grant(Arc<Grant>),
    /// A top owner of pods.
    Workload(Arc<Workload>),
    /// A Secret or ConfigMap.
    Store(StoreKey, Arc<Store>),
    /// A Secret or ConfigMap that another object will create.
    Promise(Arc<Promise>),
    /// A Service in front of pods.
    Service(Arc<Service>),
    /// A ServiceAccount, and the AWS role in its annotation.
    ServiceAccount(ObjectRef, Option<String>),
    /// A namespace and its labels.
    Namespace(String, BTreeMap<String, String>),
}

/// What facts come from; used to forget them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactId {
    /// An object other than the two below.
    Object(ObjectRef),
    /// A Secret or ConfigMap.
    Store(StoreKey),
    /// A namespace.
    Namespace(String),
}

impl Fact {
    /// What to forget when this fact no longer holds.
    pub fn id(&self) -> FactId {
        let object = match self {
            Fact::Member(member) => &member.object,
            Fact::Hop(hop) => &hop.object,
            Fact::Attached(attached) => &attached.object,
            Fact::Class(class) => &class.object,
            Fact::Grant(grant) => &grant.object,
            Fact::Workload(workload) => &workload.object,
            Fact::Promise(promise) => &promise.object,
            Fact::Service(service) => &service.object,
            Fact::ServiceAccount(object, _) => object,
            Fact::Store(key, _) => return FactId::Store(key.clone()),
            Fact::Namespace(name, _) => return FactId::Namespace(name.clone()),
        };
        FactId::Object(object.clone())
    }

    /// The attached policy, if it is one.
    pub(crate) fn as_attached(&self) -> Option<&Attached> {
        match self {
            Fact::Attached(attached) => Some(attached),
            _ => None,
        }
    }

    /// Whether it comes from this object. Secrets, ConfigMaps and namespaces are identified otherwise.
    pub(crate) fn is_of(&self, wanted: &ObjectRef) -> bool {
        match self {
            Fact::Member(member) => member.object == *wanted,
            Fact::Hop(hop) => hop.object == *wanted,
            Fact::Attached(attached) => attached.object == *wanted,
            Fact::Class(class) => class.object == *wanted,
            Fact::Grant(grant) => grant.object == *wanted,
            Fact::Workload(workload) => workload.object == *wanted,
            Fact::Promise(promise) => promise.object == *wanted,
            Fact::Service(service) => service.object == *wanted,
            Fact::ServiceAccount(object, _) => object == wanted,
            Fact::Store(..) | Fact::Namespace(..) => false,
        }
    }
}
