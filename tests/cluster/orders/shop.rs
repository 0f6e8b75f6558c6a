//! A namespace in which `front` calls `blue`, and all that the two rest on.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::orders::writes::Write;
use crate::support::manifests::{
    self, calling_node, client_policy, file_certificate, secret, virtual_node, virtual_service,
};
use crate::support::mint::{Authority, Issued};

/// Who issues what is sound.
pub(crate) static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::new("Shop root"));
/// Another authority.
pub(crate) static OTHER: LazyLock<Authority> = LazyLock::new(|| Authority::new("Other root"));

/// A namespace of its own.
pub(crate) struct Shop {
    pub(crate) name: String,
}

impl Shop {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    pub(crate) fn namespace(&self) -> Value {
        manifests::namespace(&self.name)
    }

    /// The name that `blue` is found by.
    pub(crate) fn host(&self) -> String {
        format!("blue.{}.svc.cluster.local", self.name)
    }

    /// How reports name a member.
    pub(crate) fn member(&self, name: &str) -> String {
        format!("{}/{name}", self.name)
    }

    /// A sound leaf of `blue`.
    pub(crate) fn leaf(&self) -> Issued {
        ROOT.leaf(&[&self.host()]).issue()
    }

    /// The Secret of `blue`, with this leaf.
    pub(crate) fn server_secret(&self, leaf: &Issued) -> Value {
        let data = [("tls.crt", leaf.certificate.as_str()), ("tls.key", &leaf.key), ("ca.crt", &ROOT.pem())];
        secret(&self.name, "blue-tls", &data)
    }

    /// The Secret of `front`, with this bundle, and a leaf of this authority.
    pub(crate) fn client_secret(&self, bundle: &str, authority: &Authority) -> Value {
        let leaf = authority.leaf(&["front.shop.local"]).issue();
        let data = [("tls.crt", leaf.certificate.as_str()), ("tls.key", &leaf.key), ("ca.crt", bundle)];
        secret(&self.name, "front-tls", &data)
    }

    /// The Deployment `NAME`, with the annotation `secretMounts`.
    pub(crate) fn deployment(&self, name: &str, mounts: &str) -> Value {
        manifests::deployment(&self.name, name, mounts)
    }

    /// Node `blue`, STRICT.
    pub(crate) fn server(&self) -> Value {
        virtual_node(&self.name, "blue", &self.host())
    }

    /// Node `blue`, which demands certificates of its clients.
    pub(crate) fn demanding_server(&self) -> Value {
        let mut node = self.server();
        node["spec"]["listeners"][0]["tls"]["validation"] =
            json!({"trust": {"file": {"certificateChain": "/certs/ca.crt"}}});
        node
    }

    /// Node `front`, which calls `blue` and checks its certificate.
    pub(crate) fn client(&self) -> Value {
        calling_node(&self.name, "front", "blue", client_policy())
    }

    /// Node `front`, which shows a certificate too.
    pub(crate) fn showing_client(&self) -> Value {
        let mut policy = client_policy();
        policy["tls"]["certificate"] = file_certificate("tls.crt", "tls.key");
        calling_node(&self.name, "front", "blue", policy)
    }

    /// Virtual service `blue`.
    pub(crate) fn service(&self) -> Value {
        virtual_service(&self.name, "blue", "blue")
    }

    /// Secrets and Deployments of both, sound.
    pub(crate) fn ground(&self) -> Vec<Write> {
        let objects = [
            self.server_secret(&self.leaf()),
            self.client_secret(&ROOT.pem(), &ROOT),
            self.deployment("blue", "blue-tls:/certs"),
            self.deployment("front", "front-tls:/certs"),
        ];
        objects.map(Write::Apply).into()
    }

    /// All of it, sound.
    pub(crate) fn sound(&self) -> Vec<Write> {
        let mesh = [self.server(), self.service(), self.client()].map(Write::Apply);
        self.ground().into_iter().chain(mesh).collect()
    }
}
