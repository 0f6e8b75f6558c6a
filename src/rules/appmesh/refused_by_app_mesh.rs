//! # MV005: `refused-by-app-mesh`
//!
//! ## What it checks
//! What the CRD accepts and the App Mesh API refuses, for the fields that meshvet reads: an empty subject alternative
//! name entry or one over 253 characters; a name over 255 (the default `name_namespace` can be); the weights of a route
//! over 100 in all; a port outside 1 to 65535; a TLS mode that doesn't exist; a path, a secret's name or a hostname that is
//! missing; a backend, provider or target with neither reference nor ARN; a health check on another port than the
//! listener's.
//!
//! ## Why it matters
//! `kubectl apply` says "configured", and the refusal is an event on the object that few look at. Until it is fixed, the
//! mesh keeps the object's former state, without the TLS that you meant.
//!
//! ## Example
//! ```yaml
//! listeners:
//!   - portMapping: {port: 8080, protocol: http}
//!     healthCheck: {port: 9090, protocol: http, …}     # App Mesh: must be 8080
//! ```
//!
//! ## How to fix
//! Bring the value within the limits of the API (App Mesh API Reference, `VirtualNodeSpec` and the like).

use crate::apis::Native;
use crate::apis::appmesh::names::{dotted, underscored};
use crate::apis::appmesh::{
    BackendDefaults, ClientPolicy, FileCertificate, HealthCheckPolicy, ListenerTls, ListenerTlsMode, PortMapping,
    RouteAction, SdsSecret, Spec, TlsValidation, VirtualNodeSpec, VirtualRouterSpec, VirtualServiceSpec,
};
use crate::finding::{Mend, Problem, Site};
use crate::k8s::FieldPath;
use crate::mesh::ServerEnd;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

/// The longest name of any App Mesh resource, in characters (API Reference, `virtualNodeName` and siblings).
const NAME_LIMIT: usize = 255;
/// The longest subject alternative name, in characters: a DNS name's own limit.
const SAN_LIMIT: usize = 253;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let spec = FieldPath::root().key("spec");
    let object = &cx.subject.object;
    let name = |explicit: &Option<String>, default: fn(&str, &str) -> String, out: &mut Reporter<'_>| {
        match explicit.as_ref().filter(|name| !name.is_empty()) {
            Some(explicit) => check_name(explicit, true, &spec, out),
            // With a sign between them.
            None if object.name.len() + object.namespace().len() < NAME_LIMIT => {}
            None => check_name(&default(&object.name, object.namespace()), false, &spec, out),
        }
    };
    let Native::AppMesh(native) = &cx.subject.native else { return };
    let servers = cx.member().map_or(&[][..], |member| &member.servers);
    match native {
        Spec::VirtualNode(node) => {
            name(&node.aws_name, underscored, out);
            check_defaults(node.backend_defaults.as_ref(), &spec, out);
            check_node(node, servers, &spec, out);
        }
        Spec::VirtualGateway(gateway) => {
            name(&gateway.aws_name, underscored, out);
            check_defaults(gateway.backend_defaults.as_ref(), &spec, out);
            for (server, listener) in servers.iter().zip(&gateway.listeners) {
                let parts = (&listener.port_mapping, listener.health_check.as_ref(), listener.tls.as_ref());
                check_listener(server, parts, out);
            }
        }
        Spec::VirtualService(service) => {
            name(&service.aws_name, dotted, out);
            check_provider(service, &spec, out);
        }
        Spec::VirtualRouter(router) => {
            name(&router.aws_name, underscored, out);
            check_router(router, &spec, out);
        }
        Spec::Other => {}
    }
}

fn refused(anchor: String, field: FieldPath, message: String) -> Problem {
    Problem::deny(Site::new(anchor, field), message)
        .consequence("the App Mesh API refuses the object (BadRequestException), and the mesh keeps its former state")
}

