//! # MV305: `plaintext-server`
//!
//! ## What it checks
//! For each call whose client policy is enforced: whether the listener that it reaches speaks TLS. A listener without
//! `tls`, or in mode DISABLED, speaks plaintext. It denies where a proxy of the mesh answers in plaintext. Behind a `tcp`
//! listener, in pods without a proxy and at hosts outside the mesh an application answers, which may speak TLS itself (TLS
//! origination by the client's proxy): there a backend's own policy is accepted, and a policy for all backends only warns.
//!
//! ## Why it matters
//! The client's proxy begins a TLS handshake, and the server answers in plaintext. Requests end in 503, and the client's
//! proxy logs `WRONG_VERSION_NUMBER`, which doesn't name the cause. For a host outside the mesh, a policy for all backends
//! wraps the application's own TLS into a second layer of TLS, or trusts the mesh's authority only.
//!
//! ## Example
//! ```yaml
//! # VirtualNode front: backendDefaults: {clientPolicy: {tls: {validation: {trust: …}}}}
//! # VirtualNode blue:  listeners: [{portMapping: {port: 8080, protocol: http}}]     # no tls
//! ```
//!
//! ## How to fix
//! Let the listener speak TLS first (PERMISSIVE), then enforce it in clients, then make the listener STRICT. To remove TLS,
//! take the same steps in reverse. For a host outside the mesh, give the backend a client policy of its own: one with
//! `enforce: false` where the application speaks TLS itself, or one that trusts the host's authority.

use crate::finding::{Problem, Severity};
use crate::mesh::{ClientEnd, Discovery, ServerEnd};
use crate::rules::answerer::Answerer;
use crate::rules::call_problem::Fields;
use crate::rules::context::Context;
use crate::rules::pairs::Pair;
use crate::rules::reporter::Reporter;

/// What Envoy logs when the other end answers a handshake in plaintext.
const WRONG_VERSION: &str = "TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end";
/// How to part a host that speaks TLS itself from the policy for every backend.
const OWN_POLICY: &str = "give the backend a client policy of its own: with enforce: false where the application speaks TLS \
                          itself, or with the authority that issued the other end's certificate";

/// The same for a gateway, which has one policy for all that it calls.
const OWN_PORTS: &str =
    "list only the ports of the mesh's listeners in the policy's ports, so that it doesn't apply to this one";

fn apart(pair: &Pair<'_>) -> &'static str {
    if pair.link.client.is_gateway() { OWN_PORTS } else { OWN_POLICY }
}

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for pair in &cx.pairs {
        let Some(end) = pair.link.policy.enforced() else { continue };
        if pair.link.listener.active_tls().is_some() {
            continue;
        }
        match Answerer::of(cx.view, pair.link.server, pair.link.listener) {
            Answerer::Proxy => out.add(plaintext(cx, pair, end, None)),
            Answerer::Unknown => out.add(plaintext(cx, pair, end, Some("no workload with its proxy is known"))),
            Answerer::Application if end.is_default => out.add(application(cx, pair, end)),
            Answerer::Outside if end.is_default && is_for_the_mesh(cx, pair, end) => out.add(outside(cx, pair, end)),
            // The client's proxy is to speak TLS in place of its application.
            Answerer::Application | Answerer::Outside => {}
        }
    }
}

/// A proxy of the mesh answers; `doubt`: why that isn't certain.
fn plaintext(cx: &Context<'_>, pair: &Pair<'_>, end: &ClientEnd, doubt: Option<&str>) -> Problem {
    let message = match doubt {
        None => "the client enforces TLS, and the listener speaks plaintext".to_owned(),
        Some(doubt) => format!(
            "the client enforces TLS, and the listener speaks plaintext, unless an application with TLS answers: {doubt}"
        ),
    };
    let mut problem = problem(cx, pair, end, &message)
        .expected("a listener that is PERMISSIVE or STRICT")
        .consequence(format!("clients get 503, and their proxy logs {WRONG_VERSION}"))
        .fix("in this order: the listener PERMISSIVE, then the client policies, then STRICT");
    if doubt.is_some() {
        problem.severity = problem.severity.min(Severity::Warn);
    }
    problem
}

/// The application answers behind a proxy that passes on bytes, or without one.
fn application(cx: &Context<'_>, pair: &Pair<'_>, end: &ClientEnd) -> Problem {
    let message = format!(
        "{} enforce TLS, and {} doesn't speak it: the call fails unless the application behind it does",
        end.anchor, pair.link.listener.anchor
    );
    let mut problem = problem(cx, pair, end, &message)
        .expected("a client policy of the backend's own, or a listener with TLS")
        .consequence(format!(
            "where the application answers in plaintext, connections fail, and the client's proxy logs {WRONG_VERSION}"
        ))
        .fix(apart(pair));
    problem.severity = problem.severity.min(Severity::Warn);
    problem
}

/// A host outside of the mesh answers, to a policy that is meant for members of the mesh.
fn outside(cx: &Context<'_>, pair: &Pair<'_>, end: &ClientEnd) -> Problem {
    let host = match &pair.link.server.discovery {
        Discovery::Dns { hostname, .. } => hostname.clone(),
        Discovery::CloudMap { .. } | Discovery::None => pair.link.server.object.to_string(),
    };
    let message = format!("{} enforce the mesh's TLS for {host} too, which is outside the mesh", end.anchor);
    let mut problem = problem(cx, pair, end, &message)
        .expected("a client policy of the backend's own")
        .consequence(format!(
            "the client's proxy speaks TLS in place of the application, or around its TLS, and accepts only certificates that \
             the mesh trusts: {host} doesn't answer"
        ))
        .fix(apart(pair));
    problem.severity = problem.severity.min(Severity::Warn);
    problem
}

fn problem(cx: &Context<'_>, pair: &Pair<'_>, end: &ClientEnd, message: &str) -> Problem {
    let (server, found) = without_tls(pair.link.listener);
    pair.problem(cx, Fields { client: &end.field, server: &server }, message).found(found)
}

/// The field that makes a listener speak plaintext, and what it says.
fn without_tls(listener: &ServerEnd) -> (crate::k8s::FieldPath, String) {
    match &listener.tls {
        None => (listener.field.clone(), format!("{} has no tls", listener.anchor)),
        Some(tls) => (tls.field.key("mode"), format!("{} has mode DISABLED", listener.anchor)),
    }
}

/// Whether the policy also holds for a listener of the mesh that speaks TLS: then what it trusts is the mesh's.
fn is_for_the_mesh(cx: &Context<'_>, pair: &Pair<'_>, end: &ClientEnd) -> bool {
    cx.view.links_from(pair.link.client).iter().any(|link| {
        let by_it = link.policy.enforced().is_some_and(|policy| policy.field == end.field);
        by_it && link.listener.active_tls().is_some()
    })
}
