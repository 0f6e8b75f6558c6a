//! Whether Envoy can serve with a certificate at all, regardless of names, dates and issuer.

use super::certificate::Certificate;
use super::extensions::San;
use super::public_key::KeyAlgorithm;

/// What Envoy does with the key of a leaf certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySupport {
    /// Serves with it.
    Good,
    /// Serves with it over TLS 1.3 only; Envoy's clients use 1.2 by default.
    OnlyTls13 {
        /// What the client logs over TLS 1.2.
        log: &'static str,
    },
    /// Accepts the configuration, but every handshake fails.
    HandshakeFails {
        /// What is wrong with the key.
        reason: HandshakeFailure,
        /// What the client logs.
        log: &'static str,
    },
    /// Rejects the configuration.
    Refused {
        /// What is wrong with the key.
        reason: Refusal,
        /// What Envoy logs, with `<path>` for the file.
        log: &'static str,
    },
}

/// Why handshakes with a key fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeFailure {
    /// Envoy offers no signature algorithm or curve for it (P-521, Ed25519).
    NotOffered,
    /// An RSA key whose key usage lacks digitalSignature.
    KeyUsage,
}

/// Why a key is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An RSA key with less than 2048 bits.
    TooShort,
    /// A kind of key, or a curve, that BoringSSL can't serve with.
    Kind,
    /// An EC key whose key usage lacks digitalSignature.
    KeyUsage,
    /// Not the key: the certificate requires an OCSP response, and there is none.
    MustStaple,
}

impl KeySupport {
    /// The log text with the file's path filled in; `None` for a good key.
    pub fn envoy_log(&self, path: &str) -> Option<String> {
        match self {
            Self::Good => None,
            Self::OnlyTls13 { log } | Self::HandshakeFails { log, .. } | Self::Refused { log, .. } => {
                Some(log.replace("<path>", path))
            }
        }
    }
}

const NOT_STAPLED: &str = "OCSP response is required for must-staple certificate";
const CHAIN_REFUSED: &str = "Failed to load certificate chain from <path>";
const TOO_SHORT: &str = "Failed to load certificate chain from <path>, \
                         only RSA certificates with 2048-bit or larger keys are supported";
const HANDSHAKE_FAILURE: &str = "TLS_error:|268436496:SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE\
                                 |268435610:SSL routines:OPENSSL_internal:HANDSHAKE_FAILURE_ON_CLIENT_HELLO\
                                 :TLS_error_end";
const NO_COMMON_ALGORITHM: &str =
    "TLS_error:|268435709:SSL routines:OPENSSL_internal:NO_COMMON_SIGNATURE_ALGORITHMS:TLS_error_end";
const CLIENT_PURPOSE: &str =
    "TLS_error:|268436499:SSL routines:OPENSSL_internal:SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:TLS_error_end";
const CLOSED: &str = "Connection reset by peer";
const PURPOSE: &str = "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: \
                       X509_verify_cert: certificate verification error at depth 0: \
                       unsupported certificate purpose:TLS_error_end";
const KEY_USAGE_INCORRECT: &str =
    "TLS_error:|268435758:SSL routines:OPENSSL_internal:KEY_USAGE_BIT_INCORRECT:TLS_error_end";
const NEITHER_NAME: &str = "Invalid TLS context has neither subject CN nor SAN names";
const EMPTY_NAME: &str = "Invalid TLS context has an empty subject CN";

impl Certificate {
    /// What Envoy does with this certificate's key when a listener serves with it.
    pub fn key_support(&self) -> KeySupport {
        match self.support_of_key() {
            refused @ KeySupport::Refused { .. } => refused,
            _ if self.must_staple => KeySupport::Refused { reason: Refusal::MustStaple, log: NOT_STAPLED },
            support => support,
        }
    }

    fn support_of_key(&self) -> KeySupport {
        let may_sign = self.key_usage.is_none_or(|usage| usage.digital_signature);
        let refused = |reason, log| KeySupport::Refused { reason, log };
        match &self.key_algorithm {
            KeyAlgorithm::Rsa { bits } if *bits < 2048 => refused(Refusal::TooShort, TOO_SHORT),
            KeyAlgorithm::EcP224 | KeyAlgorithm::EcSecp256k1 | KeyAlgorithm::Other(_) => {
                refused(Refusal::Kind, CHAIN_REFUSED)
            }
            KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384 | KeyAlgorithm::EcP521 if !may_sign => {
                refused(Refusal::KeyUsage, CHAIN_REFUSED)
            }
            KeyAlgorithm::Rsa { .. } if !may_sign => {
                // The peer checks the certificate's usages before its key is used.
                let other = self.key_usage.is_some_and(|usage| usage.key_encipherment || usage.key_agreement);
                let log = if other { KEY_USAGE_INCORRECT } else { PURPOSE };
                KeySupport::HandshakeFails { reason: HandshakeFailure::KeyUsage, log }
            }
            KeyAlgorithm::EcP521 | KeyAlgorithm::Ed25519 => {
                KeySupport::HandshakeFails { reason: HandshakeFailure::NotOffered, log: HANDSHAKE_FAILURE }
            }
            KeyAlgorithm::EcP384 => KeySupport::OnlyTls13 { log: HANDSHAKE_FAILURE },
            KeyAlgorithm::Rsa { .. } | KeyAlgorithm::EcP256 => KeySupport::Good,
        }
    }

    /// What Envoy does with this certificate's key when a client presents it. P-384 and P-521 then work like P-256.
    /// The log is the client's.
    pub fn client_key_support(&self) -> KeySupport {
        match (&self.key_algorithm, self.support_of_key()) {
            (KeyAlgorithm::EcP384 | KeyAlgorithm::EcP521, support @ KeySupport::Refused { .. }) => support,
            (KeyAlgorithm::EcP384 | KeyAlgorithm::EcP521, _) => KeySupport::Good,
            (KeyAlgorithm::Ed25519, _) => {
                KeySupport::HandshakeFails { reason: HandshakeFailure::NotOffered, log: NO_COMMON_ALGORITHM }
            }
            (_, KeySupport::HandshakeFails { reason: HandshakeFailure::KeyUsage, .. }) => {
                let agrees = self.key_usage.is_some_and(|usage| usage.key_agreement);
                let log = if agrees { CLOSED } else { CLIENT_PURPOSE };
                KeySupport::HandshakeFails { reason: HandshakeFailure::KeyUsage, log }
            }
            (_, support) => support,
        }
    }

    /// Whether Envoy rejects a listener with this certificate because it has no name: neither a common name nor a
    /// DNS name, URI or IP address (e-mail addresses don't count), or an empty common name.
    pub(crate) fn is_nameless(&self) -> bool {
        self.nameless_log().is_some()
    }

    /// What Envoy logs when it rejects a listener with this certificate because it has no name; `None` if it has
    /// one.
    pub fn nameless_log(&self) -> Option<&'static str> {
        let named = self.sans.iter().any(|san| matches!(san, San::Dns(_) | San::Uri(_) | San::Ip(_)));
        match self.common_name.as_deref() {
            Some("") => Some(EMPTY_NAME),
            None if !named => Some(NEITHER_NAME),
            _ => None,
        }
    }
}
