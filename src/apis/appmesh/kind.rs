//! The kinds of the App Mesh API, and their names.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use serde::de::DeserializeOwned;

use super::{
    API_VERSION, BackendGroup, GatewayRoute, Mesh, VirtualGateway, VirtualNode, VirtualRouter, VirtualService,
};
use crate::k8s::Metadata;

/// A kind of the App Mesh API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Mesh, the one cluster-scoped kind.
    Mesh,
    /// VirtualNode.
    VirtualNode,
    /// VirtualGateway.
    VirtualGateway,
    /// VirtualService.
    VirtualService,
    /// VirtualRouter.
    VirtualRouter,
    /// GatewayRoute.
    GatewayRoute,
    /// BackendGroup.
    BackendGroup,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 7] = [
        Self::Mesh,
        Self::VirtualNode,
        Self::VirtualGateway,
        Self::VirtualService,
        Self::VirtualRouter,
        Self::GatewayRoute,
        Self::BackendGroup,
    ];

    /// The kind as manifests have it, such as `VirtualNode`.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Mesh => "Mesh",
            Self::VirtualNode => "VirtualNode",
            Self::VirtualGateway => "VirtualGateway",
            Self::VirtualService => "VirtualService",
            Self::VirtualRouter => "VirtualRouter",
            Self::GatewayRoute => "GatewayRoute",
            Self::BackendGroup => "BackendGroup",
        }
    }

    /// The resource's name in URLs and RBAC, such as `virtualnodes`.
    #[must_use]
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Mesh => "meshes",
            Self::VirtualNode => "virtualnodes",
            Self::VirtualGateway => "virtualgateways",
            Self::VirtualService => "virtualservices",
            Self::VirtualRouter => "virtualrouters",
            Self::GatewayRoute => "gatewayroutes",
            Self::BackendGroup => "backendgroups",
        }
    }

    /// The name of one, such as `virtualnode`.
    #[must_use]
    pub(crate) const fn singular(self) -> &'static str {
        match self {
            Self::Mesh => "mesh",
            Self::VirtualNode => "virtualnode",
            Self::VirtualGateway => "virtualgateway",
            Self::VirtualService => "virtualservice",
            Self::VirtualRouter => "virtualrouter",
            Self::GatewayRoute => "gatewayroute",
            Self::BackendGroup => "backendgroup",
        }
    }

    /// Whether objects of the kind live in a namespace.
    #[must_use]
    pub(crate) const fn is_namespaced(self) -> bool {
        !matches!(self, Self::Mesh)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An object of the App Mesh API.
pub(crate) trait Resource: DeserializeOwned {
    /// Its kind.
    const KIND: Kind;

    /// Its metadata.
    fn metadata(&self) -> &Metadata;
}

macro_rules! resource {
    ($($object:ident)+) => {$(
        impl Resource for $object {
            const KIND: Kind = Kind::$object;

            fn metadata(&self) -> &Metadata {
                &self.metadata
            }
        }
    )+};
}

resource! { Mesh VirtualNode VirtualGateway VirtualService VirtualRouter GatewayRoute BackendGroup }

/// A string that is no kind of the App Mesh API.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{API_VERSION} has no kind {kind:?}")]
pub(crate) struct UnknownKind {
    /// What was given.
    pub kind: String,
}

impl FromStr for Kind {
    type Err = UnknownKind;

    /// Reads a kind as manifests have it; the case counts, as it does for the API server.
    fn from_str(kind: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|known| known.as_str() == kind).ok_or_else(|| UnknownKind { kind: kind.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_manifests_spell_them() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(kind.singular(), kind.as_str().to_lowercase());
        }
        for other in ["", "virtualnode", "VirtualNodeList", "Pod"] {
            let error = other.parse::<Kind>().unwrap_err();
            assert_eq!(error.to_string(), format!("appmesh.k8s.aws/v1beta2 has no kind {other:?}"));
        }
    }

    #[test]
    fn only_meshes_are_cluster_scoped() {
        let cluster_scoped: Vec<_> = Kind::ALL.into_iter().filter(|kind| !kind.is_namespaced()).collect();
        assert_eq!(cluster_scoped, [Kind::Mesh]);
    }
}
