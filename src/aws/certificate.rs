//! What ACM says of a certificate, and AWS Private CA of an authority.

use std::sync::Arc;

use super::unanswered::Unanswered;
use crate::pki::{Bundle, Certificate, Chain, KeyAlgorithm};

/// What ACM's `DescribeCertificate` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// `PRIVATE`, `AMAZON_ISSUED` or `IMPORTED`.
    pub kind: String,
    /// `ISSUED`, `PENDING_VALIDATION`, `EXPIRED`, …
    pub status: String,
    /// `RSA_2048`, `EC_prime256v1`, …, as ACM writes it.
    pub key_algorithm: String,
    /// The ARN of the authority that issued it, as ACM writes it.
    pub authority: Option<String>,
    /// The certificate as described: names, dates, key. None while it has no dates, which is before it is issued.
    pub leaf: Option<Arc<Certificate>>,
}

impl CertificateFacts {
    /// Whether App Mesh serves with a certificate of this kind: only with those that AWS Private CA issued.
    pub(crate) fn is_private(&self) -> bool {
        self.kind == "PRIVATE"
    }

    /// Whether it is issued, and neither revoked nor expired.
    pub(crate) fn is_issued(&self) -> bool {
        self.status == "ISSUED"
    }

    /// The chain that a proxy is given: this certificate, its authority, and those above.
    pub fn chain(&self, authority: &AuthorityFacts) -> Option<Chain> {
        let above = &authority.bundle.as_ref()?.certificates;
        let leaf = self.leaf.as_ref()?.described_as_issued_by(above.first()?);
        Chain::new(std::iter::once(Arc::new(leaf)).chain(above.iter().cloned()).collect())
    }
}

/// What AWS Private CA says of an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityFacts {
    /// `ACTIVE`, `DISABLED`, `CREATING`, `PENDING_CERTIFICATE`, `FAILED`, `EXPIRED` or `DELETED`.
    pub status: String,
    /// Whether it is a root.
    pub is_root: bool,
    /// Its own certificate, then those above it. None where it has none, and where nobody answered.
    pub bundle: Option<Arc<Bundle>>,
    /// Why the bundle isn't known, where AWS was asked for it.
    pub bundle_unanswered: Option<Unanswered>,
}

impl AuthorityFacts {
    /// Whether an authority of this status has a certificate that can be asked for.
    #[cfg(feature = "aws")]
    pub(crate) fn has_certificate(status: &str) -> bool {
        matches!(status, "ACTIVE" | "DISABLED" | "EXPIRED")
    }
}

/// ACM's name of a key algorithm in the words of [`crate::pki`]. It writes some with `_`, and answers others with `-`.
pub fn key_algorithm(name: &str) -> KeyAlgorithm {
    match name.replace('-', "_").as_str() {
        "EC_prime256v1" => KeyAlgorithm::EcP256,
        "EC_secp384r1" => KeyAlgorithm::EcP384,
        "EC_secp521r1" => KeyAlgorithm::EcP521,
        rsa => match rsa.strip_prefix("RSA_").and_then(|bits| bits.parse().ok()) {
            Some(bits) => KeyAlgorithm::Rsa { bits },
            None => KeyAlgorithm::Other(name.to_owned()),
        },
    }
}
