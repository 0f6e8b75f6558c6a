//! Who answers at a listener that speaks no TLS: a proxy of the mesh, or an application that may speak it itself.

use crate::apis;
use crate::mesh::{Discovery, Member, ServerEnd, Sort, View};

/// Who answers at a listener without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answerer {
    /// A proxy that reads requests, and so answers a TLS handshake in plaintext.
    Proxy,
    /// The application: its pods have no proxy, or one that passes on bytes as they come.
    Application,
    /// A host that is no workload of the mesh: a database, an API of somebody else's.
    Outside,
    /// Nobody knows: the member may have proxies that aren't there yet, or elsewhere.
    Unknown,
}

/// The protocol whose bytes a proxy passes on.
const OPAQUE: &str = "tcp";

impl Answerer {
    /// Who answers at this listener.
    pub(super) fn of(view: View<'_>, server: &Member, listener: &ServerEnd) -> Self {
        let by_protocol = if listener.protocol == OPAQUE { Self::Application } else { Self::Proxy };
        let workloads = view.workloads_of(server);
        if !workloads.is_empty() {
            let namespace = server.object.namespace();
            let labels = view.namespace(namespace);
            let proxied: Vec<_> = workloads.iter().map(|it| apis::is_proxied(server.api, it, labels)).collect();
            return match () {
                () if proxied.contains(&Some(true)) => by_protocol,
                () if !proxied.contains(&None) => Self::Application,
                // Manifests may leave the namespace out, which then counts as one whose pods get proxies.
                () if view.unlisted(Sort::Namespaces, namespace).is_empty() => by_protocol,
                () => Self::Unknown,
            };
        }
        // One that selects pods will have proxies, unless its name is one of the internet's, where others may be meant to answer.
        match (server.pod_selector.is_some(), Place::of(view, server)) {
            (true, Place::Cluster | Place::Private) => by_protocol,
            (false, Place::Private | Place::Public) => Self::Outside,
            (true, Place::Public) | (false, Place::Cluster) => Self::Unknown,
        }
    }
}

/// Where a member's name leads.
enum Place {
    /// To the cluster: it is the name of a Service, or there is none. What Cloud Map finds may be a task of ECS with a proxy of the same
    /// mesh, and so counts likewise.
    Cluster,
    /// Somewhere that only private zones know.
    Private,
    /// Anywhere.
    Public,
}

/// The ends of names that no public zone has (RFC 6762, and ICANN's reservation of `internal`).
const PRIVATE: [&str; 2] = [".local", ".internal"];

impl Place {
    fn of(view: View<'_>, server: &Member) -> Self {
        let Discovery::Dns { hostname, .. } = &server.discovery else { return Self::Cluster };
        if is_service_name(view, server, hostname) {
            return Self::Cluster;
        }
        let name = hostname.trim_end_matches('.');
        if PRIVATE.iter().any(|end| name.ends_with(end)) { Self::Private } else { Self::Public }
    }
}

/// Whether a hostname is one that the cluster's DNS gives a Service (DNS-Based Service Discovery of Kubernetes): `blue`, `blue.shop`,
/// `blue.shop.svc`, and that below any cluster domain.
fn is_service_name(view: View<'_>, server: &Member, hostname: &str) -> bool {
    let labels: Vec<&str> = hostname.trim_end_matches('.').split('.').collect();
    match labels.as_slice() {
        [_] => true,
        [_, namespace] => *namespace == server.object.namespace() || view.namespace(namespace).is_some(),
        [_, _, rest @ ..] => rest.contains(&"svc"),
        [] => false,
    }
}
