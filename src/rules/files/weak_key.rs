//! # MV213: `weak-key`
//!
//! ## What it checks
//! Whether the leaf keeps to the policy's `profile`, for what Envoy would load anyway: RSA keys of fewer bits than
//! `rsaBits` (2048), signatures with a hash function that isn't in `signatureHashes` (SHA-2 by default), and a lifetime
//! over `maxLifetimeDays` (no limit by default).
//!
//! A certificate that a cert-manager Certificate asks for, and that isn't issued yet, is judged by what it asks for: a warning.
//!
//! ## Why it matters
//! Envoy still accepts SHA-1 signatures. What is too weak is for the platform's policy to set.
//!
//! ## Example
//! ```yaml
//! profile: {rsaBits: 3072, maxLifetimeDays: 90}
//! ```
//!
//! ## How to fix
//! Issue the certificate within the profile. MV215 reports keys that Envoy can't use at all.

use crate::finding::{Problem, Site};
use crate::pki::{Certificate, HashAlgorithm, KeyAlgorithm};
use crate::rules::context::Context;
use crate::rules::promised::Aspect;
use crate::rules::reporter::Reporter;

pub(crate) fn check(cx: &Context<'_>, out: &mut Reporter<'_>) {
    for using in &cx.certificates {
        let Some(leaf) = using.leaf() else { continue };
        let origin = using.chain_origin();
        let site = |part: &str| {
            let mut site = using.chain_site();
            site.anchor = format!("{} {part}", site.anchor);
            site
        };
        let problem = |site: Site, message: String| {
            Problem::warn(site, message)
                .consequence("Envoy loads it anyway")
                .fix("issue the certificate within the policy's profile")
        };
        if let KeyAlgorithm::Rsa { bits } = leaf.key_algorithm
            && bits < cx.policy.rsa_bits as usize
            // What Envoy refuses is reported by MV215.
            && bits >= 2048
        {
            out.add(
                using.of(
                    Aspect::Key,
                    problem(site("key"), format!("the key of the certificate in {origin} is short"))
                        .expected(format!("RSA {} or more", cx.policy.rsa_bits))
                        .found(leaf.key_algorithm.to_string()),
                ),
            );
        }
        // A root's own signature protects nothing.
        if let Some(hash) = leaf.signature_hash
            && !leaf.is_self_issued()
            && !cx.policy.signature_hashes.contains(&hash)
        {
            out.add(
                problem(site("signature"), format!("the certificate in {origin} is signed with {}", name(hash)))
                    .expected(list(&cx.policy.signature_hashes))
                    .found(leaf.signature_algorithm.clone()),
            );
        }
        if let Some(most) = cx.policy.max_lifetime_days
            && lifetime_days(leaf) > i64::from(most)
        {
            out.add(
                using.of(
                    Aspect::Lifetime,
                    problem(site("lifetime"), format!("the certificate in {origin} is valid for too long"))
                        .expected(format!("at most {most} days"))
                        .found(format!("{} days", lifetime_days(leaf))),
                ),
            );
        }
    }
}

fn lifetime_days(leaf: &Certificate) -> i64 {
    leaf.not_after.duration_since(leaf.not_before).as_hours() / 24
}

fn list(hashes: &[HashAlgorithm]) -> String {
    hashes.iter().map(|hash| name(*hash)).collect::<Vec<_>>().join(", ")
}

fn name(hash: HashAlgorithm) -> &'static str {
    match hash {
        HashAlgorithm::Md5 => "MD5",
        HashAlgorithm::Sha1 => "SHA-1",
        HashAlgorithm::Sha224 => "SHA-224",
        HashAlgorithm::Sha256 => "SHA-256",
        HashAlgorithm::Sha384 => "SHA-384",
        HashAlgorithm::Sha512 => "SHA-512",
    }
}
