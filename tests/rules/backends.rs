//! Calls from gateways to Services with a BackendTLSPolicy: to pods of a mesh, or to those in the policy file.

use meshvet::rules::Surface;
use serde_json::{Value, json};

use crate::cases::{Case, denies, good, warns};
use crate::gateways::{ENVOY_GATEWAY, ISTIO, policed, set, tls_secret, without};
use crate::scene::{AUTHORITY, OTHER, Scene, put};
use crate::support::mint::{Issued, Key};

const HOST: &str = "spec.validation.hostname";
const AUTHORITIES: &str = "spec.validation.caCertificateRefs[0]";

fn service(port_name: Option<&str>) -> Value {
    let mut port = json!({"port": 443, "targetPort": 8443});
    if let Some(name) = port_name {
        port["name"] = name.into();
    }
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": "api"},
        "spec": {"selector": {"app": "blue"}, "ports": [port]}})
}

/// A gateway of this controller calls Service `api`, whose pods are those of virtual node `blue`.
fn to_a_mesh(scene: &mut Scene, controller: &str) {
    let (node, deployment, secret) = (scene.node.clone(), scene.deployment.clone(), scene.secret.clone());
    policed(scene, controller, &AUTHORITY.pem());
    (scene.node, scene.deployment, scene.secret) = (node, deployment, secret);
    scene.others.push(service(Some("https")));
    set(scene, "BackendTLSPolicy", "api", "/spec/validation/hostname", "blue.apps.local".into());
}

/// The same, and the policy file says which Secret has the certificate of Service `api`.
fn to_others(scene: &mut Scene, issued: &Issued) {
    policed(scene, ENVOY_GATEWAY, &AUTHORITY.pem());
    scene.policy = "backends: {shop/api: {secret: api-tls}}".to_owned();
    scene.others.push(tls_secret("api-tls", issued));
}

/// With a listener of `blue` that requires client certificates of this authority, and the one that the Gateway presents to it.
fn mutual(scene: &mut Scene, shown: Option<&Issued>) {
    to_a_mesh(scene, ENVOY_GATEWAY);
    let trust = json!({"trust": {"file": {"certificateChain": "/certs/ca.crt"}}});
    scene.set("/spec/listeners/0/tls/validation", trust);
    if let Some(shown) = shown {
        set(scene, "Gateway", "web", "/spec/tls", json!({"backend": {"clientCertificateRef": {"name": "client"}}}));
        scene.others.push(tls_secret("client", shown));
    }
}

pub(crate) fn cases() -> Vec<Case> {
    [ports(), names(), authorities(), clients(), references(), chains()].into_iter().flatten().collect()
}

fn ports() -> Vec<Case> {
    const SECTION: &str = "spec.targetRefs[0].sectionName";
    fn named(scene: &mut Scene, section: &str, port: Option<&str>) {
        to_a_mesh(scene, ENVOY_GATEWAY);
        without(scene, "Service", "api");
        scene.others.push(service(port));
        set(scene, "BackendTLSPolicy", "api", "/spec/targetRefs/0/sectionName", section.into());
    }
    vec![
        denies(
            "MV507",
            "a port's number",
            |s| named(s, "443", Some("https")),
            SECTION,
            &["Service shop/api has no port named 443", "the number of port https"],
        ),
        denies("MV507", "another name", |s| named(s, "http", Some("https")), SECTION, &["did you mean https?"]),
        denies("MV507", "a port without a name", |s| named(s, "https", None), SECTION, &["its port has no name"]),
        warns(
            "MV507",
            "when the policy is applied, since the Service may follow",
            |s| {
                named(s, "443", Some("https"));
                s.surface = Surface::Admission;
            },
            SECTION,
            &["Service shop/api has no port named 443"],
        ),
        good("MV507", "the port's name", |s| named(s, "https", Some("https"))),
        good("MV507", "a Service that isn't there", |s| {
            named(s, "443", None);
            without(s, "Service", "api");
        }),
        good("MV507", "a port of another protocol", |s| {
            named(s, "quic", Some("https"));
            let ports = json!([{"name": "https", "port": 443}, {"name": "quic", "port": 443, "protocol": "UDP"}]);
            set(s, "Service", "api", "/spec/ports", ports);
        }),
        denies(
            "MV104",
            "a policy for the port that the route leads to",
            |s| {
                named(s, "https", Some("https"));
                set(s, "BackendTLSPolicy", "api", "/spec/validation/hostname", "green.apps.local".into());
            },
            HOST,
            &["a name that matches green.apps.local"],
        ),
        good("MV104", "a policy for another port", |s| {
            named(s, "metrics", Some("https"));
            set(s, "BackendTLSPolicy", "api", "/spec/validation/hostname", "green.apps.local".into());
        }),
        good("MV104", "a port that the Service doesn't have", |s| {
            named(s, "https", Some("https"));
            set(s, "BackendTLSPolicy", "api", "/spec/validation/hostname", "green.apps.local".into());
            set(s, "Service", "api", "/spec/ports/0/port", 8443.into());
        }),
    ]
}

