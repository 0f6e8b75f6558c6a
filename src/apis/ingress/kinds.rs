//! One row a kind, and how its objects become subjects.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::apis::entry::{Entry, Input};
use crate::apis::faults::Undecodable;
use crate::apis::gateway::plane_of;
use crate::apis::ingress::types::{IngressSpec, IngressTls};
use crate::apis::lenient::or_default;
use crate::apis::promises::shim;
use crate::apis::registry::{Api, Names, Part, Row};
use crate::apis::resource::decode;
use crate::apis::subject::{Native, Subject};
use crate::k8s::{FieldPath, LabelSelector, Metadata, ObjectRef, TypeRef};
use crate::mesh::{
    AwsResource, CertificateSource, Class, Covered, Discovery, Fact, KeyRef, Loads, Member, PlaneOf, Release, STOOD_IN,
    ServerEnd, ServerTls, StoreKey, TlsMode,
};

/// The API group.
pub(crate) const GROUP: &str = "networking.k8s.io";
/// Group and version, as `apiVersion` has them.
const API_VERSION: &str = "networking.k8s.io/v1";
/// The annotation that named the class before there was a field.
const CLASS: &str = "kubernetes.io/ingress.class";
/// The annotation by which a class is that of each Ingress without one.
const IS_DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";
/// Where an Ingress is served with TLS.
const PORT: u16 = 443;

/// Ingress.
pub static API: Api = Api {
    names: Some(Names {
        api: "Ingress",
        object: "an Ingress",
        member: "Ingress",
        caller: "ingress",
        controller: "the ingress controller",
        mount_annotation: "",
        webhook: "ingresses.meshvet.dev",
    }),
    folder: "ingress",
    group: GROUP,
    kinds: &[
        Row { namespaced: false, ..row("IngressClass", "ingressclasses", "ingressclass", Part::Class, class) },
        row("Ingress", "ingresses", "ingress", Part::Member, ingress),
    ],
    proxy: None,
    crds: Vec::new,
};

type Decode = fn(&'static Row, Input<'_>, &str) -> Result<Entry, Undecodable>;

const fn row(kind: &'static str, plural: &'static str, singular: &'static str, part: Part, decode: Decode) -> Row {
    Row {
        kind: TypeRef { api_version: API_VERSION, kind },
        known_as: API_VERSION,
        group: GROUP,
        version: "v1",
        plural,
        singular,
        namespaced: true,
        part,
        mostly_owned: false,
        optional: true,
        decode,
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ClassSpec {
    #[serde(deserialize_with = "or_default")]
    controller: String,
}

fn class(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    let (object, resource) = decode::<ClassSpec>(row, input, namespace)?;
    let is_default = resource.metadata.annotation(IS_DEFAULT) == Some("true");
    let class = Class {
        object: object.clone(),
        namespaces: is_default.then(LabelSelector::default),
        settings: None,
        one_proxy: false,
        plane: Some(plane_of(&resource.spec.controller)).filter(|plane| plane.loads == Loads::Unseen),
        aws_name: None,
        aws_owner: None,
    };
    Ok(subject(object, resource.metadata, vec![Fact::Class(Arc::new(class))], None))
}

fn ingress(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    let (object, resource) = decode::<IngressSpec>(row, input, namespace)?;
    let member = member(object.clone(), &resource.metadata, &resource.spec);
    let asked = wanted(&resource.spec);
    let promise = shim::promise(&object, &resource.metadata.annotations, &asked, &shim::INGRESS);
    let promise = promise.map(|promise| Fact::Promise(Arc::new(promise)));
    let facts = [Fact::Member(Arc::new(member))].into_iter().chain(promise).collect();
    let spec = Some(Box::new(resource.spec));
    Ok(subject(object, resource.metadata, facts, spec))
}

fn subject(object: ObjectRef, metadata: Metadata, facts: Vec<Fact>, spec: Option<Box<IngressSpec>>) -> Entry {
    Entry::Subject(Box::new(Subject {
        object,
        annotations: metadata.annotations,
        unknown_fields: Vec::new(),
        schema_faults: Vec::new(),
        facts,
        native: spec.map_or(Native::Core, Native::Ingress),
    }))
}

/// The Secrets that cert-manager makes where an annotation asks it to: none that two blocks name.
fn wanted(spec: &IngressSpec) -> BTreeMap<&str, Vec<&str>> {
    let mut secrets = BTreeMap::new();
    for block in spec.tls.iter().filter(|block| spec.is_issued(block)) {
        secrets.insert(block.secret_name.as_str(), block.hosts.iter().map(String::as_str).collect());
    }
    secrets
}

/// An Ingress as a member: one listener for each of its `tls` blocks that names a Secret. What one without a Secret is served with is
/// the controller's.
fn member(object: ObjectRef, metadata: &Metadata, spec: &IngressSpec) -> Member {
    let list = FieldPath::root().keys(["spec", "tls"]);
    let blocks = spec.tls.iter().enumerate().filter(|(_, block)| !block.secret_name.is_empty());
    let servers = blocks.map(|(index, block)| server(block, object.namespace(), index, &list.index(index)));
    let given = spec.ingress_class_name.as_deref().or_else(|| metadata.annotation(CLASS));
    Member {
        api: GROUP,
        noun: "ingress",
        release: Release::of(&metadata.labels, &metadata.annotations),
        pod_selector: None,
        revision: None,
        discovery: Discovery::None,
        servers: servers.collect(),
        clients: Vec::new(),
        backends: Vec::new(),
        gateway: Some(Box::default()),
        class: given.filter(|class| !class.is_empty()).map(str::to_owned),
        plane: PlaneOf::Class(&STOOD_IN),
        extends: None,
        aws: AwsResource::default(),
        object,
    }
}

fn server(block: &IngressTls, namespace: &str, index: usize, field: &FieldPath) -> ServerEnd {
    let store = StoreKey::secret(namespace, &block.secret_name);
    let key = |key: &str| KeyRef { store: store.clone(), key: key.to_owned(), field: field.key("secretName") };
    let hosts = field.key("hosts");
    let covers = block.hosts.iter().enumerate().filter(|(_, host)| !host.is_empty()).map(|(index, host)| Covered {
        name: host.clone(),
        field: hosts.index(index),
        reason: "host",
    });
    let tls = ServerTls {
        field: field.clone(),
        mode: TlsMode::Strict,
        certificates: vec![CertificateSource::Keys { chain: key("tls.crt"), key: key("tls.key") }],
        covers: covers.collect(),
        validation: None,
    };
    ServerEnd {
        anchor: Arc::from(format!("tls block {index}")),
        field: field.clone(),
        port: Some(PORT),
        protocol: "https".to_owned(),
        tls: Some(tls),
        gate: None,
    }
}
