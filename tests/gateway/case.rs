//! A case: the objects of a cluster, where meshvet differs from Envoy Gateway, and what clients request.

use serde_json::{Value, json};

use crate::secrets::{self, Pair};
use crate::verdicts::UNREAD;

/// The listener of most cases.
pub(crate) const WEB: &str = "Gateway shop/web web";
/// The Gateway of most cases.
pub(crate) const GATEWAY: &str = "Gateway shop/web";
/// The policy of most cases that have one.
pub(crate) const POLICY: &str = "BackendTLSPolicy shop/policy";

/// How meshvet differs from Envoy Gateway, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Differs {
    /// It denies what Envoy Gateway accepts.
    Stricter,
    /// It only warns about what Envoy Gateway refuses.
    Softer,
    /// It reports nothing about what Envoy Gateway refuses, or accepts in part.
    Silent,
}

/// An intended difference: for which subject, how, and why.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// `Kind namespace/name`, for a listener followed by its name.
    pub(crate) subject: String,
    pub(crate) how: Differs,
    pub(crate) why: &'static str,
}

/// What a client requests of a Gateway.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) port: u16,
    /// The name that it asks for and checks the certificate against; none: it sends no name.
    pub(crate) host: Option<String>,
    /// The certificate that it presents.
    pub(crate) shows: Option<Pair>,
    /// The subjects of verdicts that an answer depends on: what meshvet reports for them is compared with what the client sees.
    pub(crate) of: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    objects: Vec<Value>,
    pub(crate) differences: Vec<Difference>,
    /// Whether no certificate of the case covers any name: then MV504 is reported where a route is attached, and nowhere else.
    pub(crate) uncovered: bool,
    pub(crate) asks: Vec<Ask>,
    /// Whether it needs a cluster: Envoy Gateway's translator reads neither ListenerSets nor labels of namespaces.
    pub(crate) in_cluster: bool,
}

impl Case {
    /// With only a GatewayClass.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        let class = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "eg"},
            "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}});
        Case {
            name: name.into(),
            objects: vec![class],
            differences: Vec::new(),
            uncovered: false,
            asks: Vec::new(),
            in_cluster: false,
        }
    }

    /// With the Gateway shop/web of these listeners.
    pub(crate) fn of(name: impl Into<String>, listeners: &[Value]) -> Self {
        Case::new(name).with(gateway("web", listeners))
    }

    pub(crate) fn with(mut self, object: Value) -> Self {
        self.objects.push(object);
        self
    }

    pub(crate) fn and(mut self, objects: impl IntoIterator<Item = Value>) -> Self {
        self.objects.extend(objects);
        self
    }

    /// With a Secret shop/web of this pair.
    pub(crate) fn pair(self, pair: &Pair) -> Self {
        self.with(secrets::secret("shop", "web", "kubernetes.io/tls", pair))
    }

    pub(crate) fn differs(mut self, subject: &str, how: Differs, why: &'static str) -> Self {
        self.differences.push(Difference { subject: subject.to_owned(), how, why });
        self
    }

    /// The CustomResourceDefinitions refuse it.
    pub(crate) fn unread(self) -> Self {
        Case { asks: Vec::new(), ..self }.differs(
            UNREAD,
            Differs::Silent,
            "the API server refuses it, before anybody else reads it",
        )
    }

    /// meshvet denies what Envoy Gateway accepts.
    pub(crate) fn stricter(self, why: &'static str) -> Self {
        self.differs(WEB, Differs::Stricter, why)
    }

    /// meshvet only warns about what Envoy Gateway refuses.
    pub(crate) fn softer(self, why: &'static str) -> Self {
        self.differs(WEB, Differs::Softer, why)
    }

    pub(crate) fn uncovered(mut self) -> Self {
        self.uncovered = true;
        self
    }

    /// Undoes `uncovered`: the route has no name to cover.
    pub(crate) fn covered(mut self) -> Self {
        self.uncovered = false;
        self
    }

    /// Its clients are left out too: without a cluster, Envoy Gateway reads no more than its translator.
    pub(crate) fn in_cluster(mut self) -> Self {
        self.in_cluster = true;
        self.asks.clear();
        self
    }

    /// Without clients.
    pub(crate) fn unasked(mut self) -> Self {
        self.asks.clear();
        self
    }

    /// A client requests this host from the listener web.
    pub(crate) fn ask(self, host: &str) -> Self {
        self.ask_of(443, Some(host), &[WEB])
    }

    /// A client requests a host, and an answer depends on these subjects.
    pub(crate) fn ask_of(mut self, port: u16, host: Option<&str>, of: &[&str]) -> Self {
        let of = of.iter().map(|name| (*name).to_owned()).collect();
        self.asks.push(Ask { port, host: host.map(str::to_owned), shows: None, of });
        self
    }

    /// The last client presents this certificate.
    pub(crate) fn showing(mut self, pair: Pair) -> Self {
        self.asks.last_mut().expect("a client").shows = Some(pair);
        self
    }

    pub(crate) fn objects(&self) -> &[Value] {
        &self.objects
    }
}

/// An object of Gateway API.
pub(crate) fn object(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind,
        "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

/// A Gateway of the namespace shop.
pub(crate) fn gateway(name: &str, listeners: &[Value]) -> Value {
    object("Gateway", "shop", name, json!({"gatewayClassName": "eg", "listeners": listeners}))
}

/// An HTTPS listener of port 443 with the Secret of its own name.
pub(crate) fn https(name: &str, host: &str) -> Value {
    json!({"name": name, "port": 443, "protocol": "HTTPS", "hostname": host, "tls": {"certificateRefs": [{"name": name}]}})
}

/// The listener web, with these references.
pub(crate) fn web(refs: Value) -> Value {
    changed(https("web", "*.example.com"), "/tls/certificateRefs", refs)
}

/// With another value at a path; null removes it.
pub(crate) fn changed(mut of: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let parent = of.pointer_mut(parent).expect("a place").as_object_mut().expect("an object");
    match value {
        Value::Null => drop(parent.remove(key)),
        value => drop(parent.insert(key.to_owned(), value)),
    }
    of
}

/// A route shop/route to the Gateway web, to the Service api.
pub(crate) fn route(kind: &str, hosts: &[&str]) -> Value {
    route_to(kind, json!([{"name": "web"}]), hosts)
}

pub(crate) fn route_to(kind: &str, parents: Value, hosts: &[&str]) -> Value {
    let rules = json!([{"backendRefs": [{"name": "api", "port": 8443}]}]);
    object(kind, "shop", "route", json!({"parentRefs": parents, "hostnames": hosts, "rules": rules}))
}

/// In another namespace, or with another name.
pub(crate) fn moved(object: Value, namespace: &str, name: &str) -> Value {
    changed(object, "/metadata", json!({"namespace": namespace, "name": name}))
}

/// A ReferenceGrant in the namespace certs, for this kind of the namespace shop.
pub(crate) fn grant(kind: &str) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1beta1", "kind": "ReferenceGrant",
        "metadata": {"namespace": "certs", "name": "grant"},
        "spec": {"from": [{"group": "gateway.networking.k8s.io", "kind": kind, "namespace": "shop"}],
            "to": [{"group": "", "kind": "Secret"}]}})
}

pub(crate) fn namespace(name: &str, labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}

pub(crate) fn config_map(namespace: &str, name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace, "name": name}, "data": data})
}

pub(crate) fn service(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "https", "port": 8443, "protocol": "TCP"}]}})
}
