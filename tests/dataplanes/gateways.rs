//! Gateways of either controller: what their listeners name.

use serde_json::{Value, json};

use crate::case::{Case, Probe, application, gateway_object, route};
use crate::istio::address;
use crate::minted::{self, Pair};
use crate::record::Controller;

/// The host of most cases.
pub(crate) const HOST: &str = "web.example.com";
/// The host of a healthy listener beside it.
pub(crate) const NEXT: &str = "next.example.com";

pub(crate) fn listener(name: &str, host: &str, refs: Value) -> Value {
    json!({"name": name, "port": 443, "protocol": "HTTPS", "hostname": host, "tls": {"certificateRefs": refs}})
}

impl Controller {
    fn class(self) -> (&'static str, &'static str) {
        match self {
            Controller::Istio => ("istio", "istio.io/gateway-controller"),
            Controller::Contour => ("contour", "projectcontour.io/gateway-controller"),
        }
    }

    /// The class, a Gateway with this spec, and routes from these hosts to the application.
    pub(crate) fn world(self, case: &str, mut spec: Value, hosts: &[&str]) -> Vec<Value> {
        let (class, controller) = self.class();
        spec["gatewayClassName"] = json!(class);
        if self == Controller::Istio {
            spec["addresses"] = json!([address(case)]);
        }
        let class = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": class},
            "spec": {"controllerName": controller}});
        let gateway = gateway_object("Gateway", case, "web", spec);
        vec![class, application(case), gateway, route(case, &json!({"name": "web"}), hosts)]
    }

    /// A Gateway with one listener, with these references.
    pub(crate) fn of_refs(self, case: &'static str, refs: Value, others: Vec<Value>) -> Case {
        let mut objects = self.world(case, json!({"listeners": [listener("web", HOST, refs)]}), &[HOST]);
        objects.extend(others);
        Case::new(case, objects, vec![Probe::of(HOST)])
    }

    pub(crate) fn of_secret(self, case: &'static str, secret: Value) -> Case {
        self.of_refs(case, json!([{"name": "web"}]), vec![secret])
    }

    pub(crate) fn of_pair(self, case: &'static str, pair: &Pair) -> Case {
        self.of_secret(case, minted::secret(case, "web", pair))
    }

    /// A listener with several certificates, by the names of their Secrets.
    pub(crate) fn several(self, case: &'static str, pairs: &[(&str, &Pair)]) -> Case {
        let refs = pairs.iter().map(|(name, _)| json!({"name": name})).collect();
        let secrets = pairs.iter().map(|(name, pair)| minted::secret(case, name, pair)).collect();
        self.of_refs(case, Value::Array(refs), secrets)
    }

    /// A Gateway whose only listener is HTTPS and has no `tls`.
    pub(crate) fn without_tls(self, case: &'static str) -> Case {
        let mut bare = listener("web", HOST, json!([]));
        bare.as_object_mut().unwrap().remove("tls");
        Case::new(case, self.world(case, json!({"listeners": [bare]}), &[HOST]), vec![Probe::of(HOST)])
    }

    /// A listener with this pair beside a healthy one on its port; with Istio, beside one on another port too.
    pub(crate) fn beside(self, case: &'static str, secret: Option<Value>) -> Case {
        let other = "other.example.com";
        let mut listeners =
            vec![listener("web", HOST, json!([{"name": "web"}])), listener("next", NEXT, json!([{"name": "next"}]))];
        let mut hosts = vec![HOST, NEXT];
        let mut probes = vec![Probe::of(HOST), Probe::neighbour(NEXT)];
        let mut secrets = vec![minted::secret(case, "next", &minted::sound(NEXT))];
        if self == Controller::Istio {
            let mut far = listener("other", other, json!([{"name": "other"}]));
            far["port"] = json!(8443);
            listeners.push(far);
            hosts.push(other);
            probes.push(Probe::neighbour(other).port(8443));
            secrets.push(minted::secret(case, "other", &minted::sound(other)));
        }
        secrets.extend(secret);
        let mut objects = self.world(case, json!({"listeners": listeners}), &hosts);
        objects.extend(secrets);
        Case::new(case, objects, probes)
    }

    pub(crate) fn beside_pair(self, case: &'static str, pair: &Pair) -> Case {
        self.beside(case, Some(minted::secret(case, "web", pair)))
    }
}