fn check_name(name: &str, explicit: bool, spec: &FieldPath, out: &mut Reporter<'_>) {
    let length = name.chars().count();
    if length <= NAME_LIMIT {
        return;
    }
    let field = if explicit { spec.key("awsName") } else { FieldPath::root().keys(["metadata", "name"]) };
    out.add(
        refused("name".to_owned(), field, format!("the name in App Mesh has {length} characters"))
            .expected(format!("at most {NAME_LIMIT} characters"))
            .found(format!("{length} characters"))
            .fix("give a shorter spec.awsName"),
    );
}

fn check_defaults(defaults: Option<&BackendDefaults>, spec: &FieldPath, out: &mut Reporter<'_>) {
    let policy = defaults.and_then(|defaults| defaults.client_policy.as_deref());
    check_policy("backend defaults", || spec.keys(["backendDefaults", "clientPolicy"]), policy, out);
}

fn check_node(node: &VirtualNodeSpec, servers: &[ServerEnd], spec: &FieldPath, out: &mut Reporter<'_>) {
    for (server, listener) in servers.iter().zip(&node.listeners) {
        let parts = (&listener.port_mapping, listener.health_check.as_ref(), listener.tls.as_ref());
        check_listener(server, parts, out);
    }
    if let Some(discovery) = &node.service_discovery {
        let (at, anchor) = (|| spec.key("serviceDiscovery"), || "service discovery".to_owned());
        if let Some(dns) = &discovery.dns {
            check_given(anchor, || at().keys(["dns", "hostname"]), &dns.hostname, out);
        }
        if let Some(map) = &discovery.aws_cloud_map {
            check_given(anchor, || at().keys(["awsCloudMap", "namespaceName"]), &map.namespace_name, out);
            check_given(anchor, || at().keys(["awsCloudMap", "serviceName"]), &map.service_name, out);
        }
    }
    for (index, backend) in node.backends.iter().enumerate() {
        let service = &backend.virtual_service;
        let known = service.virtual_service_ref.is_some() || service.virtual_service_arn.is_some();
        if known && service.client_policy.is_none() {
            continue;
        }
        let field = spec.key("backends").index(index).key("virtualService");
        let name = service.virtual_service_ref.as_ref().map_or("without a service", |r| &r.name);
        let anchor = format!("backend {name}");
        check_reference(known, &anchor, "virtualServiceRef or virtualServiceARN", || field.clone(), out);
        check_policy(&anchor, || field.key("clientPolicy"), service.client_policy.as_deref(), out);
    }
}

fn check_listener(
    server: &ServerEnd,
    (mapping, health, tls): (&PortMapping, Option<&HealthCheckPolicy>, Option<&ListenerTls>),
    out: &mut Reporter<'_>,
) {
    let (anchor, field) = (&*server.anchor, &server.field);
    check_port(anchor, mapping.port, || field.keys(["portMapping", "port"]), out);
    if let Some(port) = health.and_then(|health| health.port)
        // That the listener has none is said already.
        && mapping.port != 0
        && port != mapping.port
    {
        let message = format!("the health check is on port {port}, and the listener on {}", mapping.port);
        out.add(
            refused(format!("{anchor} health check"), field.keys(["healthCheck", "port"]), message)
                .expected(mapping.port.to_string())
                .found(port.to_string())
                .fix("leave the health check's port out, or give the listener's"),
        );
    }
    let Some(tls) = tls else { return };
    let at = || field.key("tls");
    if let ListenerTlsMode::Other(mode) = &tls.mode {
        let message = match mode.as_str() {
            "" => "the listener's TLS has no mode".to_owned(),
            mode => format!("there is no TLS mode {mode:?}"),
        };
        out.add(
            refused(format!("{anchor} mode"), at().key("mode"), message)
                .expected("STRICT, PERMISSIVE or DISABLED")
                .found(if mode.is_empty() { "nothing" } else { mode })
                .fix("name one of the three modes")
                .mend(meant_mode(mode)),
        );
    }
    let given = &tls.certificate;
    check_certificate(anchor, || at().key("certificate"), given.file.as_ref(), given.sds.as_ref(), out);
    if let Some(validation) = &tls.validation {
        check_validation(anchor, || at().key("validation"), validation, out);
    }
}

