//! # MV702: `secret-contested`
//!
//! ## What it checks
//! Whether two cert-manager Certificates fill the Secret that a listener uses: two objects, or one object and an annotation
//! of a Gateway or an Ingress.
//!
//! ## Why it matters
//! Only one of them becomes ready. Which certificate is served is a matter of chance.
//!
//! ## Example
//! ```text
//! Certificate shop/web and Certificate shop/web-old, both with secretName: web
//! ```
//!
//! ## How to fix
//! Delete one of them, or give it a Secret of its own.

use crate::finding::Problem;
use crate::mesh::Named;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let Named::Key(named) = using.chain_ref else { continue };
        let makers = cx.view.issuers_of(&named.store);
        // What an annotation asks for becomes a Certificate of the Secret's name.
        let asked = makers.iter().any(|by| by.kind != CERTIFICATE);
        let own = |by: &&&crate::k8s::ObjectRef| by.kind == CERTIFICATE && !(asked && by.name == named.store.name);
        let certificates: Vec<String> = makers.iter().filter(own).map(ToString::to_string).collect();
        if certificates.len() + usize::from(asked) < 2 {
            continue;
        }
        let askers = makers.iter().filter(|by| by.kind != CERTIFICATE).map(ToString::to_string);
        let all: Vec<String> = certificates.into_iter().chain(askers.take(1)).collect();
        out.add(
            Problem::warn(using.chain_site(), format!("{} is filled by more than one Certificate", named.store))
                .expected("one Certificate for the Secret")
                .found(all.join(" and "))
                .consequence("only one of them becomes ready, and either may be served")
                .fix("delete one of them, or give it a Secret of its own"),
        );
    }
}

/// The kind of cert-manager's objects that fill Secrets.
const CERTIFICATE: &str = "Certificate";
