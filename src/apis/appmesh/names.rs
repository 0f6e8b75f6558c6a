//! The names that objects get in App Mesh where `awsName` is left out.
//!
//! Source: the App Mesh controller's mutating webhooks (`webhooks/appmesh/*_mutator.go`). The controller fills `awsName`
//! in on creation, so that a stored object carries it and a manifest doesn't. An empty string counts as left out.

use super::{
    GatewayRoute, GatewayRouteSpec, Mesh, MeshSpec, VirtualGateway, VirtualGatewaySpec, VirtualNode, VirtualNodeSpec,
    VirtualRouter, VirtualRouterSpec, VirtualService, VirtualServiceSpec,
};
use crate::k8s::Metadata;

/// The default name of a virtual node, gateway, router or gateway route: `name_namespace`.
#[must_use]
pub fn underscored(name: &str, namespace: &str) -> String {
    format!("{name}_{namespace}")
}

/// The default name of a virtual service: `name.namespace`, which callers can resolve as a DNS name.
#[must_use]
pub fn dotted(name: &str, namespace: &str) -> String {
    format!("{name}.{namespace}")
}

fn explicit(aws_name: Option<&String>) -> Option<String> {
    aws_name.filter(|name| !name.is_empty()).cloned()
}

fn namespace(metadata: &Metadata) -> &str {
    match metadata.namespace.as_deref() {
        None | Some("") => "default",
        Some(namespace) => namespace,
    }
}

macro_rules! app_mesh_name {
    ($($object:ident, $spec:ident, $default:ident, $shape:literal;)+) => {$(
        impl $object {
            #[doc = concat!("Name in App Mesh: `awsName`, or `", $shape, "`.")]
            /// An object without a namespace is taken to be in `default`, as kubectl takes it.
            #[must_use]
            pub fn app_mesh_name(&self) -> String {
                self.spec
                    .explicit_name()
                    .unwrap_or_else(|| $default(&self.metadata.name, namespace(&self.metadata)))
            }
        }

        impl $spec {
            /// The name that `awsName` gives, unless it is absent or empty.
            #[must_use]
            pub fn explicit_name(&self) -> Option<String> {
                explicit(self.aws_name.as_ref())
            }
        }
    )+};
}

/// A mesh has no namespace: its default name is its own.
fn own(name: &str, _: &str) -> String {
    name.to_owned()
}

app_mesh_name! {
    VirtualNode, VirtualNodeSpec, underscored, "name_namespace";
    VirtualGateway, VirtualGatewaySpec, underscored, "name_namespace";
    VirtualRouter, VirtualRouterSpec, underscored, "name_namespace";
    GatewayRoute, GatewayRouteSpec, underscored, "name_namespace";
    VirtualService, VirtualServiceSpec, dotted, "name.namespace";
    Mesh, MeshSpec, own, "name";
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode_value;
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn names<T: super::super::Resource>(of: fn(&T) -> String, default: &str) {
        let cases = [
            (json!({"metadata": {"name": "front", "namespace": "shop"}}), default),
            (json!({"metadata": {"name": "front", "namespace": "shop"}, "spec": {"awsName": ""}}), default),
            (json!({"metadata": {"name": "front", "namespace": "shop"}, "spec": {"awsName": "mine"}}), "mine"),
        ];
        for (object, expected) in cases {
            assert_eq!(of(&decode_value::<T>(&object).unwrap().object), expected, "{object}");
        }
    }

    #[test]
    fn names_default_as_the_controller_fills_them_in() {
        names(VirtualNode::app_mesh_name, "front_shop");
        names(VirtualGateway::app_mesh_name, "front_shop");
        names(VirtualRouter::app_mesh_name, "front_shop");
        names(GatewayRoute::app_mesh_name, "front_shop");
        names(VirtualService::app_mesh_name, "front.shop");
        names(Mesh::app_mesh_name, "front");
    }

    #[test]
    fn a_manifest_without_a_namespace_is_in_default() {
        let node: VirtualNode = serde_json::from_value(json!({"metadata": {"name": "front"}})).unwrap();
        assert_eq!(node.app_mesh_name(), "front_default");
    }
}
