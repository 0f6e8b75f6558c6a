//! MV222, MV303, MV306, MV307: trust, and what a listener demands.

use serde_json::json;

use crate::cases::{Case, denies, good, warns};
use crate::pairs::front;
use crate::scene::{AUTHORITY, OTHER, Scene};
use crate::support::forge::{Forge, Forged, ForgedList};
use crate::support::manifests;

const TRUST: &str = "spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain";

fn probe(scene: &mut Scene, probe: serde_json::Value) {
    let ports = json!([{"name": "web", "containerPort": 8443}]);
    scene.template("/spec/containers", json!([{"name": "app", "ports": ports, "readinessProbe": probe}]));
}

pub(crate) fn cases() -> Vec<Case> {
    [trust(), revocation(), unused()].concat()
}

fn trust() -> Vec<Case> {
    const PORT: &str = "spec.template.spec.containers[0].readinessProbe.httpGet.port";
    vec![
        denies(
            "MV303",
            "no PEM",
            |s| {
                s.client();
                s.key("ca.crt", "0\u{82}");
            },
            TRUST,
            &["Failed to load trusted CA certificates from"],
        ),
        denies(
            "MV303",
            "empty",
            |s| {
                s.client();
                s.key("ca.crt", "");
            },
            TRUST,
            &["is empty"],
        ),
        denies(
            "MV303",
            "a key alone, for a listener's clients",
            |s| {
                s.key("ca.crt", &AUTHORITY.leaf(&["a"]).issue().key);
                let trust = json!({"trust": {"file": {"certificateChain": "/certs/ca.crt"}}});
                s.set("/spec/listeners/0/tls/validation", trust);
            },
            "spec.listeners[0].tls.validation.trust.file.certificateChain",
            &["key ca.crt of Secret shop/blue-cert is not a trust bundle"],
        ),
        good("MV303", "two authorities", |s| {
            s.client();
            s.key("ca.crt", &format!("{}{}", AUTHORITY.pem(), OTHER.pem()));
        }),
        warns(
            "MV306",
            "an HTTP probe",
            |s| probe(s, json!({"httpGet": {"port": 8443}})),
            PORT,
            &["8443", "readinessProbe"],
        ),
        warns(
            "MV306",
            "by the port's name",
            |s| probe(s, json!({"httpGet": {"port": "web", "scheme": "HTTP"}})),
            PORT,
            &["readinessProbe of container app speaks plaintext to port 8443"],
        ),
        warns(
            "MV306",
            "a gRPC probe",
            |s| probe(s, json!({"grpc": {"port": 8443}})),
            "spec.template.spec.containers[0].readinessProbe.grpc.port",
            &["readinessProbe of container app speaks plaintext to port 8443"],
        ),
        good("MV306", "HTTPS", |s| probe(s, json!({"httpGet": {"port": 8443, "scheme": "HTTPS"}}))),
        good("MV306", "TCP", |s| probe(s, json!({"tcpSocket": {"port": 8443}}))),
        good("MV306", "another port", |s| probe(s, json!({"httpGet": {"port": 9000}}))),
        good("MV306", "PERMISSIVE", |s| {
            probe(s, json!({"httpGet": {"port": 8443}}));
            s.set("/spec/listeners/0/tls/mode", "PERMISSIVE".into());
        }),
        good("MV306", "a port that isn't intercepted", |s| {
            probe(s, json!({"httpGet": {"port": 8443}}));
            s.annotate_pods("appmesh.k8s.aws/ports", "9000");
        }),
        denies(
            "MV307",
            "PERMISSIVE where STRICT is demanded",
            |s| {
                s.policy = "severities: {tls-not-required: deny}".to_owned();
                s.set("/spec/listeners/0/tls/mode", "PERMISSIVE".into());
            },
            "spec.listeners[0].tls.mode",
            &["PERMISSIVE"],
        ),
        warns(
            "MV307",
            "plaintext, by scope",
            |s| {
                let labels = "{kubernetes.io/metadata.name: shop}";
                s.policy =
                    format!("scopes: [{{namespaceSelector: {{matchLabels: {labels}}}, severities: {{MV307: warn}}}}]");
                s.unset("/spec/listeners/0/tls");
            },
            "spec.listeners[0]",
            &["no tls"],
        ),
        good("MV307", "off by default", |s| s.unset("/spec/listeners/0/tls")),
    ]
}

/// A leaf for `blue.apps.local` of an authority of its own, and the bundle of `front`: that authority and these lists of it, which
/// may revoke the leaf.
fn listed(scene: &mut Scene, lists: impl FnOnce(&Forged, u64) -> Vec<ForgedList>) {
    let root = Forge::authority("listed root").self_signed();
    let leaf = Forge::leaf(&["blue.apps.local"]).issued_by(&root);
    let lists: String = lists(&root, leaf.serial()).iter().map(ForgedList::pem).collect();
    scene.key("tls.crt", &leaf.pem());
    scene.key("tls.key", &leaf.key.pem);
    front(scene, |_| {});
    let bundle = format!("{}{lists}", root.pem());
    let secret = manifests::secret("shop", "front-cert", &[("ca.crt", bundle.as_str())]);
    scene.others.retain(|object| object["kind"] != "Secret");
    scene.others.push(secret);
}

/// [`Trait::Time`](meshvet::finding::Trait::Time) holds of them: a world that is sound while its list holds.
pub(crate) fn with_list(scene: &mut Scene) {
    listed(scene, |root, _| vec![ForgedList::of(root)]);
}

