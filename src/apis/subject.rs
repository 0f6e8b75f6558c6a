//! What is under review: one object, as the rules see it.

use std::collections::BTreeMap;

use crate::apis::schema::SchemaFault;
use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::{Fact, Hop, Member, Workload};

/// A field that an object's API doesn't know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    /// Where it is, such as `/spec/listeners/0/tlss`.
    pub field: FieldPath,
    /// Its name, such as `tlss`.
    pub name: String,
    /// The field that was probably meant: a name (`tls`) for one that belongs in its place, a path in Kubernetes'
    /// notation (`spec.listeners[].tls`) for one that belongs elsewhere.
    pub meant: Option<String>,
}

/// One object that rules judge, with what decoding it showed.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its name.
    pub object: ObjectRef,
    /// Its own annotations.
    pub annotations: BTreeMap<String, String>,
    /// Fields that its API doesn't have.
    pub unknown_fields: Vec<UnknownField>,
    /// What its API's CustomResourceDefinition refuses: of a manifest. What comes from a cluster has been judged there.
    pub schema_faults: Vec<SchemaFault>,
    /// What the world learns of it, in the order in which [facts](Fact) stand.
    pub facts: Vec<Fact>,
    /// The object in the words of its own API, for the rules on that API's text.
    pub native: Native,
}

/// An object in the words of its own API.
#[derive(Clone, Debug)]
pub enum Native {
    /// Of Kubernetes itself: no rule is about its text.
    Core,
    /// Of App Mesh.
    AppMesh(crate::apis::appmesh::Spec),
    /// Of Gateway API.
    Gateway(crate::apis::gateway::Spec),
    /// An Ingress.
    Ingress(Box<crate::apis::ingress::IngressSpec>),
}

impl Subject {
    /// The member that it is, where it is one.
    pub fn member(&self) -> Option<&Member> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::Member(member) => Some(&**member),
            _ => None,
        })
    }

    /// The hop that it is, where it leads callers to members without being one.
    pub fn hop(&self) -> Option<&Hop> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::Hop(hop) => Some(&**hop),
            _ => None,
        })
    }

    /// The workload that it is, where it is one.
    pub fn workload(&self) -> Option<&Workload> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::Workload(workload) => Some(&**workload),
            _ => None,
        })
    }
}
