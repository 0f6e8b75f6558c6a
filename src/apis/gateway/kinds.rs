//! One row for each kind and version, and how its objects become subjects.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::apis::entry::{Entry, Input};
use crate::apis::faults::Undecodable;
use crate::apis::gateway::members::{gateway_member, listener_set_member};
use crate::apis::gateway::policies::attached;
use crate::apis::gateway::routes::{class, envoy_proxy, grant, route_hop};
use crate::apis::gateway::shimmed::wanted;
use crate::apis::gateway::{API_VERSION, ENVOY_PROXY, GROUP, GatewaySpec, ListenerSetSpec, Spec};
use crate::apis::promises::shim;
use crate::apis::registry::{Api, Names, Part, Row};
use crate::apis::resource::{Resource, decode};
use crate::apis::subject::{Native, Subject};
use crate::k8s::{ObjectRef, TypeRef};
use crate::mesh::{Fact, Member, Promise};

/// Gateway API.
pub static API: Api = Api {
    names: Some(Names {
        api: "Gateway API",
        object: "a Gateway API object",
        member: "Gateway",
        caller: "gateway",
        controller: "the gateway's controller",
        mount_annotation: "",
        webhook: "gateways.meshvet.dev",
    }),
    folder: "gateway",
    group: GROUP,
    kinds: &[
        Row {
            namespaced: false,
            ..row(V1, "GatewayClass", "gatewayclasses", "gatewayclass", Part::Class, gateway_class)
        },
        Row {
            namespaced: false,
            ..row(BETA, "GatewayClass", "gatewayclasses", "gatewayclass", Part::Class, gateway_class)
        },
        row(V1, "Gateway", "gateways", "gateway", Part::Member, gateway),
        row(BETA, "Gateway", "gateways", "gateway", Part::Member, gateway),
        row(V1, "ListenerSet", "listenersets", "listenerset", Part::Member, listener_set),
        row(V1, "HTTPRoute", "httproutes", "httproute", Part::Hop, route),
        row(BETA, "HTTPRoute", "httproutes", "httproute", Part::Hop, route),
        row(V1, "GRPCRoute", "grpcroutes", "grpcroute", Part::Hop, route),
        row(V1, "TLSRoute", "tlsroutes", "tlsroute", Part::Hop, route),
        row(ALPHA_3, "TLSRoute", "tlsroutes", "tlsroute", Part::Hop, route),
        row(ALPHA_2, "TLSRoute", "tlsroutes", "tlsroute", Part::Hop, route),
        row(V1, "BackendTLSPolicy", "backendtlspolicies", "backendtlspolicy", Part::Policy, policy),
        row(ALPHA_3, "BackendTLSPolicy", "backendtlspolicies", "backendtlspolicy", Part::Policy, policy),
        row(V1, "ReferenceGrant", "referencegrants", "referencegrant", Part::Grant, reference_grant),
        row(BETA, "ReferenceGrant", "referencegrants", "referencegrant", Part::Grant, reference_grant),
        Row {
            group: "gateway.envoyproxy.io",
            known_as: ENVOY_PROXY.0,
            ..row(("v1alpha1", ENVOY_PROXY.0), ENVOY_PROXY.1, "envoyproxies", "envoyproxy", Part::Settings, settings)
        },
    ],
    proxy: None,
    crds: Vec::new,
};

/// A version of the group: its name, and the name with the group in front.
type Version = (&'static str, &'static str);

const V1: Version = ("v1", API_VERSION);
const BETA: Version = ("v1beta1", "gateway.networking.k8s.io/v1beta1");
const ALPHA_3: Version = ("v1alpha3", "gateway.networking.k8s.io/v1alpha3");
const ALPHA_2: Version = ("v1alpha2", "gateway.networking.k8s.io/v1alpha2");

type Decode = fn(&'static Row, Input<'_>, &str) -> Result<Entry, Undecodable>;

const fn row(
    (version, api_version): Version,
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    part: Part,
    decode: Decode,
) -> Row {
    Row {
        kind: TypeRef { api_version, kind },
        // References to an object don't name its version.
        known_as: API_VERSION,
        group: GROUP,
        version,
        plural,
        singular,
        namespaced: true,
        part,
        mostly_owned: false,
        optional: true,
        decode,
    }
}

fn gateway(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    entry(row, input, namespace, |object, resource: Resource<GatewaySpec>| {
        let asked = wanted(&resource.spec.listeners, object.namespace());
        let promise = shim::promise(&object, &resource.metadata.annotations, &asked, &shim::GATEWAY);
        let member = gateway_member(object, &resource.metadata, &resource.spec);
        (facts(member, promise), Spec::Gateway(Box::new(resource.spec)))
    })
}

fn listener_set(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    entry(row, input, namespace, |object, resource: Resource<ListenerSetSpec>| {
        let asked = wanted(&resource.spec.listeners, object.namespace());
        let promise = shim::promise(&object, &resource.metadata.annotations, &asked, &shim::GATEWAY);
        let member = listener_set_member(object, &resource.metadata, &resource.spec);
        (facts(member, promise), Spec::ListenerSet(Box::new(resource.spec)))
    })
}

fn route(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    entry(row, input, namespace, |object, resource| {
        (vec![Fact::Hop(Arc::new(route_hop(object, &resource.metadata, &resource.spec)))], Spec::Route)
    })
}

fn gateway_class(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    entry(row, input, namespace, |object, resource| {
        (vec![Fact::Class(Arc::new(class(object, &resource.spec)))], Spec::Class)
    })
}

fn settings(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    let (object, resource) = decode(row, input, namespace)?;
    Ok(Entry::Fact(Fact::Class(Arc::new(envoy_proxy(object, &resource.spec)))))
}

fn policy(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    entry(row, input, namespace, |object, resource| {
        let policy = attached(object, &resource.metadata, &resource.spec);
        (vec![Fact::Attached(Arc::new(policy))], Spec::BackendTlsPolicy(Box::new(resource.spec)))
    })
}

fn reference_grant(row: &'static Row, input: Input<'_>, namespace: &str) -> Result<Entry, Undecodable> {
    let (object, resource) = decode(row, input, namespace)?;
    Ok(Entry::Fact(Fact::Grant(Arc::new(grant(object, resource.spec)))))
}

fn facts(member: Member, promise: Option<Promise>) -> Vec<Fact> {
    let promise = promise.map(|promise| Fact::Promise(Arc::new(promise)));
    [Fact::Member(Arc::new(member))].into_iter().chain(promise).collect()
}

/// Decodes an object, and makes a subject of it.
fn entry<S: DeserializeOwned + Default>(
    row: &'static Row,
    input: Input<'_>,
    namespace: &str,
    make: fn(ObjectRef, Resource<S>) -> (Vec<Fact>, Spec),
) -> Result<Entry, Undecodable> {
    let (object, resource) = decode::<S>(row, input, namespace)?;
    let annotations = resource.metadata.annotations.clone();
    let (facts, mut spec) = make(object.clone(), resource);
    spec.shrink();
    Ok(Entry::Subject(Box::new(Subject {
        object,
        annotations,
        unknown_fields: Vec::new(),
        schema_faults: Vec::new(),
        facts,
        native: Native::Gateway(spec),
    })))
}
