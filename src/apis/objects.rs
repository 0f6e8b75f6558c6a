//! From one Kubernetes object, as JSON, to what meshvet keeps of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::apis::appmesh::decode::{Decoded, decode_json, decode_value};
use crate::apis::appmesh::{
    API_VERSION, BackendGroup, GatewayRoute, Kind, Mesh, Resource, VirtualGateway, VirtualNode, VirtualRouter,
    VirtualService,
};
use crate::apis::appmesh::{gateway_member, node_member};
use crate::apis::core::{stores, workloads};
use crate::apis::lists::{MOST_LISTED, lists_too_much};
use crate::apis::{Body, DecodeError, Subject};
use crate::k8s::{FieldPath, Metadata, ObjectRef};
use crate::mesh::{Fact, FactId, StoreKey};

/// The annotation by which EKS gives a ServiceAccount a role (IAM roles for service accounts).
const ROLE_ARN: &str = "eks.amazonaws.com/role-arn";

/// What an object is to meshvet.
#[derive(Clone, Debug)]
pub enum Entry {
    /// One that rules judge. A workload with `learn: false` is not a top owner, is finished or has no replicas: it is
    /// judged nowhere, and the world forgets it.
    Subject(Box<Subject>),
    /// A fact that is not judged itself: a Secret, a ConfigMap, a namespace.
    Fact(Fact),
    /// Of a kind that meshvet reads, but it says nothing now (a Deployment without replicas): forget it.
    Nothing(FactId),
    /// Of a kind that meshvet doesn't read.
    Other,
}

/// An object that can't be read (MV006).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// Which object, as far as it says.
    pub object: ObjectRef,
    /// Where in it; the root for the object as a whole.
    pub field: FieldPath,
    /// Why.
    pub message: String,
}

