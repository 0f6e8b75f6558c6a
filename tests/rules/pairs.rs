//! MV104, MV105, MV304, MV305, and MV101's softer form: what a call shows.

use jiff::{SignedDuration, Timestamp};
use meshvet::rules::Surface;
use serde_json::{Value, json};

use crate::cases::{Case, denies, good, warns};
use crate::scene::{AUTHORITY, OTHER, Scene};
use crate::support::manifests;

pub(crate) const NAMES: &str = "/spec/backendDefaults/clientPolicy/tls/validation/subjectAlternativeNames";
const LIST: &str = "spec.backendDefaults.clientPolicy.tls.validation.subjectAlternativeNames.match.exact";

pub(crate) fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": kind,
        "metadata": {"namespace": "shop", "name": name}, "spec": spec})
}

/// A virtual service `blue` that leads to node `blue`.
pub(crate) fn service(scene: &mut Scene) {
    let provider = json!({"virtualNode": {"virtualNodeRef": {"name": "blue"}}});
    scene.others.push(object("VirtualService", "blue", json!({"provider": provider})));
}

/// A virtual node `front`, with its Deployment, that calls service `blue`; its certificates lie in Secret `front-cert`.
pub(crate) fn front(scene: &mut Scene, change: impl FnOnce(&mut Value)) {
    service(scene);
    let mut front = manifests::virtual_node("shop", "front", "front.apps.local");
    front["spec"]["listeners"] = json!([]);
    front["spec"]["backends"] = json!([{"virtualService": {"virtualServiceRef": {"name": "blue"}}}]);
    front["spec"]["backendDefaults"] = json!({"clientPolicy": {"tls": {
        "validation": {"trust": {"file": {"certificateChain": "/certs/ca.crt"}}}}}});
    change(&mut front);
    let client = AUTHORITY.leaf(&["front.apps.local"]).issue();
    let ca = AUTHORITY.pem();
    let keys = [("ca.crt", ca.as_str()), ("tls.crt", &client.chain), ("tls.key", &client.key)];
    scene.others.extend([
        front,
        manifests::deployment("shop", "front", "front-cert:/certs"),
        manifests::secret("shop", "front-cert", &keys),
    ]);
}

pub(crate) fn put(object: &mut Value, pointer: &str, value: Value) {
    let mut at = object;
    for segment in pointer.split('/').skip(1) {
        at = match segment.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[segment],
        };
    }
    *at = value;
}

/// The listener of `blue` validates its clients.
pub(crate) fn mutual(scene: &mut Scene) {
    let trust = json!({"file": {"certificateChain": "/certs/ca.crt"}});
    scene.set("/spec/listeners/0/tls/validation", json!({"trust": trust}));
}

pub(crate) fn with_certificate(front: &mut Value) {
    put(front, "/spec/backendDefaults/clientPolicy/tls/certificate", manifests::file_certificate("tls.crt", "tls.key"));
}

fn as_front(scene: &mut Scene) {
    scene.subject = ("VirtualNode", "front");
}

fn lists(name: &'static str) -> impl FnOnce(&mut Value) {
    move |front| put(front, NAMES, json!({"match": {"exact": [name]}}))
}

pub(crate) fn cases() -> Vec<Case> {
    [client_names(), peer_names(), trust(), dates(), client_certificates(), plaintext(), ways()].concat()
}

