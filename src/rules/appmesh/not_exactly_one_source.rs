//! # MV004: `not-exactly-one-source`
//!
//! ## What it checks
//! Fields of which the App Mesh API takes exactly one: a certificate's `file`, `acm` or `sds`; a trust's `file`, `acm` or
//! `sds`; a service discovery's `dns` or `awsCloudMap`; a provider's `virtualNode` or `virtualRouter`. ACM trust on a
//! gateway's listener counts as none: App Mesh drops it. In mode DISABLED a wrong certificate only warns.
//!
//! ## Why it matters
//! The CRDs accept none or several, and App Mesh doesn't: the controller fails to reconcile, and the object keeps its
//! former state, long after `kubectl apply` said "configured".
//!
//! ## Example
//! ```yaml
//! tls:
//!   mode: STRICT
//!   certificate:
//!     file: {certificateChain: /certs/tls.crt, privateKey: /certs/tls.key}
//!     acm: {certificateARN: "arn:aws:acm:eu-west-1:111122223333:certificate/…"}   # one too many
//! ```
//!
//! ## How to fix
//! Keep the one that you mean, and remove the others.

use crate::apis::Native;
use crate::apis::appmesh::{ClientPolicy, ListenerTls, ListenerTlsMode, Spec, TlsTrust, VirtualServiceProvider};
use crate::finding::{Problem, Severity, Site};
use crate::k8s::FieldPath;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let spec = FieldPath::root().key("spec");
    let Native::AppMesh(native) = &cx.subject.native else { return };
    let no_ends = (&[][..], &[][..]);
    let (servers, clients) = cx.member().map_or(no_ends, |member| (&member.servers, &member.clients));
    match native {
        Spec::VirtualNode(node) => {
            for (server, listener) in servers.iter().zip(&node.listeners) {
                listener_tls(&server.anchor, &server.field, listener.tls.as_ref(), false, out);
            }
            if let Some(discovery) = &node.service_discovery {
                let given =
                    given(&[("dns", discovery.dns.is_some()), ("awsCloudMap", discovery.aws_cloud_map.is_some())]);
                let choice = Choice { what: "service discovery", of: &["dns", "awsCloudMap"], given };
                choice.report(Severity::Deny, "service discovery", || spec.key("serviceDiscovery"), out);
            }
            let defaults = node.backend_defaults.as_ref().and_then(|defaults| defaults.client_policy.as_deref());
            client_policy("backend defaults", || spec.keys(["backendDefaults", "clientPolicy"]), defaults, out);
            for (index, backend) in node.backends.iter().enumerate() {
                let Some(policy) = &backend.virtual_service.client_policy else { continue };
                let field = spec.key("backends").index(index).keys(["virtualService", "clientPolicy"]);
                let at = field.key("tls");
                // The end knows the backend by a name that outlives the list's order.
                let anchor = clients.iter().find(|client| client.field == at);
                client_policy(anchor.map_or("backend", |client| &client.anchor), || field.clone(), Some(policy), out);
            }
        }
        Spec::VirtualGateway(gateway) => {
            for (server, listener) in servers.iter().zip(&gateway.listeners) {
                listener_tls(&server.anchor, &server.field, listener.tls.as_ref(), true, out);
            }
            let defaults = gateway.backend_defaults.as_ref().and_then(|defaults| defaults.client_policy.as_deref());
            client_policy("backend defaults", || spec.keys(["backendDefaults", "clientPolicy"]), defaults, out);
        }
        Spec::VirtualService(service) => {
            if let Some(provider) = &service.provider {
                provider_choice(provider, || spec.key("provider"), out);
            }
        }
        Spec::VirtualRouter(_) | Spec::Other => {}
    }
}

/// Alternatives of which exactly one must be given.
struct Choice<'a> {
    what: &'a str,
    of: &'a [&'static str],
    given: Vec<&'static str>,
}

