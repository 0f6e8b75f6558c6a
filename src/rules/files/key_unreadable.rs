//! # MV205: `key-unreadable`
//!
//! ## What it checks
//! Whether the private key file is one that Envoy loads: PEM in PKCS#1, PKCS#8 or SEC1, not encrypted. Encrypted keys are
//! named as such: App Mesh has no field for a password.
//!
//! A file that cert-manager will make is judged by the format that it will have, and only warns.
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
//! Store the key as unencrypted PEM: `openssl pkey -in encrypted.key -out tls.key`. meshvet derives the public half of the
//! key, keeps the digest of that, and nothing else.

use crate::finding::Problem;
use crate::pki::FileForm;
use crate::rules::context::Context;
use crate::rules::files::store_of;
use crate::rules::handed::Caught;
use crate::rules::promised::{Aspect, settle};
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let Some(error) = using.key_error() else { continue };
        let path = using.key_ref.text();
        out.add(settle(
            &using.key_place,
            Aspect::Form(|form| form == FileForm::Key),
            Problem::new(
                using.unreadable_key(&error),
                using.key_site(),
                format!("{} is not a private key that {} loads", using.key_origin(), using.reader()),
            )
            .expected("an unencrypted private key in PEM")
            .found(error.to_string())
            .consequence(using.is_refused(&error.envoy_log(path), Caught::Seen))
            .fix(format!("{} ({}){}", error.fix(), store_of(&using.key_place), using.then_restart())),
        ));
    }
}
