//! Certificates and keys as a proxy sees them.
//!
//! [`FileFacts::parse`] reads one file's bytes once, as Envoy (BoringSSL) reads them, and reports what they
//! are as a certificate chain, as a trust bundle and as a private key; or why Envoy would reject them, in the
//! words of its log. [`names`] compares names as Envoy does.
//!
//! Everything here is pure: no clock, no I/O. No key byte leaves the module.

mod broken_block;
mod certificate;
mod certificate_error;
mod chain;
mod der;
mod described;
mod distinguished_name;
mod extensions;
mod file;
mod form;
mod ignored;
mod instead;
mod key_fault;
pub(crate) mod names;
pub mod path;
mod pem;
mod pool;
mod private_key;
mod problem;
mod public_key;
mod revocation;
mod rsa;
mod shape;
mod structure;
mod support;

#[cfg(test)]
mod tests;

pub use broken_block::{BlockFault, BrokenBlock};
pub use certificate::{Certificate, HashAlgorithm};
pub use certificate_error::CertificateError;
pub use chain::{Bundle, Chain};
pub use described::Description;
pub use extensions::{BasicConstraints, ExtendedKeyUsage, KeyUsage, San};
pub use file::FileFacts;
pub use form::FileForm;
pub use ignored::{IgnoredBlock, IgnoredReason};
pub use instead::{NotPem, OtherBlock};
pub use key_fault::KeyFault;
pub use names::{HostMatch, certificate_matches_host, dns_name_matches, nearest_name, san_entry_matches};
pub use private_key::{KeyFit, PrivateKeyFacts};
pub use problem::{CertificateFileError, CertificateProblem, PrivateKeyError, Purpose, TooMuch};
pub use public_key::KeyAlgorithm;
pub use revocation::RevocationList;
pub use support::{HandshakeFailure, KeySupport, Refusal};
