//! Why bytes aren't a certificate.

use thiserror::Error;

/// Why BoringSSL doesn't read bytes as a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The structure isn't X.509.
    #[error("{0}")]
    Structure(String),
    /// A version above 3, or extensions in a certificate of version 1 or 2.
    #[error("version {version} with{} extensions", if *.extensions { "" } else { "out" })]
    Version {
        /// 1-based.
        version: u32,
        /// Whether it has extensions.
        extensions: bool,
    },
    /// notBefore or notAfter isn't a time as required by RFC 5280, section 4.1.2.5.
    #[error("invalid date")]
    Date,
    /// There are bytes after the certificate.
    #[error("extra bytes after the certificate")]
    Trailing,
}

impl CertificateError {
    pub(super) fn not_x509() -> Self {
        Self::Structure("it is not X.509, or damaged".to_owned())
    }
}
