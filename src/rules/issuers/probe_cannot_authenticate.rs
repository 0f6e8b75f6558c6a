//! # MV223: `probe-cannot-authenticate`
//!
//! ## What it checks
//! HTTPS probes of the selected workloads (liveness, readiness, startup; the port by number or by name) to a port at which the
//! proxy answers and a listener asks clients for a certificate: `validation` with a `trust`, in mode STRICT or PERMISSIVE. In a
//! virtual gateway's pods the probes of the `envoy` container count too. Probes with a `host` don't go to the pod, and pass.
//!
//! ## Why it matters
//! The kubelet speaks TLS for such a probe and verifies nothing. It has no certificate to present either, and the proxy ends the
//! handshake: the probe fails, and the kubelet restarts the pod or takes it out of its Service, again and again.
//!
//! ## Example
//! ```yaml
//! # listener 8080: tls: {mode: STRICT, validation: {trust: …}}
//! readinessProbe: {httpGet: {path: /health, port: 8080, scheme: HTTPS}}
//! ```
//!
//! ## How to fix
//! Probe by a command inside the pod or by TCP, or serve health checks on a port that the proxy doesn't intercept; for a gateway, on
//! Envoy's admin port (`path: /ready`).

use crate::finding::{Problem, Site};
use crate::mesh::Probe;
use crate::rules::context::Context;
use crate::rules::fronts::{answered, tls_listeners};
use crate::rules::issuers::plaintext_probe;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    for workload in &cx.workloads {
        let Some(ports) = answered(cx, member, workload) else { continue };
        // A gateway's listeners answer whichever container asks.
        let counts = |probe: &&Probe| probe.tls && (!probe.of_proxy || member.is_gateway());
        let probes = workload.probes.iter().filter(counts);
        for probe in probes.filter(|probe| ports.contains(i64::from(probe.port))) {
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
                    .expected("a probe that doesn't go through the proxy, or a listener that asks for no certificate")
                    .found(format!("{} with scheme HTTPS to port {port}", probe.action))
                    .consequence("the kubelet's probe fails, and the pod is restarted or never becomes ready")
                    .fix(plaintext_probe::fix(member)),
            );
        }
    }
}
