//! What is certain and what isn't: who answers at a listener, who looks at a certificate, which of several listeners is called, and what an
//! object leaves out.

use std::net::{IpAddr, Ipv4Addr};

use jiff::{SignedDuration, Timestamp};
use meshvet::rules::Surface;
use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use serde_json::{Value, json};

use crate::cases::{Case, denies, good, warns};
use crate::pairs::{NAMES, front, mutual, object, put, service, with_certificate};
use crate::scene::{AUTHORITY, OTHER, Scene};
use crate::support::manifests;

const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";
const POLICY: &str = "spec.backendDefaults.clientPolicy.tls";
const CLIENT_CHAIN: &str = "spec.backendDefaults.clientPolicy.tls.certificate.file.certificateChain";
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5));
const EXPIRED: SignedDuration = SignedDuration::from_hours(24 * 100);

pub(crate) fn cases() -> Vec<Case> {
    [answerers(), images(), unverified(), unasked(), first_callers(), listeners(), ports(), unset(), addresses()]
        .concat()
}

/// `front` calls a host that is no workload of the mesh, by a policy for every backend or by one of the backend's own.
fn outside(scene: &mut Scene, hostname: &str, protocol: &str, own: bool) {
    scene.node = json!(null);
    scene.subject = ("VirtualNode", "front");
    let listener = json!({"portMapping": {"port": 443, "protocol": protocol}});
    let discovery = json!({"dns": {"hostname": hostname}});
    scene.others.push(object("VirtualNode", "blue", json!({"listeners": [listener], "serviceDiscovery": discovery})));
    scene.others.push(manifests::virtual_service("shop", "mesh", "green"));
    front(scene, |front| {
        if own {
            let policy = front["spec"]["backendDefaults"]["clientPolicy"].take();
            front["spec"]["backends"][0]["virtualService"]["clientPolicy"] = policy;
        }
    });
}

/// `front` calls `green` too, whose listener speaks TLS.
fn and_a_member(scene: &mut Scene) {
    let mut green = manifests::virtual_node("shop", "green", "green.apps.local");
    green["spec"]["listeners"][0]["tls"]["certificate"] = json!({"sds": {"secretName": "green"}});
    scene.others.push(green);
    let calls = |other: &&mut Value| other["metadata"]["name"] == "front" && other["kind"] == "VirtualNode";
    let front = scene.others.iter_mut().find(calls).expect("the client");
    let backend = json!({"virtualService": {"virtualServiceRef": {"name": "mesh"}}});
    front["spec"]["backends"].as_array_mut().expect("a list").push(backend);
}

