//! Secrets and ConfigMaps that aren't there yet, and that somebody is known to make.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::k8s::{LabelSelector, ObjectRef};
use crate::mesh::store::{StoreKey, StoreKind};
use crate::pki::{Certificate, FileForm};

/// What one object promises to make: a cert-manager Certificate its Secret, a SealedSecret the Secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The object that makes them.
    pub object: ObjectRef,
    /// What it makes: most make one.
    pub stores: Vec<Arc<PromisedStore>>,
}

/// A Secret or ConfigMap that somebody is about to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromisedStore {
    /// Who makes it.
    pub by: ObjectRef,
    /// What it is going to be.
    pub kind: StoreKind,
    /// Where.
    pub namespaces: Namespaces,
    /// Its name.
    pub name: String,
    /// The keys that it will or may have, and what each will hold; None where nobody knows its keys beforehand.
    pub keys: Option<BTreeMap<String, FileForm>>,
    /// The certificate that will be in it, where that much is known.
    pub certificate: Option<PromisedCertificate>,
    /// Where the object says so.
    pub fields: &'static StoreFields,
    /// What fills in its values (`SOPS`), where the object is the store itself as a file has it before that.
    pub filled_in_by: Option<&'static str>,
}

/// The namespaces in which a store is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// In this one.
    One(String),
    /// In each that is named, and each whose labels one of the selectors matches. An empty selector matches all.
    Several {
        /// By their names.
        names: BTreeSet<String>,
        /// By their labels.
        selectors: Vec<LabelSelector>,
    },
}

/// A certificate that nobody has issued yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromisedCertificate {
    /// What is asked for. Of its dates only the time between them means anything.
    pub leaf: Arc<Certificate>,
    /// Where the object says so.
    pub fields: &'static CertificateFields,
}

/// Where an object says what store it makes, in Kubernetes' notation.
#[derive(Debug, PartialEq, Eq)]
pub struct StoreFields {
    /// Its name: `spec.secretName`.
    pub name: &'static str,
    /// Its keys: `spec.encryptedData`.
    pub keys: &'static str,
}

/// Where an object says what certificate it wants, in Kubernetes' notation.
#[derive(Debug, PartialEq, Eq)]
pub struct CertificateFields {
    /// Its names: `spec.dnsNames`.
    pub names: &'static str,
    /// What it may be used for: `spec.usages`.
    pub usages: &'static str,
    /// The kind of its key: `spec.privateKey`.
    pub key: &'static str,
    /// How long it is to hold: `spec.duration`.
    pub lifetime: &'static str,
}

impl PromisedStore {
    /// Whether it is made in this namespace, whose labels are these. Of one that nobody knows the labels may match.
    pub(crate) fn is_made_in(&self, namespace: &str, labels: Option<&BTreeMap<String, String>>) -> bool {
        match &self.namespaces {
            Namespaces::One(one) => one == namespace,
            Namespaces::Several { names, selectors } => {
                let selects = |selector: &LabelSelector| labels.is_none_or(|labels| selector.matches(labels));
                names.contains(namespace) || selectors.iter().any(selects)
            }
        }
    }

    /// The store, where it is made in one namespace.
    pub(crate) fn key(&self) -> Option<StoreKey> {
        match &self.namespaces {
            Namespaces::One(namespace) => {
                Some(StoreKey { kind: self.kind, namespace: namespace.clone(), name: self.name.clone() })
            }
            Namespaces::Several { .. } => None,
        }
    }

    /// Whether a key of this name may come to be in it.
    pub(crate) fn may_hold(&self, key: &str) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.contains_key(key))
    }

    /// What a key of this name will hold.
    pub fn form(&self, key: &str) -> FileForm {
        self.keys.as_ref().and_then(|keys| keys.get(key)).copied().unwrap_or_default()
    }

    /// The certificate that the chain in this key begins with.
    pub(crate) fn leaf(&self, key: &str) -> Option<&Certificate> {
        let certificate = self.certificate.as_ref()?;
        self.form(key).begins_with_leaf().then_some(&*certificate.leaf)
    }

    /// Several objects make one and the same store. What they agree on holds; who wins with the rest, nobody knows.
    pub(crate) fn agreed(all: &[&Arc<PromisedStore>]) -> Option<Arc<PromisedStore>> {
        let first = *all.iter().min_by_key(|store| &store.by)?;
        let agree = all.iter().all(|other| other.keys == first.keys && other.certificate == first.certificate);
        if agree {
            return Some(Arc::clone(first));
        }
        Some(Arc::new(PromisedStore { keys: None, certificate: None, ..PromisedStore::clone(first) }))
    }
}
