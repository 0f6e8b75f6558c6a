//! The approximate memory of a fact: for metrics, not for limits.
//!
//! Certificates are counted by their bytes. Everything else is counted by the length of its debug output, field names
//! included, times a factor for the overhead of many small strings and lists. The factor and the fixed part were measured: a
//! process with 20,000 Secrets, virtual nodes and Deployments grew by the computed amount, within a tenth.

use std::fmt::{Debug, Write as _};
use std::mem::size_of;
use std::sync::Arc;

use crate::mesh::Fact;
use crate::pki::{Certificate, FileFacts};

/// What each fact costs in addition, in bytes: its name in the tracker, the world and the indexes.
const NAMES: usize = 1_600;

/// The approximate bytes of a fact.
pub(super) fn weight(fact: &Fact) -> usize {
    NAMES
        + match fact {
            Fact::Store(_, store) => store.files.iter().map(|(key, facts)| key.len() + file(facts)).sum(),
            Fact::Member(member) => written(member),
            Fact::Hop(hop) => written(hop),
            Fact::Attached(attached) => written(attached),
            Fact::Class(class) => written(class),
            Fact::Grant(grant) => written(grant),
            Fact::Promise(promise) => written(promise),
            Fact::Service(service) => written(service),
            Fact::Workload(workload) => written(workload),
            Fact::ServiceAccount(_, role) => role.as_ref().map_or(0, String::len),
            Fact::Namespace(_, labels) => written(labels),
        }
}

/// A file's certificates, each once: its chain and its bundle share them.
fn file(facts: &FileFacts) -> usize {
    let chain = facts.chain.iter().flat_map(|chain| &chain.certificates);
    let bundle = facts.bundle.iter().flat_map(|bundle| &bundle.certificates);
    let mut all: Vec<&Arc<Certificate>> = chain.chain(bundle).collect();
    all.sort_unstable_by_key(|certificate| Arc::as_ptr(certificate));
    all.dedup_by_key(|certificate| Arc::as_ptr(certificate));
    size_of::<FileFacts>() + all.into_iter().map(|it| certificate(it)).sum::<usize>()
}

fn certificate(certificate: &Certificate) -> usize {
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
        certificate.sans.iter().map(length).sum(),
    ];
    size_of::<Certificate>() + texts.iter().sum::<usize>()
}

/// The memory of a value, from the length of its debug output.
fn written(value: &impl Debug) -> usize {
    length(value) * 9 / 5
}

/// The length of a value's debug output, without storing it.
fn length(value: &impl Debug) -> usize {
    struct Length(usize);
    impl std::fmt::Write for Length {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut length = Length(0);
    // Counting can't fail.
    let _ = write!(length, "{value:?}");
    length.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::{Store, StoreKey};

    fn secret(texts: &[&str]) -> usize {
        let files = texts.iter().enumerate();
        let files = files.map(|(place, text)| (place.to_string(), Arc::new(FileFacts::parse(text.as_bytes()))));
        weight(&Fact::Store(
            StoreKey::secret("shop", "blue"),
            Arc::new(Store { files: files.collect(), of_type: None, awaited: None }),
        ))
    }

    #[test]
    fn a_secret_weighs_as_much_as_its_certificates() {
        let issued = rcgen::generate_simple_self_signed(["blue.shop.svc".to_owned()]).expect("a certificate");
        let (pem, der) = (issued.cert.pem(), issued.cert.der().len());
        let [none, one, two] = [&[][..], &[pem.as_str()], &[pem.as_str(), pem.as_str()]].map(secret);
        let each = one - none;
        assert!(each > der && each < der + 3_000, "{each} for a certificate of {der} bytes");
        assert_eq!(two - one, each);
        // Almost nothing of a key is kept.
        assert!(secret(&[&issued.signing_key.serialize_pem()]) - none < 1_000);
    }

    #[test]
    fn other_facts_weigh_as_much_as_they_say() {
        let namespace = |labels: &[(&str, &str)]| {
            let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            weight(&Fact::Namespace("shop".to_owned(), labels))
        };
        let long = "x".repeat(1_000);
        let more = namespace(&[("mesh", &long)]) - namespace(&[]);
        assert!((1_000..2_000).contains(&more), "{more}");
    }
}
