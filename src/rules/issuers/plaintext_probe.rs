//! # MV306: `plaintext-probe`
//!
//! ## What it checks
//! HTTP and gRPC probes of the selected workloads (liveness, readiness, startup) to the port of a STRICT listener, where the
//! proxy answers: at the ports that it intercepts, and at every listener of a virtual gateway, whose `envoy` container's own probes
//! count too. TCP probes and commands pass; MV223 checks HTTPS probes.
//!
//! ## Why it matters
//! The kubelet is outside the mesh and speaks plaintext. A STRICT listener accepts TLS only: the probe fails, and the
//! kubelet restarts the pod or takes it out of its Service, again and again.
//!
//! ## Example
//! ```yaml
//! # listener 8080 is STRICT
//! readinessProbe: {httpGet: {path: /health, port: 8080}}
//! ```
//!
//! ## How to fix
//! Probe by a command inside the pod or by TCP, serve health checks on a port that the proxy doesn't intercept (for a gateway: on
//! Envoy's admin port, `path: /ready`), or use PERMISSIVE.

use crate::finding::{Problem, Site};
use crate::mesh::{Member, Ports, Probe, Workload};
use crate::rules::context::Context;
use crate::rules::fronts::answered;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some(member) = cx.member() else { return };
    for workload in &cx.workloads {
        let Some(ports) = answering(cx, member, workload) else { continue };
        let counts = |probe: &&Probe| !probe.tls && (!probe.of_proxy || member.is_gateway());
        let probes = workload.probes.iter().filter(counts);
        for probe in probes.filter(|probe| ports.contains(i64::from(probe.port))) {
            let strict = member.servers.iter().filter(|server| server.is_strict());
            for server in strict.filter(|server| server.port == Some(probe.port)) {
                let anchor = format!("{} {} of {}", server.anchor, probe.kind, probe.container);
                let site = Site::new(anchor, probe.field.clone()).on(workload.object.clone());
                let message = format!(
                    "the {} of container {} speaks plaintext to port {}, which accepts TLS only",
                    probe.kind, probe.container, probe.port
                );
                out.add(
                    Problem::warn(site, message)
                        .expected("a probe that doesn't go through the proxy, or a PERMISSIVE listener")
                        .found(format!("{} to port {}", probe.action, probe.port))
                        .consequence("the kubelet's probe fails, and the pod is restarted or never becomes ready")
                        .fix(fix(member)),
                );
            }
        }
    }
}

/// The ports at which a proxy answers the kubelet. A node's own pods are taken to have one: MV218 reports where they don't.
fn answering(cx: &Context<'_>, member: &Member, workload: &Workload) -> Option<Ports> {
    if member.is_gateway() {
        return answered(cx, member, workload);
    }
    let said = workload.proxy(member.api).and_then(|proxy| proxy.intercepts.clone());
    Some(said.unwrap_or_else(|| Ports::of(member.servers.iter().filter_map(|server| server.port.map(i64::from)))))
}

/// What to do about a probe that the proxy refuses.
pub(super) fn fix(member: &Member) -> &'static str {
    match member.is_gateway() {
        true => "probe by exec or tcpSocket, or Envoy's admin port (path: /ready)",
        false => "probe by exec or tcpSocket, or on a port that the proxy doesn't intercept",
    }
}