/// What is named without saying what: an empty text is what an absent one reads as.
fn check_given(anchor: impl FnOnce() -> String, field: impl FnOnce() -> FieldPath, text: &str, out: &mut Reporter<'_>) {
    if !text.is_empty() {
        return;
    }
    let (anchor, field) = (anchor(), field());
    let Some((_, name)) = field.split_last() else { return };
    out.add(
        refused(format!("{anchor} {name}"), field, format!("{name} is missing ({anchor})"))
            .expected(format!("a {name}"))
            .found("nothing")
            .fix(format!("give the {name}")),
    );
}

fn check_certificate(
    anchor: &str,
    field: impl Fn() -> FieldPath,
    file: Option<&FileCertificate>,
    sds: Option<&SdsSecret>,
    out: &mut Reporter<'_>,
) {
    if let Some(file) = file {
        check_given(|| anchor.to_owned(), || field().keys(["file", "certificateChain"]), &file.certificate_chain, out);
        check_given(|| anchor.to_owned(), || field().keys(["file", "privateKey"]), &file.private_key, out);
    }
    if let Some(sds) = sds {
        check_given(|| anchor.to_owned(), || field().keys(["sds", "secretName"]), &sds.secret_name, out);
    }
}

fn check_validation(anchor: &str, field: impl Fn() -> FieldPath, validation: &TlsValidation, out: &mut Reporter<'_>) {
    let (trust, trusts) = (|| field().key("trust"), || format!("{anchor} trust"));
    if let Some(file) = &validation.trust.file {
        check_given(trusts, || trust().keys(["file", "certificateChain"]), &file.certificate_chain, out);
    }
    if let Some(sds) = &validation.trust.sds {
        check_given(trusts, || trust().keys(["sds", "secretName"]), &sds.secret_name, out);
    }
    check_names(anchor, field, validation, out);
}

/// The mode that is written in other letters.
fn meant_mode(mode: &str) -> Option<Mend> {
    let known = ["STRICT", "PERMISSIVE", "DISABLED"].into_iter().find(|known| known.eq_ignore_ascii_case(mode))?;
    Some(Mend::Replace { old: mode.to_owned(), new: known.to_owned() })
}

fn check_policy(anchor: &str, field: impl Fn() -> FieldPath, policy: Option<&ClientPolicy>, out: &mut Reporter<'_>) {
    let Some(tls) = policy.and_then(|policy| policy.tls.as_ref()) else { return };
    let at = || field().key("tls");
    for (index, port) in tls.ports.iter().flatten().enumerate() {
        check_port(anchor, *port, || at().key("ports").index(index), out);
    }
    if let Some(given) = &tls.certificate {
        check_certificate(anchor, || at().key("certificate"), given.file.as_ref(), given.sds.as_ref(), out);
    }
    check_validation(anchor, || at().key("validation"), &tls.validation, out);
}

fn check_names(anchor: &str, field: impl FnOnce() -> FieldPath, validation: &TlsValidation, out: &mut Reporter<'_>) {
    let Some(names) = &validation.subject_alternative_names else { return };
    let list = field().keys(["subjectAlternativeNames", "match", "exact"]);
    if names.r#match.exact.is_empty() {
        let message = "the list of subject alternative names is empty".to_owned();
        out.add(
            refused(format!("{anchor} names"), list.clone(), message)
                .expected("at least one name")
                .found("none")
                .fix("list the names that the peer's certificate must have, or leave subjectAlternativeNames out"),
        );
    }
    for (index, name) in names.r#match.exact.iter().enumerate() {
        let length = name.chars().count();
        if (1..=SAN_LIMIT).contains(&length) {
            continue;
        }
        let message = match length {
            0 => "a subject alternative name is empty".to_owned(),
            _ => format!("a subject alternative name has {length} characters"),
        };
        out.add(
            refused(format!("{anchor} name {index}"), list.index(index), message)
                .expected(format!("1 to {SAN_LIMIT} characters"))
                .found(format!("{length} characters"))
                .fix("give the name that the peer's certificate has, or remove the entry"),
        );
    }
}

