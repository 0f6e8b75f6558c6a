//! MV201–MV219: files, and the certificates in them.

use jiff::{SignedDuration, Timestamp};
use meshvet::rules::Surface;
use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
use serde_json::json;

use crate::cases::{Case, denies, good, warns};
use crate::pairs::front;
use crate::scene::{AUTHORITY, OTHER, Scene};
use crate::support::mint::Key;

const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";
const KEY: &str = "spec.listeners[0].tls.certificate.file.privateKey";
const CLIENT_CHAIN: &str = "spec.backendDefaults.clientPolicy.tls.certificate.file.certificateChain";
const TRUST: &str = "spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain";
const SECRET_MOUNTS: &str = "appmesh.k8s.aws/secretMounts";
const VOLUME_MOUNTS: &str = "appmesh.k8s.aws/volumeMounts";

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

fn envoy_container(scene: &mut Scene, mounts: serde_json::Value) {
    scene.template("/spec/containers", json!([{"name": "app"}, {"name": "envoy", "volumeMounts": mounts}]));
    scene.template("/spec/volumes", json!([{"name": "tls", "secret": {"secretName": "blue-cert"}}]));
}

pub(crate) fn cases() -> Vec<Case> {
    [mounted(), missing(), unknown(), readable(), matching(), dates(), fit_for_use(), blocks(), sds()].concat()
}

fn mounted() -> Vec<Case> {
    vec![
        denies(
            "MV201",
            "another folder",
            |s| s.annotate_pods(SECRET_MOUNTS, "blue-cert:/certificates"),
            CHAIN,
            &["/certs/tls.crt", "/certificates", "Deployment shop/blue"],
        ),
        denies("MV201", "no mount at all", |s| s.annotate_pods(SECRET_MOUNTS, ""), KEY, &["no mount at all"]),
        denies(
            "MV201",
            "a folder of a like name",
            |s| s.annotate_pods(SECRET_MOUNTS, "blue-cert:/cert"),
            CHAIN,
            &["has nothing mounted at /certs/tls.crt"],
        ),
        denies(
            "MV201",
            "a pod that brings its envoy ignores the annotation",
            |s| envoy_container(s, json!([{"name": "tls", "mountPath": "/tls"}])),
            CHAIN,
            &["/tls"],
        ),
        denies("MV201", "a volume that isn't there", |s| s.annotate_pods(VOLUME_MOUNTS, "tsl:/certs"), CHAIN, &["tsl"]),
        warns(
            "MV201",
            "no mount, of an object that is applied: the workload may change in a moment",
            |s| {
                s.annotate_pods(SECRET_MOUNTS, "");
                s.surface = Surface::Admission;
            },
            KEY,
            &["no mount at all"],
        ),
        denies(
            "MV201",
            "the annotation on the Deployment itself",
            |s| {
                let mounts = s.deployment["spec"]["template"]["metadata"]["annotations"].take();
                s.deployment["metadata"]["annotations"] = mounts;
            },
            KEY,
            &[
                "appmesh.k8s.aws/secretMounts is on Deployment shop/blue itself",
                "and not on its pods",
                "put appmesh.k8s.aws/secretMounts on the pods",
            ],
        ),
        denies(
            "MV201",
            "a misspelt annotation",
            |s| {
                s.template(
                    "/metadata/annotations",
                    serde_json::json!({"appmesh.k8s.aws/secretMount": "blue-cert:/certs"}),
                );
            },
            KEY,
            &["did you mean appmesh.k8s.aws/secretMounts?"],
        ),
        denies(
            "MV201",
            "the annotation on the node",
            |s| {
                let mounts = s.deployment["spec"]["template"]["metadata"]["annotations"].take();
                s.node["metadata"]["annotations"] = mounts;
            },
            KEY,
            &["is on VirtualNode shop/blue, and not on the pods"],
        ),
        good("MV201", "a folder written with slashes to spare", |s| {
            s.annotate_pods(SECRET_MOUNTS, " blue-cert : //certs/ ")
        }),
        good("MV201", "the envoy container's own mounts", |s| {
            s.annotate_pods(SECRET_MOUNTS, "");
            envoy_container(s, json!([{"name": "tls", "mountPath": "/certs/"}]));
        }),
        good("MV201", "a volume of the pod", |s| {
            s.annotate_pods(SECRET_MOUNTS, "other:/other");
            s.annotate_pods(VOLUME_MOUNTS, "tls:/certs");
            s.template("/spec/volumes", json!([{"name": "tls", "secret": {"secretName": "blue-cert"}}]));
        }),
        good("MV201", "a Deployment without replicas", |s| {
            s.annotate_pods(SECRET_MOUNTS, "blue-cert:/certificates");
            s.deployment["spec"]["replicas"] = json!(0);
        }),
        good("MV201", "a DISABLED listener", |s| {
            s.annotate_pods(SECRET_MOUNTS, "blue-cert:/certificates");
            s.set("/spec/listeners/0/tls/mode", "DISABLED".into());
        }),
        good("MV201", "a policy that isn't enforced", |s| {
            s.client();
            s.set("/spec/backendDefaults/clientPolicy/tls/enforce", json!(false));
            s.set(
                "/spec/backendDefaults/clientPolicy/tls/validation/trust/file/certificateChain",
                "/nowhere/ca".into(),
            );
        }),
    ]
}