fn revocation() -> Vec<Case> {
    const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";
    vec![
        denies(
            "MV222",
            "the leaf is revoked",
            |s| listed(s, |root, serial| vec![ForgedList::of(root).revokes(&[serial])]),
            CHAIN,
            &[
                "front → blue: the client refuses the server's certificate: CN=blue.apps.local is revoked",
                "CRL of CN=listed root",
                "certificate revocation check against provided CRLs failed: certificate revoked",
                "reissued",
            ],
        ),
        denies(
            "MV222",
            "the leaf is revoked, seen from the client",
            |s| {
                listed(s, |root, serial| vec![ForgedList::of(root).revokes(&[serial])]);
                s.subject = ("VirtualNode", "front");
            },
            TRUST,
            &["front → blue", "is revoked"],
        ),
        denies(
            "MV222",
            "the list has ended",
            |s| listed(s, |root, _| vec![ForgedList::of(root).days(-30, Some(-1))]),
            CHAIN,
            &["expired on 20", "CRL has expired", "current CRL"],
        ),
        denies(
            "MV222",
            "the list hasn't begun",
            |s| listed(s, |root, _| vec![ForgedList::of(root).days(2, Some(9))]),
            CHAIN,
            &["is not valid before 20", "CRL is not yet valid"],
        ),
        denies(
            "MV222",
            "the list is another authority's",
            |s| {
                listed(s, |_, _| {
                    let other = Forge::authority("somebody else").self_signed();
                    vec![ForgedList::of(&other)]
                });
            },
            CHAIN,
            &["needs a CRL of CN=listed root", "none of that issuer", "unable to get certificate CRL"],
        ),
        denies(
            "MV222",
            "the list has another's signature",
            |s| {
                listed(s, |root, _| {
                    let other = Forge::authority("somebody else").self_signed();
                    vec![ForgedList::of(root).signed_by(&other)]
                });
            },
            CHAIN,
            &["is not signed with", "CRL signature failure"],
        ),
        good("MV222", "another certificate is revoked", |s| {
            listed(s, |root, serial| vec![ForgedList::of(root).revokes(&[serial + 1])]);
        }),
        good("MV222", "a newer list no longer revokes it", |s| {
            listed(s, |root, serial| {
                vec![ForgedList::of(root).revokes(&[serial]), ForgedList::of(root).days(-1, None)]
            });
        }),
        good("MV222", "nobody validates", |s| {
            listed(s, |root, serial| vec![ForgedList::of(root).revokes(&[serial])]);
            let front = s.others.iter_mut().find(|object| object["metadata"]["name"] == "front").expect("a node");
            front["spec"]["backendDefaults"] = json!({});
        }),
        good("MV301", "what lists say is MV222's", |s| {
            listed(s, |root, serial| vec![ForgedList::of(root).revokes(&[serial])]);
        }),
    ]
}

/// Client policies that hold for no call.
fn unused() -> Vec<Case> {
    const POLICY: &str = "spec.backendDefaults.clientPolicy.tls";
    const PORTS: &str = "spec.backendDefaults.clientPolicy.tls.ports";
    vec![
        warns(
            "MV107",
            "for another port",
            |s| {
                front(s, |front| front["spec"]["backendDefaults"]["clientPolicy"]["tls"]["ports"] = json!([443]));
                s.subject = ("VirtualNode", "front");
            },
            PORTS,
            &["is for port 443", "the listener's port: 8443", "never applies", "leave ports out"],
        ),
        warns(
            "MV107",
            "defaults without backends, where the policy asks for it",
            |s| {
                s.policy = "severities: {MV107: warn}".to_owned();
                front(s, |front| front["spec"]["backends"] = json!([]));
                s.subject = ("VirtualNode", "front");
            },
            POLICY,
            &["has no backends: it never applies", "declare the services"],
        ),
        good("MV107", "defaults without backends, which charts give to all", |s| {
            front(s, |front| front["spec"]["backends"] = json!([]));
            s.subject = ("VirtualNode", "front");
        }),
        good("MV107", "for the listener's port among others", |s| {
            front(s, |front| front["spec"]["backendDefaults"]["clientPolicy"]["tls"]["ports"] = json!([443, 8443]));
            s.subject = ("VirtualNode", "front");
        }),
        good("MV107", "for another port of a service that isn't known", |s| {
            front(s, |front| front["spec"]["backendDefaults"]["clientPolicy"]["tls"]["ports"] = json!([443]));
            s.others.retain(|object| object["kind"] != "VirtualService");
            s.subject = ("VirtualNode", "front");
        }),
        good("MV107", "for another port of one backend, while another isn't known", |s| {
            front(s, |front| {
                front["spec"]["backendDefaults"]["clientPolicy"]["tls"]["ports"] = json!([443]);
                let service = |name: &str| json!({"virtualService": {"virtualServiceRef": {"name": name}}});
                front["spec"]["backends"] = json!([service("blue"), service("green")]);
            });
            s.subject = ("VirtualNode", "front");
        }),
        good("MV107", "for another port, without being enforced", |s| {
            front(s, |front| {
                front["spec"]["backendDefaults"]["clientPolicy"]["tls"]["ports"] = json!([443]);
                front["spec"]["backendDefaults"]["clientPolicy"]["tls"]["enforce"] = json!(false);
            });
            s.subject = ("VirtualNode", "front");
        }),
    ]
}
