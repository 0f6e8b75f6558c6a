//! What stands before a member's pods: which ports of theirs its proxy answers at, and the Service by whose name it is found.

use crate::apis;
use crate::k8s::ObjectRef;
use crate::mesh::{Discovery, Front, Member, Ports, ServerEnd, ServerTls, Workload};
use crate::rules::context::Context;

/// The listeners of a member that speak TLS, with their ports.
pub(super) fn tls_listeners(member: &Member) -> impl Iterator<Item = (u16, &ServerEnd, &ServerTls)> {
    member.servers.iter().filter_map(|server| Some((server.port?, server, server.active_tls()?)))
}

/// The ports of a workload's pods at which the member's proxy answers what comes from elsewhere: those that are intercepted, of a gateway
/// its listeners'. None where there is no proxy, or nobody knows what it takes.
pub(super) fn answered(cx: &Context<'_>, member: &Member, workload: &Workload) -> Option<Ports> {
    let proxy = workload.proxy(member.api)?;
    let listeners = || Ports::of(member.servers.iter().filter_map(|server| server.port.map(i64::from)));
    if member.is_gateway() {
        return proxy.brought.then(listeners);
    }
    let labels = cx.view.namespace(workload.object.namespace());
    if proxy.brought || apis::is_proxied(member.api, workload, labels) == Some(false) {
        return None;
    }
    match &proxy.intercepts {
        None => Some(listeners()),
        Some(ports) if ports.unreadable.is_empty() => Some(ports.clone()),
        // Such pods don't start.
        Some(_) => None,
    }
}

/// The Service by whose name the member is found, where it is known that there is none: its namespace has others before pods, and the
/// member's own pods are known, so that this is no part of a mesh of which the rest stands elsewhere.
pub(super) fn missing_service(cx: &Context<'_>) -> Option<ObjectRef> {
    let member = cx.member().filter(|member| !member.is_gateway())?;
    tls_listeners(member).next()?;
    let Front::Missing(service) = &cx.front else { return None };
    let is_kept_here = cx.view.services_in(service.namespace()).iter().any(|other| other.selector.is_some());
    let has_pods = || cx.workloads.iter().any(|workload| answered(cx, member, workload).is_some());
    (is_kept_here && has_pods() && !is_elsewhere(cx, member, service)).then(|| service.clone())
}

/// Whether a name without a namespace may lead callers of another namespace to a Service of theirs.
fn is_elsewhere(cx: &Context<'_>, member: &Member, service: &ObjectRef) -> bool {
    let Discovery::Dns { hostname, .. } = &member.discovery else { return false };
    !hostname.contains('.')
        && cx.pairs.iter().map(|pair| &pair.link).any(|link| {
            let callers = link.client.object.namespace();
            link.server.object == member.object && callers != service.namespace()
        })
}