fn missing() -> Vec<Case> {
    vec![
        denies(
            "MV202",
            "a key that isn't there",
            |s| s.without_key("tls.crt"),
            CHAIN,
            &["ca.crt, tls.key", "Secret shop/blue-cert", "restart the pods"],
        ),
        denies(
            "MV202",
            "items that leave it out",
            |s| {
                s.annotate_pods(SECRET_MOUNTS, "");
                s.annotate_pods(VOLUME_MOUNTS, "tls:/certs");
                let items = json!([{"key": "tls.key", "path": "tls.key"}, {"key": "tls.crt", "path": "chain.pem"}]);
                s.template(
                    "/spec/volumes",
                    json!([{"name": "tls", "secret": {"secretName": "blue-cert", "items": items}}]),
                );
            },
            CHAIN,
            &["chain.pem"],
        ),
        warns("MV202", "no such Secret", |s| s.secret = None, CHAIN, &["doesn't exist", "FailedMount"]),
        warns("MV202", "an empty Secret", |s| s.secret.iter_mut().for_each(|keys| keys.clear()), CHAIN, &["empty"]),
        warns(
            "MV202",
            "a volume that can't be looked into",
            |s| {
                s.annotate_pods(SECRET_MOUNTS, "");
                s.annotate_pods(VOLUME_MOUNTS, "tls:/certs");
                s.template("/spec/volumes", json!([{"name": "tls", "csi": {"driver": "secrets-store.csi.k8s.io"}}]));
            },
            CHAIN,
            &["csi"],
        ),
        denies(
            "MV202",
            "unknown: warn softens only what isn't known",
            |s| {
                s.policy = "unknown: warn".to_owned();
                s.without_key("tls.key");
            },
            KEY,
            &["has no key tls.key"],
        ),
        denies(
            "MV202",
            "unknown: deny",
            |s| {
                s.policy = "unknown: deny".to_owned();
                s.secret = None;
            },
            CHAIN,
            &["Secret shop/blue-cert doesn't exist"],
        ),
        good("MV202", "a projected volume", |s| {
            s.annotate_pods(SECRET_MOUNTS, "");
            s.annotate_pods(VOLUME_MOUNTS, "tls:/certs");
            let items = json!([{"key": "tls.crt", "path": "tls.crt"}, {"key": "tls.key", "path": "tls.key"}]);
            let sources = json!([{"secret": {"name": "blue-cert", "items": items}}]);
            s.template("/spec/volumes", json!([{"name": "tls", "projected": {"sources": sources}}]));
        }),
        good("MV202", "a ConfigMap", |s| {
            s.annotate_pods(VOLUME_MOUNTS, "ca:/ca");
            s.template("/spec/volumes", json!([{"name": "ca", "configMap": {"name": "ca"}}]));
            let data = json!({"bundle.pem": AUTHORITY.pem()});
            s.others.push(json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"namespace": "shop", "name": "ca"}, "data": data}));
            s.client();
            s.set(
                "/spec/backendDefaults/clientPolicy/tls/validation/trust/file/certificateChain",
                "/ca/bundle.pem".into(),
            );
        }),
    ]
}

