//! # MV223: `probe-cannot-authenticate`
//!
//! ## What it checks
//! HTTPS probes of the selected workloads (liveness, readiness, startup; the port by number or by name) that go to a port
//! which the proxy intercepts and on which a listener asks its clients for a certificate: `validation` with a `trust`, in mode
//! STRICT or PERMISSIVE. Probes to a `host` of their own aren't for the pod, and are left alone.
//!
//! ## Why it matters
//! The kubelet speaks TLS for such a probe, and verifies nothing. It has no certificate to show either, and the proxy ends the
//! handshake: the probe fails, and the kubelet restarts the pod or takes it out of its Service, again and again.
//!
//! ## Example
//! ```yaml
//! # listener 8080: tls: {mode: STRICT, validation: {trust: …}}
//! readinessProbe: {httpGet: {path: /health, port: 8080, scheme: HTTPS}}
//! ```
//!
//! ## How to fix
//! Probe by a command inside the pod or by TCP, or serve health on a port that the proxy doesn't intercept.

use crate::finding::{Problem, Site};
use crate::rules::context::Context;
use crate::rules::fronts::{answered, tls_listeners};
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    for workload in &cx.workloads {
        let Some(ports) = answered(cx, member, workload) else { continue };
        for probe in workload.probes.iter().filter(|probe| probe.tls && ports.contains(i64::from(probe.port))) {
            let asks_clients = tls_listeners(member).find(|(port, _, tls)| {
                *port == probe.port && tls.validation.as_ref().is_some_and(|validation| validation.trust.is_some())
            });
            let Some((port, listener, _)) = asks_clients else { continue };
            let anchor = format!("{} {} of {}", listener.anchor, probe.kind, probe.container);
            let site = Site::new(anchor, probe.field.clone()).on(workload.object.clone());
            let message = format!(
                "the {} of container {} goes to port {port} by HTTPS, where {} asks for a client certificate: the kubelet has none",
                probe.kind, probe.container, member.object
            );
            out.add(
                Problem::warn(site, message)
                    .expected("a probe that doesn't pass the proxy, or a listener that asks for no certificate")
                    .found(format!("{} with scheme HTTPS to port {port}", probe.action))
                    .consequence("the kubelet's probe fails, and the pod is restarted or never becomes ready")
                    .fix("probe by exec or tcpSocket, or on a port that the proxy doesn't intercept"),
            );
        }
    }
}