fn names() -> Vec<Case> {
    fn asks(scene: &mut Scene, controller: &str, validation: &str, value: Value) {
        to_a_mesh(scene, controller);
        set(scene, "BackendTLSPolicy", "api", &format!("/spec/validation/{validation}"), value);
    }
    fn listing(scene: &mut Scene, controller: &str, name: &str) {
        let names = json!([{"type": "Hostname", "hostname": name}]);
        asks(scene, controller, "subjectAltNames", names);
    }
    vec![
        denies(
            "MV104",
            "a hostname that the pods' certificate doesn't have",
            |s| asks(s, ENVOY_GATEWAY, "hostname", "green.apps.local".into()),
            HOST,
            &["web → blue", "a name that matches green.apps.local", "DNS:blue.apps.local"],
        ),
        good("MV104", "the pods' name", |s| to_a_mesh(s, ENVOY_GATEWAY)),
        good("MV104", "a hostname that Istio doesn't check", |s| {
            asks(s, ISTIO, "hostname", "green.apps.local".into());
        }),
        denies(
            "MV104",
            "names that Istio checks",
            |s| listing(s, ISTIO, "green.apps.local"),
            "spec.validation.subjectAltNames",
            &["one of green.apps.local"],
        ),
        good("MV104", "a name among those listed", |s| listing(s, ISTIO, "blue.apps.local")),
        good("MV104", "a name that a wildcard of the certificate is for", |s| {
            listing(s, ENVOY_GATEWAY, "blue.apps.local");
            s.certificate(&AUTHORITY.leaf(&["*.apps.local"]).issue());
        }),
        denies(
            "MV104",
            "a Secret that the policy file tells of",
            |s| to_others(s, &AUTHORITY.leaf(&["green.shop.svc"]).issue()),
            HOST,
            &["web → api", "a name that matches api.shop.svc", "Secret shop/api-tls"],
        ),
        good("MV104", "a Secret with the name, that the policy file tells of", |s| {
            to_others(s, &AUTHORITY.leaf(&["api.shop.svc"]).issue());
        }),
        good("MV104", "a Secret for another port of the Service", |s| {
            to_others(s, &AUTHORITY.leaf(&["green.shop.svc"]).issue());
            s.policy = "backends: {'shop/api:8443': {secret: api-tls}}".to_owned();
        }),
        good("MV104", "a Service that no route leads to", |s| {
            to_others(s, &AUTHORITY.leaf(&["green.shop.svc"]).issue());
            without(s, "HTTPRoute", "a");
        }),
        good("MV104", "a route for another listener", |s| {
            asks(s, ENVOY_GATEWAY, "hostname", "green.apps.local".into());
            set(s, "HTTPRoute", "a", "/spec/parentRefs/0/sectionName", "other".into());
        }),
        good("MV104", "a route on another port", |s| {
            asks(s, ENVOY_GATEWAY, "hostname", "green.apps.local".into());
            set(s, "HTTPRoute", "a", "/spec/parentRefs/0/port", 8443.into());
        }),
        good("MV104", "a route for hosts that no listener has", |s| {
            asks(s, ENVOY_GATEWAY, "hostname", "green.apps.local".into());
            set(s, "HTTPRoute", "a", "/spec/hostnames", json!(["else.org"]));
        }),
        good("MV104", "a route of a kind that the listener doesn't accept", |s| {
            asks(s, ENVOY_GATEWAY, "hostname", "green.apps.local".into());
            set(s, "Gateway", "web", "/spec/listeners/0/allowedRoutes", json!({"kinds": [{"kind": "GRPCRoute"}]}));
        }),
        good("MV104", "a route of a namespace that the listener doesn't accept", |s| {
            asks(s, ENVOY_GATEWAY, "hostname", "green.apps.local".into());
            set(s, "HTTPRoute", "a", "/metadata/namespace", "else".into());
            set(s, "HTTPRoute", "a", "/spec/parentRefs/0/namespace", "shop".into());
            set(s, "HTTPRoute", "a", "/spec/rules/0/backendRefs/0/namespace", "shop".into());
        }),
        good("MV104", "a Service of another namespace that the route isn't granted", |s| {
            asks(s, ENVOY_GATEWAY, "hostname", "green.apps.local".into());
            set(s, "HTTPRoute", "a", "/metadata/namespace", "else".into());
            set(s, "HTTPRoute", "a", "/spec/parentRefs/0/namespace", "shop".into());
            set(s, "HTTPRoute", "a", "/spec/rules/0/backendRefs/0/namespace", "shop".into());
            set(s, "Gateway", "web", "/spec/listeners/0/allowedRoutes", json!({"namespaces": {"from": "All"}}));
        }),
        good("MV104", "a route that may hand on the client's own TLS", |s| {
            to_others(s, &AUTHORITY.leaf(&["green.shop.svc"]).issue());
            let mut route = s.others.iter().find(|it| it["kind"] == "HTTPRoute").expect("a route").clone();
            put(&mut route, "/kind", "TLSRoute".into());
            without(s, "HTTPRoute", "a");
            s.others.push(route);
        }),
        good("MV104", "another policy that wins", |s| {
            to_others(s, &AUTHORITY.leaf(&["green.shop.svc"]).issue());
            let mut first = s.others.iter().find(|it| it["kind"] == "BackendTLSPolicy").expect("a policy").clone();
            put(&mut first, "/metadata/name", "aaa".into());
            put(&mut first, "/spec/validation/hostname", "green.shop.svc".into());
            s.others.push(first);
        }),
        warns(
            "MV104",
            "when a route is applied that leads there",
            |s| {
                asks(s, ENVOY_GATEWAY, "hostname", "green.apps.local".into());
                s.surface = Surface::Admission;
                s.subject = ("HTTPRoute", "a");
            },
            "spec.rules[0].backendRefs[0]",
            &["web → blue", "a name that matches green.apps.local"],
        ),
        warns(
            "MV104",
            "when the Gateway is applied",
            |s| {
                asks(s, ENVOY_GATEWAY, "hostname", "green.apps.local".into());
                s.surface = Surface::Admission;
                s.subject = ("Gateway", "web");
            },
            "spec",
            &["web → blue", "a name that matches green.apps.local"],
        ),
        good("MV104", "of the Gateway in manifests: its policy is told", |s| {
            asks(s, ENVOY_GATEWAY, "hostname", "green.apps.local".into());
            s.subject = ("Gateway", "web");
        }),
        denies(
            "MV104",
            "of the node that is called",
            |s| {
                asks(s, ENVOY_GATEWAY, "hostname", "green.apps.local".into());
                s.subject = ("VirtualNode", "blue");
            },
            "spec.listeners[0].tls.certificate.file.certificateChain",
            &["web → blue", "a name that matches green.apps.local"],
        ),
    ]
}

