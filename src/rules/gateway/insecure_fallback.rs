//! # MV511: `insecure-fallback`
//!
//! ## What it checks
//! Whether a Gateway that requires client certificates lets other clients in all the same: with `mode: AllowInsecureFallback`, or with an
//! entry of `perPort` without `validation`, which replaces the whole default and requires none.
//!
//! ## Why it matters
//! Clients without a certificate, or with one of another authority, get through.
//!
//! ## Example
//! ```yaml
//! tls:
//!   frontend:
//!     default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: clients}]}}
//!     perPort: [{port: 8443, tls: {}}]      # requires none
//! ```
//!
//! ## How to fix
//! Use `mode: AllowValidOnly`, and give each entry of `perPort` its validation. If it is on purpose, ignore the rule.

use crate::apis::Native;
use crate::apis::gateway::{FrontendTls, Spec};
use crate::finding::{Problem, Site};
use crate::k8s::FieldPath;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Native::Gateway(Spec::Gateway(gateway)) = &cx.subject.native else { return };
    let Some(frontend) = gateway.tls.as_ref().and_then(|tls| tls.frontend.as_ref()) else { return };
    let at = FieldPath::root().keys(["spec", "tls", "frontend"]);
    let validates = |tls: Option<&FrontendTls>| tls.is_some_and(|tls| tls.validation.is_some());
    let mut look = |tls: Option<&FrontendTls>, field: FieldPath, noun: &str| {
        let mode = tls.and_then(|tls| tls.validation.as_ref()?.mode.as_deref());
        if mode == Some("AllowInsecureFallback") {
            let site = Site::new(noun, field.keys(["validation", "mode"]));
            out.add(problem(
                site,
                format!("{noun}: clients that fail validation get through"),
                "AllowInsecureFallback",
            ));
        }
    };
    look(frontend.default.as_ref(), at.key("default"), "the default");
    for (index, entry) in frontend.per_port.iter().enumerate() {
        look(entry.tls.as_ref(), at.key("perPort").index(index).key("tls"), &format!("port {}", entry.port));
    }
    for (index, entry) in frontend.per_port.iter().enumerate() {
        if validates(frontend.default.as_ref()) && !validates(entry.tls.as_ref()) {
            let noun = format!("port {}", entry.port);
            let site = Site::new(noun.clone(), at.key("perPort").index(index).key("tls"));
            out.add(problem(
                site,
                format!("{noun} asks no client for a certificate, though the default does"),
                "no validation",
            ));
        }
    }
}

fn problem(site: Site, message: String, found: &str) -> Problem {
    Problem::warn(site, message)
        .expected("validation with mode AllowValidOnly")
        .found(found)
        .consequence("unverified clients get through")
        .fix("set mode: AllowValidOnly, and give each entry of perPort its validation")
}
