//! Secrets that cert-manager makes because a Gateway or an Ingress asks for them by an annotation.
//!
//! Source: cert-manager's documentation of annotated Ingresses and Gateways, and what version 1.21 made of them: one Certificate for each
//! Secret, with all hosts that go with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::apis::promises::certificate;
use crate::k8s::ObjectRef;
use crate::mesh::{CertificateFields, Promise};

/// The annotations that ask for it.
const ASKING: [&str; 2] = ["cert-manager.io/issuer", "cert-manager.io/cluster-issuer"];
/// The older one, which names no issuer.
const ACME: &str = "kubernetes.io/tls-acme";

/// Where a Gateway says what certificates it wants.
pub(in crate::apis) static GATEWAY: CertificateFields =
    CertificateFields { names: "spec.listeners[].hostname", ..ANNOTATIONS };
/// Where an Ingress says so.
pub(in crate::apis) static INGRESS: CertificateFields = CertificateFields { names: "spec.tls[].hosts", ..ANNOTATIONS };

const ANNOTATIONS: CertificateFields = CertificateFields {
    names: "",
    usages: "the annotation cert-manager.io/usages",
    key: "the annotation cert-manager.io/private-key-algorithm",
    lifetime: "the annotation cert-manager.io/duration",
};

/// Whether an object asks cert-manager for its Secrets.
pub(crate) fn asks(annotations: &BTreeMap<String, String>) -> bool {
    let given = |key: &str| annotations.get(key).is_some_and(|value| !value.is_empty());
    ASKING.into_iter().any(given) || annotations.get(ACME).is_some_and(|value| value == "true")
}

/// What an object has cert-manager make: Secrets of its namespace, each with its hosts.
pub(in crate::apis) fn promise(
    object: &ObjectRef,
    annotations: &BTreeMap<String, String>,
    secrets: &BTreeMap<&str, Vec<&str>>,
    fields: &'static CertificateFields,
) -> Option<Promise> {
    let secrets = secrets.iter().filter(|_| asks(annotations));
    let stores: Vec<_> = secrets
        .map(|(name, hosts)| Arc::new(certificate::for_hosts(object, name, hosts, annotations, fields)))
        .collect();
    (!stores.is_empty()).then(|| Promise { object: object.clone(), stores })
}