fn authorities() -> Vec<Case> {
    vec![
        denies(
            "MV301",
            "pods of another authority",
            |s| {
                to_a_mesh(s, ENVOY_GATEWAY);
                s.certificate(&OTHER.leaf(&["blue.apps.local"]).issue());
            },
            AUTHORITIES,
            &["web → blue", "CN=other root", "ConfigMap shop/ca"],
        ),
        denies(
            "MV301",
            "a Secret of another authority, that the policy file tells of",
            |s| to_others(s, &OTHER.leaf(&["api.shop.svc"]).issue()),
            AUTHORITIES,
            &["web → api", "CN=other root"],
        ),
        good("MV301", "the authority that is trusted", |s| to_a_mesh(s, ENVOY_GATEWAY)),
        good("MV301", "no policy: the gateway speaks plaintext", |s| {
            to_a_mesh(s, ENVOY_GATEWAY);
            s.certificate(&OTHER.leaf(&["blue.apps.local"]).issue());
            without(s, "BackendTLSPolicy", "api");
            s.subject = ("VirtualNode", "blue");
        }),
        denies(
            "MV305",
            "a listener that speaks plaintext",
            |s| {
                to_a_mesh(s, ENVOY_GATEWAY);
                s.unset("/spec/listeners/0/tls");
            },
            "spec.validation",
            &["the client enforces TLS, and the listener speaks plaintext"],
        ),
    ]
}

