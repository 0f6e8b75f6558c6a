//! # MV206: `key-mismatch`
//!
//! ## What it checks
//! Whether the private key is the leaf's: its public half is compared with the public key of the first certificate.
//!
//! ## Why it matters
//! It happens when a renewal replaces one of two files, or when two Secrets are mixed up. Envoy refuses the listener as
//! a whole: `KEY_VALUES_MISMATCH`, or `KEY_TYPE_MISMATCH` for keys of different kinds.
//!
//! ## Example
//! ```text
//! certificateChain: /certs/tls.crt (Secret blue-cert), privateKey: /other/tls.key (Secret green-cert)
//! ```
//!
//! ## How to fix
//! Store the certificate and the key that it was issued for together, in one Secret.

use crate::finding::Problem;
use crate::rules::context::Context;
use crate::rules::handed::Caught;
use crate::rules::leaf::place_of_key;
use crate::rules::reporter::Reporter;
use crate::text::hex_start;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let (Some(chain), Some(Ok(key))) = (using.chain(), using.key_facts().map(|facts| &facts.key)) else { continue };
        let leaf = chain.leaf();
        let Some(log) = key.fit(leaf).envoy_log(using.key_ref.text()) else { continue };
        // A key of a later certificate is a matter of order: MV211 says so.
        if place_of_key(chain, key).is_some() {
            continue;
        }
        let message = format!(
            "the private key in {} is not the key of the certificate in {}",
            using.key_origin(),
            using.chain_origin()
        );
        let mut site = using.key_site();
        if let Some(store) = using.chain_place.store() {
            site = site.resting_on(store);
        }
        out.add(
            Problem::new(using.unusable(), site, message)
                .expected(format!(
                    "the {} key of {}, public key {}",
                    leaf.key_algorithm,
                    leaf.subject,
                    short(&leaf.spki_sha256)
                ))
                .found(match &key.spki_sha256 {
                    Some(digest) => format!("another {} key, public key {}", key.algorithm, short(digest)),
                    None => format!("another {} key", key.algorithm),
                })
                .consequence(using.is_refused(&log, Caught::Seen))
                .fix(format!("store the certificate and its own key together{}", using.then_restart())),
        );
    }
}

/// The start of the digest of the public half.
fn short(digest: &[u8; 32]) -> String {
    format!("SHA-256 {}", hex_start(digest))
}
