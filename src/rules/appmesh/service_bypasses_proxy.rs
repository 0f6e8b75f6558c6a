//! # MV220: `service-bypasses-proxy`
//!
//! ## What it checks
//! For each TLS listener of a virtual node with DNS service discovery: whether traffic to the listener's port reaches the
//! proxy. It doesn't where the annotation `appmesh.k8s.aws/ports` of the pods leaves the port out; where the Service of the
//! node's hostname maps the port to a pod port that isn't intercepted (`targetPort` by number or by name); where none of
//! its ports leads to an intercepted one; where it selects none of the node's pods; and where there is no such Service,
//! though its namespace has others. A headless Service maps no ports. For a Service without a selector, for `ExternalName`,
//! and where Services may not be listed, nothing is reported.
//!
//! ## Why it matters
//! The callers' proxies open a TLS connection to the listener's port at the node's hostname. The node's proxy intercepts
//! the listeners' ports and no others: at any other port the application answers the handshake in plaintext. Callers get
//! 503, and their proxies log `WRONG_VERSION_NUMBER`.
//!
//! ## Example
//! ```yaml
//! # VirtualNode blue: listeners: [{portMapping: {port: 8080}}], hostname blue.shop.svc.cluster.local
//! kind: Service
//! metadata: {name: blue, namespace: shop}
//! spec:
//!   selector: {app: blue}
//!   ports: [{port: 8080, targetPort: 80}]       # 80 is not intercepted
//! ```
//!
//! ## How to fix
//! Give the Service the same `port` and `targetPort` as the listener has, and let the application listen there; or give the
//! listener the port that the application listens on, and the Service too. Have `appmesh.k8s.aws/ports` name every listener's port,
//! or remove it.

use crate::apis::appmesh::annotations::PORTS;
use crate::finding::{Problem, Site};
use crate::k8s::{FieldPath, ObjectRef};
use crate::mesh::{Arrival, Discovery, Front, Member, Ports, Service, ServicePort, Sort, Workload};
use crate::rules::context::Context;
use crate::rules::fronts::{answered, missing_service, tls_listeners};
use crate::rules::reporter::Reporter;

/// What callers see where the application answers in the proxy's place.
const APPLICATION_ANSWERS: &str = "TLS reaches the application: where that answers in plaintext, callers get 503, and their proxies log WRONG_VERSION_NUMBER";
/// What they see where nobody answers.
const NOBODY_ANSWERS: &str = "callers get 503: their connections reach nothing, or other pods than the node's";

/// A workload of the node, and the ports at which its proxy answers.
type Proxied<'a> = (&'a Workload, Ports);

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member().filter(|member| !member.is_gateway()) else { return };
    if tls_listeners(member).next().is_none() {
        return;
    }
    let proxied: Vec<Proxied<'_>> =
        cx.workloads.iter().filter_map(|workload| Some((*workload, answered(cx, member, workload)?))).collect();
    left_out(member, &proxied, out);
    match &cx.front {
        Front::Service(service) => behind(cx, member, service, &proxied, out),
        Front::Missing(_) => {
            if let Some(service) = missing_service(cx) {
                out.add(missing(member, &service));
            }
        }
        Front::Unknown => {}
    }
}

/// Listeners' ports that the annotation leaves out.
fn left_out(member: &Member, proxied: &[Proxied<'_>], out: &mut Reporter<'_>) {
    for (port, listener, _) in tls_listeners(member) {
        for (workload, ports) in proxied.iter().filter(|(_, ports)| !ports.contains(i64::from(port))) {
            let field = workload.template_metadata.keys(["annotations", PORTS]);
            let site = Site::new(format!("{} of {}", listener.anchor, workload.object), field);
            let message = format!(
                "{PORTS} of {} leaves out port {port}, on which {} has a TLS listener",
                workload.object, member.object
            );
            out.add(
                Problem::warn(site.on(workload.object.clone()), message)
                    .expected(format!("port {port} among those that the proxy intercepts"))
                    .found(listed(ports))
                    .consequence(APPLICATION_ANSWERS)
                    .fix(format!(
                        "add {port} to the annotation, or remove it: then every listener's port is intercepted"
                    )),
            );
        }
    }
}

/// The Service of the node's hostname.
fn behind(cx: &Context<'_>, member: &Member, service: &Service, proxied: &[Proxied<'_>], out: &mut Reporter<'_>) {
    if service.selector.is_none() {
        return;
    }
    let is_apart = |workload: &&Workload| service.selects(workload) == Some(false);
    if !proxied.is_empty() && cx.workloads.iter().all(is_apart) {
        // Pods of the node may be among what nobody could list.
        if cx.view.unlisted(Sort::Workloads, member.object.namespace()).is_empty() {
            out.add(selects_others(member, service, proxied));
        }
        return;
    }
    // Pods that it may select are taken for its own where that excuses, and for others' where it doesn't.
    let known: Vec<&Proxied<'_>> =
        proxied.iter().filter(|(workload, _)| service.selects(workload) == Some(true)).collect();
    if service.headless || known.is_empty() {
        return;
    }
    let may_arrive = |port: &ServicePort| {
        known.iter().any(|(workload, ports)| match port.arrives_at(workload) {
            Arrival::Port(port) => ports.contains(i64::from(port)),
            Arrival::NoPortNamed(_) => false,
            Arrival::Unknown => true,
        })
    };
    let is_known = known.len() == cx.workloads.len();
    if is_known && !service.ports.is_empty() && !service.ports.iter().any(may_arrive) {
        let mut ports = tls_listeners(member).map(|(port, ..)| port);
        if !ports.any(|port| service.ports.iter().any(|it| it.port == port)) {
            out.add(leads_past(member, service));
        }
    }
    for (port, ..) in tls_listeners(member) {
        let Some(mapped) = service.ports.iter().find(|it| it.port == port) else { continue };
        // What is left out is said of the annotation.
        for (workload, ports) in known.iter().filter(|(_, ports)| ports.contains(i64::from(port))) {
            if let Some(problem) = sent_elsewhere(member, service, mapped, workload, ports) {
                out.add(problem);
            }
        }
    }
}