fn clients() -> Vec<Case> {
    const SHOWN: &str = "spec.tls.backend.clientCertificateRef";
    fn mismatched() -> Issued {
        let one = AUTHORITY.leaf(&["web.shop"]).issue();
        Issued { key: AUTHORITY.leaf(&["web.shop"]).issue().key, ..one }
    }
    fn shows(scene: &mut Scene, with_policy: bool) {
        mutual(scene, Some(&mismatched()));
        if !with_policy {
            without(scene, "BackendTLSPolicy", "api");
        }
        scene.subject = ("Gateway", "web");
    }
    vec![
        denies(
            "MV304",
            "a listener that asks for a certificate",
            |s| mutual(s, None),
            "spec.validation",
            &["this one presents none", "Gateway shop/web has no certificate for its backends"],
        ),
        good("MV304", "a certificate", |s| mutual(s, Some(&AUTHORITY.leaf(&["web.shop"]).issue()))),
        denies(
            "MV301",
            "a certificate that the listener doesn't trust",
            |s| mutual(s, Some(&OTHER.leaf(&["web.shop"]).issue())),
            "spec.validation",
            &["the listener refuses the client's certificate", "CN=other root"],
        ),
        warns(
            "MV301",
            "the same, when the Gateway is applied",
            |s| {
                mutual(s, Some(&OTHER.leaf(&["web.shop"]).issue()));
                s.surface = Surface::Admission;
                s.subject = ("Gateway", "web");
            },
            "spec.tls.backend",
            &["the listener refuses the client's certificate", "CN=other root"],
        ),
        denies(
            "MV206",
            "a broken pair that a policy has shown",
            |s| shows(s, true),
            SHOWN,
            &["is not the key of the certificate"],
        ),
        warns(
            "MV206",
            "a broken pair that nothing is shown",
            |s| shows(s, false),
            SHOWN,
            &["no BackendTLSPolicy has the gateway call a backend by TLS"],
        ),
        warns(
            "MV202",
            "a Secret that isn't there",
            |s| {
                shows(s, true);
                without(s, "Secret", "client");
            },
            SHOWN,
            &["Secret shop/client doesn't exist"],
        ),
        warns(
            "MV505",
            "a Secret of another namespace",
            |s| {
                shows(s, true);
                let elsewhere = json!({"name": "client", "namespace": "certs"});
                set(s, "Gateway", "web", "/spec/tls/backend/clientCertificateRef", elsewhere);
            },
            "spec.tls.backend.clientCertificateRef.namespace",
            &["no ReferenceGrant lets a Gateway of shop name Secret certs/client"],
        ),
        warns(
            "MV505",
            "authorities of another namespace",
            |s| {
                mutual(s, None);
                s.subject = ("Gateway", "web");
                let authorities = json!([{"group": "", "kind": "ConfigMap", "name": "ca", "namespace": "certs"}]);
                let validation = json!({"default": {"validation": {"caCertificateRefs": authorities}}});
                set(s, "Gateway", "web", "/spec/tls", json!({"frontend": validation}));
            },
            "spec.tls.frontend.default.validation.caCertificateRefs[0].namespace",
            &["no ReferenceGrant lets a Gateway of shop name ConfigMap certs/ca"],
        ),
        good("MV505", "authorities of its own", |s| {
            mutual(s, None);
            s.subject = ("Gateway", "web");
            let authorities = json!([{"group": "", "kind": "ConfigMap", "name": "ca"}]);
            let validation = json!({"default": {"validation": {"caCertificateRefs": authorities}}});
            set(s, "Gateway", "web", "/spec/tls", json!({"frontend": validation}));
        }),
    ]
}

