//! Certificates by their use in a proxy: a chain that it presents, a bundle that it trusts.

use std::sync::Arc;

use super::certificate::Certificate;
use super::public_key::sha256;
use super::revocation::RevocationList;

/// The certificates that a proxy presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// In file order; at least one.
    pub certificates: Vec<Arc<Certificate>>,
    leaf: Arc<Certificate>,
    fingerprint: [u8; 32],
}

impl Chain {
    /// A chain of these certificates, the leaf first; `None` without any.
    pub fn new(certificates: Vec<Arc<Certificate>>) -> Option<Self> {
        let leaf = Arc::clone(certificates.first()?);
        let fingerprint = fingerprint(&certificates);
        Some(Self { certificates, leaf, fingerprint })
    }

    /// The first certificate, which must match the proxy's key.
    pub fn leaf(&self) -> &Certificate {
        &self.leaf
    }

    /// A digest of the whole chain in order, computed when it was read.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

/// The CAs that a proxy trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// In file order; at least one.
    pub certificates: Vec<Arc<Certificate>>,
    /// The revocation lists among them, in file order. If there is one, Envoy requires one from every issuer of a path.
    pub lists: Vec<Arc<RevocationList>>,
    fingerprint: [u8; 32],
}

impl Bundle {
    /// A bundle of these certificates and revocation lists; `None` without any certificate.
    pub fn new(certificates: Vec<Arc<Certificate>>, lists: Vec<Arc<RevocationList>>) -> Option<Self> {
        let mut fingerprint = fingerprint(&certificates);
        if !lists.is_empty() {
            let digests = lists.iter().map(|list| list.fingerprint);
            fingerprint = sha256(&[fingerprint].into_iter().chain(digests).flatten().collect::<Vec<_>>());
        }
        (!certificates.is_empty()).then_some(Self { certificates, lists, fingerprint })
    }

    /// A digest of the whole bundle in order, computed when it was read.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

fn fingerprint(certificates: &[Arc<Certificate>]) -> [u8; 32] {
    sha256(&certificates.iter().flat_map(|certificate| certificate.fingerprint).collect::<Vec<_>>())
}