fn answerers() -> Vec<Case> {
    /// A listener of `blue` without TLS.
    fn plain(scene: &mut Scene, protocol: &str) {
        scene.unset("/spec/listeners/0/tls");
        scene.set("/spec/listeners/0/portMapping/protocol", protocol.into());
        scene.subject = ("VirtualNode", "front");
    }
    fn own_policy(front: &mut Value) {
        let policy = front["spec"]["backendDefaults"]["clientPolicy"].take();
        front["spec"]["backends"][0]["virtualService"]["clientPolicy"] = policy;
    }
    vec![
        good("MV305", "a host outside of the mesh, by a policy of the backend's own", |s| {
            outside(s, "api.weather.example", "http", true);
        }),
        good("MV305", "a database, by the policy for every backend, of which there is no other", |s| {
            outside(s, "db.abc.eu-west-1.rds.amazonaws.com", "tcp", false);
        }),
        warns(
            "MV305",
            "a host outside of the mesh, by the policy that the mesh's members are called by",
            |s| {
                outside(s, "api.weather.example", "tcp", false);
                and_a_member(s);
            },
            POLICY,
            &["api.weather.example too, which is outside the mesh", "enforce: false"],
        ),
        warns(
            "MV305",
            "a Service of the cluster without pods of a node",
            |s| outside(s, "blue.shop.svc.cluster.local", "http", true),
            "spec.backends[0].virtualService.clientPolicy.tls",
            &["unless an application with TLS answers"],
        ),
        good("MV305", "an application's own TLS behind a tcp listener, by a policy of the backend's own", |s| {
            plain(s, "tcp");
            front(s, own_policy);
        }),
        warns(
            "MV305",
            "a tcp listener, by the policy for every backend",
            |s| {
                plain(s, "tcp");
                front(s, |_| {});
            },
            POLICY,
            &["fails unless the application behind it does", "enforce: false"],
        ),
        good("MV305", "pods that want no proxy, by a policy of the backend's own", |s| {
            plain(s, "http");
            s.annotate_pods("appmesh.k8s.aws/sidecarInjectorWebhook", "disabled");
            front(s, own_policy);
        }),
        good("MV305", "pods of a namespace without injection, by a policy of the backend's own", |s| {
            plain(s, "http");
            s.namespace["metadata"]["labels"] = json!({"mesh": "apps"});
            front(s, own_policy);
        }),
        denies(
            "MV305",
            "a proxy of the mesh, by a policy of the backend's own",
            |s| {
                plain(s, "http2");
                front(s, own_policy);
            },
            "spec.backends[0].virtualService.clientPolicy.tls",
            &["the listener speaks plaintext", "PERMISSIVE"],
        ),
        good("MV307", "a host outside of the mesh", |s| {
            outside(s, "api.weather.example", "http", true);
            s.subject = ("VirtualNode", "blue");
            s.policy = "severities: {MV307: deny}".to_owned();
        }),
    ]
}

fn images() -> Vec<Case> {
    fn trust(scene: &mut Scene, path: &str) {
        scene.client();
        scene.set(&format!("/{}/validation/trust/file/certificateChain", POLICY.replace('.', "/")), path.into());
    }
    const TRUST: &str = "spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain";
    vec![
        good("MV201", "the authorities of the proxy's own image", |s| trust(s, "/etc/pki/tls/cert.pem")),
        good("MV201", "those of Debian", |s| trust(s, "/etc/ssl/certs/ca-certificates.crt")),
        good("MV203", "the authorities of the proxy's own image, before there is a workload", |s| {
            trust(s, "/etc/pki/tls/cert.pem");
            s.unset("/spec/listeners/0/tls");
            s.unset("/spec/backendDefaults/clientPolicy/tls/certificate");
            s.deployment = json!(null);
        }),
        warns("MV201", "a file beside them", |s| trust(s, "/etc/pki/tls/mesh.pem"), TRUST, &["nothing mounted"]),
        good("MV201", "a file that the policy says is in the image", |s| {
            trust(s, "/opt/ca/mesh.pem");
            s.policy = "proxyImage: {files: [/opt/ca/]}".to_owned();
        }),
        warns(
            "MV201",
            "a usual file that the policy's image doesn't have",
            |s| {
                trust(s, "/etc/pki/tls/cert.pem");
                s.policy = "proxyImage: {files: []}".to_owned();
            },
            TRUST,
            &["nothing mounted"],
        ),
        denies(
            "MV202",
            "a Secret mounted over the image's folder",
            |s| {
                trust(s, "/etc/pki/tls/cert.pem");
                s.annotate_pods("appmesh.k8s.aws/secretMounts", "blue-cert:/certs, blue-cert:/etc/pki/tls");
            },
            TRUST,
            &["has no key cert.pem"],
        ),
    ]
}

