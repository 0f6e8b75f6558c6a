//! What one end loads: a certificate, with its key where that is a file, or what it trusts; and each file of these by itself.

use crate::finding::{Problem, Site};
use crate::k8s::ObjectRef;
use crate::mesh::{FileRef, Named, Place, Plane, Workload};
use crate::pki::{Bundle, Certificate, CertificateFileError, Chain, FileFacts, FileForm, PrivateKeyError, Purpose};
use crate::rules::end::End;
use crate::rules::files::THEN_RESTART;
use crate::rules::leaf::place_of_leaf;
use crate::rules::promised::{Aspect, settle};

/// A certificate and its key, as one end of one workload's proxy loads them.
#[derive(Debug)]
pub struct CertificateUse<'a> {
    /// The end.
    pub end: End<'a>,
    /// The workload; None where only a local folder was given.
    pub workload: Option<&'a Workload>,
    /// What names the chain.
    pub chain_ref: Named<'a>,
    /// What names the key; at AWS, the same.
    pub key_ref: Named<'a>,
    /// What is at the chain's path.
    pub chain_place: Place,
    /// What is at the key's path.
    pub key_place: Place,
    /// Who hands it to the proxy.
    pub plane: &'static Plane,
    /// The member, where only that is told, and not in which Secret of its namespace the certificate is.
    pub(super) apart: Option<&'a ObjectRef>,
    /// Where the leaf is in the chain file.
    pub(super) leaf_at: Option<usize>,
}

/// A trust bundle, as one end of one workload's proxy loads it.
#[derive(Debug)]
pub struct TrustUse<'a> {
    /// The end.
    pub end: End<'a>,
    /// The workload; None where only a local folder was given.
    pub workload: Option<&'a Workload>,
    /// What names the bundle.
    pub trust_ref: Named<'a>,
    /// What is there.
    pub place: Place,
    /// The member, where only that is told, and not in which Secret of its namespace the bundle is.
    pub(super) apart: Option<&'a ObjectRef>,
}

impl CertificateUse<'_> {
    /// Whether it is a certificate of AWS Certificate Manager: there is no file then.
    pub(crate) fn is_acm(&self) -> bool {
        matches!(self.chain_place, Place::Acm { .. })
    }

    /// The chain, where one is at the path and Envoy would load it, or where AWS has told of it.
    pub fn chain(&self) -> Option<&Chain> {
        if let Place::Acm { chain, .. } = &self.chain_place {
            return chain.as_deref();
        }
        self.chain_facts().and_then(|facts| facts.chain.as_ref().ok())
    }

    /// The leaf: the certificate that the key is for, wherever it is in the chain, so that a chain out of order (MV211) isn't
    /// judged as if an authority were the leaf. One that is only promised counts: see [`of`](Self::of), and
    /// [`issued_leaf`](Self::issued_leaf) for what nobody knows beforehand.
    pub fn leaf(&self) -> Option<&Certificate> {
        match &self.chain_place {
            Place::StorePromised { key, promise, .. } => promise.leaf(key),
            _ => self.issued_leaf(),
        }
    }

    /// The same, where it has been issued: one that is only promised has no dates yet.
    pub(crate) fn issued_leaf(&self) -> Option<&Certificate> {
        if let Place::Acm { leaf, .. } = &self.chain_place {
            return leaf.as_deref();
        }
        self.chain()?.certificates.get(self.leaf_at.unwrap_or(0)).map(AsRef::as_ref)
    }

    /// The same, looked for once: many rules ask.
    pub(super) fn with_leaf(self) -> Self {
        let key = self.key_facts().and_then(|facts| facts.key.as_ref().ok());
        let leaf_at = self.chain().and_then(|chain| place_of_leaf(chain, key));
        Self { leaf_at, ..self }
    }

    /// What is at the chain's path.
    pub(crate) fn chain_facts(&self) -> Option<&FileFacts> {
        facts(&self.chain_place)
    }

    /// What is at the key's path.
    pub(crate) fn key_facts(&self) -> Option<&FileFacts> {
        facts(&self.key_place)
    }

    /// Why Envoy doesn't load the chain, or won't.
    pub(crate) fn chain_error(&self) -> Option<CertificateFileError> {
        match promised_form(&self.chain_place) {
            Some(form) => form.certificate_error(Purpose::Chain),
            None => self.chain_facts()?.chain.as_ref().err().cloned(),
        }
    }

    /// Why Envoy doesn't load the key, or won't.
    pub(crate) fn key_error(&self) -> Option<PrivateKeyError> {
        match promised_form(&self.key_place) {
            Some(form) => form.key_error(),
            None => self.key_facts()?.key.as_ref().err().cloned(),
        }
    }

    /// The problem of the certificate, as a promise where it is one.
    pub(super) fn of(&self, about: Aspect, problem: Problem) -> Problem {
        settle(&self.chain_place, about, problem)
    }

    /// What Envoy calls the chain's file in its log.
    pub(crate) fn log_path(&self) -> &str {
        match self.chain_ref {
            Named::File(file) => &file.path,
            Named::Key(_) | Named::Arn(_) => "<inline>",
        }
    }

    /// How a fix ends that gives the proxy another certificate: a file is read once, one of ACM's is fetched again by itself.
    pub(crate) fn then_restart(&self) -> &'static str {
        // No pod runs yet with what is promised.
        let is_file = matches!(self.chain_ref, Named::File(_));
        if is_file && promised_form(&self.chain_place).is_none() { THEN_RESTART } else { "" }
    }

    /// The field that names the chain.
    pub(crate) fn chain_site(&self) -> Site {
        site(self.end, self.chain_ref, &self.chain_place)
    }

    /// The field that names the key.
    pub(crate) fn key_site(&self) -> Site {
        site(self.end, self.key_ref, &self.key_place)
    }

    /// `key tls.crt of Secret shop/blue-cert`; of another namespace `the certificate of VirtualNode shop/blue`.
    pub(crate) fn chain_origin(&self) -> String {
        match self.apart {
            Some(member) => format!("the certificate of {member}"),
            None => origin(&self.chain_place, self.chain_ref.text()),
        }
    }

    /// `key tls.key of Secret shop/blue-cert`, likewise.
    pub(crate) fn key_origin(&self) -> String {
        match self.apart {
            Some(member) => format!("the key of {member}"),
            None => origin(&self.key_place, self.key_ref.text()),
        }
    }
}

