//! Members of a mesh: whatever has proxies of its own, under any API's name.

use crate::k8s::{LabelSelector, ObjectRef};
use crate::mesh::end::{Admits, ClientEnd, Discovery, ServerEnd};
use crate::mesh::hop::{Hop, Target};
use crate::mesh::plane::{PlaneOf, UNKNOWN};
use crate::mesh::release::Release;

/// A node or gateway of a mesh, reduced to its ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The object.
    pub object: ObjectRef,
    /// Its API, which decides which of a workload's [proxies](crate::mesh::Workload::proxies) are its own.
    pub api: &'static str,
    /// Its kind in messages.
    pub noun: &'static str,
    /// Which release it belongs to.
    pub release: Release,
    /// Which pods of its namespace are its proxies. None selects no pod, an empty selector all.
    pub pod_selector: Option<LabelSelector>,
    /// The one revision of these pods, where only one is selected; pod templates don't show it.
    pub revision: Option<String>,
    /// How clients find it.
    pub discovery: Discovery,
    /// Its listeners.
    pub servers: Vec<ServerEnd>,
    /// Its client policies.
    pub clients: Vec<ClientEnd>,
    /// What it declares that it calls: services, and groups of them. A gateway declares this by its routes.
    pub backends: Vec<Backend>,
    /// Set for a gateway: called only from outside the mesh, with pods that bring their own proxy.
    pub gateway: Option<Box<Gateway>>,
    /// The [class](crate::mesh::Class) that it names.
    pub class: Option<String>,
    /// How its proxies' control plane is known.
    pub plane: PlaneOf,
    /// The gateway to which it adds listeners, where it isn't a gateway itself.
    pub extends: Option<ObjectRef>,
    /// Its identity in AWS.
    pub aws: AwsResource,
}

/// What makes a member a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gateway {
    /// Which routes it takes that don't name it; None: none.
    pub routes: Option<RouteSelector>,
    /// The namespaces whose members may [add](Member::extends) listeners to it.
    pub extended_from: Admits,
}

/// Which routes a gateway takes of those that name no gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteSelector {
    /// The namespaces, by their labels; empty: all.
    pub namespaces: LabelSelector,
    /// The routes in them, by their labels; None: all.
    pub routes: Option<LabelSelector>,
}

/// A member as AWS knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsResource {
    /// The ARN in its status, set once AWS has created it.
    pub arn: Option<String>,
    /// The end of its ARN, below its class: `virtualNode/blue_shop`.
    pub path: String,
}

/// One thing that a member declares that it calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The service, or the group of services.
    pub to: Target,
    /// Which policy applies to it.
    pub policy: OwnPolicy,
}

/// Which policy applies to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnPolicy {
    /// The policy attached to the backend, else the backend defaults.
    Inherited,
    /// Its own, which replaces the defaults entirely: the index in [`Member::clients`], None without TLS settings.
    Own(Option<usize>),
}

impl Member {
    /// A member of which only the name is known.
    pub(crate) fn plain(object: ObjectRef, api: &'static str, noun: &'static str) -> Self {
        Self {
            object,
            api,
            noun,
            release: Release::default(),
            pod_selector: None,
            revision: None,
            discovery: Discovery::None,
            servers: Vec::new(),
            clients: Vec::new(),
            backends: Vec::new(),
            gateway: None,
            class: None,
            plane: PlaneOf::Class(&UNKNOWN),
            extends: None,
            aws: AwsResource::default(),
        }
    }

    /// Whether this is a gateway: its pods always bring their own Envoy container.
    pub(crate) fn is_gateway(&self) -> bool {
        self.gateway.is_some()
    }

    /// Whether it accepts routes or listeners by the labels of their namespaces.
    pub(crate) fn goes_by_labels(&self) -> bool {
        let by_labels = |admits: &Admits| matches!(admits, Admits::Matching(_));
        let gates = self.servers.iter().filter_map(|server| server.gate.as_ref());
        let of_gateway = |gateway: &Gateway| gateway.routes.is_some() || by_labels(&gateway.extended_from);
        self.gateway.as_deref().is_some_and(of_gateway) || gates.into_iter().any(|gate| by_labels(&gate.from))
    }

    /// Whether any of its ends loads certificates or trust.
    pub(crate) fn uses_tls(&self) -> bool {
        self.servers.iter().any(|server| server.active_tls().is_some()) || !self.clients.is_empty()
    }

    /// Whether its proxies get a client policy: the default policy isn't sent where each backend has its own. A
    /// gateway's backends are those of its routes.
    pub(crate) fn gives_out(&self, end: &ClientEnd) -> bool {
        !end.is_default
            || self.is_gateway()
            || self.backends.iter().any(|backend| backend.policy == OwnPolicy::Inherited)
    }

    /// Whether this object is among its backends.
    pub(crate) fn names(&self, object: &ObjectRef) -> bool {
        self.backends.iter().any(|backend| matches!(&backend.to, Target::Object(named) if named == object))
    }

    /// Whether it takes a route that names no gateway, from a namespace with these labels (None: unknown).
    pub(crate) fn takes(&self, route: &Hop, namespace: Option<&std::collections::BTreeMap<String, String>>) -> bool {
        self.gateway.as_ref().and_then(|gateway| gateway.routes.as_ref()).is_some_and(|selector| {
            let of_namespace =
                selector.namespaces.is_empty() || namespace.is_some_and(|labels| selector.namespaces.matches(labels));
            of_namespace && selector.routes.as_ref().is_none_or(|routes| routes.matches(&route.labels))
        })
    }
}