/// Callers who are known, and of whom none verifies the server's certificate.
fn unverified() -> Vec<Case> {
    fn by(scene: &mut Scene, change: fn(&mut Value)) {
        front(scene, change);
    }
    fn nobody_verifies(front: &mut Value) {
        put(front, "/spec/backendDefaults", json!({}));
    }
    fn not_for_servers(scene: &mut Scene) {
        scene.certificate(&AUTHORITY.leaf(&["blue.apps.local"]).extended_usages(&[ClientAuth]).issue());
    }
    vec![
        denies("MV207", "nobody is known to call", |s| s.now = Timestamp::now() + EXPIRED, CHAIN, &["has expired"]),
        warns(
            "MV207",
            "no caller verifies it",
            |s| {
                s.now = Timestamp::now() + EXPIRED;
                by(s, nobody_verifies);
            },
            CHAIN,
            &["nothing while no known caller verifies it; once one does, clients get 503"],
        ),
        denies(
            "MV207",
            "one caller verifies it",
            |s| {
                s.now = Timestamp::now() + EXPIRED;
                by(s, |_| {});
            },
            CHAIN,
            &["clients get 503"],
        ),
        warns(
            "MV208",
            "no caller verifies it",
            |s| {
                s.now = Timestamp::now() - EXPIRED;
                by(s, nobody_verifies);
            },
            CHAIN,
            &["nothing while no known caller verifies it"],
        ),
        warns(
            "MV212",
            "no caller verifies it",
            |s| {
                not_for_servers(s);
                by(s, nobody_verifies);
            },
            CHAIN,
            &["nothing while no known caller verifies it"],
        ),
        denies(
            "MV212",
            "one caller verifies it",
            |s| {
                not_for_servers(s);
                by(s, |_| {});
            },
            CHAIN,
            &["unsupported certificate purpose"],
        ),
        denies(
            "MV206",
            "no caller verifies it, and the proxy doesn't load it",
            |s| {
                s.key("tls.key", &OTHER.leaf(&["blue.apps.local"]).issue().key);
                by(s, nobody_verifies);
            },
            "spec.listeners[0].tls.certificate.file.privateKey",
            &["KEY_VALUES_MISMATCH"],
        ),
    ]
}

