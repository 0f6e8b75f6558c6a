//! Why bytes are no certificate.

use thiserror::Error;

/// Why bytes are no certificate that BoringSSL reads.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The structure isn't X.509.
    #[error("{0}")]
    Structure(String),
    /// A version over 3, or extensions in a certificate of version 1 or 2.
    #[error("version {version} with{} extensions", if *.extensions { "" } else { "out" })]
    Version {
        /// 1-based.
        version: u32,
        /// Whether it has extensions.
        extensions: bool,
    },
    /// notBefore or notAfter isn't a time as RFC 5280, section 4.1.2.5, wants it.
    #[error("invalid date")]
    Date,
    /// Bytes behind the certificate.
    #[error("extra bytes after the certificate")]
    Trailing,
}

impl CertificateError {
    pub(super) fn not_x509() -> Self {
        Self::Structure("it is not X.509, or damaged".to_owned())
    }
}
