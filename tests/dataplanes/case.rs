//! A case: objects in a namespace of their own, and what clients try.

use serde_json::{Value, json};

use crate::minted::{self, Pair};

/// The Secret with the application's certificate.
pub(crate) const BACKEND: &str = "backend";

/// A Gateway or Ingress with the objects that it names, and the requests to it.
pub(crate) struct Case {
    /// The name of its namespace too.
    pub(crate) name: &'static str,
    /// What is applied, and checked.
    pub(crate) objects: Vec<Value>,
    pub(crate) probes: Vec<Probe>,
    /// The pair that the application behind it serves TLS with; without one, it speaks plain HTTP.
    pub(crate) backend: Option<Pair>,
    /// Codes that meshvet must report.
    pub(crate) says: &'static [&'static str],
}

/// A request by a client that trusts the authority of all cases.
#[derive(Clone)]
pub(crate) struct Probe {
    /// The name that it asks for and verifies.
    pub(crate) host: String,
    /// The Gateway's port.
    pub(crate) port: u16,
    /// The certificate that it presents.
    pub(crate) shows: Option<Pair>,
    /// Whether the owner wants it to be answered.
    pub(crate) welcome: bool,
    /// Whether it requests a host that is healthy in itself.
    pub(crate) neighbour: bool,
}

impl Probe {
    pub(crate) fn of(host: &str) -> Self {
        Self { host: host.to_owned(), port: 443, shows: None, welcome: true, neighbour: false }
    }

    /// For a host that is healthy in itself.
    pub(crate) fn neighbour(host: &str) -> Self {
        Self { neighbour: true, ..Self::of(host) }
    }

    pub(crate) fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Presenting this certificate.
    pub(crate) fn showing(self, pair: &Pair) -> Self {
        Self { shows: Some(pair.clone()), ..self }
    }

    /// That the owner wants to be refused.
    pub(crate) fn unwelcome(self) -> Self {
        Self { welcome: false, ..self }
    }

    /// What it is called in a record.
    pub(crate) fn label(&self) -> String {
        let mut label = self.host.clone();
        if self.port != 443 {
            label += &format!(":{}", self.port);
        }
        match &self.shows {
            Some(pair) => label += &format!(" showing {}", pair.recipe),
            None if !self.welcome => label += " showing nothing",
            None => {}
        }
        if self.neighbour {
            label += ", a neighbour";
        }
        label
    }
}

impl Case {
    pub(crate) fn new(name: &'static str, objects: Vec<Value>, probes: Vec<Probe>) -> Self {
        Self { name, objects, probes, backend: None, says: &[] }
    }

    /// meshvet must report these codes.
    pub(crate) fn says(self, says: &'static [&'static str]) -> Self {
        Self { says, ..self }
    }

    /// The application serves TLS with this pair, which is in a Secret too, so that meshvet can find it.
    pub(crate) fn backend(mut self, pair: &Pair) -> Self {
        self.objects.push(minted::secret(self.name, BACKEND, pair));
        self.backend = Some(pair.clone());
        self
    }

    /// What is applied, as far as it is the same in each run: for what is minted, how.
    pub(crate) fn fingerprint(&self) -> String {
        let mut text = String::new();
        for object in &self.objects {
            let mut object = object.clone();
            for part in ["data", "stringData"] {
                if let Some(keys) = object.get_mut(part).and_then(Value::as_object_mut) {
                    keys.values_mut().for_each(|value| *value = Value::Null);
                }
            }
            text += &object.to_string();
        }
        text += &self.probes.iter().map(|probe| probe.label() + "\n").collect::<String>();
        text += &self.backend.as_ref().map(|pair| pair.recipe.clone()).unwrap_or_default();
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// An object of Gateway API.
pub(crate) fn gateway_object(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

/// The Service of the application, whose port has a name. Istio gives each proxy the configuration for all Services of the mesh that are
/// visible in its namespace: this one is visible only in its own, so that cases don't affect each other.
pub(crate) fn application(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": namespace, "name": "app", "annotations": {"networking.istio.io/exportTo": "."}},
        "spec": {"ports": [{"name": "web", "port": 80}]}})
}

/// A route from a Gateway's hosts to the application.
pub(crate) fn route(namespace: &str, gateway: &Value, hosts: &[&str]) -> Value {
    gateway_object(
        "HTTPRoute",
        namespace,
        "app",
        json!({"parentRefs": [gateway], "hostnames": hosts, "rules": [{"backendRefs": [{"name": "app", "port": 80}]}]}),
    )
}