fn client_names() -> Vec<Case> {
    const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";
    vec![
        denies(
            "MV104",
            "seen from the server",
            |s| front(s, lists("green.apps.local")),
            CHAIN,
            &[
                "front → blue",
                "green.apps.local",
                "DNS:blue.apps.local",
                "SAN matcher, certificate SANs are [blue.apps.local]",
            ],
        ),
        denies(
            "MV104",
            "seen from the client",
            |s| {
                front(s, lists("green.apps.local"));
                as_front(s);
            },
            LIST,
            &["front → blue"],
        ),
        warns(
            "MV104",
            "while one release is applied",
            |s| {
                let release = json!({"app.kubernetes.io/instance": "shop"});
                s.set("/metadata/labels", release.clone());
                front(s, |front| {
                    lists("green.apps.local")(front);
                    front["metadata"]["labels"] = release;
                });
                s.surface = Surface::Admission;
            },
            CHAIN,
            &["front → blue: no name that the client lists is in the server's certificate"],
        ),
        denies(
            "MV104",
            "from two releases",
            |s| {
                s.set("/metadata/labels", json!({"app.kubernetes.io/instance": "shop"}));
                front(s, |front| {
                    lists("green.apps.local")(front);
                    front["metadata"]["labels"] = json!({"app.kubernetes.io/instance": "edge"});
                });
                s.surface = Surface::Admission;
            },
            CHAIN,
            &["front → blue: no name that the client lists is in the server's certificate"],
        ),
        good("MV104", "a name of the certificate", |s| front(s, lists("BLUE.apps.local"))),
        good("MV104", "no list", |s| front(s, |_| {})),
        good("MV104", "a policy that isn't enforced", |s| {
            front(s, |front| {
                lists("green.apps.local")(front);
                put(front, "/spec/backendDefaults/clientPolicy/tls/enforce", json!(false));
            });
        }),
        good("MV104", "a policy for other ports", |s| {
            front(s, |front| {
                lists("green.apps.local")(front);
                put(front, "/spec/backendDefaults/clientPolicy/tls/ports", json!([9000]));
            });
        }),
        good("MV104", "a policy of the backend's own, which replaces the defaults", |s| {
            front(s, |front| {
                lists("green.apps.local")(front);
                let own = json!({"tls": {"validation": {"trust": {"file": {"certificateChain": "/certs/ca.crt"}}}}});
                put(front, "/spec/backends/0/virtualService/clientPolicy", own);
            });
        }),
        good("MV104", "a Secret that isn't there", |s| {
            s.secret = None;
            front(s, lists("green.apps.local"));
        }),
        warns(
            "MV101",
            "callers that list names of their own",
            |s| {
                s.certificate(&AUTHORITY.leaf(&["azure.apps.local"]).issue());
                front(s, lists("azure.apps.local"));
            },
            CHAIN,
            &["hostname blue.apps.local matches no name"],
        ),
        denies(
            "MV101",
            "a new caller that relies on the hostname",
            |s| {
                s.certificate(&AUTHORITY.leaf(&["azure.apps.local"]).issue());
                front(s, |_| {});
                as_front(s);
                s.surface = Surface::Admission;
            },
            "spec.backendDefaults.clientPolicy.tls.validation",
            &["front → blue", "hostname blue.apps.local", "DNS:azure.apps.local"],
        ),
        good("MV101", "a new caller in manifests: told of the server", |s| {
            s.certificate(&AUTHORITY.leaf(&["azure.apps.local"]).issue());
            front(s, |_| {});
            as_front(s);
        }),
        denies(
            "MV101",
            "a caller that relies on the hostname",
            |s| {
                s.certificate(&AUTHORITY.leaf(&["azure.apps.local"]).issue());
                front(s, |_| {});
            },
            CHAIN,
            &["hostname blue.apps.local matches no name"],
        ),
    ]
}