impl TrustUse<'_> {
    /// Whether it is authorities of AWS Private CA: there is no file then.
    pub(crate) fn is_acm(&self) -> bool {
        matches!(self.place, Place::Authorities(_))
    }

    /// The authorities, where they are known and Envoy would load them.
    pub fn bundle(&self) -> Option<&Bundle> {
        match &self.place {
            Place::Authorities(bundle) => bundle.as_deref(),
            _ => self.facts()?.bundle.as_ref().ok(),
        }
    }

    /// How a fix ends that changes what is trusted.
    pub(crate) fn then_restart(&self) -> &'static str {
        if matches!(self.trust_ref, Named::File(_)) { THEN_RESTART } else { "" }
    }

    /// What is at the bundle's path.
    pub fn facts(&self) -> Option<&FileFacts> {
        facts(&self.place)
    }

    /// Why Envoy doesn't load the bundle, or won't.
    pub(crate) fn error(&self) -> Option<CertificateFileError> {
        match promised_form(&self.place) {
            Some(form) => form.certificate_error(Purpose::Bundle),
            None => self.facts()?.bundle.as_ref().err().cloned(),
        }
    }

    /// The field that names the bundle.
    pub fn site(&self) -> Site {
        site(self.end, self.trust_ref, &self.place)
    }

    /// `key ca.crt of Secret shop/ca`; of another namespace `what VirtualNode shop/blue trusts`.
    pub(crate) fn origin(&self) -> String {
        match self.apart {
            Some(member) => format!("what {member} trusts"),
            None => origin(&self.place, self.trust_ref.text()),
        }
    }
}

/// What a proxy loads a file as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A certificate and its intermediates.
    Chain,
    /// The certificate's private key.
    Key,
    /// A trust bundle.
    Trust,
}

impl Role {
    /// What Envoy says when it refuses its configuration because the file isn't there, or is empty.
    pub(crate) fn absent_log(self, path: &str) -> String {
        match self {
            Role::Chain => format!("Failed to load incomplete certificate from {path}: certificate chain not set"),
            Role::Key => format!("Failed to load incomplete private key from path: {path}"),
            Role::Trust => format!("Invalid path: {path}"),
        }
    }
}

/// Any one file that a proxy of the member loads for TLS.
#[derive(Clone, Copy, Debug)]
pub struct FileUse<'c> {
    /// The end that loads it.
    pub end: End<'c>,
    /// The workload whose proxy loads it.
    pub workload: Option<&'c Workload>,
    /// What it is loaded as.
    pub role: Role,
    /// The field and path.
    pub file: &'c FileRef,
    /// What is there.
    pub place: &'c Place,
}

impl FileUse<'_> {
    /// The field that names the file.
    pub fn site(&self) -> Site {
        site(self.end, Named::File(self.file), self.place)
    }

    /// `Deployment shop/blue`, or the words for none.
    pub fn owner(&self) -> String {
        self.workload.map_or_else(|| "this object".to_owned(), |workload| workload.object.to_string())
    }
}

fn facts(place: &Place) -> Option<&FileFacts> {
    match place {
        Place::File { facts, .. } => Some(facts),
        _ => None,
    }
}

/// What the file will hold, where it is only promised.
fn promised_form(place: &Place) -> Option<FileForm> {
    match place {
        Place::StorePromised { key, promise, .. } => Some(promise.form(key)),
        _ => None,
    }
}

fn origin(place: &Place, path: &str) -> String {
    match place {
        Place::StorePromised { store, key, promise } => match promise.filled_in_by {
            Some(filler) => format!("key {key} of {store}, which is filled in later ({filler})"),
            None => format!("key {key} of {store} promised by {}", promise.by),
        },
        Place::File { store, key, .. } => format!("key {key} of {store}"),
        // The field has the whole ARN; warnings are short.
        Place::Acm { .. } | Place::Authorities(_) => {
            format!("ACM ({})", path.rsplit_once(':').map_or(path, |(_, resource)| resource))
        }
        _ => path.to_owned(),
    }
}

fn site(end: End<'_>, named: Named<'_>, place: &Place) -> Site {
    let site = Site::new(end.anchor(), named.field().clone());
    match place.store() {
        Some(store) => site.resting_on(store),
        None => site,
    }
}