impl Choice<'_> {
    fn report(&self, severity: Severity, anchor: &str, field: impl FnOnce() -> FieldPath, out: &mut Reporter<'_>) {
        if self.given.len() == 1 {
            return;
        }
        let site = Site::new(format!("{anchor} {}", self.what), field());
        let found = if self.given.is_empty() { "none".to_owned() } else { self.given.join(" and ") };
        let message = match self.given.len() {
            0 => format!("the {} gives none of {}", self.what, self.of.join(", ")),
            _ => format!("the {} gives {found} at once", self.what),
        };
        out.add(
            Problem::new(severity, site, message)
                .expected(format!("exactly one of {}", self.of.join(", ")))
                .found(found)
                .consequence("App Mesh refuses the object when the controller sends it, and keeps its former state")
                .fix(if self.given.is_empty() {
                    "give one of them"
                } else {
                    "keep the one that you mean, and remove the others"
                }),
        );
    }
}

fn given(alternatives: &[(&'static str, bool)]) -> Vec<&'static str> {
    alternatives.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect()
}

fn listener_tls(anchor: &str, field: &FieldPath, tls: Option<&ListenerTls>, gateway: bool, out: &mut Reporter<'_>) {
    let Some(tls) = tls else { return };
    let at = || field.key("tls");
    let severity = if tls.mode == ListenerTlsMode::Disabled { Severity::Warn } else { Severity::Deny };
    let certificate = &tls.certificate;
    Choice {
        what: "certificate",
        of: &["file", "acm", "sds"],
        given: given(&[
            ("file", certificate.file.is_some()),
            ("acm", certificate.acm.is_some()),
            ("sds", certificate.sds.is_some()),
        ]),
    }
    .report(severity, anchor, || at().key("certificate"), out);
    let Some(validation) = &tls.validation else { return };
    let field = || at().keys(["validation", "trust"]);
    if gateway && validation.trust.acm.is_some() {
        let site = Site::new(format!("{anchor} acm trust"), field().key("acm"));
        out.add(
            Problem::new(severity, site, "a gateway's listener can't validate clients by ACM authorities")
                .expected("file or sds")
                .found("acm")
                .consequence("the controller drops it without a word, and no client is validated")
                .fix("give the authorities as a file"),
        );
    }
    let found = given(&[("file", validation.trust.file.is_some()), ("sds", validation.trust.sds.is_some())]);
    Choice { what: "trust of the client validation", of: &["file", "sds"], given: found }
        .report(severity, anchor, field, out);
}

fn client_policy(anchor: &str, field: impl Fn() -> FieldPath, policy: Option<&ClientPolicy>, out: &mut Reporter<'_>) {
    let Some(tls) = policy.and_then(|policy| policy.tls.as_ref()) else { return };
    let at = || field().key("tls");
    if let Some(certificate) = &tls.certificate {
        let given = given(&[("file", certificate.file.is_some()), ("sds", certificate.sds.is_some())]);
        Choice { what: "client certificate", of: &["file", "sds"], given }.report(
            Severity::Deny,
            anchor,
            || at().key("certificate"),
            out,
        );
    }
    let TlsTrust { acm, file, sds } = &tls.validation.trust;
    let given = given(&[("file", file.is_some()), ("acm", acm.is_some()), ("sds", sds.is_some())]);
    Choice { what: "trust", of: &["file", "acm", "sds"], given }.report(
        Severity::Deny,
        anchor,
        || at().keys(["validation", "trust"]),
        out,
    );
}

fn provider_choice(provider: &VirtualServiceProvider, field: impl FnOnce() -> FieldPath, out: &mut Reporter<'_>) {
    let given = given(&[
        ("virtualNode", provider.virtual_node.is_some()),
        ("virtualRouter", provider.virtual_router.is_some()),
    ]);
    // A provider of neither is a service that refuses every request: App Mesh takes it as none at all.
    Choice { what: "provider", of: &["virtualNode", "virtualRouter"], given }.report(
        Severity::Deny,
        "provider",
        field,
        out,
    );
}
