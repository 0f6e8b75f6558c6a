//! The approximate memory of a fact: for metrics, not for limits.
//!
//! Certificates are counted by their bytes, a shared one in equal parts. Everything else is counted by the length of the object's JSON,
//! of which a part is kept. That part and what each fact takes beside it were measured (docs/performance.md).

use std::mem::size_of;
use std::sync::Arc;

use crate::mesh::Fact;
use crate::pki::{Certificate, FileFacts, San};

/// What each fact takes in addition, in bytes: its name in the tracker, the world and the indexes.
const NAMES: usize = 700;
/// How often a file refers to a certificate: as part of a chain, and of a bundle, and a leaf once more.
const REFERENCES: usize = 3;

/// The approximate bytes of a fact of an object whose JSON is so long.
pub(super) fn weight(fact: &Fact, json: usize) -> usize {
    NAMES
        + match fact {
            Fact::Store(_, store) => store.files.iter().map(|(key, facts)| key.len() + file(facts)).sum(),
            _ => json / 2,
        }
}

/// A file's certificates, each once: its chain and its bundle share them.
fn file(facts: &Arc<FileFacts>) -> usize {
    let chain = facts.chain.iter().flat_map(|chain| &chain.certificates);
    let bundle = facts.bundle.iter().flat_map(|bundle| &bundle.certificates);
    let mut all: Vec<&Arc<Certificate>> = chain.chain(bundle).collect();
    all.sort_unstable_by_key(|certificate| Arc::as_ptr(certificate));
    all.dedup_by_key(|certificate| Arc::as_ptr(certificate));
    (size_of::<FileFacts>() + all.into_iter().map(certificate).sum::<usize>()) / Arc::strong_count(facts).max(1)
}

fn certificate(certificate: &Arc<Certificate>) -> usize {
    let texts = [
        certificate.serial.len(),
        certificate.subject.len(),
        certificate.issuer.len(),
        certificate.subject_der.len(),
        certificate.issuer_der.len(),
        certificate.common_name.as_ref().map_or(0, String::len),
        certificate.signature_algorithm.len(),
        certificate.der.len(),
        certificate.subject_key_id.as_ref().map_or(0, Vec::len),
        certificate.authority_key_id.as_ref().map_or(0, Vec::len),
        certificate.sans.len() * size_of::<San>(),
    ];
    // A file refers to each of its certificates a few times.
    (size_of::<Certificate>() + texts.iter().sum::<usize>()) / (Arc::strong_count(certificate) / REFERENCES).max(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::mesh::{Store, StoreKey};

    fn secret(texts: &[&str]) -> usize {
        let files = texts.iter().enumerate();
        let files = files.map(|(place, text)| (place.to_string(), Arc::new(FileFacts::parse(text.as_bytes()))));
        let store = Store { files: files.collect(), ..Store::default() };
        weight(&Fact::Store(StoreKey::secret("shop", "blue"), Arc::new(store)), 10_000)
    }

    #[test]
    fn a_secret_weighs_as_much_as_its_certificates() {
        let issued = rcgen::generate_simple_self_signed(["blue.shop.svc".to_owned()]).expect("a certificate");
        let (pem, der) = (issued.cert.pem(), issued.cert.der().len());
        let [none, one, two] = [&[][..], &[pem.as_str()], &[pem.as_str(), pem.as_str()]].map(secret);
        let each = one - none;
        assert!(each > der && each < der + 2_500, "{each} for a certificate of {der} bytes");
        assert_eq!(two - one, each);
        // Almost nothing of a key is kept.
        assert!(secret(&[&issued.signing_key.serialize_pem()]) - none < 1_000);
    }

    #[test]
    fn other_facts_weigh_as_their_objects_do() {
        let namespace = |json| weight(&Fact::Namespace("shop".to_owned(), BTreeMap::new()), json);
        assert_eq!(namespace(3_000) - namespace(1_000), 1_000);
    }

    #[test]
    fn what_many_hold_weighs_little_for_each() {
        let issued = rcgen::generate_simple_self_signed(["root".to_owned()]).expect("a certificate");
        let file = Arc::new(FileFacts::parse(issued.cert.pem().as_bytes()));
        let all: Vec<_> = std::iter::repeat_n(Arc::clone(&file), 100).collect();
        assert!(super::file(&file) < 50, "{} of each of {} holders", super::file(&file), all.len());
    }
}