fn unknown() -> Vec<Case> {
    vec![
        warns("MV203", "no workload", |s| s.deployment = json!(null), "spec.podSelector", &["app=blue"]),
        warns("MV203", "no podSelector", |s| s.unset("/spec/podSelector"), "spec.podSelector", &["selects nothing"]),
        warns(
            "MV203",
            "other labels",
            |s| s.template("/metadata/labels/app", "green".into()),
            "spec.podSelector",
            &["so its certificate files"],
        ),
        good("MV203", "an empty podSelector", |s| s.set("/spec/podSelector", json!({}))),
        good("MV203", "an expression", |s| {
            let expression = json!({"key": "app", "operator": "In", "values": ["blue", "green"]});
            s.set("/spec/podSelector", json!({"matchExpressions": [expression]}));
        }),
        good("MV203", "no files", |s| {
            s.deployment = json!(null);
            s.unset("/spec/listeners/0/tls");
        }),
        warns(
            "MV218",
            "an unlabelled namespace",
            |s| s.namespace["metadata"]["labels"] = json!({}),
            "spec.podSelector",
            &["namespace shop isn't labelled"],
        ),
        warns(
            "MV218",
            "a pod that opts out",
            |s| s.annotate_pods("appmesh.k8s.aws/sidecarInjectorWebhook", "disabled"),
            "spec.template.metadata.annotations[appmesh.k8s.aws/sidecarInjectorWebhook]",
            &["opt out"],
        ),
        good("MV218", "a namespace that nobody knows", |s| s.namespace = json!(null)),
        good("MV218", "a node without TLS", |s| {
            s.namespace["metadata"]["labels"] = json!({});
            s.unset("/spec/listeners/0/tls");
        }),
        good("MV218", "a pod that brings its envoy", |s| {
            s.namespace["metadata"]["labels"] = json!({});
            envoy_container(s, json!([{"name": "tls", "mountPath": "/certs"}]));
        }),
    ]
}

fn readable() -> Vec<Case> {
    vec![
        denies("MV204", "no PEM", |s| s.key("tls.crt", "hello"), CHAIN, &["Failed to load", "Secret shop/blue-cert"]),
        denies("MV204", "empty", |s| s.key("tls.crt", ""), CHAIN, &["certificate chain not set"]),
        denies(
            "MV204",
            "a literal \\n",
            |s| s.key("tls.crt", &AUTHORITY.leaf(&["a"]).issue().chain.replace('\n', "\\n")),
            CHAIN,
            &["is not a certificate chain that Envoy loads"],
        ),
        denies(
            "MV204",
            "a client's",
            |s| {
                s.client();
                s.key("client.crt", "hello");
            },
            CLIENT_CHAIN,
            &["key client.crt of Secret shop/blue-cert is not a certificate chain"],
        ),
        good("MV204", "CRLF", |s| s.key("tls.crt", &AUTHORITY.leaf(&["a"]).issue().chain.replace('\n', "\r\n"))),
        denies("MV205", "no key", |s| s.key("tls.key", "hello"), KEY, &["Failed to load private key", "NO_START_LINE"]),
        denies("MV205", "empty", |s| s.key("tls.key", ""), KEY, &["Failed to load incomplete private key"]),
        denies(
            "MV205",
            "encrypted",
            |s| {
                let key = AUTHORITY.leaf(&["a"]).issue().key;
                s.key(
                    "tls.key",
                    &key.replace("BEGIN PRIVATE", "BEGIN ENCRYPTED PRIVATE")
                        .replace("END PRIVATE", "END ENCRYPTED PRIVATE"),
                );
            },
            KEY,
            &["encrypted"],
        ),
        good("MV205", "sound", |_| {}),
    ]
}

