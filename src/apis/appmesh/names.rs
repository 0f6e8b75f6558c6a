//! The names that objects get in App Mesh where `awsName` is left out.
//!
//! Source: the App Mesh controller's mutating webhooks (`webhooks/appmesh/*_mutator.go`). The controller fills `awsName`
//! in on creation, so that a stored object carries it and a manifest doesn't. An empty string counts as left out.

/// The default name of a virtual node, gateway, router or gateway route: `name_namespace`.
#[must_use]
pub(crate) fn underscored(name: &str, namespace: &str) -> String {
    format!("{name}_{namespace}")
}

/// The default name of a virtual service: `name.namespace`, which callers can resolve as a DNS name.
#[must_use]
pub(crate) fn dotted(name: &str, namespace: &str) -> String {
    format!("{name}.{namespace}")
}

/// The name that `awsName` gives, unless it is absent or empty.
pub(super) fn explicit(aws_name: Option<&String>) -> Option<String> {
    aws_name.filter(|name| !name.is_empty()).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::apis::{Entry, decode_object};
    use crate::mesh::Fact;

    /// What the model has of an object's name at AWS.
    fn aws_name(kind: &str, spec: &serde_json::Value) -> Option<String> {
        let metadata = json!({"name": "front", "namespace": "shop"});
        let object = json!({"apiVersion": super::super::API_VERSION, "kind": kind, "metadata": metadata, "spec": spec});
        let Ok(Entry::Subject(subject)) = decode_object(object, "shop") else { panic!("{kind} can't be read") };
        match subject.facts.as_slice() {
            [Fact::Member(member)] => Some(member.aws.path.clone()),
            [Fact::Class(class)] => class.aws_name.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_default_as_the_controller_fills_them_in() {
        for spec in [json!({}), json!({"awsName": ""})] {
            assert_eq!(aws_name("VirtualNode", &spec).as_deref(), Some("virtualNode/front_shop"), "{spec}");
            assert_eq!(aws_name("VirtualGateway", &spec).as_deref(), Some("virtualGateway/front_shop"), "{spec}");
            // A mesh has no namespace: its default name is its own.
            assert_eq!(aws_name("Mesh", &spec), None, "{spec}");
        }
        assert_eq!(dotted("front", "shop"), "front.shop");
    }

    #[test]
    fn a_name_that_is_given_counts() {
        let spec = json!({"awsName": "mine"});
        assert_eq!(aws_name("VirtualNode", &spec).as_deref(), Some("virtualNode/mine"));
        assert_eq!(aws_name("VirtualGateway", &spec).as_deref(), Some("virtualGateway/mine"));
        assert_eq!(aws_name("Mesh", &spec).as_deref(), Some("mine"));
    }
}
