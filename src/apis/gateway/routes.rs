//! Routes as hops, grants and classes.

use crate::apis::gateway::ENVOY_PROXY;
use crate::apis::gateway::members::parent;
use crate::apis::gateway::planes::plane_of;
use crate::apis::gateway::types::{EnvoyProxySpec, GatewayClassSpec, GrantSpec, RouteSpec};
use crate::k8s::{FieldPath, Metadata, ObjectRef};
use crate::mesh::{Class, Grant, Granted, Hop, Inlet, Outlet, Release, Target};

/// A route of any kind: from the listeners that it names to Services.
pub(super) fn route_hop(object: ObjectRef, metadata: &Metadata, spec: &RouteSpec) -> Hop {
    let at = FieldPath::root().key("spec");
    let namespace = object.namespace();
    let parents = at.key("parentRefs");
    let from = spec.parent_refs.iter().enumerate().filter_map(|(index, reference)| {
        Some(Inlet::Named {
            parent: parent(reference, namespace)?,
            section: reference.section_name.clone().filter(|section| !section.is_empty()),
            port: reference.port.and_then(|port| u16::try_from(port).ok()),
            field: parents.index(index),
        })
    });
    let hosts = at.key("hostnames");
    let hosts = spec.hostnames.iter().enumerate().map(|(index, host)| (host.clone(), hosts.index(index)));
    Hop {
        labels: metadata.labels.clone().into(),
        release: Release::of(&metadata.labels, &metadata.annotations),
        from: from.collect(),
        to: outlets(spec, namespace),
        hosts: hosts.collect(),
        group: false,
        // Behind a listener with mode Passthrough, the client's own TLS connection reaches the backend.
        raw: matches!(object.kind.as_str(), "TLSRoute" | "TCPRoute"),
        object,
    }
}

fn outlets(spec: &RouteSpec, namespace: &str) -> Vec<Outlet> {
    let rules = FieldPath::root().keys(["spec", "rules"]);
    let mut to = Vec::new();
    for (rule, it) in spec.rules.iter().enumerate() {
        let list = rules.index(rule).key("backendRefs");
        for (index, backend) in it.backend_refs.iter().enumerate() {
            let is_service = backend.group.as_deref().unwrap_or_default().is_empty()
                && backend.kind.as_deref().unwrap_or("Service") == "Service";
            let there = backend.namespace.as_deref().filter(|there| !there.is_empty()).unwrap_or(namespace);
            to.push(Outlet {
                to: match is_service {
                    true => Target::Object(ObjectRef::new("v1", "Service", there, &backend.name)),
                    false => Target::Outside,
                },
                port: backend.port.and_then(|port| u16::try_from(port).ok()),
                arriving: Vec::new(),
                idle: backend.weight == Some(0),
                field: list.index(index),
            });
        }
    }
    to
}

/// A GatewayClass: its controller.
pub(super) fn class(object: ObjectRef, spec: &GatewayClassSpec) -> Class {
    let plane = Some(plane_of(&spec.controller_name));
    let settings = spec.parameters_ref.as_ref().filter(|named| named.is_envoy_proxy()).map(|named| {
        ObjectRef::new(ENVOY_PROXY.0, ENVOY_PROXY.1, named.namespace.as_deref().unwrap_or_default(), &named.name)
    });
    Class { object, namespaces: None, settings, one_proxy: false, plane, aws_name: None, aws_owner: None }
}

/// Envoy Gateway's settings for the classes that name them: with `mergeGateways`, all Gateways of such a class get the same proxies.
pub(super) fn envoy_proxy(object: ObjectRef, spec: &EnvoyProxySpec) -> Class {
    let one_proxy = spec.merge_gateways == Some(true);
    Class { object, namespaces: None, settings: None, one_proxy, plane: None, aws_name: None, aws_owner: None }
}

/// A ReferenceGrant.
pub(super) fn grant(object: ObjectRef, spec: GrantSpec) -> Grant {
    let from = spec.from.into_iter().map(|from| (from.group, from.kind, from.namespace));
    let name = |name: Option<String>| name.filter(|name| !name.is_empty());
    let to = spec.to.into_iter().map(|to| Granted { group: to.group, kind: to.kind, name: name(to.name) });
    Grant { from: from.collect(), to: to.collect(), object }
}
