//! Calls that come about by an object which is neither of their ends: a VirtualService, VirtualRouter, GatewayRoute or
//! BackendGroup on its way into a cluster.

use jiff::{SignedDuration, Timestamp};
use meshvet::k8s::ObjectRef;
use meshvet::rules::Surface;
use serde_json::{Value, json};

use crate::cases::{Case, denies, good, warns};
use crate::pairs::{NAMES, front, intermediate, mutual, object, put, service, with_certificate};
use crate::scene::{AUTHORITY, OTHER, Scene};
use crate::support::manifests;

const NODE: &str = "spec.provider.virtualNode";
const ROUTER: &str = "spec.provider.virtualRouter";
const DENY: &str = "routing: {severity: deny}";

fn reviewed(scene: &mut Scene, kind: &'static str, name: &'static str) {
    scene.subject = (kind, name);
    scene.surface = Surface::Admission;
}

fn plaintext(scene: &mut Scene) {
    scene.unset("/spec/listeners/0/tls");
}

/// Service `blue`, by which `front` calls `blue`, is under review.
fn by_service(scene: &mut Scene, change: impl FnOnce(&mut Value)) {
    front(scene, change);
    reviewed(scene, "VirtualService", "blue");
}

/// Router `colors`, which provides service `blue`, is under review.
fn by_router(scene: &mut Scene, targets: Value) {
    by_service(scene, |_| {});
    scene.others[0] = manifests::routed_service("shop", "blue", "colors");
    let action = json!({"weightedTargets": targets});
    let first = json!({"name": "first", "tcpRoute": {"action": {"weightedTargets": []}}});
    let second = json!({"name": "second", "http2Route": {"match": {"prefix": "/"}, "action": action}});
    scene.others.push(object("VirtualRouter", "colors", json!({"routes": [first, second]})));
    reviewed(scene, "VirtualRouter", "colors");
}

/// Gateway `edge` enforces TLS; route `blue`, which leads to service `blue`, is under review.
fn by_gateway_route(scene: &mut Scene, selector: Value) {
    service(scene);
    let gateway = json!({"namespaceSelector": selector, "listeners": [], "backendDefaults": {
        "clientPolicy": manifests::client_policy()}});
    scene.others.push(object("VirtualGateway", "edge", gateway));
    scene.others.push(manifests::gateway_route("shop", "blue", "blue"));
    reviewed(scene, "GatewayRoute", "blue");
}

/// Node `front` names group `colors`, which holds these services and is under review.
fn by_group(scene: &mut Scene, backends: Value, services: Value) {
    scene.policy = "backendGroups: {enabled: true}".to_owned();
    by_service(scene, |front| {
        put(front, "/spec/backends", backends);
        put(front, "/spec/backendGroups", json!([{"name": "colors"}]));
    });
    scene.others.push(object("BackendGroup", "colors", json!({"virtualservices": services})));
    reviewed(scene, "BackendGroup", "colors");
}

fn marked(object: &mut Value, instance: &str) {
    object["metadata"]["labels"] = json!({"app.kubernetes.io/instance": instance});
}

pub(crate) fn cases() -> Vec<Case> {
    [kinds(), rules(), weights(), releases(), deletions()].concat()
}

/// The virtual service by which `front` calls `blue`, or another, is deleted.
fn deletions() -> Vec<Case> {
    fn deleted(scene: &mut Scene, service: &str) {
        front(scene, |_| {});
        scene.subject = ("VirtualNode", "front");
        scene.surface = Surface::Admission;
        scene.deleted.push(ObjectRef::new("appmesh.k8s.aws/v1beta2", "VirtualService", "shop", service));
    }
    vec![
        warns(
            "MV308",
            "a service that is called",
            |s| deleted(s, "blue"),
            "spec.backends",
            &["the virtual node calls VirtualService shop/blue, which is being deleted", "egress filter"],
        ),
        good("MV308", "another service", |s| deleted(s, "green")),
        good("MV308", "a service that isn't there yet", |s| {
            front(s, |_| {});
            s.others.remove(0);
            s.subject = ("VirtualNode", "front");
        }),
    ]
}