impl Undecodable {
    fn new(object: ObjectRef, error: DecodeError) -> Self {
        Self { object, field: error.field, message: error.message }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Head {
    api_version: String,
    kind: String,
    metadata: Name,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Name {
    name: Option<String>,
    namespace: Option<String>,
}

/// Decodes any object. `namespace` is where it stands when it doesn't say.
///
/// # Errors
/// [`Undecodable`], with the place in the object, when it is of a kind that meshvet reads and its values aren't.
pub fn decode_object(value: Value, namespace: &str) -> Result<Entry, Undecodable> {
    let head = Head::deserialize(&value).unwrap_or_default();
    let own = head.metadata.namespace.as_deref().filter(|own| !own.is_empty()).unwrap_or(namespace).to_owned();
    let name = head.metadata.name.clone().unwrap_or_default();
    let object = ObjectRef::new(&head.api_version, &head.kind, &own, &name);
    match (head.api_version.as_str(), head.kind.as_str()) {
        (API_VERSION, kind) => match kind.parse::<Kind>() {
            Ok(kind) => decode_kind(kind, Input::Value(value), &own).map(|found| Entry::Subject(Box::new(found))),
            Err(_) => Ok(Entry::Other),
        },
        ("v1", "Secret") => {
            let key = StoreKey::secret(&own, &name);
            stores::secret_from_value(value)
                .map(|store| Entry::Fact(Fact::Store(key, Arc::new(store))))
                .map_err(|error| Undecodable::new(object, error))
        }
        ("v1", "ConfigMap") => {
            let key = StoreKey::config_map(&own, &name);
            stores::config_map_from_value(value)
                .map(|store| Entry::Fact(Fact::Store(key, Arc::new(store))))
                .map_err(|error| Undecodable::new(object, error))
        }
        ("v1", "Namespace") => {
            let labels = value.pointer("/metadata/labels").and_then(|labels| BTreeMap::deserialize(labels).ok());
            Ok(Entry::Fact(Fact::Namespace(name, labels.unwrap_or_default())))
        }
        ("v1", "ServiceAccount") => {
            let role =
                value.pointer("/metadata/annotations").and_then(|annotations| annotations.get(ROLE_ARN)?.as_str());
            Ok(Entry::Fact(Fact::ServiceAccount(object, role.map(str::to_owned))))
        }
        (group, kind) if workloads::is_workload(group, kind) => {
            let annotations = value
                .pointer("/metadata/annotations")
                .and_then(|annotations| BTreeMap::deserialize(annotations).ok())
                .unwrap_or_default();
            let found =
                workloads::decode(value, object.clone()).map_err(|error| Undecodable::new(object.clone(), error))?;
            Ok(match found {
                None => Entry::Nothing(FactId::Object(object)),
                Some(workload) => Entry::Subject(Box::new(Subject {
                    object,
                    annotations,
                    unknown_fields: Vec::new(),
                    body: Body::Workload(Arc::new(workload)),
                })),
            })
        }
        _ => Ok(Entry::Other),
    }
}

/// Decodes an object of one App Mesh kind from JSON text: the path of an admission review.
///
/// # Errors
/// [`Undecodable`], with the place in the object.
pub fn decode_subject(kind: Kind, json: &[u8], namespace: &str) -> Result<Subject, Undecodable> {
    if lists_too_much(json) {
        let message = format!("its lists hold more than {MOST_LISTED} values, which is more than are read");
        let object = ObjectRef::new(API_VERSION, kind.as_str(), namespace, "");
        return Err(Undecodable { object, field: FieldPath::root(), message });
    }
    decode_kind(kind, Input::Json(json), namespace)
}

enum Input<'a> {
    Value(Value),
    Json(&'a [u8]),
}

fn decode_kind(kind: Kind, input: Input<'_>, namespace: &str) -> Result<Subject, Undecodable> {
    match kind {
        Kind::VirtualNode => {
            let Decoded { object, unknown_fields, .. } = decode::<VirtualNode>(kind, input, namespace)?;
            let member = node_member(object, namespace);
            Ok(Subject {
                object: member.object.clone(),
                annotations: member.annotations.clone(),
                unknown_fields,
                body: Body::Member(Arc::new(member)),
            })
        }
        Kind::VirtualGateway => {
            let Decoded { object, unknown_fields, .. } = decode::<VirtualGateway>(kind, input, namespace)?;
            let member = gateway_member(object, namespace);
            Ok(Subject {
                object: member.object.clone(),
                annotations: member.annotations.clone(),
                unknown_fields,
                body: Body::Member(Arc::new(member)),
            })
        }
        Kind::VirtualService => {
            let decoded = decode::<VirtualService>(kind, input, namespace)?;
            Ok(reviewed(kind, namespace, decoded, |it| &it.metadata, Body::Service))
        }
        Kind::VirtualRouter => {
            let decoded = decode::<VirtualRouter>(kind, input, namespace)?;
            Ok(reviewed(kind, namespace, decoded, |it| &it.metadata, Body::Router))
        }
        Kind::GatewayRoute => {
            let decoded = decode::<GatewayRoute>(kind, input, namespace)?;
            Ok(reviewed(kind, namespace, decoded, |it| &it.metadata, Body::GatewayRoute))
        }
        Kind::BackendGroup => {
            let decoded = decode::<BackendGroup>(kind, input, namespace)?;
            Ok(reviewed(kind, namespace, decoded, |it| &it.metadata, Body::BackendGroup))
        }
        Kind::Mesh => {
            let decoded = decode::<Mesh>(kind, input, namespace)?;
            Ok(reviewed(kind, namespace, decoded, |it| &it.metadata, Body::Mesh))
        }
    }
}

fn reviewed<T>(
    kind: Kind,
    namespace: &str,
    decoded: Decoded<T>,
    metadata: impl Fn(&T) -> &Metadata,
    body: impl Fn(Arc<T>) -> Body,
) -> Subject {
    let metadata = metadata(&decoded.object);
    let object = match kind {
        Kind::Mesh => ObjectRef::cluster_scoped(API_VERSION, "Mesh", &metadata.name),
        kind => ObjectRef::new(API_VERSION, &kind.to_string(), namespace, &metadata.name),
    };
    let annotations = metadata.annotations.clone();
    Subject { object, annotations, unknown_fields: decoded.unknown_fields, body: body(Arc::new(decoded.object)) }
}

fn decode<T: Resource>(kind: Kind, input: Input<'_>, namespace: &str) -> Result<Decoded<T>, Undecodable> {
    let (name, decoded) = match input {
        Input::Value(value) => {
            let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
            (name, decode_value(&value))
        }
        Input::Json(json) => (String::new(), decode_json(json)),
    };
    decoded.map_err(|error| Undecodable::new(ObjectRef::new(API_VERSION, &kind.to_string(), namespace, &name), error))
}
