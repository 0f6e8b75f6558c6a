//! Members of a mesh: what has proxies of its own, whatever the mesh API calls it.

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
    /// The API that it is of: which of a workload's [proxies](crate::mesh::Workload::proxies) are its own.
    pub api: &'static str,
    /// What people call one, for messages.
    pub noun: &'static str,
    /// What says which release it is of.
    pub release: Release,
    /// Which pods of its namespace are its proxies. Absent selects none, empty selects all.
    pub pod_selector: Option<LabelSelector>,
    /// The one revision of these pods that is meant, where only one is: no pod template tells it.
    pub revision: Option<String>,
    /// What clients know it by.
    pub discovery: Discovery,
    /// Its listeners.
    pub servers: Vec<ServerEnd>,
    /// Its client policies.
    pub clients: Vec<ClientEnd>,
    /// What it says it calls: services, and groups of them. A gateway says so by its routes.
    pub backends: Vec<Backend>,
    /// Whether it is a gateway: called from outside of the mesh alone, by pods that bring their own proxy.
    pub gateway: Option<Gateway>,
    /// The [class](crate::mesh::Class) that it names.
    pub class: Option<String>,
    /// Who hands certificates to its proxies.
    pub plane: PlaneOf,
    /// The gateway whose listeners its own are added to, where it is no gateway by itself.
    pub extends: Option<ObjectRef>,
    /// What it is at AWS.
    pub aws: AwsResource,
}

/// What makes a member a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gateway {
    /// The routes that it takes without being named by them; None: none.
    pub routes: Option<RouteSelector>,
    /// Whose members may [add](Member::extends) listeners to it.
    pub extended_from: Admits,
}

/// Which routes a gateway takes of those that name none.
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
    /// The ARN that its status gives: there once AWS has it.
    pub arn: Option<String>,
    /// What its ARN ends with, below its class: `virtualNode/blue_shop`.
    pub path: String,
}

/// One thing that a member says it calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The service, or the group of services.
    pub to: Target,
    /// Which policy holds for it.
    pub policy: OwnPolicy,
}

/// Which policy holds for a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnPolicy {
    /// What is attached to the backend, else that of the backend defaults, where there is one.
    Inherited,
    /// Its own, which replaces the defaults whole: the place in [`Member::clients`], None when it says nothing of TLS.
    Own(Option<usize>),
}

impl Member {
    /// A member of which nothing is known but its name.
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

    /// Whether this is a gateway: its pods always bring their own envoy container.
    pub(crate) fn is_gateway(&self) -> bool {
        self.gateway.is_some()
    }

    /// Whether it takes routes or listeners of namespaces by their labels.
    pub(crate) fn goes_by_labels(&self) -> bool {
        let by_labels = |admits: &Admits| matches!(admits, Admits::Matching(_));
        let gates = self.servers.iter().filter_map(|server| server.gate.as_ref());
        let of_gateway = |gateway: &Gateway| gateway.routes.is_some() || by_labels(&gateway.extended_from);
        self.gateway.as_ref().is_some_and(of_gateway) || gates.into_iter().any(|gate| by_labels(&gate.from))
    }

    /// Whether any of its ends loads certificates or trust.
    pub(crate) fn uses_tls(&self) -> bool {
        self.servers.iter().any(|server| server.active_tls().is_some()) || !self.clients.is_empty()
    }

    /// Whether its proxies are given a client policy: the one for every backend isn't given out where each backend has its own. A
    /// gateway's backends are those of its routes.
    pub(crate) fn gives_out(&self, end: &ClientEnd) -> bool {
        !end.is_default
            || self.is_gateway()
            || self.backends.iter().any(|backend| backend.policy == OwnPolicy::Inherited)
    }

    /// Whether it names this object among its backends.
    pub(crate) fn names(&self, object: &ObjectRef) -> bool {
        self.backends.iter().any(|backend| matches!(&backend.to, Target::Object(named) if named == object))
    }

    /// Whether it takes a route of a namespace with these labels (None: not known) that names no gateway.
    pub(crate) fn takes(&self, route: &Hop, namespace: Option<&std::collections::BTreeMap<String, String>>) -> bool {
        self.gateway.as_ref().and_then(|gateway| gateway.routes.as_ref()).is_some_and(|selector| {
            let of_namespace =
                selector.namespaces.is_empty() || namespace.is_some_and(|labels| selector.namespaces.matches(labels));
            of_namespace && selector.routes.as_ref().is_none_or(|routes| routes.matches(&route.labels))
        })
    }
}
