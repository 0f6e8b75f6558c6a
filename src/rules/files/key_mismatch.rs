//! # MV206: `key-mismatch`
//!
//! ## What it checks
//! Whether the private key is the leaf's: the public half of the key against the public key of the first certificate.
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
use crate::pki::{Chain, KeyAlgorithm, PrivateKeyFacts};
use crate::rules::context::Context;
use crate::rules::engine::Reporter;
use crate::rules::files::THEN_RESTART;

/// Whether the key is another than the first certificate's. A key whose public half can't be told is taken on trust.
pub(super) fn is_other_key(chain: &Chain, key: &PrivateKeyFacts) -> bool {
    key.spki_sha256.is_some_and(|digest| digest != chain.leaf().spki_sha256)
}

/// The place of the certificate that the key is for, behind the first.
pub(super) fn place_of_key(chain: &Chain, key: &PrivateKeyFacts) -> Option<usize> {
    let digest = key.spki_sha256?;
    chain.certificates.iter().position(|certificate| certificate.spki_sha256 == digest)
}

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let (Some(chain), Some(Ok(key))) = (using.chain(), using.key_facts().map(|facts| &facts.key)) else { continue };
        // A key of a later certificate is a matter of order: MV211 says so.
        if !is_other_key(chain, key) || place_of_key(chain, key).is_some() {
            continue;
        }
        let leaf = chain.leaf();
        let message =
            format!("the private key in {} is not the key of the certificate in {}", using.key_origin(), using.chain_origin());
        let mut site = using.key_site();
        if let Some(store) = using.chain_place.store() {
            site = site.resting_on(store);
        }
        let same_kind = family(&key.algorithm) == family(&leaf.key_algorithm);
        let reason = if same_kind { "KEY_VALUES_MISMATCH" } else { "KEY_TYPE_MISMATCH" };
        out.add(
            Problem::deny(site, message)
                .expected(format!("the key of {} ({}, SPKI SHA-256 {})", leaf.subject, leaf.key_algorithm, short(&leaf.spki_sha256)))
                .found(match &key.spki_sha256 {
                    Some(digest) => format!("another key ({}, SPKI SHA-256 {})", key.algorithm, short(digest)),
                    None => format!("another key ({})", key.algorithm),
                })
                .consequence(format!(
                    "the proxy refuses its configuration: Failed to load private key from {}, Cause: … {reason}",
                    using.key_file.path
                ))
                .fix(format!("store the certificate and its own key together{THEN_RESTART}")),
        );
    }
}

fn family(algorithm: &KeyAlgorithm) -> u8 {
    match algorithm {
        KeyAlgorithm::Rsa { .. } => 0,
        KeyAlgorithm::Ed25519 => 1,
        KeyAlgorithm::Other(_) => 2,
        _ => 3,
    }
}

/// The digest's first bytes: enough to tell two keys apart.
fn short(digest: &[u8; 32]) -> String {
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>() + "…"
}