/// A port of the Service that leads past the proxy.
fn sent_elsewhere(
    member: &Member,
    service: &Service,
    mapped: &ServicePort,
    workload: &Workload,
    ports: &Ports,
) -> Option<Problem> {
    let port = mapped.port;
    let (target, found) = match mapped.arrives_at(workload) {
        Arrival::Port(target) if ports.contains(i64::from(target)) => return None,
        Arrival::Unknown => return None,
        Arrival::Port(target) => (
            format!("port {target} of {}, which the proxy of {} doesn't intercept", workload.object, member.object),
            format!("targetPort {target}; intercepted: {}", listed(ports)),
        ),
        Arrival::NoPortNamed(name) => (
            format!("a port named {name}, which no container of {} has", workload.object),
            format!("targetPort {name}"),
        ),
    };
    let (consequence, field) = match mapped.arrives_at(workload) {
        Arrival::NoPortNamed(_) => (NOBODY_ANSWERS, mapped.field.key("targetPort")),
        _ => (APPLICATION_ANSWERS, mapped.field.key("targetPort")),
    };
    let site = Site::new(format!("port {port} to {}", workload.object), field).on(service.object.clone());
    Some(
        Problem::warn(site, format!("{} sends port {port} to {target}", service.object))
            .expected(format!("targetPort {port}, as the listener has it"))
            .found(found)
            .consequence(consequence)
            .fix(format!(
                "let the application listen on {port} and set targetPort: {port}; or give the listener and the Service the port that \
                 the application listens on"
            )),
    )
}

/// No port of the Service leads to a listener.
fn leads_past(member: &Member, service: &Service) -> Problem {
    let field = FieldPath::root().keys(["spec", "ports"]);
    let site = Site::new(format!("ports before {}", member.object), field).on(service.object.clone());
    let wanted: Vec<String> = tls_listeners(member).map(|(port, ..)| port.to_string()).collect();
    let has: Vec<String> = service.ports.iter().map(|port| port.port.to_string()).collect();
    let message = format!(
        "no port of {} leads to a port that the proxy of {} intercepts: {} has its listener on {}",
        service.object,
        member.object,
        member.object.name,
        wanted.join(", ")
    );
    Problem::warn(site, message)
        .expected(format!("a port {} with the same targetPort", wanted.join(", ")))
        .found(format!("ports {}", has.join(", ")))
        .consequence("callers get 503: their proxies call the listener's port, which the Service doesn't have")
        .fix("give the Service the listener's port, as port and as targetPort")
}

fn selects_others(member: &Member, service: &Service, proxied: &[Proxied<'_>]) -> Problem {
    let field = FieldPath::root().keys(["spec", "selector"]);
    let site = Site::new(format!("pods of {}", member.object), field).on(service.object.clone());
    let selector = service.selector.iter().flat_map(|selector| selector.match_labels.iter());
    let selector: Vec<String> = selector.map(|(key, value)| format!("{key}={value}")).collect();
    // What is in another namespace isn't for whoever names it.
    let found = match service.object.namespace() == member.object.namespace() {
        true => selector.join(","),
        false => "a Service of another namespace, which selects pods of its own".to_owned(),
    };
    let workloads: Vec<String> = proxied.iter().map(|(workload, _)| workload.object.to_string()).collect();
    let message =
        format!("the hostname of {} is that of {}, which selects none of its pods", member.object, service.object);
    Problem::warn(site, message)
        .expected(format!("a selector for pods of {}", workloads.join(", ")))
        .found(found)
        .consequence(NOBODY_ANSWERS)
        .fix("give the Service's selector labels that the node's pods have, or give the node the hostname of the Service that selects its pods")
}

fn missing(member: &Member, service: &ObjectRef) -> Problem {
    let root = FieldPath::root().key("spec");
    let (hostname, field) = match &member.discovery {
        Discovery::Dns { hostname, field } => (hostname.as_str(), field.clone()),
        Discovery::CloudMap { .. } | Discovery::None => ("", root),
    };
    let site = Site::new("service of the hostname", field);
    Problem::warn(site, format!("there is no {service}, and callers reach the {} by its name {hostname}", member.noun))
        .expected(format!("a Service {} in namespace {}", service.name, service.namespace()))
        .found(format!("other Services in namespace {}", service.namespace()))
        .consequence("the hostname has no address: callers get 503, and their requests never reach the proxy")
        .fix("apply the Service too, or give the node the hostname of the Service that selects its pods")
}

/// `8080, 9000-9100`.
fn listed(ports: &Ports) -> String {
    if ports.ranges.is_empty() {
        return "no port".to_owned();
    }
    let range = |&(first, last): &(i64, i64)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    ports.ranges.iter().map(range).collect::<Vec<_>>().join(", ")
}
