//! What is read of an Ingress.

use serde::Deserialize;

use crate::apis::lenient::or_default;

/// An Ingress.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IngressSpec {
    pub(crate) ingress_class_name: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) tls: Vec<IngressTls>,
}

/// Hosts that are served with one certificate.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IngressTls {
    #[serde(deserialize_with = "or_default")]
    pub(crate) hosts: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) secret_name: String,
}

impl IngressSpec {
    /// Whether cert-manager makes the Secret of a block, where an annotation asks it to: not one without hosts, and none that two blocks
    /// name.
    pub(crate) fn is_issued(&self, block: &IngressTls) -> bool {
        let same = self.tls.iter().filter(|other| other.secret_name == block.secret_name).count();
        !block.secret_name.is_empty() && !block.hosts.is_empty() && same == 1
    }
}
