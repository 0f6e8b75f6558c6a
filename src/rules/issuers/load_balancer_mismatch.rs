//! # MV221: `load-balancer-mismatch`
//!
//! ## What it checks
//! Services of type `LoadBalancer` that select the pods of a gateway or node, and their annotations for AWS load balancers
//! (`service.beta.kubernetes.io/aws-load-balancer-…`).
//!
//! Where the load balancer terminates TLS (`…-ssl-cert`, on the ports of `…-ssl-ports`): whether the listener accepts the
//! connection that it opens to the pods. A STRICT listener refuses plaintext (`…-backend-protocol` absent, `tcp` or `http`),
//! and a listener that asks clients for a certificate refuses TLS without one (`ssl`).
//!
//! Where it checks health by HTTP (`…-healthcheck-protocol: http` or `https`): whether the listener accepts that, likewise.
//! Health checks are judged where it is certain which port of the pods they reach: not with `externalTrafficPolicy: Local`, not
//! with a `…-healthcheck-port` of the nodes.
//!
//! ## Why it matters
//! A load balancer that terminates TLS opens a connection of its own to the pods. A STRICT listener closes a connection that
//! begins in plaintext, and a listener that validates clients ends a handshake without a client certificate; a load balancer has
//! none to present. A health check fails in the same way: the load balancer marks every pod as unhealthy.
//!
//! ## Example
//! ```yaml
//! # VirtualGateway front: listener 8443 is STRICT
//! kind: Service
//! metadata:
//!   annotations:
//!     service.beta.kubernetes.io/aws-load-balancer-type: external
//!     service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn:aws:acm:…
//!     # service.beta.kubernetes.io/aws-load-balancer-backend-protocol: ssl       is missing
//! spec:
//!   type: LoadBalancer
//!   ports: [{port: 443, targetPort: 8443}]
//! ```
//!
//! ## How to fix
//! Set `service.beta.kubernetes.io/aws-load-balancer-backend-protocol: ssl`, so that the load balancer encrypts the connection to
//! the pods. For a listener that validates clients remove `…-ssl-cert`, so that TLS is passed through and clients present their
//! own certificates. Let health checks use `tcp`, or a port that the proxy doesn't intercept.

use std::collections::BTreeSet;

use crate::finding::{Problem, Site};
use crate::mesh::{Arrival, BackendTls, Balanced, HealthCheck, Member, ServerEnd, Service, ServicePort};
use crate::rules::context::Context;
use crate::rules::fronts::answered;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    let (mut balanced, mut checked) = (BTreeSet::new(), BTreeSet::new());
    for workload in &cx.workloads {
        let Some(ports) = answered(cx, member, workload) else { continue };
        let listener_at = |port: u16| {
            let listener = member.servers.iter().find(|server| server.port == Some(port));
            listener.filter(|_| ports.contains(i64::from(port)))
        };
        for service in cx.view.services_of(workload) {
            for port in &service.ports {
                let target = match port.arrives_at(workload) {
                    Arrival::Port(target) => Some(target),
                    Arrival::NoPortNamed(_) | Arrival::Unknown => None,
                };
                let problem = port.balanced.as_ref().zip(target.and_then(listener_at));
                let problem = problem.and_then(|(it, listener)| mismatch(member, service, port, it, listener));
                if let Some(problem) = problem.filter(|_| balanced.insert((&service.object, port.port))) {
                    out.add(problem);
                }
                let Some(check) = &port.checked else { continue };
                let listener = check.port.or(target).and_then(listener_at);
                let problem = listener.and_then(|listener| unhealthy(member, service, check, listener));
                let at = listener.and_then(|listener| listener.port);
                if let Some(problem) = problem.filter(|_| checked.insert((&service.object, at))) {
                    out.add(problem);
                }
            }
        }
    }
}

fn asks_clients(listener: &ServerEnd) -> bool {
    let validation = listener.active_tls().and_then(|tls| tls.validation.as_ref());
    validation.is_some_and(|validation| validation.trust.is_some())
}

fn mismatch(
    member: &Member,
    service: &Service,
    port: &ServicePort,
    balanced: &Balanced,
    listener: &ServerEnd,
) -> Option<Problem> {
    listener.active_tls()?;
    let asks_clients = asks_clients(listener);
    let site = Site::new(format!("port {} before {}", port.port, member.object), balanced.field.clone());
    let site = site.on(service.object.clone());
    let terminates = format!("the load balancer of {} terminates TLS on port {}", service.object, port.port);
    let target = format!("{} of {}", listener.anchor, member.object);
    match balanced.to_pods {
        BackendTls::Plaintext if listener.is_strict() => Some(
            Problem::warn(site, format!("{terminates} and speaks plaintext to {target}, which accepts TLS only"))
                .expected("a load balancer that speaks TLS to the pods, or passes TLS through")
                .found("a certificate for the load balancer, and plaintext to the pods")
                .consequence("the listener closes every connection of the load balancer: clients get no answer")
                .fix(match asks_clients {
                    true => "remove the annotation, so that TLS is passed through to the listener, which asks clients for a certificate",
                    false => {
                        "set service.beta.kubernetes.io/aws-load-balancer-backend-protocol: ssl, or make the listener PERMISSIVE"
                    }
                }),
        ),
        BackendTls::Anew if asks_clients => Some(
            Problem::warn(
                site,
                format!("{terminates}, and has no certificate to present to {target}, which asks clients for one"),
            )
            .expected("a load balancer that passes TLS through, so that clients present their own certificates")
            .found("a certificate for the load balancer, and TLS of its own to the pods")
            .consequence("the listener ends the handshake with the load balancer: clients get no answer")
            .fix("remove the annotation, so that TLS is passed through; or don't validate clients at this listener"),
        ),
        BackendTls::Plaintext | BackendTls::Anew => None,
    }
}

/// A health check that the listener refuses.
fn unhealthy(member: &Member, service: &Service, check: &HealthCheck, listener: &ServerEnd) -> Option<Problem> {
    let (how, why) = match check.tls {
        false if listener.is_strict() => ("http", "which accepts TLS only"),
        true if asks_clients(listener) => ("https", "which asks clients for a certificate"),
        _ => return None,
    };
    let site = Site::new(format!("health check of {} of {}", listener.anchor, member.object), check.field.clone());
    let message = format!(
        "the load balancer of {} checks health by {} at {} of {}, {why}",
        service.object,
        how.to_uppercase(),
        listener.anchor,
        member.object
    );
    Some(
        Problem::warn(site.on(service.object.clone()), message)
            .expected("a health check by tcp, or at a port that the proxy doesn't intercept")
            .found(format!("aws-load-balancer-healthcheck-protocol: {how}"))
            .consequence("every health check fails, and the load balancer marks the pods as unhealthy")
            .fix(
                "set service.beta.kubernetes.io/aws-load-balancer-healthcheck-protocol: tcp, or remove the annotation",
            ),
    )
}
