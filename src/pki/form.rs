//! The expected contents of a file that doesn't exist yet, and why Envoy won't load it.

use super::instead::{NotPem, OtherBlock};
use super::problem::{CertificateFileError, CertificateProblem, PrivateKeyError, Purpose};

/// What a file will hold, as far as the object that creates it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileForm {
    /// Unknown.
    #[default]
    Unknown,
    /// A certificate and its intermediates, in PEM.
    Chain,
    /// A private key in PEM.
    Key,
    /// A private key, followed by the certificate and its intermediates, in PEM.
    KeyAndChain,
    /// CA certificates in PEM.
    Authorities,
    /// Something in DER.
    Der,
    /// A PKCS#12 store.
    Pkcs12,
    /// A Java key store.
    JavaKeyStore,
}

impl FileForm {
    /// Whether the first certificate in it is the key's.
    pub(crate) fn begins_with_leaf(self) -> bool {
        matches!(self, Self::Chain | Self::KeyAndChain)
    }

    /// Why Envoy won't load it as certificates; None if it may.
    pub fn certificate_error(self, purpose: Purpose) -> Option<CertificateFileError> {
        let problem = match self {
            Self::Key => CertificateProblem::NoCertificate { found: OtherBlock::PrivateKey, line: 1 },
            _ => CertificateProblem::NotPem(self.not_pem()?),
        };
        Some(CertificateFileError { purpose, problem })
    }

    /// Why Envoy won't load it as a private key; None if it may.
    pub fn key_error(self) -> Option<PrivateKeyError> {
        match self {
            Self::Chain | Self::Authorities => Some(PrivateKeyError::CertificateOnly { line: 1 }),
            _ => Some(PrivateKeyError::NotPem(self.not_pem()?)),
        }
    }

    fn not_pem(self) -> Option<NotPem> {
        match self {
            Self::Der => Some(NotPem::Der),
            Self::Pkcs12 => Some(NotPem::Pkcs12),
            Self::JavaKeyStore => Some(NotPem::JavaKeyStore),
            Self::Unknown | Self::Chain | Self::Key | Self::KeyAndChain | Self::Authorities => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_envoy_loads_a_file_as_goes_by_its_form() {
        use FileForm::{Authorities, Chain, Der, JavaKeyStore, Key, KeyAndChain, Pkcs12, Unknown};
        for form in [Unknown, Chain, KeyAndChain, Authorities] {
            assert_eq!(form.certificate_error(Purpose::Chain), None, "{form:?}");
        }
        for form in [Unknown, Key, KeyAndChain] {
            assert_eq!(form.key_error(), None, "{form:?}");
        }
        for form in [Der, Pkcs12, JavaKeyStore] {
            assert!(form.certificate_error(Purpose::Bundle).is_some() && form.key_error().is_some(), "{form:?}");
        }
        assert!(Key.certificate_error(Purpose::Chain).is_some());
        assert!(Chain.key_error().is_some() && Authorities.key_error().is_some());
    }
}
