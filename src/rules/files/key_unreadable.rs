//! # MV205: `key-unreadable`
//!
//! ## What it checks
//! Whether the private key file is one that Envoy loads: PEM in PKCS#1, PKCS#8 or SEC1, not encrypted. Encrypted keys are
//! named as such: App Mesh has no field for a password.
//!
//! A file that cert-manager or trust-manager will make is judged by the format that it will have: a warning.
//!
//! ## Why it matters
//! Envoy refuses the listener as a whole: nothing answers on the port, with TLS or without.
//!
//! ## Example
//! ```text
//! -----BEGIN ENCRYPTED PRIVATE KEY-----
//! ```
//!
//! ## How to fix
//! Store the key as unencrypted PEM: `openssl pkey -in encrypted.key -out tls.key`. meshvet reads no byte of it but what
//! tells its public half, and keeps none.

use crate::finding::Problem;
use crate::pki::FileForm;
use crate::rules::context::Context;
use crate::rules::files::{THEN_RESTART, store_of};
use crate::rules::promised::{Aspect, settle};
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let Some(error) = using.key_error() else { continue };
        let path = using.key_ref.text();
        out.add(settle(
            &using.key_place,
            Aspect::Form(|form| form == FileForm::Key),
            Problem::deny(using.key_site(), format!("{} is no private key that Envoy loads", using.key_origin()))
                .expected("an unencrypted private key in PEM")
                .found(error.to_string())
                .consequence(format!("the proxy refuses its configuration: {}", error.envoy_log(path)))
                .fix(format!("{} ({}){THEN_RESTART}", error.fix(), store_of(&using.key_place))),
        ));
    }
}