fn matching() -> Vec<Case> {
    vec![
        denies(
            "MV206",
            "the key of another certificate",
            |s| s.key("tls.key", &AUTHORITY.leaf(&["a"]).issue().key),
            KEY,
            &["KEY_VALUES_MISMATCH", "EC P-256"],
        ),
        denies(
            "MV206",
            "a key of another kind",
            |s| s.key("tls.key", &AUTHORITY.leaf(&["a"]).key(Key::Rsa(2048)).issue().key),
            KEY,
            &["KEY_TYPE_MISMATCH", "RSA 2048"],
        ),
        good("MV206", "an RSA pair", |s| {
            s.certificate(&AUTHORITY.leaf(&["blue.apps.local"]).key(Key::Rsa(2048)).issue());
        }),
        good("MV206", "a chain out of order: MV211's", disorder),
        denies(
            "MV211",
            "the root first",
            disorder,
            CHAIN,
            &["CN=blue.apps.local", "Failed to load certificate chain from"],
        ),
        denies(
            "MV211",
            "the root first, and no key to tell by",
            |s| {
                disorder(s);
                s.without_key("tls.key");
            },
            CHAIN,
            &["is not the leaf"],
        ),
        good("MV211", "the leaf first", |_| {}),
        good("MV101", "a chain out of order: the leaf's names count, not the root's", disorder),
        good("MV215", "a chain out of order: the leaf's key counts, not the root's", disorder),
    ]
}

fn disorder(scene: &mut Scene) {
    let issued = AUTHORITY.leaf(&["blue.apps.local"]).issue();
    scene.key("tls.crt", &format!("{}{}", AUTHORITY.pem(), issued.certificate));
    scene.key("tls.key", &issued.key);
}

fn valid(scene: &mut Scene, from: i64, to: i64) {
    scene.certificate(&AUTHORITY.leaf(&["blue.apps.local"]).valid(from, to).issue());
}

fn dates() -> Vec<Case> {
    vec![
        denies("MV207", "past its end", |s| valid(s, -90, -1), CHAIN, &["certificate has expired", "restart the pods"]),
        denies(
            "MV207",
            "a client's certificate",
            |s| {
                s.client();
                s.key("client.crt", &AUTHORITY.leaf(&["blue.apps.local"]).valid(-9, -1).issue().chain);
            },
            CLIENT_CHAIN,
            &["SSLV3_ALERT_CERTIFICATE_EXPIRED"],
        ),
        denies(
            "MV207",
            "as of a later time",
            |s| s.now = Timestamp::now() + days(91),
            CHAIN,
            &["the certificate has expired"],
        ),
        denies(
            "MV207",
            "a trust bundle of the past",
            |s| {
                s.client();
                s.now = Timestamp::now() + days(4000);
            },
            TRUST,
            &["trust bundle"],
        ),
        good("MV207", "the last day", |s| s.now = Timestamp::now() + days(89)),
        denies("MV208", "before its beginning", |s| valid(s, 2, 90), CHAIN, &["certificate is not yet valid"]),
        warns(
            "MV208",
            "within five minutes",
            |s| {
                valid(s, 2, 90);
                s.now = Timestamp::now() + days(2) - SignedDuration::from_mins(4);
            },
            CHAIN,
            &["is not valid yet"],
        ),
        good("MV208", "sound", |_| {}),
        warns("MV209", "a fifth of a short life", |s| valid(s, -9, 1), CHAIN, &["left"]),
        warns("MV209", "thirty days of a long life", |s| valid(s, -300, 29), CHAIN, &["days left"]),
        good("MV209", "more than a fifth of a short life", |s| valid(s, -7, 2)),
        good("MV209", "a third left, when cert-manager renews", |s| valid(s, -60, 30)),
        good("MV209", "fewer days by policy", |s| {
            valid(s, -300, 29);
            s.policy = "thresholds: {expiringDays: 7}".to_owned();
        }),
    ]
}

fn usages(scene: &mut Scene, usages: &[rcgen::ExtendedKeyUsagePurpose]) {
    scene.certificate(&AUTHORITY.leaf(&["blue.apps.local"]).extended_usages(usages).issue());
}

