//! # MV221: `load-balancer-mismatch`
//!
//! ## What it checks
//! Services of type `LoadBalancer` that select the pods of a gateway or node, and whose annotations have a load balancer of AWS
//! end TLS (`service.beta.kubernetes.io/aws-load-balancer-ssl-cert`, on the ports of `…-ssl-ports`): whether it speaks
//! with the pods as the listener behind the port wants it. Plaintext (`…-backend-protocol` absent, `tcp` or `http`)
//! doesn't do for a STRICT listener, and TLS (`ssl`) doesn't for one that asks clients for a certificate.
//!
//! ## Why it matters
//! A load balancer that ends TLS begins a connection of its own with the pods. A STRICT listener closes one that begins in
//! plaintext, and a listener that validates clients one without a client certificate; a load balancer has none to show.
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
//! Set `service.beta.kubernetes.io/aws-load-balancer-backend-protocol: ssl`, so that the load balancer begins TLS anew. Before a
//! listener that validates clients remove `…-ssl-cert`, so that TLS is passed through, and clients show their own
//! certificates to the listener.

use std::collections::BTreeSet;

use crate::finding::{Problem, Site};
use crate::mesh::{Arrival, BackendTls, Balanced, Member, ServerEnd, Service, ServicePort};
use crate::rules::context::Context;
use crate::rules::fronts::answered;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    let mut told = BTreeSet::new();
    for workload in &cx.workloads {
        let Some(ports) = answered(cx, member, workload) else { continue };
        for service in cx.view.services_of(workload) {
            for port in &service.ports {
                let Some(balanced) = &port.balanced else { continue };
                let Arrival::Port(target) = port.arrives_at(workload) else { continue };
                let listener = member.servers.iter().find(|server| server.port == Some(target));
                let listener = listener.filter(|_| ports.contains(i64::from(target)));
                let problem = listener.and_then(|listener| mismatch(member, service, port, balanced, listener));
                if let Some(problem) = problem.filter(|_| told.insert((&service.object, port.port))) {
                    out.add(problem);
                }
            }
        }
    }
}

fn mismatch(
    member: &Member,
    service: &Service,
    port: &ServicePort,
    balanced: &Balanced,
    listener: &ServerEnd,
) -> Option<Problem> {
    let tls = listener.active_tls()?;
    let asks_clients = tls.validation.as_ref().is_some_and(|validation| validation.trust.is_some());
    let site = Site::new(format!("port {} before {}", port.port, member.object), balanced.field.clone());
    let site = site.on(service.object.clone());
    let ends = format!("the load balancer of {} ends TLS on port {}", service.object, port.port);
    let target = format!("{} of {}", listener.anchor, member.object);
    match balanced.to_pods {
        BackendTls::Plaintext if listener.is_strict() => Some(
            Problem::warn(site, format!("{ends} and speaks plaintext to {target}, which takes TLS only"))
                .expected("a load balancer that begins TLS anew, or passes it through")
                .found("a certificate of the load balancer's, and plaintext behind it")
                .consequence("the listener closes every connection of the load balancer: clients get no answer")
                .fix(match asks_clients {
                    true => "remove the annotation, so that TLS is passed through to the listener, which asks clients for a certificate",
                    false => {
                        "set service.beta.kubernetes.io/aws-load-balancer-backend-protocol: ssl, or make the listener PERMISSIVE"
                    }
                }),
        ),
        BackendTls::Anew if asks_clients => Some(
            Problem::warn(site, format!("{ends}, and has no certificate to show to {target}, which asks clients for one"))
                .expected("a load balancer that passes TLS through, so that clients show theirs")
                .found("a certificate of the load balancer's, and TLS of its own behind it")
                .consequence("the listener ends the handshake with the load balancer: clients get no answer")
                .fix("remove the annotation, so that TLS is passed through; or don't validate clients at this listener"),
        ),
        BackendTls::Plaintext | BackendTls::Anew => None,
    }
}
