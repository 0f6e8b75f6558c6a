//! # MV204: `certificate-unreadable`
//!
//! ## What it checks
//! Whether the certificate chain file is PEM that Envoy loads. Envoy refuses: DER, PKCS#7, UTF-16, carriage returns without
//! newlines, everything on a single line, a literal `\n` in place of line breaks, spaces before `BEGIN`, no line break
//! between `END` and `BEGIN`, a corrupt or truncated block, a key alone, an empty file.
//!
//! A file that cert-manager or trust-manager will make is judged by the format that it will have, and only warns.
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
use crate::rules::files::store_of;
use crate::rules::handed::Caught;
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;
use crate::rules::uses::CertificateUse;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        check_other_blocks(using, out);
        let Some(error) = using.chain_error() else { continue };
        let path = using.chain_ref.text();
        out.add(
            using.of(
                Aspect::Form(FileForm::begins_with_leaf),
                Problem::new(
                    using.unreadable_chain(&error),
                    using.chain_site(),
                    format!("{} is not a certificate chain that {} loads", using.chain_origin(), using.reader()),
                )
                .expected("PEM certificates, the leaf first")
                .found(error.to_string())
                .consequence(using.is_refused(&error.envoy_log(path), Caught::Seen))
                .fix(format!(
                    "{} ({}){}",
                    error.fix(),
                    store_of(&using.chain_place),
                    using.then_restart()
                )),
            ),
        );
    }
}

/// A chain that an Envoy would load, of which the control plane reads more.
fn check_other_blocks(using: &CertificateUse<'_>, out: &mut Reporter<'_>) {
    let carries = using.chain_facts().is_some_and(|facts| facts.carries_private_key && facts.chain.is_ok());
    if !carries || !using.plane.refuses_other_blocks {
        return;
    }
    let message = format!("{} accepts only certificates in a chain ({})", using.plane.name, using.chain_origin());
    out.add(
        Problem::new(using.unusable(), using.chain_site(), message)
            .expected("PEM certificates only, the leaf first")
            .found("a private key among them")
            .consequence(using.is_refused("", Caught::Seen))
            .fix(format!("remove the key from it ({})", store_of(&using.chain_place))),
    );
}
