//! Which certificate of a chain file is the leaf, wherever it stands.

use crate::pki::{Chain, KeyFit, PrivateKeyFacts};

/// Where the leaf is in the chain: by the key, or, where that isn't known, by who issued whom.
pub(super) fn place_of_leaf(chain: &Chain, key: Option<&PrivateKeyFacts>) -> Option<usize> {
    match key {
        Some(key) if key.spki_sha256.is_some() => place_of_key(chain, key),
        _ => place_by_issuer(chain),
    }
}

/// The place of the certificate that the key is for, where one of them surely is.
pub(super) fn place_of_key(chain: &Chain, key: &PrivateKeyFacts) -> Option<usize> {
    chain.certificates.iter().position(|certificate| key.fit(certificate) == KeyFit::Fits)
}

/// Without a key to go by: a first certificate that issued a later one, which is no authority itself, is not the leaf.
fn place_by_issuer(chain: &Chain) -> Option<usize> {
    let first = chain.leaf();
    if !first.is_ca() {
        return None;
    }
    chain.certificates.iter().position(|certificate| !certificate.is_ca())
}
