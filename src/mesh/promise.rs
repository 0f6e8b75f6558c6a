//! Secrets and ConfigMaps that don't exist yet, and that a known object will create.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::k8s::{LabelSelector, ObjectRef};
use crate::mesh::store::{StoreKey, StoreKind};
use crate::pki::{Certificate, FileForm};

/// What one object will create: a cert-manager Certificate its Secret, a SealedSecret the Secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The object that creates them.
    pub object: ObjectRef,
    /// What it creates: usually one store.
    pub stores: Vec<Arc<PromisedStore>>,
}

/// A Secret or ConfigMap that an object will create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromisedStore {
    /// The object that creates it.
    pub by: ObjectRef,
    /// What kind of store it will be.
    pub kind: StoreKind,
    /// The namespaces in which it is created.
    pub namespaces: Namespaces,
    /// Its name.
    pub name: String,
    /// The keys that it will or may have, and what each will hold; None where they aren't known beforehand.
    pub keys: Option<BTreeMap<String, FileForm>>,
    /// The certificate that will be in it, where that much is known.
    pub certificate: Option<PromisedCertificate>,
    /// Which fields of the object decide it.
    pub fields: &'static StoreFields,
    /// What fills in its values (`SOPS`), where the object is the store itself in a file, before it is filled in.
    pub filled_in_by: Option<&'static str>,
}

/// The namespaces in which a store is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// This one.
    One(String),
    /// Each that is listed, and each whose labels match one of the selectors. An empty selector matches all.
    Several {
        /// Their names.
        names: BTreeSet<String>,
        /// Selectors for their labels.
        selectors: Vec<LabelSelector>,
    },
}

/// A certificate that isn't issued yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromisedCertificate {
    /// What is asked for. Of its dates only the time between them is meaningful.
    pub leaf: Arc<Certificate>,
    /// Which fields of the object decide it.
    pub fields: &'static CertificateFields,
}

/// The fields that describe the store, in Kubernetes' notation.
#[derive(Debug, PartialEq, Eq)]
pub struct StoreFields {
    /// Its name: `spec.secretName`.
    pub name: &'static str,
    /// Its keys: `spec.encryptedData`.
    pub keys: &'static str,
}

/// The fields that describe the certificate, in Kubernetes' notation.
#[derive(Debug, PartialEq, Eq)]
pub struct CertificateFields {
    /// Its names: `spec.dnsNames`.
    pub names: &'static str,
    /// What it may be used for: `spec.usages`.
    pub usages: &'static str,
    /// The kind of its key: `spec.privateKey`.
    pub key: &'static str,
    /// How long it is valid: `spec.duration`.
    pub lifetime: &'static str,
}

impl PromisedStore {
    /// Whether it is created in this namespace, which has these labels. Unknown labels may match.
    pub(crate) fn is_made_in(&self, namespace: &str, labels: Option<&BTreeMap<String, String>>) -> bool {
        match &self.namespaces {
            Namespaces::One(one) => one == namespace,
            Namespaces::Several { names, selectors } => {
                let selects = |selector: &LabelSelector| labels.is_none_or(|labels| selector.matches(labels));
                names.contains(namespace) || selectors.iter().any(selects)
            }
        }
    }

    /// The store, where it is created in one namespace only.
    pub(crate) fn key(&self) -> Option<StoreKey> {
        match &self.namespaces {
            Namespaces::One(namespace) => Some(StoreKey::new(self.kind, namespace, &self.name)),
            Namespaces::Several { .. } => None,
        }
    }

    /// Whether it may have this key.
    pub(crate) fn may_hold(&self, key: &str) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.contains_key(key))
    }

    /// What this key will hold.
    pub fn form(&self, key: &str) -> FileForm {
        self.keys.as_ref().and_then(|keys| keys.get(key)).copied().unwrap_or_default()
    }

    /// The certificate that the chain in this key starts with.
    pub(crate) fn leaf(&self, key: &str) -> Option<&Certificate> {
        let certificate = self.certificate.as_ref()?;
        self.form(key).begins_with_leaf().then_some(&*certificate.leaf)
    }

    /// Combines the promises of several objects for one store. What they agree on holds; the rest is unknown.
    pub(crate) fn agreed(all: &[&Arc<PromisedStore>]) -> Option<Arc<PromisedStore>> {
        let first = *all.iter().min_by_key(|store| &store.by)?;
        let agree = all.iter().all(|other| other.keys == first.keys && other.certificate == first.certificate);
        if agree {
            return Some(Arc::clone(first));
        }
        Some(Arc::new(PromisedStore { keys: None, certificate: None, ..PromisedStore::clone(first) }))
    }
}
