//! # MV204: `certificate-unreadable`
//!
//! ## What it checks
//! Whether the certificate chain file is PEM that Envoy loads. Refused are: DER, PKCS#7, UTF-16, carriage returns alone as
//! line ends, everything on a single line, a literal `\n` in place of line ends, `BEGIN` behind spaces, no line end
//! between `END` and `BEGIN`, a corrupt or truncated block, a key alone, an empty file.
//!
//! A file that cert-manager or trust-manager will make is judged by the format that it will have: a warning.
//!
//! ## Why it matters
//! Envoy refuses the listener as a whole: nothing answers on the port, with TLS or without.
//!
//! ## Example
//! ```text
//! Secret blue-cert, key tls.crt: a DER file, or base64 pasted twice
//! ```
//!
//! ## How to fix
//! Store the certificate and its intermediates as PEM, the leaf first: `openssl x509 -inform der -in cert.der -out
//! tls.crt`, then `kubectl create secret tls`.

use crate::finding::Problem;
use crate::pki::FileForm;
use crate::rules::context::Context;
use crate::rules::files::{THEN_RESTART, store_of};
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let Some(error) = using.chain_error() else { continue };
        let path = using.chain_ref.text();
        out.add(
            using.of(
                Aspect::Form(FileForm::begins_with_leaf),
                Problem::deny(
                    using.chain_site(),
                    format!("{} is no certificate chain that Envoy loads", using.chain_origin()),
                )
                .expected("PEM certificates, the leaf first")
                .found(error.to_string())
                .consequence(format!("the proxy refuses its configuration: {}", error.envoy_log(path)))
                .fix(format!("{} ({}){THEN_RESTART}", error.fix(), store_of(&using.chain_place))),
            ),
        );
    }
}