fn check_port(anchor: &str, port: i64, field: impl FnOnce() -> FieldPath, out: &mut Reporter<'_>) {
    if (1..=65535).contains(&port) {
        return;
    }
    // Zero is what an absent number reads as.
    let (message, found) = match port {
        0 => ("the port is missing".to_owned(), "nothing, or 0".to_owned()),
        port => (format!("{port} is not a valid port"), port.to_string()),
    };
    out.add(
        refused(format!("{anchor} port {port}"), field(), message)
            .expected("1 to 65535")
            .found(found)
            .fix("give the port that the application listens on"),
    );
}

fn check_reference(known: bool, anchor: &str, of: &str, field: impl FnOnce() -> FieldPath, out: &mut Reporter<'_>) {
    if known {
        return;
    }
    out.add(
        refused(format!("{anchor} reference"), field(), format!("there is neither {}", of.replace(" or ", " nor ")))
            .expected(of)
            .found("neither")
            .fix("name the object, by reference or by ARN"),
    );
}

fn check_provider(service: &VirtualServiceSpec, spec: &FieldPath, out: &mut Reporter<'_>) {
    let Some(provider) = &service.provider else { return };
    let at = spec.key("provider");
    if let Some(node) = &provider.virtual_node {
        let known = node.virtual_node_ref.is_some() || node.virtual_node_arn.is_some();
        check_reference(known, "provider", "virtualNodeRef or virtualNodeARN", || at.key("virtualNode"), out);
    }
    if let Some(router) = &provider.virtual_router {
        let known = router.virtual_router_ref.is_some() || router.virtual_router_arn.is_some();
        check_reference(known, "provider", "virtualRouterRef or virtualRouterARN", || at.key("virtualRouter"), out);
    }
}

fn check_router(router: &VirtualRouterSpec, spec: &FieldPath, out: &mut Reporter<'_>) {
    for (index, listener) in router.listeners.iter().enumerate() {
        let field = || spec.key("listeners").index(index).keys(["portMapping", "port"]);
        check_port("listener", listener.port_mapping.port, field, out);
    }
    for (index, route) in router.routes.iter().enumerate() {
        let field = spec.key("routes").index(index);
        for (kind, action, _) in route.actions() {
            let field = field.keys([kind, "action", "weightedTargets"]);
            check_targets(&format!("route {}", route.name), &field, action, out);
        }
    }
}

fn check_targets(anchor: &str, field: &FieldPath, action: &RouteAction, out: &mut Reporter<'_>) {
    let total: i64 = action.weighted_targets.iter().map(|target| target.weight).fold(0, i64::saturating_add);
    if total > 100 {
        out.add(
            refused(format!("{anchor} weights"), field.clone(), format!("the weights are {total} in all"))
                .expected("at most 100 in all")
                .found(total.to_string())
                .fix("lower the weights: they are percentages"),
        );
    }
    for (index, target) in action.weighted_targets.iter().enumerate() {
        let known = target.virtual_node_ref.is_some() || target.virtual_node_arn.is_some();
        let anchor = format!("{anchor} target {index}");
        check_reference(known, &anchor, "virtualNodeRef or virtualNodeARN", || field.index(index), out);
        if let Some(port) = target.port {
            check_port(&anchor, port, || field.index(index).key("port"), out);
        }
    }
}