/// Where authorities are read from.
fn references() -> Vec<Case> {
    const FRONTEND: &str = "spec.tls.frontend.default.validation.caCertificateRefs[0]";
    fn trusts(scene: &mut Scene, controller: &str, references: Value) {
        policed(scene, controller, &AUTHORITY.pem());
        set(scene, "BackendTLSPolicy", "api", "/spec/validation/caCertificateRefs", references);
    }
    fn asks(scene: &mut Scene, controller: &str, references: Value) {
        policed(scene, controller, &AUTHORITY.pem());
        scene.subject = ("Gateway", "web");
        let frontend = json!({"default": {"validation": {"caCertificateRefs": references}}});
        set(scene, "Gateway", "web", "/spec/tls", json!({"frontend": frontend}));
    }
    fn one(kind: &str, name: &str) -> Value {
        json!([{"group": "", "kind": kind, "name": name}])
    }
    vec![
        denies(
            "MV509",
            "a kind that Envoy Gateway doesn't take",
            |s| trusts(s, ENVOY_GATEWAY, one("Pod", "ca")),
            AUTHORITIES,
            &["Envoy Gateway accepts no authorities from a Pod"],
        ),
        denies(
            "MV509",
            "a Secret, for Istio",
            |s| trusts(s, ISTIO, one("Secret", "ca")),
            AUTHORITIES,
            &["Istio accepts no authorities from a Secret"],
        ),
        good("MV509", "the authority that Kubernetes publishes in each namespace", |s| {
            trusts(s, ENVOY_GATEWAY, one("ConfigMap", "kube-root-ca.crt"));
        }),
        good("MV509", "a key of any name, for Envoy Gateway", |s| {
            trusts(s, ENVOY_GATEWAY, one("ConfigMap", "ca"));
            set(s, "ConfigMap", "ca", "/data", json!({"service-ca.crt": AUTHORITY.pem()}));
        }),
        good("MV509", "authorities that OpenShift will put into the ConfigMap", |s| {
            trusts(s, ENVOY_GATEWAY, one("ConfigMap", "ca"));
            set(s, "ConfigMap", "ca", "/data", json!({}));
            let asks = json!({"service.beta.openshift.io/inject-cabundle": "true"});
            set(s, "ConfigMap", "ca", "/metadata/annotations", asks);
        }),
        warns(
            "MV509",
            "a ConfigMap that doesn't ask OpenShift for authorities",
            |s| {
                trusts(s, ENVOY_GATEWAY, one("ConfigMap", "ca"));
                set(s, "ConfigMap", "ca", "/data", json!({}));
                let asks = json!({"service.beta.openshift.io/inject-cabundle": "false"});
                set(s, "ConfigMap", "ca", "/metadata/annotations", asks);
            },
            AUTHORITIES,
            &["ConfigMap shop/ca is empty"],
        ),
        good("MV509", "a kind of nobody knows which controller", |s| trusts(s, "example.com/own", one("Pod", "ca"))),
        warns(
            "MV509",
            "a Secret that isn't there, for Envoy Gateway",
            |s| trusts(s, ENVOY_GATEWAY, one("Secret", "x")),
            AUTHORITIES,
            &["Secret shop/x doesn't exist"],
        ),
        warns(
            "MV509",
            "one of several that isn't there",
            |s| {
                let both = json!([{"group": "", "kind": "ConfigMap", "name": "x"}, {"group": "", "kind": "ConfigMap", "name": "ca"}]);
                trusts(s, ENVOY_GATEWAY, both);
            },
            AUTHORITIES,
            &["ConfigMap shop/x doesn't exist"],
        ),
        denies(
            "MV509",
            "a key that Istio doesn't read",
            |s| {
                trusts(s, ISTIO, one("ConfigMap", "ca"));
                set(s, "ConfigMap", "ca", "/data", json!({"root.pem": AUTHORITY.pem()}));
            },
            AUTHORITIES,
            &["ConfigMap shop/ca has no key cacert or ca.crt", "root.pem"],
        ),
        good("MV509", "the key that Istio reads first", |s| {
            trusts(s, ISTIO, one("ConfigMap", "ca"));
            set(s, "ConfigMap", "ca", "/data", json!({"cacert": AUTHORITY.pem()}));
            let names = json!([{"type": "Hostname", "hostname": "api.shop.svc"}]);
            set(s, "BackendTLSPolicy", "api", "/spec/validation/subjectAltNames", names);
        }),
        denies(
            "MV509",
            "of clients, a kind that Envoy Gateway doesn't take",
            |s| asks(s, ENVOY_GATEWAY, one("Pod", "ca")),
            FRONTEND,
            &["Envoy Gateway accepts no authorities from a Pod", "refuses the listeners"],
        ),
        warns(
            "MV509",
            "of clients, a ConfigMap that isn't there",
            |s| asks(s, ENVOY_GATEWAY, one("ConfigMap", "x")),
            FRONTEND,
            &["ConfigMap shop/x doesn't exist"],
        ),
        good("MV509", "of clients, a ConfigMap", |s| asks(s, ENVOY_GATEWAY, one("ConfigMap", "ca"))),
        good("MV509", "of clients, a Secret for Istio", |s| {
            asks(s, ISTIO, one("Secret", "web"));
            set(s, "Secret", "web", "/stringData/ca.crt", AUTHORITY.pem().into());
        }),
        warns(
            "MV503",
            "two certificates of one name and one kind of key",
            |s| {
                policed(s, ENVOY_GATEWAY, &AUTHORITY.pem());
                s.subject = ("Gateway", "web");
                let both = json!([{"name": "web"}, {"name": "twin"}]);
                set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs", both);
                s.others.push(tls_secret("twin", &AUTHORITY.leaf(&["*.example.com"]).issue()));
            },
            "spec.listeners[0].tls.certificateRefs[1]",
            &["two ECDSA certificates for *.example.com", "leaves this one out"],
        ),
        good("MV503", "two certificates of one name, of two kinds of keys", |s| {
            policed(s, ENVOY_GATEWAY, &AUTHORITY.pem());
            s.subject = ("Gateway", "web");
            let both = json!([{"name": "web"}, {"name": "twin"}]);
            set(s, "Gateway", "web", "/spec/listeners/0/tls/certificateRefs", both);
            s.others.push(tls_secret("twin", &AUTHORITY.leaf(&["*.example.com"]).key(Key::Rsa(2048)).issue()));
        }),
        warns(
            "MV509",
            "authorities that have all expired",
            |s| {
                let ended = AUTHORITY.intermediate("ended", -30, -1);
                policed(s, ENVOY_GATEWAY, &ended.pem());
            },
            AUTHORITIES,
            &["every authority under key ca.crt of ConfigMap shop/ca has expired"],
        ),
        denies(
            "MV104",
            "a name, with the authorities that Istio reads first",
            |s| {
                to_a_mesh(s, ISTIO);
                set(s, "ConfigMap", "ca", "/data", json!({"cacert": AUTHORITY.pem()}));
                let names = json!([{"type": "Hostname", "hostname": "green.apps.local"}]);
                set(s, "BackendTLSPolicy", "api", "/spec/validation/subjectAltNames", names);
            },
            "spec.validation.subjectAltNames",
            &["one of green.apps.local"],
        ),
        denies(
            "MV301",
            "another authority, by the key that Istio reads first",
            |s| {
                to_a_mesh(s, ISTIO);
                set(s, "ConfigMap", "ca", "/data", json!({"cacert": OTHER.pem()}));
            },
            AUTHORITIES,
            &["web → blue", "CN=scene root"],
        ),
        warns(
            "MV503",
            "a client certificate in a ConfigMap",
            |s| {
                policed(s, ENVOY_GATEWAY, &AUTHORITY.pem());
                s.subject = ("Gateway", "web");
                let reference = json!({"kind": "ConfigMap", "name": "client"});
                set(s, "Gateway", "web", "/spec/tls", json!({"backend": {"clientCertificateRef": reference}}));
            },
            "spec.tls.backend.clientCertificateRef",
            &["Envoy Gateway presents no ConfigMap to backends"],
        ),
    ]
}