/// A client's certificate that no listener asks for, and a policy that no proxy is given.
fn unasked() -> Vec<Case> {
    fn unasked(scene: &mut Scene) {
        scene.client();
        let green = scene.others.first_mut().expect("the called node");
        green["spec"]["listeners"][0]["tls"].as_object_mut().expect("tls").remove("validation");
    }
    fn for_servers(scene: &mut Scene) {
        let issued = AUTHORITY.leaf(&["blue.apps.local"]).extended_usages(&[ServerAuth]).issue();
        scene.key("client.crt", &issued.chain);
        scene.key("client.key", &issued.key);
    }
    fn without_backends(scene: &mut Scene) {
        scene.client();
        scene.unset("/spec/backends");
    }
    vec![
        denies(
            "MV212",
            "a client's, where a listener asks for it",
            |s| {
                s.client();
                for_servers(s);
            },
            CLIENT_CHAIN,
            &["clientAuth", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"],
        ),
        warns(
            "MV212",
            "a client's that no listener asks for",
            |s| {
                unasked(s);
                for_servers(s);
            },
            CLIENT_CHAIN,
            &["nothing while no listener that it calls asks for it"],
        ),
        warns(
            "MV207",
            "a client's that no listener asks for",
            |s| {
                unasked(s);
                s.now = Timestamp::now() + EXPIRED;
            },
            CLIENT_CHAIN,
            &["nothing while no listener that it calls asks for it"],
        ),
        denies(
            "MV206",
            "a client's that no listener asks for, and that the proxy doesn't load",
            |s| {
                unasked(s);
                s.key("client.key", &OTHER.leaf(&["blue.apps.local"]).issue().key);
            },
            "spec.backendDefaults.clientPolicy.tls.certificate.file.privateKey",
            &["KEY_VALUES_MISMATCH"],
        ),
        warns(
            "MV206",
            "a policy for every backend of a node without backends",
            |s| {
                without_backends(s);
                s.key("client.key", &OTHER.leaf(&["blue.apps.local"]).issue().key);
            },
            "spec.backendDefaults.clientPolicy.tls.certificate.file.privateKey",
            &["no proxy uses this policy"],
        ),
        warns(
            "MV303",
            "a policy for every backend, where each has its own",
            |s| {
                s.client();
                s.set("/spec/backends/0/virtualService/clientPolicy", json!({}));
                s.key("ca.crt", "no bundle");
            },
            "spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain",
            &["no proxy uses this policy"],
        ),
    ]
}

/// The first one to verify what was let pass hears of it, when it is applied.
fn first_callers() -> Vec<Case> {
    fn applied(scene: &mut Scene) {
        front(scene, |_| {});
        scene.subject = ("VirtualNode", "front");
        scene.surface = Surface::Admission;
    }
    const TRUST: &str = "spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain";
    vec![
        denies(
            "MV207",
            "a client that verifies it is applied",
            |s| {
                s.now = Timestamp::now() + EXPIRED;
                // Its own lasts.
                applied(s);
            },
            TRUST,
            &["front → blue: the server's certificate has expired: the client refuses it", "certificate has expired"],
        ),
        denies(
            "MV212",
            "a client that verifies it is applied",
            |s| {
                s.certificate(&AUTHORITY.leaf(&["blue.apps.local"]).extended_usages(&[ClientAuth]).issue());
                applied(s);
            },
            TRUST,
            &["front → blue: the server's certificate lacks the extended key usage for this", "serverAuth"],
        ),
        denies(
            "MV212",
            "a listener that asks for a client's is applied",
            |s| {
                mutual(s);
                front(s, with_certificate);
                let client = AUTHORITY.leaf(&["front.apps.local"]).extended_usages(&[ServerAuth]).issue();
                let secret = s.others.last_mut().expect("the client's Secret");
                secret["stringData"]["tls.crt"] = client.chain.into();
                secret["stringData"]["tls.key"] = client.key.into();
                s.surface = Surface::Admission;
            },
            "spec.listeners[0].tls.validation.trust.file.certificateChain",
            &["the client's certificate lacks the extended key usage for this", "clientAuth"],
        ),
    ]
}

/// `blue` has a second listener, on 9443.
fn second(scene: &mut Scene, certificate: Value) {
    let mut listener = scene.node["spec"]["listeners"][0].clone();
    listener["portMapping"]["port"] = json!(9443);
    listener["tls"]["certificate"] = certificate;
    scene.node["spec"]["listeners"].as_array_mut().expect("a list").push(listener);
}

fn foreign(scene: &mut Scene) {
    let foreign = OTHER.leaf(&["blue.apps.local"]).issue();
    scene.key("foreign.crt", &foreign.chain);
    scene.key("foreign.key", &foreign.key);
}

fn listeners() -> Vec<Case> {
    fn both_foreign(scene: &mut Scene) {
        foreign(scene);
        let certificate = manifests::file_certificate("foreign.crt", "foreign.key");
        scene.set("/spec/listeners/0/tls/certificate", certificate.clone());
        second(scene, certificate);
    }
    fn one_foreign(scene: &mut Scene) {
        foreign(scene);
        second(scene, manifests::file_certificate("foreign.crt", "foreign.key"));
    }
    const SECOND: &str = "spec.listeners[1].tls.certificate.file.certificateChain";
    vec![
        denies(
            "MV301",
            "two listeners, and neither is trusted",
            |s| {
                both_foreign(s);
                front(s, |_| {});
            },
            CHAIN,
            &["front → blue (listener 8443)", "CN=other root"],
        ),
        denies(
            "MV301",
            "the second of them",
            |s| {
                both_foreign(s);
                front(s, |_| {});
            },
            SECOND,
            &["front → blue (listener 9443)"],
        ),
        warns(
            "MV301",
            "two listeners, of which one is trusted",
            |s| {
                one_foreign(s);
                front(s, |_| {});
            },
            SECOND,
            &["unknown whether it is called: the route names no port, and listener 8443 may be"],
        ),
        denies(
            "MV301",
            "two listeners that fail each in its own way",
            |s| {
                one_foreign(s);
                s.unset("/spec/listeners/0/tls");
                front(s, |_| {});
            },
            SECOND,
            &["front → blue (listener 9443)"],
        ),
        good("MV301", "two listeners that are trusted", |s| {
            second(s, manifests::file_certificate("tls.crt", "tls.key"));
            front(s, |_| {});
        }),
        good("MV301", "a policy that holds for the port of the trusted one alone", |s| {
            one_foreign(s);
            front(s, |front| put(front, "/spec/backendDefaults/clientPolicy/tls/ports", json!([8443])));
        }),
    ]
}

/// Which of two listeners is meant, by the ports on the way.
fn ports() -> Vec<Case> {
    fn routed(scene: &mut Scene, listening: &[u16], matched: Option<u16>, target: Option<u16>) {
        foreign(scene);
        second(scene, manifests::file_certificate("foreign.crt", "foreign.key"));
        front(scene, |_| {});
        let router = json!({"virtualRouter": {"virtualRouterRef": {"name": "colors"}}});
        scene.others[0] = object("VirtualService", "blue", json!({"provider": router}));
        let listeners: Vec<Value> =
            listening.iter().map(|port| json!({"portMapping": {"port": port, "protocol": "http"}})).collect();
        let mut route = json!({"match": {"prefix": "/"}, "action": {"weightedTargets": [
            {"virtualNodeRef": {"name": "blue"}, "weight": 1}]}});
        if let Some(port) = matched {
            route["match"]["port"] = port.into();
        }
        if let Some(port) = target {
            route["action"]["weightedTargets"][0]["port"] = port.into();
        }
        let spec = json!({"listeners": listeners, "routes": [{"name": "all", "httpRoute": route}]});
        scene.others.push(object("VirtualRouter", "colors", spec));
    }
    const SECOND: &str = "spec.listeners[1].tls.certificate.file.certificateChain";
    vec![
        denies(
            "MV301",
            "the target's port",
            |s| routed(s, &[8443, 9443], None, Some(9443)),
            SECOND,
            &["front → blue:"],
        ),
        good("MV301", "the target's port is the trusted one's", |s| routed(s, &[8443, 9443], None, Some(8443))),
        denies(
            "MV301",
            "the port that the route matches",
            |s| routed(s, &[8443, 9443], Some(9443), None),
            SECOND,
            &["CN=other root is a root that the trust bundle lacks"],
        ),
        good("MV301", "the route matches the trusted one's port", |s| routed(s, &[8443, 9443], Some(8443), None)),
        denies(
            "MV301",
            "the router's only port",
            |s| routed(s, &[9443], None, None),
            SECOND,
            &["CN=other root is a root that the trust bundle lacks"],
        ),
        good("MV301", "the router's only port is the trusted one's", |s| routed(s, &[8443], None, None)),
        warns(
            "MV301",
            "a route for every port of the router",
            |s| routed(s, &[8443, 9443], None, None),
            SECOND,
            &["unknown whether it is called"],
        ),
        warns("MV301", "a router on other ports", |s| routed(s, &[80], None, None), SECOND, &["unknown"]),
    ]
}

/// What an object leaves out is missing: nothing is judged as an empty text or as 0.
fn unset() -> Vec<Case> {
    vec![
        good("MV201", "no path of a key", |s| s.unset("/spec/listeners/0/tls/certificate/file/privateKey")),
        denies(
            "MV005",
            "no path of a key",
            |s| {
                s.admitted = true;
                s.unset("/spec/listeners/0/tls/certificate/file/privateKey");
            },
            "spec.listeners[0].tls.certificate.file.privateKey",
            &["privateKey is missing (listener 8443)"],
        ),
        denies(
            "MV005",
            "no path of a bundle",
            |s| {
                s.admitted = true;
                s.client();
                s.set("/spec/backendDefaults/clientPolicy/tls/validation/trust", json!({"file": {}}));
            },
            "spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain",
            &["certificateChain is missing (backend defaults trust)"],
        ),
        good("MV201", "no path of a bundle", |s| {
            s.client();
            s.set("/spec/backendDefaults/clientPolicy/tls/validation/trust", json!({"file": {}}));
        }),
        good("MV101", "no hostname", |s| s.set("/spec/serviceDiscovery", json!({"dns": {}}))),
        denies(
            "MV005",
            "no hostname",
            |s| {
                s.admitted = true;
                s.set("/spec/serviceDiscovery", json!({"dns": {}}));
            },
            "spec.serviceDiscovery.dns.hostname",
            &["hostname is missing"],
        ),
        good("MV103", "no Cloud Map names", |s| s.set("/spec/serviceDiscovery", json!({"awsCloudMap": {}}))),
        denies(
            "MV005",
            "no port",
            |s| {
                s.admitted = true;
                s.unset("/spec/listeners/0/portMapping");
            },
            "spec.listeners[0].portMapping.port",
            &["the port is missing", "nothing"],
        ),
        denies(
            "MV005",
            "no mode",
            |s| {
                s.admitted = true;
                s.unset("/spec/listeners/0/tls/mode");
            },
            "spec.listeners[0].tls.mode",
            &["has no mode", "nothing"],
        ),
        good("MV305", "no mode, which is no plaintext", |s| {
            s.unset("/spec/listeners/0/tls/mode");
            front(s, |_| {});
        }),
    ]
}

/// IP addresses and URIs among names.
fn addresses() -> Vec<Case> {
    fn lists(scene: &mut Scene, names: Value) {
        front(scene, |front| put(front, NAMES, json!({"match": {"exact": names}})));
    }
    vec![
        denies(
            "MV104",
            "an IP address in the list, and in the certificate",
            |s| {
                s.certificate(&AUTHORITY.leaf(&["blue.apps.local"]).address(ADDRESS).issue());
                lists(s, json!(["10.0.0.5"]));
            },
            CHAIN,
            &["10.0.0.5 is an IP address, and a list is compared with DNS names and URIs only"],
        ),
        denies(
            "MV104",
            "a URI in other letters",
            |s| {
                s.certificate(&AUTHORITY.leaf(&["blue.apps.local", "spiffe://apps.local/blue"]).issue());
                lists(s, json!(["spiffe://Apps.local/blue"]));
            },
            CHAIN,
            &["must equal the URI exactly"],
        ),
        good("MV104", "a URI to the letter", |s| {
            s.certificate(&AUTHORITY.leaf(&["blue.apps.local", "spiffe://apps.local/blue"]).issue());
            lists(s, json!(["spiffe://apps.local/blue"]));
        }),
        denies(
            "MV101",
            "an IP address as the hostname",
            |s| s.set("/spec/serviceDiscovery/dns/hostname", "10.0.0.5".into()),
            CHAIN,
            &["issue the certificate with DNS:10.0.0.5"],
        ),
        warns(
            "MV101",
            "an IP address as the hostname, and in the certificate as an address",
            |s| {
                s.certificate(&AUTHORITY.leaf(&["blue.apps.local"]).address(ADDRESS).issue());
                s.set("/spec/serviceDiscovery/dns/hostname", "10.0.0.5".into());
            },
            CHAIN,
            &["only DNS names and URIs are compared, so its IP address doesn't count"],
        ),
        good("MV101", "an IP address as the hostname, and in the certificate as a DNS name", |s| {
            s.certificate(&AUTHORITY.leaf(&["10.0.0.5"]).issue());
            s.set("/spec/serviceDiscovery/dns/hostname", "10.0.0.5".into());
        }),
        denies(
            "MV101",
            "a URI as the hostname",
            |s| s.set("/spec/serviceDiscovery/dns/hostname", "https://blue.apps.local".into()),
            CHAIN,
            &["a hostname is a DNS name, and this is a URI"],
        ),
    ]
}

pub(crate) fn a_service_that_nobody_calls_says_nothing() {
    let mut scene = Scene::sound();
    service(&mut scene);
    scene.subject = ("VirtualService", "blue");
    assert_eq!(scene.judge().told(), Vec::<String>::new());
}