fn keyed(scene: &mut Scene, key: Key) {
    scene.certificate(&AUTHORITY.leaf(&["blue.apps.local"]).key(key).issue());
}

fn fit_for_use() -> Vec<Case> {
    vec![
        denies(
            "MV212",
            "for clients only",
            |s| usages(s, &[ClientAuth]),
            CHAIN,
            &["serverAuth", "clientAuth", "unsupported certificate purpose"],
        ),
        denies(
            "MV212",
            "for anything",
            |s| usages(s, &[rcgen::ExtendedKeyUsagePurpose::Any]),
            CHAIN,
            &["anyExtendedKeyUsage"],
        ),
        denies(
            "MV212",
            "a client's for servers only",
            |s| {
                s.client();
                s.key("client.crt", &AUTHORITY.leaf(&["blue"]).extended_usages(&[ServerAuth]).issue().chain);
            },
            CLIENT_CHAIN,
            &["SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"],
        ),
        good("MV212", "for servers only", |s| usages(s, &[ServerAuth])),
        good("MV212", "no list at all", |s| usages(s, &[])),
        warns(
            "MV213",
            "an RSA key under the profile",
            |s| {
                keyed(s, Key::Rsa(2048));
                s.policy = "profile: {rsaBits: 3072}".to_owned();
            },
            CHAIN,
            &["RSA 3072", "RSA 2048"],
        ),
        warns(
            "MV213",
            "a lifetime over the profile",
            |s| s.policy = "profile: {maxLifetimeDays: 30}".to_owned(),
            CHAIN,
            &["91 days"],
        ),
        warns(
            "MV213",
            "another hash",
            |s| s.policy = "profile: {signatureHashes: [SHA-512]}".to_owned(),
            CHAIN,
            &["SHA-256"],
        ),
        good("MV213", "RSA 2048", |s| keyed(s, Key::Rsa(2048))),
        denies(
            "MV215",
            "RSA 1024",
            |s| keyed(s, Key::Rsa(1024)),
            CHAIN,
            &["only RSA certificates with 2048-bit or larger keys are supported"],
        ),
        denies("MV215", "Ed25519", |s| keyed(s, Key::Ed25519), CHAIN, &["Ed25519"]),
        denies(
            "MV215",
            "P-384, which an injected proxy calls",
            |s| {
                keyed(s, Key::P384);
                front(s, |_| {});
            },
            CHAIN,
            &["VirtualNode shop/front calls it over TLS 1.2", "SSLV3_ALERT_HANDSHAKE_FAILURE"],
        ),
        warns(
            "MV215",
            "P-384, which a proxy of the pods' own calls",
            |s| {
                keyed(s, Key::P384);
                front(s, |_| {});
                let front = s.others.iter_mut().find(|it| it["kind"] == "Deployment").expect("a Deployment");
                front["spec"]["template"]["spec"]["containers"] =
                    json!([{"name": "app"}, {"name": "envoy", "image": "envoy:own"}]);
            },
            CHAIN,
            &["works with TLS 1.3 only"],
        ),
        warns(
            "MV215",
            "P-384, while nobody knows the caller's pods",
            |s| {
                keyed(s, Key::P384);
                front(s, |_| {});
                s.others.retain(|it| it["kind"] != "Deployment");
            },
            CHAIN,
            &["works with TLS 1.3 only"],
        ),
        warns("MV215", "P-384", |s| keyed(s, Key::P384), CHAIN, &["TLS 1.3", "SSLV3_ALERT_HANDSHAKE_FAILURE"]),
        good("MV215", "P-256", |s| keyed(s, Key::P256)),
        denies(
            "MV217",
            "no name at all",
            |s| s.certificate(&AUTHORITY.leaf(&[]).common_name("").issue()),
            CHAIN,
            &["Invalid TLS context has neither subject CN nor SAN names"],
        ),
        good("MV217", "an address alone", |s| {
            s.certificate(&AUTHORITY.leaf(&[]).common_name("").address([10, 0, 0, 1].into()).issue());
        }),
        good("MV217", "a common name alone", |s| s.certificate(&AUTHORITY.leaf(&[]).common_name("blue").issue())),
    ]
}