fn kinds() -> Vec<Case> {
    const TARGET: &str = "spec.routes[1].http2Route.action.weightedTargets[0]";
    const ROUTED: &str = "spec.httpRoute.action.target.virtualService";
    fn blue() -> Value {
        json!({"virtualNodeRef": {"name": "blue"}, "weight": 1})
    }
    vec![
        warns(
            "MV305",
            "by a service",
            |s| {
                plaintext(s);
                by_service(s, |_| {});
            },
            NODE,
            &["front → blue", "listener 8443 has no tls", "WRONG_VERSION_NUMBER"],
        ),
        warns(
            "MV305",
            "by a service of a router",
            |s| {
                plaintext(s);
                by_router(s, json!([blue()]));
                reviewed(s, "VirtualService", "blue");
            },
            ROUTER,
            &["front → blue"],
        ),
        good("MV305", "by a service that nobody calls", |s| {
            plaintext(s);
            by_service(s, |front| put(front, "/spec/backends", json!([])));
        }),
        good("MV305", "by a service that leads out of the cluster", |s| {
            plaintext(s);
            by_service(s, |_| {});
            s.others[0]["spec"]["provider"] = json!({"virtualNode": {"virtualNodeARN": "arn:aws:appmesh"}});
        }),
        warns(
            "MV305",
            "by a router",
            |s| {
                plaintext(s);
                by_router(s, json!([blue()]));
            },
            TARGET,
            &["front → blue"],
        ),
        warns(
            "MV305",
            "by a router, to the listener of a port",
            |s| {
                plaintext(s);
                let mut target = blue();
                target["port"] = 8443.into();
                by_router(s, json!([{"virtualNodeRef": {"name": "absent"}, "weight": 1}, target]));
            },
            "spec.routes[1].http2Route.action.weightedTargets[1]",
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        good("MV305", "by a router, to a port without listener", |s| {
            plaintext(s);
            let mut target = blue();
            target["port"] = 9000.into();
            by_router(s, json!([target]));
        }),
        good("MV305", "by a router that provides nothing", |s| {
            plaintext(s);
            by_router(s, json!([blue()]));
            s.others[0] = object("VirtualService", "blue", json!({}));
        }),
        warns(
            "MV305",
            "by a gateway route",
            |s| {
                plaintext(s);
                by_gateway_route(s, json!({}));
            },
            ROUTED,
            &["edge → blue"],
        ),
        good("MV305", "by a gateway route that no gateway takes", |s| {
            plaintext(s);
            by_gateway_route(s, json!({"matchLabels": {"a": "b"}}));
        }),
        warns(
            "MV305",
            "by a backend group",
            |s| {
                plaintext(s);
                by_group(s, json!([]), json!([{"name": "absent"}, {"name": "blue"}]));
            },
            "spec.virtualservices[1]",
            &["front → blue"],
        ),
        warns(
            "MV305",
            "by a backend group of all services",
            |s| {
                plaintext(s);
                by_group(s, json!([]), json!([{"name": "*"}]));
            },
            "spec.virtualservices[0]",
            &["front → blue"],
        ),
        good("MV305", "by a backend group of another namespace's services", |s| {
            plaintext(s);
            by_group(s, json!([]), json!([{"name": "*", "namespace": "other"}]));
        }),
        good("MV305", "by a backend group, of a service that is called by name too", |s| {
            plaintext(s);
            let named = json!([{"virtualService": {"virtualServiceRef": {"name": "blue"}}}]);
            by_group(s, named, json!([{"name": "blue"}]));
        }),
        good("MV305", "by a backend group, where groups aren't enabled", |s| {
            plaintext(s);
            by_group(s, json!([]), json!([{"name": "blue"}]));
            s.policy = String::new();
        }),
        good("MV305", "by a service, to another mesh", |s| {
            plaintext(s);
            s.set("/spec/meshRef", json!({"name": "apps", "uid": "1"}));
            by_service(s, |front| put(front, "/spec/meshRef", json!({"name": "other", "uid": "1"})));
        }),
        good("MV305", "by a service, in manifests: told of its ends", |s| {
            plaintext(s);
            by_service(s, |_| {});
            s.surface = Surface::Check;
        }),
    ]
}

/// Each rule on calls, by a service.
fn rules() -> Vec<Case> {
    vec![
        warns(
            "MV101",
            "by a service, a caller that relies on the hostname",
            |s| {
                s.certificate(&AUTHORITY.leaf(&["azure.apps.local"]).issue());
                by_service(s, |_| {});
            },
            NODE,
            &["front → blue", "hostname blue.apps.local", "DNS:azure.apps.local", "SAN matcher"],
        ),
        good("MV101", "by a service, a caller that lists names of its own", |s| {
            s.certificate(&AUTHORITY.leaf(&["azure.apps.local"]).issue());
            by_service(s, |front| put(front, NAMES, json!({"match": {"exact": ["azure.apps.local"]}})));
        }),
        good("MV101", "by a service, to a node of Cloud Map", |s| {
            s.certificate(&AUTHORITY.leaf(&["azure.apps.local"]).issue());
            s.set(
                "/spec/serviceDiscovery",
                json!({"awsCloudMap": {"namespaceName": "apps.local", "serviceName": "blue"}}),
            );
            by_service(s, |_| {});
        }),
        warns(
            "MV104",
            "by a service",
            |s| by_service(s, |front| put(front, NAMES, json!({"match": {"exact": ["green.apps.local"]}}))),
            NODE,
            &["front → blue", "green.apps.local", "DNS:blue.apps.local"],
        ),
        warns(
            "MV105",
            "by a service",
            |s| {
                mutual(s);
                s.set(
                    "/spec/listeners/0/tls/validation/subjectAlternativeNames",
                    json!({"match": {"exact": ["a.local"]}}),
                );
                by_service(s, with_certificate);
            },
            NODE,
            &["front → blue", "a.local", "DNS:front.apps.local"],
        ),
        warns(
            "MV207",
            "by a service, an intermediate that has expired",
            |s| {
                intermediate(s, true, 30);
                by_service(s, |_| {});
                s.now = Timestamp::now() + SignedDuration::from_hours(24 * 40);
            },
            NODE,
            &["front → blue", "CN=scene intermediate"],
        ),
        warns(
            "MV207",
            "by a service that brings a client who verifies it, a leaf that has expired",
            |s| {
                by_service(s, |_| {});
                s.now = Timestamp::now() + SignedDuration::from_hours(24 * 100);
            },
            NODE,
            &["front → blue: the server's certificate has expired: the client refuses it"],
        ),
        warns(
            "MV210",
            "by a service",
            |s| {
                intermediate(s, false, 3000);
                by_service(s, |_| {});
            },
            NODE,
            &["front → blue", "CN=scene intermediate"],
        ),
        warns(
            "MV301",
            "by a service",
            |s| {
                s.certificate(&OTHER.leaf(&["blue.apps.local"]).issue());
                by_service(s, |_| {});
            },
            NODE,
            &["front → blue", "CN=other root", "CN=scene root", "Secret shop/front-cert"],
        ),
        warns(
            "MV304",
            "by a service",
            |s| {
                mutual(s);
                by_service(s, |_| {});
            },
            NODE,
            &["front → blue", "SSLV3_ALERT_HANDSHAKE_FAILURE"],
        ),
        good("MV301", "by a service, one authority for both", |s| {
            mutual(s);
            by_service(s, with_certificate);
        }),
    ]
}

/// What a policy makes of it.
fn weights() -> Vec<Case> {
    vec![
        denies(
            "MV305",
            "by a service, where the policy denies",
            |s| {
                plaintext(s);
                by_service(s, |_| {});
                s.policy = DENY.to_owned();
            },
            NODE,
            &["front → blue"],
        ),
        denies(
            "MV305",
            "by a service, in a scope that denies",
            |s| {
                plaintext(s);
                by_service(s, |_| {});
                let selector = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}";
                s.policy = format!("scopes: [{{{selector}, routing: {{severity: deny}}}}]");
            },
            NODE,
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        good("MV305", "by a service, where the policy is off", |s| {
            plaintext(s);
            by_service(s, |_| {});
            s.policy = "routing: {severity: off}".to_owned();
        }),
        warns(
            "MV305",
            "by a service, where the rule itself denies: no more than routing does",
            |s| {
                plaintext(s);
                by_service(s, |_| {});
                s.policy = "severities: {MV305: deny}".to_owned();
            },
            NODE,
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        warns(
            "MV305",
            "by a route of weight 0, where the policy denies",
            |s| {
                plaintext(s);
                by_router(s, json!([{"virtualNodeRef": {"name": "blue"}, "weight": 0}]));
                s.policy = DENY.to_owned();
            },
            "spec.routes[1].http2Route.action.weightedTargets[0]",
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        denies(
            "MV305",
            "by the one of two targets that has a weight",
            |s| {
                plaintext(s);
                let target = |weight: u32| json!({"virtualNodeRef": {"name": "blue"}, "weight": weight});
                by_router(s, json!([target(0), target(1), target(0)]));
                s.policy = DENY.to_owned();
            },
            "spec.routes[1].http2Route.action.weightedTargets[1]",
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        denies(
            "MV005",
            "what App Mesh refuses of a router is refused, whatever is said of calls",
            |s| {
                let target = json!({"virtualNodeRef": {"name": "blue"}, "weight": 101});
                by_router(s, json!([target]));
            },
            "spec.routes[1].http2Route.action.weightedTargets",
            &["101"],
        ),
    ]
}

/// A release that changes an end too applies one after the other.
fn releases() -> Vec<Case> {
    fn of(scene: &mut Scene, service: &str, front: &str, blue: &str) {
        plaintext(scene);
        scene.set("/metadata/labels", json!({"app.kubernetes.io/instance": blue}));
        let front = front.to_owned();
        by_service(scene, |it| marked(it, &front));
        marked(&mut scene.others[0], service);
        scene.policy = DENY.to_owned();
    }
    vec![
        denies(
            "MV305",
            "by a service of a release of its own",
            |s| of(s, "mesh", "edge", "shop"),
            NODE,
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        warns(
            "MV305",
            "by a service of the server's release",
            |s| of(s, "shop", "edge", "shop"),
            NODE,
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        warns(
            "MV305",
            "by a service of the client's release",
            |s| of(s, "edge", "edge", "shop"),
            NODE,
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
        warns(
            "MV305",
            "by a service between two ends of one release",
            |s| of(s, "mesh", "shop", "shop"),
            NODE,
            &["front → blue: the client enforces TLS, and the listener speaks plaintext"],
        ),
    ]
}
