//! # MV509: `authority-unusable`
//!
//! ## What it checks
//! Whether the ConfigMap or Secret that a BackendTLSPolicy takes its authorities from holds certificates, by the key `ca.crt`. One that
//! isn't there, or is still empty, only warns: it may be on its way. Another key only warns: some controllers read whichever there is.
//!
//! ## Why it matters
//! The policy isn't accepted (`NoValidCACertificate`), and requests to the backend end in an error of 500 or more.
//!
//! ## Example
//! ```text
//! kubectl create configmap backend-ca --from-file=ca.crt=backend.key
//! ```
//!
//! ## How to fix
//! Put the certificates of the backend's authorities into the key `ca.crt`, in PEM.

use crate::finding::{Problem, Severity, Site};
use crate::mesh::{Place, TrustSource};
use crate::rules::context::Context;
use crate::rules::gateway::policy;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    let Some((own, _)) = policy(cx) else { return };
    let trust = own.client.validation.as_ref().and_then(|validation| validation.trust.as_ref());
    let Some(TrustSource::Key(key)) = trust else { return };
    let site = || Site::new("validation", key.field.clone()).resting_on(&key.store);
    let (severity, message, found) = match cx.view.key_place(key) {
        Place::File { facts, .. } => match &facts.bundle {
            Ok(_) => return,
            Err(error) => (
                Severity::Deny,
                format!("key {} of {} holds no certificate that can be trusted", key.key, key.store),
                error.to_string(),
            ),
        },
        Place::StoreMissing { empty, .. } => (
            Severity::Warn,
            format!("{} {}", key.store, if empty { "is empty" } else { "doesn't exist" }),
            "no authority yet".to_owned(),
        ),
        Place::KeyMissing { offered, .. } => {
            (Severity::Warn, format!("{} holds no {}", key.store, key.key), offered.join(", "))
        }
        _ => return,
    };
    out.add(
        Problem::new(severity, site(), message)
            .expected(format!("PEM certificates in the key {}", key.key))
            .found(found)
            .consequence("the policy isn't accepted (NoValidCACertificate): requests to the backend fail")
            .fix(format!("put the certificates of the backend's authorities into {} of {}", key.key, key.store)),
    );
}
