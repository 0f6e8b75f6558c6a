//! # MV306: `plaintext-probe`
//!
//! ## What it checks
//! HTTP and gRPC probes of the selected workloads (liveness, readiness, startup) that go to the port of a STRICT
//! listener which the proxy intercepts. TCP probes, HTTPS probes and commands are left alone.
//!
//! ## Why it matters
//! The kubelet is outside the mesh and speaks plaintext. A STRICT listener takes TLS only: the probe fails, and the
//! kubelet restarts the pod or takes it out of its Service, again and again.
//!
//! ## Example
//! ```yaml
//! # listener 8080 is STRICT
//! readinessProbe: {httpGet: {path: /health, port: 8080}}
//! ```
//!
//! ## How to fix
//! Probe by a command inside the pod or by TCP, serve health on a port that the proxy doesn't intercept, or use
//! PERMISSIVE.

use crate::finding::{Problem, Site};
use crate::mesh::Ports;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    // Nothing is intercepted in a gateway's pods.
    let Some(member) = cx.member().filter(|member| !member.is_gateway()) else { return };
    for workload in &cx.workloads {
        let listeners = member.servers.iter().filter_map(|server| server.port.map(i64::from));
        let said = workload.proxy(member.api).and_then(|proxy| proxy.intercepts.clone());
        let intercepted = said.unwrap_or_else(|| Ports::of(listeners));
        for probe in workload.probes.iter().filter(|probe| !probe.tls && intercepted.contains(i64::from(probe.port))) {
            let strict = member.servers.iter().filter(|server| server.is_strict());
            for server in strict.filter(|server| server.port == Some(probe.port)) {
                let anchor = format!("{} {} of {}", server.anchor, probe.kind, probe.container);
                let site = Site::new(anchor, probe.field.clone()).on(workload.object.clone());
                let message = format!(
                    "the {} of container {} speaks plaintext to port {}, which takes TLS only",
                    probe.kind, probe.container, probe.port
                );
                out.add(
                    Problem::warn(site, message)
                        .expected("a probe that doesn't pass the proxy, or a PERMISSIVE listener")
                        .found(format!("{} to port {}", probe.action, probe.port))
                        .consequence("the kubelet's probe fails, and the pod is restarted or never becomes ready")
                        .fix("probe by exec or tcpSocket, or on a port that the proxy doesn't intercept"),
                );
            }
        }
    }
}