fn peer_names() -> Vec<Case> {
    fn listed(scene: &mut Scene, name: &str) {
        mutual(scene);
        scene.set("/spec/listeners/0/tls/validation/subjectAlternativeNames", json!({"match": {"exact": [name]}}));
    }
    vec![
        denies(
            "MV105",
            "another name",
            |s| {
                listed(s, "gateway.apps.local");
                front(s, with_certificate);
            },
            "spec.listeners[0].tls.validation.subjectAlternativeNames.match.exact",
            &["gateway.apps.local", "DNS:front.apps.local", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"],
        ),
        denies(
            "MV105",
            "seen from the client",
            |s| {
                listed(s, "gateway.apps.local");
                front(s, with_certificate);
                as_front(s);
            },
            "spec.backendDefaults.clientPolicy.tls.certificate.file.certificateChain",
            &["front → blue"],
        ),
        good("MV105", "the client's name", |s| {
            listed(s, "front.apps.local");
            front(s, with_certificate);
        }),
    ]
}

fn trust() -> Vec<Case> {
    const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";
    vec![
        denies(
            "MV301",
            "another authority",
            |s| {
                let issued = OTHER.leaf(&["blue.apps.local"]).issue();
                s.key("tls.crt", &issued.certificate);
                s.key("tls.key", &issued.key);
                front(s, |_| {});
            },
            CHAIN,
            &[
                "front → blue: the client refuses the server's certificate: CN=blue.apps.local is issued by CN=other root",
                "CN=scene root",
                "unable to get local issuer certificate",
            ],
        ),
        denies(
            "MV301",
            "another authority that sends its root along",
            |s| {
                s.certificate(&OTHER.leaf(&["blue.apps.local"]).issue());
                front(s, |_| {});
            },
            CHAIN,
            &["self signed certificate in certificate chain"],
        ),
        denies(
            "MV301",
            "seen from the client",
            |s| {
                s.certificate(&OTHER.leaf(&["blue.apps.local"]).issue());
                front(s, |_| {});
                as_front(s);
            },
            "spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain",
            &["Secret shop/front-cert"],
        ),
        denies(
            "MV301",
            "a client whom the listener doesn't trust",
            |s| {
                mutual(s);
                s.key("ca.crt", &OTHER.pem());
                front(s, with_certificate);
            },
            "spec.listeners[0].tls.validation.trust.file.certificateChain",
            &["TLSV1_ALERT_UNKNOWN_CA", "CN=scene root"],
        ),
        good("MV301", "one authority for both", |s| {
            mutual(s);
            front(s, with_certificate);
        }),
        good("MV301", "both authorities in the bundle, while one is replaced", |s| {
            s.certificate(&OTHER.leaf(&["blue.apps.local"]).issue());
            front(s, |_| {});
            let both = format!("{}{}", AUTHORITY.pem(), OTHER.pem());
            let last = s.others.last_mut().expect("the client's Secret");
            last["stringData"]["ca.crt"] = both.into();
        }),
        good("MV301", "a bundle that isn't there", |s| {
            s.certificate(&OTHER.leaf(&["blue.apps.local"]).issue());
            front(s, |_| {});
            s.others.pop();
        }),
        good("MV301", "a policy that isn't enforced", |s| {
            s.certificate(&OTHER.leaf(&["blue.apps.local"]).issue());
            front(s, |front| put(front, "/spec/backendDefaults/clientPolicy/tls/enforce", json!(false)));
        }),
        denies(
            "MV210",
            "an intermediate that lies beside",
            |s| {
                intermediate(s, false, 3000);
                front(s, |_| {});
            },
            CHAIN,
            &["CN=scene intermediate", "unable to get local issuer certificate", "after the leaf"],
        ),
        good("MV301", "an intermediate that lies beside: MV210's", |s| {
            intermediate(s, false, 3000);
            front(s, |_| {});
        }),
        good("MV210", "an intermediate in the chain", |s| {
            intermediate(s, true, 3000);
            front(s, |_| {});
        }),
        good("MV210", "another authority: MV301's", |s| {
            s.certificate(&OTHER.leaf(&["blue.apps.local"]).issue());
            front(s, |_| {});
        }),
    ]
}

/// A certificate of an intermediate, which is put behind the leaf or left in `ca.crt`, as cert-manager does.
pub(crate) fn intermediate(scene: &mut Scene, in_chain: bool, until: i64) {
    let intermediate = AUTHORITY.intermediate("scene intermediate", -1, until);
    let issued = intermediate.leaf(&["blue.apps.local"]).issue();
    let chain = if in_chain { &issued.chain } else { &issued.certificate };
    scene.key("tls.crt", chain);
    scene.key("tls.key", &issued.key);
    scene.key("ca.crt", &intermediate.pem());
}

fn dates() -> Vec<Case> {
    const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";
    fn later(scene: &mut Scene, days: i64) {
        scene.now = Timestamp::now() + SignedDuration::from_hours(24 * days);
    }
    vec![
        denies(
            "MV207",
            "an intermediate that has expired",
            |s| {
                intermediate(s, true, 30);
                front(s, |_| {});
                later(s, 40);
            },
            CHAIN,
            &["CN=scene intermediate", "certificate has expired"],
        ),
        denies(
            "MV208",
            "an intermediate of the future",
            |s| {
                let intermediate = AUTHORITY.intermediate("scene intermediate", 9, 3000);
                s.certificate(&intermediate.leaf(&["blue.apps.local"]).issue());
                front(s, |_| {});
            },
            CHAIN,
            &["certificate is not yet valid"],
        ),
        good("MV207", "an intermediate that holds", |s| {
            intermediate(s, true, 30);
            front(s, |_| {});
            later(s, 29);
        }),
    ]
}

fn client_certificates() -> Vec<Case> {
    const VALIDATION: &str = "spec.listeners[0].tls.validation";
    vec![
        denies(
            "MV304",
            "a policy without a certificate",
            |s| {
                mutual(s);
                front(s, |_| {});
            },
            VALIDATION,
            &["front → blue", "SSLV3_ALERT_HANDSHAKE_FAILURE"],
        ),
        denies(
            "MV304",
            "no policy at all, seen from the client",
            |s| {
                mutual(s);
                front(s, |front| put(front, "/spec/backendDefaults", json!({})));
                as_front(s);
            },
            "spec",
            &["no client policy"],
        ),
        warns(
            "MV304",
            "a PERMISSIVE listener",
            |s| {
                mutual(s);
                s.set("/spec/listeners/0/tls/mode", "PERMISSIVE".into());
                front(s, |_| {});
            },
            VALIDATION,
            &["this one presents none"],
        ),
        good("MV304", "a certificate to show", |s| {
            mutual(s);
            front(s, with_certificate);
        }),
        good("MV304", "a listener that asks for none", |s| front(s, |_| {})),
    ]
}

fn plaintext() -> Vec<Case> {
    vec![
        denies(
            "MV305",
            "a listener without tls",
            |s| {
                s.unset("/spec/listeners/0/tls");
                front(s, |_| {});
            },
            "spec.listeners[0]",
            &["front → blue", "WRONG_VERSION_NUMBER"],
        ),
        denies(
            "MV305",
            "DISABLED, seen from the client",
            |s| {
                s.set("/spec/listeners/0/tls/mode", "DISABLED".into());
                front(s, |_| {});
                as_front(s);
            },
            "spec.backendDefaults.clientPolicy.tls",
            &["DISABLED"],
        ),
        good("MV305", "no policy", |s| {
            s.unset("/spec/listeners/0/tls");
            front(s, |front| put(front, "/spec/backendDefaults", json!({})));
        }),
        good("MV305", "PERMISSIVE", |s| {
            s.set("/spec/listeners/0/tls/mode", "PERMISSIVE".into());
            front(s, |_| {});
        }),
    ]
}

/// How a call comes about: by MV305, which any call to a plaintext listener breaks.
fn ways() -> Vec<Case> {
    fn routed(scene: &mut Scene, target: Value) {
        scene.unset("/spec/listeners/0/tls");
        front(scene, |_| {});
        scene.others[0] = object(
            "VirtualService",
            "blue",
            json!({
            "provider": {"virtualRouter": {"virtualRouterRef": {"name": "colors"}}}}),
        );
        let route =
            json!({"name": "all", "httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": [target]}}});
        scene.others.push(object("VirtualRouter", "colors", json!({"routes": [route]})));
    }
    fn gateway(scene: &mut Scene, selector: Value) {
        scene.unset("/spec/listeners/0/tls");
        service(scene);
        let mut gateway = manifests::virtual_gateway("shop", "edge", json!({}));
        gateway["spec"] = json!({"namespaceSelector": selector, "listeners": [], "backendDefaults": {"clientPolicy": {
            "tls": {"validation": {"trust": {"file": {"certificateChain": "/certs/ca.crt"}}}}}}});
        let target = json!({"virtualService": {"virtualServiceRef": {"name": "blue"}}});
        let route = json!({"httpRoute": {"match": {"prefix": "/"}, "action": {"target": target}}});
        scene.others.extend([gateway, object("GatewayRoute", "blue", route)]);
    }
    fn grouped(scene: &mut Scene, service: Value) {
        scene.unset("/spec/listeners/0/tls");
        scene.policy = "backendGroups: {enabled: true}".to_owned();
        front(scene, |front| {
            put(front, "/spec/backends", json!([]));
            put(front, "/spec/backendGroups", json!([{"name": "colors"}]));
        });
        scene.others.push(object("BackendGroup", "colors", json!({"virtualservices": [service]})));
    }
    fn meshes(scene: &mut Scene, other: &str) {
        scene.unset("/spec/listeners/0/tls");
        scene.set("/spec/meshRef", json!({"name": "apps", "uid": "1"}));
        let other = other.to_owned();
        front(scene, |front| put(front, "/spec/meshRef", json!({"name": other, "uid": "1"})));
    }
    vec![
        denies(
            "MV305",
            "through a router",
            |s| routed(s, json!({"virtualNodeRef": {"name": "blue"}, "weight": 1})),
            "spec.listeners[0]",
            &["front → blue"],
        ),
        denies(
            "MV305",
            "through a router, by port",
            |s| routed(s, json!({"virtualNodeRef": {"name": "blue"}, "weight": 1, "port": 8443})),
            "spec.listeners[0]",
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        warns(
            "MV305",
            "through a route of weight 0",
            |s| routed(s, json!({"virtualNodeRef": {"name": "blue"}, "weight": 0})),
            "spec.listeners[0]",
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        good("MV305", "through a route to a port without listener", |s| {
            routed(s, json!({"virtualNodeRef": {"name": "blue"}, "weight": 1, "port": 9000}));
        }),
        good("MV305", "through a router of ARNs", |s| routed(s, json!({"virtualNodeARN": "arn", "weight": 1}))),
        denies("MV305", "from a gateway", |s| gateway(s, json!({})), "spec.listeners[0]", &["edge → blue"]),
        denies(
            "MV305",
            "seen from the gateway",
            |s| {
                gateway(s, json!({}));
                s.subject = ("VirtualGateway", "edge");
            },
            "spec.backendDefaults.clientPolicy.tls",
            &["edge → blue"],
        ),
        good("MV305", "from a gateway that selects no namespace", |s| gateway(s, json!(null))),
        denies(
            "MV305",
            "by a backend group",
            |s| grouped(s, json!({"name": "blue"})),
            "spec.listeners[0]",
            &["front → blue"],
        ),
        denies(
            "MV305",
            "by a group of all services",
            |s| grouped(s, json!({"name": "*"})),
            "spec.listeners[0]",
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        denies(
            "MV305",
            "by a group, seen from the client",
            |s| {
                grouped(s, json!({"name": "*"}));
                as_front(s);
            },
            "spec.backendDefaults.clientPolicy.tls",
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        good("MV305", "by a group of another namespace", |s| grouped(s, json!({"name": "*", "namespace": "other"}))),
        good("MV305", "by a group, where groups aren't enabled", |s| {
            grouped(s, json!({"name": "blue"}));
            s.policy = String::new();
        }),
        denies(
            "MV305",
            "in one mesh",
            |s| meshes(s, "apps"),
            "spec.listeners[0]",
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        good("MV305", "across two meshes", |s| meshes(s, "other")),
    ]
}
