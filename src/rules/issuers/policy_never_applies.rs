//! # MV107: `policy-never-applies`
//!
//! ## What it checks
//! Client policies that apply to no call: their `ports` name no port of the listeners that they are for. Where a backend's
//! listeners aren't known, nothing is reported. The `backendDefaults` of a node without backends are reported only where
//! meshvet's policy gives this rule a severity (`severities: {MV107: warn}`): charts that give every node the same defaults
//! have many.
//!
//! ## Why it matters
//! `ports` are those of the server's listener, not of the Service. Without the listener's port among them the policy isn't
//! enforced: the client's proxy speaks TLS only if the listener does, and validates no certificate. A default policy
//! applies to the backends that a node declares: calls to other services have none.
//!
//! ## Example
//! ```yaml
//! # listener of the backend: portMapping: {port: 8080, protocol: http}
//! clientPolicy:
//!   tls:
//!     ports: [443]          # MV107
//!     validation: {trust: …}
//! ```
//!
//! ## How to fix
//! Give the port of the backend's listener, or leave `ports` out. Declare the backends, or remove the default policy.

use crate::finding::{Problem, Severity, Site};
use crate::mesh::{ClientEnd, Member};
use crate::rules::context::Context;
use crate::rules::idle::ports_left_out;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    // A gateway's routes may stand anywhere.
    let Some(member) = cx.member().filter(|member| !member.is_gateway()) else { return };
    for end in member.clients.iter().filter(|end| end.enforce) {
        if end.is_default && member.backends.is_empty() {
            out.add(without_backends(member, end));
        } else if let Some(ports) = ports_left_out(cx, member, end) {
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            out.add(for_other_ports(end, &ports.join(", ")));
        }
    }
}

fn for_other_ports(end: &ClientEnd, listened: &str) -> Problem {
    let ports = end.ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let message = format!(
        "the client policy of {} is for port {ports}, and none of the listeners called has that port: it never applies",
        end.anchor
    );
    Problem::warn(Site::new(format!("{} ports", end.anchor), end.field.key("ports")), message)
        .expected(format!("the listener's port: {listened}"))
        .found(ports)
        .consequence("the client's proxy speaks TLS only if the listener asks for it, and validates no certificate")
        .fix(format!("give the listener's port ({listened}), or leave ports out"))
}

fn without_backends(member: &Member, end: &ClientEnd) -> Problem {
    let message =
        format!("{} have a client policy, and the {} has no backends: it never applies", end.anchor, member.noun);
    Problem::new(Severity::Off, Site::new(format!("{} unused", end.anchor), end.field.clone()), message)
        .expected("backends that the policy is for")
        .found("no backends")
        .consequence("calls to services that aren't declared as backends carry no policy, and nothing is validated")
        .fix("declare the services that it calls as backends, or remove the policy")
}
