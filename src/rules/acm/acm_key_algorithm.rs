//! # MV413: `acm-key-algorithm`
//!
//! ## What it checks
//! Whether the listener's ACM certificate has an RSA key.
//!
//! ## Why it matters
//! Users of App Mesh report that its proxies serve ACM certificates with RSA keys only, though ACM issues others, and
//! though an EC key in a file works.
//!
//! ## Example
//! ```text
//! aws acm request-certificate --key-algorithm EC_prime256v1 …
//! ```
//!
//! ## How to fix
//! Request the certificate with an RSA key of 2048 bits or more, or mount the certificate as a file.

use crate::aws::{ArnKind, key_algorithm};
use crate::finding::Problem;
use crate::pki::KeyAlgorithm;
use crate::rules::acm::readable;
use crate::rules::context::Context;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for (reference, arn) in readable(cx, ArnKind::Certificate) {
        let Some(facts) = cx.view.certificate(&arn).known() else { continue };
        if matches!(key_algorithm(&facts.key_algorithm), KeyAlgorithm::Rsa { .. }) {
            continue;
        }
        out.add(
            Problem::warn(
                reference.site(),
                format!("an ACM certificate with a {} key is reported not to work", facts.key_algorithm),
            )
            .expected("an RSA key of 2048 bits or more")
            .found(format!("{} ({arn})", facts.key_algorithm))
            .consequence("the proxy may serve nothing on the port")
            .fix("request the certificate with --key-algorithm RSA_2048, or test this one before production"),
        );
    }
}
