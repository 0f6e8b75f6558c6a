//! Why Envoy doesn't load a file, what is there instead, what the proxy logs and how to fix it.
//!
//! Nothing here contains a file's contents: the only evidence is a label and a line number, since what is in the wrong
//! place may be a key.

use thiserror::Error;

use super::broken_block::BrokenBlock;
use super::instead::{NotPem, OtherBlock};

/// How a certificate file is used, which decides how it is read and what Envoy logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// `certificateChain` of a certificate that the proxy presents.
    Chain,
    /// `certificateChain` of `trust.file`: the CAs that the proxy trusts.
    Bundle,
}

/// A file that Envoy doesn't load as certificates.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct CertificateFileError {
    /// What the file was read as.
    pub purpose: Purpose,
    /// What is wrong with it.
    pub problem: CertificateProblem,
}

/// What is wrong with a certificate file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CertificateProblem {
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// There is no PEM block.
    #[error(transparent)]
    NotPem(#[from] NotPem),
    /// The blocks are intact, but none is a certificate.
    #[error("the file holds no certificate, only {found} (line {line})")]
    NoCertificate {
        /// What the first block is.
        found: OtherBlock,
        /// Line of its BEGIN.
        line: usize,
    },
    /// A block that can't be read, because of which Envoy rejects the whole file.
    #[error(transparent)]
    Corrupt(#[from] BrokenBlock),
    /// More than meshvet reads.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

impl CertificateFileError {
    /// What Envoy logs when it rejects the configuration because of this file.
    pub fn envoy_log(&self, path: &str) -> String {
        match (&self.problem, self.purpose) {
            (CertificateProblem::Empty, Purpose::Chain) => {
                format!("Failed to load incomplete certificate from {path}: certificate chain not set")
            }
            (CertificateProblem::Empty, Purpose::Bundle) => format!("file {path} is empty"),
            (_, Purpose::Chain) => format!("Failed to load certificate chain from {path}"),
            (_, Purpose::Bundle) => format!("Failed to load trusted CA certificates from {path}"),
        }
    }

    /// How to fix the file.
    pub fn fix(&self) -> String {
        let wanted = match self.purpose {
            Purpose::Chain => "the leaf certificate and its intermediates in PEM, the leaf first",
            Purpose::Bundle => "the certificates of the trusted authorities in PEM",
        };
        match &self.problem {
            CertificateProblem::Empty => format!("put {wanted} into the file"),
            CertificateProblem::NotPem(shape) => shape.fix("openssl x509", wanted),
            CertificateProblem::NoCertificate { found, .. } => match found {
                OtherBlock::PrivateKey => {
                    format!("replace it with {wanted}; the private key belongs in a file of its own")
                }
                OtherBlock::Pkcs7 => "unpack it: openssl pkcs7 -print_certs -in FILE -out certificates.pem".to_owned(),
                OtherBlock::CertificateRequest => {
                    format!("have the request signed by its CA, and store {wanted} here")
                }
                _ => format!("replace it with {wanted}"),
            },
            CertificateProblem::Corrupt(block) => block.fix(),
            CertificateProblem::TooMuch(_) => format!("keep only {wanted}"),
        }
    }
}

/// A private key file that Envoy doesn't load.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PrivateKeyError {
    /// The file is empty.
    #[error("the file is empty")]
    Empty,
    /// The key is encrypted; App Mesh has no setting for a password.
    #[error("the private key is encrypted ({label}, line {line})")]
    Encrypted {
        /// The block's label, which distinguishes PKCS#8 from the older form.
        label: String,
        /// Line of its BEGIN.
        line: usize,
    },
    /// There is no PEM block.
    #[error(transparent)]
    NotPem(#[from] NotPem),
    /// A public key instead of a private one.
    #[error("the file holds a public key (line {line}), not a private one")]
    PublicKey {
        /// Line of its BEGIN.
        line: usize,
    },
    /// Certificates, but no key.
    #[error("the file holds a certificate (line {line}) and no private key")]
    CertificateOnly {
        /// Line of the first certificate's BEGIN.
        line: usize,
    },
    /// The blocks are intact, but none that Envoy takes as a private key.
    #[error("the file holds {found} (line {line}), which Envoy does not take for a private key")]
    OtherBlock {
        /// What the first block is.
        found: OtherBlock,
        /// Line of its BEGIN.
        line: usize,
    },
    /// The key, or a block before it, can't be read.
    #[error(transparent)]
    Corrupt(#[from] BrokenBlock),
    /// PKCS#8 version 2, which includes the public key (RFC 5958); BoringSSL reads version 1 only.
    #[error("the private key (line {line}) is in PKCS#8 version 2, which Envoy does not read")]
    Pkcs8Version2 {
        /// Line of its BEGIN.
        line: usize,
    },
    /// A key of a kind that no certificate supported by Envoy can have.
    #[error("Envoy can't use a private key of this kind: {algorithm} (line {line})")]
    UnsupportedAlgorithm {
        /// Its name, or object identifier.
        algorithm: String,
        /// Line of its BEGIN.
        line: usize,
        /// BoringSSL's error.
        cause: &'static str,
    },
    /// More than meshvet reads.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

pub(super) const NO_START_LINE: &str = "error:0900006e:PEM routines:OPENSSL_internal:NO_START_LINE";
pub(super) const BAD_PASSWORD_READ: &str = "error:09000068:PEM routines:OPENSSL_internal:BAD_PASSWORD_READ";
pub(super) const SEQUENCE_LENGTH_MISMATCH: &str =
    "error:0c0000a8:ASN.1 encoding routines:OPENSSL_internal:SEQUENCE_LENGTH_MISMATCH";

impl PrivateKeyError {
    /// What Envoy logs when it rejects the configuration because of this file.
    pub fn envoy_log(&self, path: &str) -> String {
        let cause = match self {
            Self::Empty => {
                return format!("Failed to load incomplete private key from path: {path}");
            }
            Self::Encrypted { .. } => BAD_PASSWORD_READ,
            Self::Corrupt(block) => block.fault.cause(),
            Self::Pkcs8Version2 { .. } => SEQUENCE_LENGTH_MISMATCH,
            Self::UnsupportedAlgorithm { cause, .. } => cause,
            _ => NO_START_LINE,
        };
        key_refused(path, cause)
    }

    /// How to fix the file.
    pub fn fix(&self) -> String {
        let wanted = "the unencrypted private key of the leaf certificate in PEM";
        match self {
            Self::Empty => format!("put {wanted} into the file"),
            Self::Encrypted { .. } => "decrypt it: openssl pkey -in FILE -out tls.key".to_owned(),
            Self::NotPem(shape) => shape.fix("openssl pkey", wanted),
            Self::Corrupt(block) => block.fix(),
            Self::Pkcs8Version2 { .. } => {
                "generate the key as PKCS#8 version 1, with an algorithm that Envoy can serve with: EC P-256 or RSA 2048"
                    .to_owned()
            }
            Self::UnsupportedAlgorithm { .. } => {
                "issue the certificate for another key: EC P-256, or RSA of 2048 bits or more".to_owned()
            }
            Self::OtherBlock { found: OtherBlock::OpenSshKey, .. } => {
                "convert it: ssh-keygen -p -N '' -m PEM -f FILE".to_owned()
            }
            _ => format!("replace it with {wanted}"),
        }
    }
}

/// Envoy's message for a private key that BoringSSL rejects.
pub(super) fn key_refused(path: &str, cause: &str) -> String {
    format!("Failed to load private key from {path}, Cause: {cause}")
}

/// More than meshvet reads of one file: its own limit, far above what a Secret can hold, not Envoy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooMuch {
    /// The whole file.
    #[error("the file has {size} bytes, more than the {limit} that are read")]
    Bytes {
        /// Its length.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The number of its blocks.
    #[error("the file has more than {limit} PEM blocks")]
    Blocks {
        /// The limit.
        limit: usize,
    },
}