fn blocks() -> Vec<Case> {
    vec![
        warns(
            "MV214",
            "a key in the trust bundle",
            |s| {
                s.client();
                let key = OTHER.leaf(&["a"]).issue().key;
                s.key("ca.crt", &format!("{}{key}", AUTHORITY.pem()));
            },
            TRUST,
            &["trust bundle"],
        ),
        warns(
            "MV214",
            "a key in the chain file",
            |s| {
                let issued = AUTHORITY.leaf(&["blue.apps.local"]).issue();
                s.key("tls.crt", &format!("{}{}", issued.chain, issued.key));
                s.key("tls.key", &issued.key);
            },
            CHAIN,
            &["chain file"],
        ),
        good("MV214", "one file for both", |s| {
            let issued = AUTHORITY.leaf(&["blue.apps.local"]).issue();
            s.key("tls.crt", &format!("{}{}", issued.chain, issued.key));
            s.set("/spec/listeners/0/tls/certificate/file/privateKey", "/certs/tls.crt".into());
        }),
        warns(
            "MV216",
            "a byte-order mark",
            |s| {
                s.client();
                s.key("ca.crt", &format!("\u{feff}{}{}", AUTHORITY.pem(), OTHER.pem()));
            },
            TRUST,
            &["byte-order mark"],
        ),
        warns(
            "MV216",
            "an indented block",
            |s| {
                let issued = AUTHORITY.leaf(&["blue.apps.local"]).issue();
                s.key("tls.crt", &format!("{} {}", issued.certificate, AUTHORITY.pem()));
                s.key("tls.key", &issued.key);
            },
            CHAIN,
            &["silently drops"],
        ),
        good("MV216", "text between blocks", |s| {
            s.client();
            s.key("ca.crt", &format!("one\n{}two\n{}", AUTHORITY.pem(), OTHER.pem()));
        }),
    ]
}

fn sds() -> Vec<Case> {
    fn by_sds(scene: &mut Scene) {
        scene.set("/spec/listeners/0/tls/certificate", json!({"sds": {"secretName": "spiffe://apps.local/blue"}}));
    }
    vec![
        warns(
            "MV219",
            "not enabled",
            by_sds,
            "spec.listeners[0].tls.certificate.sds.secretName",
            &["spiffe://apps.local/blue"],
        ),
        warns(
            "MV219",
            "disabled by the pod",
            |s| {
                by_sds(s);
                s.policy = "sds: {enabled: true}".to_owned();
                s.annotate_pods("appmesh.k8s.aws/sds", "disabled");
            },
            "spec.template.metadata.annotations[appmesh.k8s.aws/sds]",
            &["Deployment shop/blue"],
        ),
        warns(
            "MV219",
            "trust",
            |s| {
                s.client();
                let trust = json!({"sds": {"secretName": "spiffe://apps.local"}});
                s.set("/spec/backendDefaults/clientPolicy/tls/validation/trust", trust);
            },
            "spec.backendDefaults.clientPolicy.tls.validation.trust.sds.secretName",
            &["comes by SDS, which is not enabled"],
        ),
        warns(
            "MV219",
            "the name of a Secret",
            |s| s.set("/spec/listeners/0/tls/certificate", json!({"sds": {"secretName": "blue-cert"}})),
            "spec.listeners[0].tls.certificate.sds.secretName",
            &[
                "Secret shop/blue-cert is a Kubernetes Secret, which SDS doesn't serve",
                "appmesh.k8s.aws/secretMounts: \"blue-cert:/certs\"",
                "certificate.file",
            ],
        ),
        good("MV219", "enabled", |s| {
            by_sds(s);
            s.policy = "sds: {enabled: true}".to_owned();
        }),
        good("MV219", "under DISABLED", |s| {
            by_sds(s);
            s.set("/spec/listeners/0/tls/mode", "DISABLED".into());
        }),
    ]
}