/// The contents of the Secret of the Gateway's listener.
fn chains() -> Vec<Case> {
    const REF: &str = "spec.listeners[0].tls.certificateRefs[0]";
    fn served(scene: &mut Scene, issued: &Issued, beside: Option<String>) {
        policed(scene, ENVOY_GATEWAY, &AUTHORITY.pem());
        without(scene, "Secret", "web");
        let mut secret = tls_secret("web", issued);
        if let Some(beside) = beside {
            secret["stringData"]["ca.crt"] = beside.into();
        }
        scene.others.push(secret);
        scene.subject = ("Gateway", "web");
    }
    fn leaf_alone(issued: Issued) -> Issued {
        Issued { chain: issued.certificate.clone(), ..issued }
    }
    vec![
        warns(
            "MV204",
            "a Secret that is filled in later",
            |s| served(s, &Issued { chain: String::new(), key: String::new(), certificate: String::new() }, None),
            REF,
            &["empty"],
        ),
        denies(
            "MV204",
            "a Secret with a key and no certificate",
            |s| served(s, &Issued { chain: String::new(), ..AUTHORITY.leaf(&["*.example.com"]).issue() }, None),
            REF,
            &["empty"],
        ),
        denies(
            "MV501",
            "TLS without any reference, on Envoy Gateway",
            |s| {
                served(s, &AUTHORITY.leaf(&["*.example.com"]).issue(), None);
                set(s, "Gateway", "web", "/spec/listeners/0/tls", json!({"mode": "Terminate"}));
            },
            "spec.listeners[0].tls",
            &["no certificateRefs"],
        ),
        warns(
            "MV210",
            "an intermediate beside a gateway's certificate",
            |s| {
                let intermediate = AUTHORITY.intermediate("edge intermediate", -1, 3000);
                served(s, &leaf_alone(intermediate.leaf(&["*.example.com"]).issue()), Some(intermediate.pem()));
            },
            REF,
            &["lacks CN=edge intermediate", "full chain"],
        ),
        good("MV210", "the full chain", |s| {
            let intermediate = AUTHORITY.intermediate("edge intermediate", -1, 3000);
            served(s, &intermediate.leaf(&["*.example.com"]).issue(), Some(intermediate.pem()));
        }),
        good("MV210", "a root beside", |s| {
            served(s, &AUTHORITY.leaf(&["*.example.com"]).issue(), Some(AUTHORITY.pem()));
        }),
        warns(
            "MV210",
            "the leaf alone of a public authority",
            |s| served(s, &leaf_alone(AUTHORITY.leaf(&["*.example.com"]).logged().issue()), None),
            REF,
            &["lacks CN=scene root", "the leaf is in public logs"],
        ),
        good("MV210", "the leaf alone of a private authority", |s| {
            served(s, &leaf_alone(AUTHORITY.leaf(&["*.example.com"]).issue()), None);
        }),
        good("MV210", "a public authority's full chain", |s| {
            let intermediate = AUTHORITY.intermediate("edge intermediate", -1, 3000);
            served(s, &intermediate.leaf(&["*.example.com"]).logged().issue(), None);
        }),
    ]
}

/// Gateways that call healthy backends.
pub(crate) fn sound_ones() -> Vec<Scene> {
    let scene = |change: fn(&mut Scene)| {
        let mut scene = Scene::sound();
        change(&mut scene);
        scene
    };
    vec![
        scene(|s| to_a_mesh(s, ENVOY_GATEWAY)),
        scene(|s| mutual(s, Some(&AUTHORITY.leaf(&["web.shop"]).issue()))),
        scene(|s| {
            mutual(s, Some(&AUTHORITY.leaf(&["web.shop"]).issue()));
            s.subject = ("Gateway", "web");
        }),
        scene(|s| {
            mutual(s, Some(&AUTHORITY.leaf(&["web.shop"]).issue()));
            s.subject = ("VirtualNode", "blue");
        }),
        scene(|s| to_others(s, &AUTHORITY.leaf(&["api.shop.svc"]).issue())),
    ]
}
