//! What APIs learn of their objects, one by one.

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

/// One thing learnt about the world. An object may come to several, each of another kind; they stand in this order then.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// What has proxies of its own.
    Member(Arc<Member>),
    /// What leads callers to members.
    Hop(Arc<Hop>),
    /// A policy attached to what it is about.
    Attached(Arc<Attached>),
    /// What members belong to.
    Class(Arc<Class>),
    /// Permission to name what is in another namespace.
    Grant(Arc<Grant>),
    /// A top owner of pods.
    Workload(Arc<Workload>),
    /// A Secret or ConfigMap.
    Store(StoreKey, Arc<Store>),
    /// A Secret or ConfigMap that somebody is about to make.
    Promise(Arc<Promise>),
    /// A Service before pods.
    Service(Arc<Service>),
    /// A ServiceAccount, and the role that its annotation gives it at AWS.
    ServiceAccount(ObjectRef, Option<String>),
    /// A namespace and its labels.
    Namespace(String, BTreeMap<String, String>),
}

/// The name of what facts come from, by which they are forgotten again.
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

    /// The policy, where it is one that is attached.
    pub(crate) fn as_attached(&self) -> Option<&Attached> {
        match self {
            Fact::Attached(attached) => Some(attached),
            _ => None,
        }
    }

    /// Whether it was learnt of this object. Secrets, ConfigMaps and namespaces are known by other names.
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
