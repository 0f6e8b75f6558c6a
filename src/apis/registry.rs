//! The kinds that facts come from: one row each. Watches, reviews, manifests, `try`, `doctor` and the chart's tests take them from
//! here.

use serde_json::Value;

use crate::apis::entry::{Entry, Input};
use crate::apis::faults::Undecodable;
use crate::apis::proxy::ProxyOf;
use crate::k8s::{ObjectRef, TypeRef};

/// One API, with its kinds.
#[derive(Debug)]
pub struct Api {
    /// What people call it, with what they call its members: `None` for Kubernetes itself, which nothing of is vetted alone.
    pub names: Option<Names>,
    /// The folder of its vocabulary here, and of the rules on it in `rules`.
    pub folder: &'static str,
    /// The group of its members.
    pub group: &'static str,
    /// Its kinds, in the order in which they are listed for people.
    pub kinds: &'static [Row],
    /// How it gives pods a proxy, where it does.
    pub(in crate::apis) proxy: Option<ProxyOf>,
    /// Its CustomResourceDefinitions, as they are generated from what meshvet reads; empty where it needs none.
    pub crds: fn() -> Vec<Value>,
}

/// What people call an API and what is of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// `App Mesh`.
    pub api: &'static str,
    /// One of its objects, with the article: `an App Mesh object`.
    pub object: &'static str,
    /// Those of its objects that have proxies: `virtual node or gateway`.
    pub member: &'static str,
    /// Those of them that call others of the mesh: `virtual node`.
    pub caller: &'static str,
    /// Who makes its objects true: `the App Mesh controller`.
    pub controller: &'static str,
    /// The annotation by which a pod's proxy gets a mount; empty where its members mount nothing.
    pub mount_annotation: &'static str,
    /// The webhook to which its members go, as deploy/ and the chart name it.
    pub webhook: &'static str,
}

impl Api {
    /// Each group and version of its kinds, as `apiVersion` has it.
    pub(crate) fn api_versions(&self) -> Vec<&'static str> {
        let mut found = Vec::new();
        for row in self.kinds {
            if !found.contains(&row.kind.api_version) {
                found.push(row.kind.api_version);
            }
        }
        found
    }
}

/// One kind.
#[derive(Debug)]
pub struct Row {
    /// Its type.
    pub kind: TypeRef,
    /// The `apiVersion` by which its objects are known: the type's own, but where several versions of one kind are read.
    pub known_as: &'static str,
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version in the group.
    pub version: &'static str,
    /// The resource's name in URLs and RBAC.
    pub plural: &'static str,
    /// The name of one, as kubectl prints it.
    pub singular: &'static str,
    /// Whether objects of the kind live in a namespace.
    pub namespaced: bool,
    /// What the kind is to the model.
    pub part: Part,
    /// Whether another workload owns most objects of the kind, so that its metadata tells enough of them.
    pub mostly_owned: bool,
    /// Whether a cluster may well be without the kind, or meshvet without the right to list it: its objects are unknown then, and
    /// nothing waits for them.
    pub optional: bool,
    /// Reads an object of the kind.
    pub(in crate::apis) decode: fn(&'static Row, Input<'_>, &str) -> Result<Entry, Undecodable>,
}

/// What a kind is to the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It has proxies of its own.
    Member,
    /// It leads callers to members.
    Hop,
    /// Members belong to it.
    Class,
    /// Settings that classes name.
    Settings,
    /// A policy that is attached to something.
    Policy,
    /// It lets objects of other namespaces name what is in its own.
    Grant,
    /// It owns pods, which stand there in it.
    Workload(Pods),
    /// It holds files.
    Store,
    /// It makes what holds files: a cert-manager Certificate its Secret.
    Promise,
    /// It stands before pods.
    Service,
    /// Something that the others stand in, or run as.
    Place,
}

/// Where the pods of a workload stand in it. Places are JSON pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pods {
    /// The pod template; of several places the first that an object has. Empty: the object itself is the pod.
    pub templates: &'static [&'static str],
    /// The selector of its pods. Their labels may stand there alone.
    pub selector: Option<&'static str>,
    /// The label that each of its pods has, with the object's name as its value.
    pub name_label: Option<&'static str>,
    /// Where it names another workload whose template it takes in place of its own.
    pub takes: Option<&'static str>,
}

impl Pods {
    /// A template at one place, with nothing else to look at.
    pub(in crate::apis) const fn at(templates: &'static [&'static str]) -> Self {
        Self { templates, selector: None, name_label: None, takes: None }
    }
}

impl Row {
    /// The name of an object of this kind. The namespace of a kind that lives in none is left out.
    pub fn object(&self, namespace: &str, name: &str) -> ObjectRef {
        let (api_version, kind) = (self.known_as, self.kind.kind);
        match self.namespaced {
            true => ObjectRef::new(api_version, kind, namespace, name),
            false => ObjectRef::cluster_scoped(api_version, kind, name),
        }
    }

    /// Whether objects of the kind are vetted at admission: those of an API of meshes.
    pub(crate) fn is_reviewed(&self) -> bool {
        matches!(self.part, Part::Member | Part::Hop | Part::Class | Part::Policy)
    }

    /// The resource as RBAC and `kubectl auth can-i` name it: `pods`, `deployments.apps`.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Row {}
