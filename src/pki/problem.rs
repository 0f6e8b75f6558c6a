//! Why Envoy does not load a file, with what is there instead, what the proxy logs and how to fix it.
//!
//! Nothing here carries content of a file: a label and a line number are all the evidence, since what is in the wrong
//! place may be a key.

use thiserror::Error;

use super::broken_block::BrokenBlock;
use super::instead::{NotPem, OtherBlock};

/// What a certificate file is read as, which decides how it is read and what Envoy logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// `certificateChain` of a certificate that the proxy presents.
    Chain,
    /// `certificateChain` of `trust.file`: the authorities that the proxy trusts.
    Bundle,
}

/// A file that Envoy does not load as certificates.
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
    /// No byte at all.
    #[error("the file is empty")]
    Empty,
    /// Nothing that begins a PEM block.
    #[error(transparent)]
    NotPem(#[from] NotPem),
    /// Whole blocks, but none of them a certificate.
    #[error("the file holds no certificate, only {found} (line {line})")]
    NoCertificate {
        /// What the first block is.
        found: OtherBlock,
        /// Line of its BEGIN.
        line: usize,
    },
    /// One block that can't be read, which makes Envoy refuse the whole file.
    #[error(transparent)]
    Corrupt(#[from] BrokenBlock),
    /// More than meshvet reads.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
}

impl CertificateFileError {
    /// What Envoy logs when it refuses the configuration because of this file.
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

    /// The next step for whoever made the file.
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

/// A private key file that Envoy does not load.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PrivateKeyError {
    /// No byte at all.
    #[error("the file is empty")]
    Empty,
    /// The key is encrypted; App Mesh has no place for a password.
    #[error("the private key is encrypted ({label}, line {line})")]
    Encrypted {
        /// The block's label, which tells PKCS#8 from the older form.
        label: String,
        /// Line of its BEGIN.
        line: usize,
    },
    /// Nothing that begins a PEM block.
    #[error(transparent)]
    NotPem(#[from] NotPem),
    /// A public key, where a private one is wanted.
    #[error("the file holds a public key (line {line}), not a private one")]
    PublicKey {
        /// Line of its BEGIN.
        line: usize,
    },
    /// Certificates and no key.
    #[error("the file holds a certificate (line {line}) and no private key")]
    CertificateOnly {
        /// Line of the first certificate's BEGIN.
        line: usize,
    },
    /// Whole blocks, but none that Envoy takes for a private key.
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
    /// PKCS#8 version 2, which carries the public key too (RFC 5958); BoringSSL reads version 1 only.
    #[error("the private key (line {line}) is in PKCS#8 version 2, which Envoy does not read")]
    Pkcs8Version2 {
        /// Line of its BEGIN.
        line: usize,
    },
    /// A key of a kind that no certificate can have that Envoy serves with.
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
    /// What Envoy logs when it refuses the configuration because of this file.
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

    /// The next step for whoever made the file.
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

/// Envoy's sentence for a private key that BoringSSL refuses.
pub(super) fn key_refused(path: &str, cause: &str) -> String {
    format!("Failed to load private key from {path}, Cause: {cause}")
}

/// More than meshvet reads of one file: its own limit, far over what a Secret can carry, not Envoy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooMuch {
    /// The whole file.
    #[error("the file has {size} bytes, more than the {limit} that are read")]
    Bytes {
        /// Its length.
        size: usize,
        /// What is read at most.
        limit: usize,
    },
    /// The number of its blocks.
    #[error("the file has more than {limit} PEM blocks")]
    Blocks {
        /// What is read at most.
        limit: usize,
    },
}
