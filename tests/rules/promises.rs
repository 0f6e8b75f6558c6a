//! What isn't there yet and is promised: the rules on names, keys, usages and files, on what a cert-manager Certificate, a SealedSecret
//! and the like say beforehand.

use meshvet::finding::Severity;
use meshvet::mesh::Sort;
use meshvet::rules::Surface;
use serde_json::{Value, json};

use crate::cases::{Case, denies, good, warns};
use crate::pairs::{front, mutual, put, with_certificate};
use crate::scene::Scene;
use crate::support::manifests;

const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";
const KEY: &str = "spec.listeners[0].tls.certificate.file.privateKey";
const TRUST: &str = "spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain";
const NAMES: &str = "/spec/backendDefaults/clientPolicy/tls/validation/subjectAlternativeNames";
const LIST: &str = "spec.backendDefaults.clientPolicy.tls.validation.subjectAlternativeNames.match.exact";
const BY: &str = "Certificate shop/blue";

fn object(api_version: &str, kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"namespace": "shop", "name": name}, "spec": spec})
}

/// In place of Secret `blue-cert` a Certificate that will fill it, with these fields besides those of a sound one.
fn promised(scene: &mut Scene, fields: Value) {
    scene.secret = None;
    let mut spec =
        json!({"secretName": "blue-cert", "dnsNames": ["blue.apps.local"], "issuerRef": {"name": "shop-ca"}});
    let more = fields.as_object().expect("fields").clone();
    spec.as_object_mut().expect("a spec").extend(more);
    scene.others.push(object("cert-manager.io/v1", "Certificate", "blue", spec));
}

/// A SealedSecret with these keys in place of Secret `blue-cert`.
fn sealed(scene: &mut Scene, keys: &[&str]) {
    scene.secret = None;
    let data: Value =
        keys.iter().map(|key| ((*key).to_owned(), Value::from("AgB"))).collect::<serde_json::Map<_, _>>().into();
    scene.others.push(object("bitnami.com/v1alpha1", "SealedSecret", "blue-cert", json!({"encryptedData": data})));
}

fn external(scene: &mut Scene, spec: Value) {
    scene.secret = None;
    scene.others.push(object("external-secrets.io/v1", "ExternalSecret", "blue-cert", spec));
}

fn paths(scene: &mut Scene, chain: &str, key: &str) {
    scene.set("/spec/listeners/0/tls/certificate", manifests::file_certificate(chain, key));
}

/// A call to `blue`, whose own client's files are there.
fn called(scene: &mut Scene, change: impl FnOnce(&mut Value)) {
    promised(scene, json!({}));
    front(scene, change);
}

/// The same, where the caller's certificate is promised too.
fn calls(scene: &mut Scene, names: Value) {
    promised(scene, json!({}));
    mutual(scene);
    front(scene, with_certificate);
    scene.others.retain(|object| object["metadata"]["name"] != "front-cert");
    let spec = json!({"secretName": "front-cert", "dnsNames": names});
    scene.others.push(object("cert-manager.io/v1", "Certificate", "front", spec));
}

pub(crate) fn cases() -> Vec<Case> {
    [names(), calls_cases(), keys_and_usages(), files(), missing(), makers()].concat()
}

fn names() -> Vec<Case> {
    vec![
        warns(
            "MV101",
            "another name is promised",
            |s| promised(s, json!({"dnsNames": ["blue.till.local"]})),
            CHAIN,
            &["blue.apps.local", "DNS:blue.till.local", BY, "Secret shop/blue-cert", "spec.dnsNames"],
        ),
        warns(
            "MV101",
            "an address is promised",
            |s| promised(s, json!({"dnsNames": [], "ipAddresses": ["10.0.0.1"]})),
            CHAIN,
            &["IP:10.0.0.1", BY],
        ),
        good("MV101", "a wildcard is promised", |s| promised(s, json!({"dnsNames": ["*.apps.local"]}))),
        good("MV101", "the name is promised", |s| promised(s, json!({}))),
        good("MV101", "a SealedSecret says nothing of names", |s| sealed(s, &["tls.crt", "tls.key"])),
        denies(
            "MV101",
            "the Secret is there and counts, whatever is promised",
            |s| {
                let secret = s.secret.clone();
                promised(s, json!({}));
                s.secret = secret;
                s.certificate(&crate::scene::AUTHORITY.leaf(&["green.apps.local"]).issue());
            },
            CHAIN,
            &["DNS:green.apps.local"],
        ),
        good("MV101", "the Secret is there with the name, and another is promised", |s| {
            let secret = s.secret.clone();
            promised(s, json!({"dnsNames": ["green.apps.local"]}));
            s.secret = secret;
        }),
        good("MV101", "two that disagree promise one Secret", |s| {
            promised(s, json!({"dnsNames": ["green.apps.local"]}));
            let spec = json!({"secretName": "blue-cert", "dnsNames": ["blue.apps.local"]});
            s.others.push(object("cert-manager.io/v1", "Certificate", "blue-too", spec));
        }),
        warns(
            "MV102",
            "a common name alone is promised",
            |s| promised(s, json!({"dnsNames": [], "commonName": "blue.apps.local"})),
            CHAIN,
            &["only the common name", BY, "spec.dnsNames"],
        ),
        warns(
            "MV102",
            "a literal subject alone is promised",
            |s| promised(s, json!({"dnsNames": [], "literalSubject": "CN=blue.apps.local,O=Shop"})),
            CHAIN,
            &["only the common name"],
        ),
        good("MV102", "both are promised", |s| promised(s, json!({"commonName": "blue.apps.local"}))),
        warns(
            "MV103",
            "under Cloud Map, a name of nobody is promised",
            |s| {
                promised(s, json!({"dnsNames": ["green.till.local"]}));
                s.set(
                    "/spec/serviceDiscovery",
                    json!({"awsCloudMap": {"namespaceName": "apps.local", "serviceName": "azure"}}),
                );
            },
            CHAIN,
            &[BY, "spec.dnsNames"],
        ),
        warns(
            "MV217",
            "an e-mail address alone is promised",
            |s| promised(s, json!({"dnsNames": [], "emailAddresses": ["ops@apps.local"]})),
            CHAIN,
            &["neither subject CN nor SAN names", BY],
        ),
        good("MV217", "a name is promised", |s| promised(s, json!({}))),
    ]
}

fn calls_cases() -> Vec<Case> {
    vec![
        warns(
            "MV104",
            "the client lists another name than is promised",
            |s| called(s, |front| put(front, NAMES, json!({"match": {"exact": ["green.apps.local"]}}))),
            CHAIN,
            &["front → blue", "DNS:blue.apps.local", BY, "spec.dnsNames"],
        ),
        warns(
            "MV104",
            "the same, seen from the client",
            |s| {
                called(s, |front| put(front, NAMES, json!({"match": {"exact": ["green.apps.local"]}})));
                s.subject = ("VirtualNode", "front");
            },
            LIST,
            &["promised by Certificate shop/blue"],
        ),
        good("MV104", "the client lists the name that is promised", |s| {
            called(s, |front| put(front, NAMES, json!({"match": {"exact": ["blue.apps.local"]}})))
        }),
        warns(
            "MV101",
            "a call that goes by the hostname is led to another name that is promised",
            |s| {
                promised(s, json!({"dnsNames": ["green.apps.local"]}));
                front(s, |_| {});
                s.subject = ("VirtualNode", "front");
                s.surface = Surface::Admission;
            },
            "spec.backendDefaults.clientPolicy.tls.validation",
            &["promised by Certificate shop/blue"],
        ),
        warns(
            "MV105",
            "the listener lists another name than is promised of the client",
            |s| {
                calls(s, json!(["front.apps.local"]));
                s.set(
                    "/spec/listeners/0/tls/validation/subjectAlternativeNames",
                    json!({"match": {"exact": ["till.apps.local"]}}),
                );
            },
            "spec.listeners[0].tls.validation.subjectAlternativeNames.match.exact",
            &["DNS:front.apps.local", "Certificate shop/front", "spec.dnsNames"],
        ),
        good("MV105", "the listener lists the name that is promised", |s| {
            calls(s, json!(["front.apps.local"]));
            s.set(
                "/spec/listeners/0/tls/validation/subjectAlternativeNames",
                json!({"match": {"exact": ["front.apps.local"]}}),
            );
        }),
        good("MV301", "who issues what is promised isn't known", |s| calls(s, json!(["front.apps.local"]))),
        good("MV302", "who issues what is promised isn't known", |s| {
            promised(s, json!({}));
            s.policy = "issuers: {allowed: [{subject: CN=mesh root}]}\n".to_owned();
        }),
        good("MV304", "a certificate that is promised is one", |s| calls(s, json!(["front.apps.local"]))),
    ]
}

fn keys_and_usages() -> Vec<Case> {
    vec![
        warns(
            "MV212",
            "for clients only is promised",
            |s| promised(s, json!({"usages": ["digital signature", "client auth"]})),
            CHAIN,
            &["serverAuth", BY, "spec.usages"],
        ),
        warns(
            "MV212",
            "any usage is promised",
            |s| promised(s, json!({"usages": ["any"]})),
            CHAIN,
            &["anyExtendedKeyUsage", BY],
        ),
        good("MV212", "for both is promised", |s| {
            promised(s, json!({"usages": ["digital signature", "client auth", "server auth"]}))
        }),
        good("MV212", "no usage is asked for", |s| promised(s, json!({}))),
        warns(
            "MV215",
            "Ed25519 is promised",
            |s| promised(s, json!({"privateKey": {"algorithm": "Ed25519"}})),
            CHAIN,
            &["Ed25519", BY, "spec.privateKey"],
        ),
        warns(
            "MV215",
            "P-521 is promised",
            |s| promised(s, json!({"privateKey": {"algorithm": "ECDSA", "size": 521}})),
            CHAIN,
            &["EC P-521", BY],
        ),
        warns(
            "MV215",
            "P-384 is promised",
            |s| promised(s, json!({"privateKey": {"algorithm": "ECDSA", "size": 384}})),
            CHAIN,
            &["TLS 1.3", BY],
        ),
        warns(
            "MV215",
            "RSA 1024 is promised",
            |s| promised(s, json!({"privateKey": {"algorithm": "RSA", "size": 1024}})),
            CHAIN,
            &["RSA 1024", BY],
        ),
        warns(
            "MV215",
            "a key that may not sign is promised",
            |s| promised(s, json!({"usages": ["key encipherment", "server auth"]})),
            CHAIN,
            &["digitalSignature", BY, "spec.usages"],
        ),
        good("MV215", "P-256 is promised", |s| promised(s, json!({"privateKey": {"algorithm": "ECDSA", "size": 256}}))),
        good("MV215", "no key is asked for: RSA 2048", |s| promised(s, json!({}))),
        good("MV215", "no key usage at all is promised", |s| promised(s, json!({"usages": ["server auth"]}))),
        warns(
            "MV213",
            "RSA 2048 is promised under a profile of 3072",
            |s| {
                promised(s, json!({}));
                s.policy = "profile: {rsaBits: 3072}\n".to_owned();
            },
            CHAIN,
            &["RSA 2048", BY, "spec.privateKey"],
        ),
        warns(
            "MV213",
            "a year is promised under a profile of 90 days",
            |s| {
                promised(s, json!({"duration": "8760h0m0s"}));
                s.policy = "profile: {maxLifetimeDays: 90}\n".to_owned();
            },
            CHAIN,
            &["365 days", BY, "spec.duration"],
        ),
        good("MV213", "no time is asked for: 90 days", |s| {
            promised(s, json!({}));
            s.policy = "profile: {maxLifetimeDays: 90}\n".to_owned();
        }),
        good("MV207", "what is promised has no dates", |s| promised(s, json!({"duration": "1h"}))),
        good("MV208", "what is promised has no dates", |s| promised(s, json!({"duration": "1h"}))),
        good("MV209", "what is promised has no dates", |s| promised(s, json!({"duration": "1h"}))),
    ]
}

fn files() -> Vec<Case> {
    vec![
        warns(
            "MV204",
            "a key store will stand at the chain's path",
            |s| {
                promised(s, json!({"keystores": {"pkcs12": {"create": true}}}));
                paths(s, "keystore.p12", "tls.key");
            },
            CHAIN,
            &["PKCS#12", BY, "name the file tls.crt"],
        ),
        warns(
            "MV204",
            "the key will stand at the chain's path",
            |s| {
                promised(s, json!({}));
                paths(s, "tls.key", "tls.key");
            },
            CHAIN,
            &["a private key", BY, "name the file tls.crt"],
        ),
        good("MV204", "key and chain in one", |s| {
            promised(s, json!({"additionalOutputFormats": [{"type": "CombinedPEM"}]}));
            paths(s, "tls-combined.pem", "tls-combined.pem");
        }),
        warns(
            "MV205",
            "the key will be in DER",
            |s| {
                promised(s, json!({"additionalOutputFormats": [{"type": "DER"}]}));
                paths(s, "tls.crt", "key.der");
            },
            KEY,
            &["DER", BY, "name the file tls.key"],
        ),
        warns(
            "MV205",
            "the certificate will stand at the key's path",
            |s| {
                promised(s, json!({}));
                paths(s, "tls.crt", "tls.crt");
            },
            KEY,
            &["no private key", BY],
        ),
        denies(
            "MV205",
            "a Secret of a cluster holds a variable that nobody filled in",
            |s| s.key("tls.key", "${BLUE_KEY}"),
            KEY,
            &["NO_START_LINE"],
        ),
        good("MV205", "key and chain in one", |s| {
            promised(s, json!({"additionalOutputFormats": [{"type": "CombinedPEM"}]}));
            paths(s, "tls-combined.pem", "tls-combined.pem");
        }),
        good("MV214", "key and chain in one that is both", |s| {
            promised(s, json!({"additionalOutputFormats": [{"type": "CombinedPEM"}]}));
            paths(s, "tls-combined.pem", "tls-combined.pem");
        }),
        warns(
            "MV214",
            "key and chain in one will stand at the chain's path alone",
            |s| {
                promised(s, json!({"additionalOutputFormats": [{"type": "CombinedPEM"}]}));
                paths(s, "tls-combined.pem", "tls.key");
            },
            CHAIN,
            &["the chain file in key tls-combined.pem of Secret shop/blue-cert", BY, "name the file tls.crt"],
        ),
        good("MV205", "what a SealedSecret holds under a key nobody knows", |s| {
            sealed(s, &["key.der", "tls.crt"]);
            paths(s, "tls.crt", "key.der");
        }),
        warns(
            "MV303",
            "a key store will stand where the bundle is read",
            |s| {
                s.client();
                promised(s, json!({"keystores": {"jks": {"create": true}}}));
                s.set(
                    "/spec/backendDefaults/clientPolicy/tls/validation/trust/file/certificateChain",
                    "/certs/truststore.jks".into(),
                );
            },
            TRUST,
            &["Java key store", BY, "name the file ca.crt"],
        ),
        good("MV303", "the authority's certificate is promised", |s| {
            s.client();
            promised(s, json!({}));
        }),
    ]
}

fn missing() -> Vec<Case> {
    vec![
        warns(
            "MV202",
            "a key that the Certificate won't make",
            |s| {
                promised(s, json!({}));
                paths(s, "cert.pem", "tls.key");
            },
            CHAIN,
            &[
                "Certificate shop/blue will make Secret shop/blue-cert without the key cert.pem",
                "ca.crt, tls.crt, tls.key",
            ],
        ),
        warns(
            "MV202",
            "a format that the Certificate isn't asked for",
            |s| {
                promised(s, json!({}));
                paths(s, "tls.crt", "key.der");
            },
            KEY,
            &["without the key key.der", "spec.additionalOutputFormats of Certificate shop/blue"],
        ),
        warns(
            "MV202",
            "a key that the SealedSecret doesn't have",
            |s| sealed(s, &["tls.cert", "tls.key"]),
            CHAIN,
            &["SealedSecret shop/blue-cert", "tls.cert", "spec.encryptedData"],
        ),
        warns(
            "MV202",
            "the Certificate makes its Secret in another namespace",
            |s| {
                promised(s, json!({}));
                s.others[0]["metadata"]["namespace"] = "till".into();
            },
            CHAIN,
            &[
                "Secret shop/blue-cert doesn't exist",
                "Certificate till/blue makes Secret till/blue-cert",
                "in namespace shop",
            ],
        ),
        warns(
            "MV202",
            "the Certificate makes a Secret of a like name",
            |s| promised(s, json!({"secretName": "blue-certs"})),
            CHAIN,
            &[
                "Secret shop/blue-cert doesn't exist",
                "Certificate shop/blue makes Secret shop/blue-certs",
                "spec.secretName",
            ],
        ),
        warns(
            "MV202",
            "the Certificate makes something else",
            |s| promised(s, json!({"secretName": "oven"})),
            CHAIN,
            &["nothing with that name"],
        ),
        warns(
            "MV202",
            "the Certificates that may make it may not be listed",
            |s| {
                s.secret = None;
                s.hide("certificates.cert-manager.io", Sort::Promises, None);
            },
            CHAIN,
            &[
                "doesn't exist",
                "one of certificates.cert-manager.io",
                "grant list and watch on certificates.cert-manager.io",
            ],
        ),
        warns(
            "MV202",
            "the Certificates of its namespace may be listed",
            |s| {
                s.secret = None;
                s.hide("certificates.cert-manager.io", Sort::Promises, Some("shop"));
            },
            CHAIN,
            &["nothing with that name", "create the Secret, or wait until it is filled"],
        ),
        good("MV202", "a Certificate makes it", |s| promised(s, json!({}))),
        good("MV202", "a SealedSecret makes it", |s| sealed(s, &["tls.crt", "tls.key"])),
        good("MV202", "a Secret beside the promised one has the key", |s| {
            sealed(s, &["ca.crt"]);
            s.others.push(manifests::tls_secret(
                "shop",
                "rest",
                &crate::scene::AUTHORITY.leaf(&["blue.apps.local"]).issue(),
            ));
            let sources = json!([{"secret": {"name": "rest"}}, {"secret": {"name": "blue-cert"}}]);
            s.template("/metadata/annotations", json!({}));
            s.template("/spec/volumes", json!([{"name": "tls", "projected": {"sources": sources}}]));
            s.annotate_pods("appmesh.k8s.aws/volumeMounts", "tls:/certs");
        }),
    ]
}

/// Who else makes Secrets.
fn makers() -> Vec<Case> {
    vec![
        good("MV202", "an ExternalSecret makes it", |s| {
            external(s, json!({"data": [{"secretKey": "tls.crt"}, {"secretKey": "tls.key"}]}))
        }),
        warns(
            "MV202",
            "a key that the ExternalSecret doesn't fetch",
            |s| external(s, json!({"data": [{"secretKey": "crt"}, {"secretKey": "tls.key"}]})),
            CHAIN,
            &["ExternalSecret shop/blue-cert", "crt, tls.key"],
        ),
        good("MV202", "an ExternalSecret whose keys are whatever is there", |s| {
            external(s, json!({"dataFrom": [{"extract": {"key": "blue"}}]}))
        }),
        good("MV202", "an ExternalSecret whose template makes the keys", |s| {
            let template = json!({"data": {"tls.crt": "{{ .c }}", "tls.key": "{{ .k }}"}});
            external(s, json!({"dataFrom": [{"extract": {"key": "blue"}}], "target": {"template": template}}))
        }),
        warns(
            "MV202",
            "an ExternalSecret whose template leaves a key out",
            |s| {
                let template = json!({"data": {"tls.crt": "{{ .c }}"}});
                external(s, json!({"data": [{"secretKey": "tls.key"}], "target": {"template": template}}))
            },
            KEY,
            &["without the key tls.key"],
        ),
        good("MV202", "an ExternalSecret whose template is merged", |s| {
            let template = json!({"mergePolicy": "Merge", "data": {"tls.crt": "{{ .c }}"}});
            external(s, json!({"data": [{"secretKey": "tls.key"}], "target": {"template": template}}))
        }),
        good("MV202", "an ExternalSecret under another name", |s| {
            external(s, json!({"target": {"name": "blue-cert"}, "dataFrom": [{"extract": {"key": "blue"}}]}));
            s.others[0]["metadata"]["name"] = "vault".into();
        }),
        warns(
            "MV202",
            "an ExternalSecret that adds to what somebody else makes",
            |s| external(s, json!({"target": {"creationPolicy": "Merge"}, "data": [{"secretKey": "tls.crt"}]})),
            CHAIN,
            &["Secret shop/blue-cert doesn't exist"],
        ),
        good("MV202", "an ExternalSecret of the older version", |s| {
            external(s, json!({"data": [{"secretKey": "tls.crt"}, {"secretKey": "tls.key"}]}));
            s.others[0]["apiVersion"] = "external-secrets.io/v1beta1".into();
        }),
        good("MV202", "an ExternalSecret in all namespaces with the label", |s| {
            s.secret = None;
            let selector = json!({"matchLabels": {"appmesh.k8s.aws/sidecarInjectorWebhook": "enabled"}});
            let spec = json!({"externalSecretName": "blue-cert", "namespaceSelectors": [selector],
                "externalSecretSpec": {"data": [{"secretKey": "tls.crt"}, {"secretKey": "tls.key"}]}});
            s.others.push(object("external-secrets.io/v1", "ClusterExternalSecret", "all", spec));
        }),
        warns(
            "MV202",
            "an ExternalSecret in other namespaces",
            |s| {
                s.secret = None;
                let spec = json!({"externalSecretName": "blue-cert", "namespaces": ["till"],
                    "externalSecretSpec": {"data": [{"secretKey": "tls.crt"}]}});
                s.others.push(object("external-secrets.io/v1", "ClusterExternalSecret", "all", spec));
            },
            CHAIN,
            &["doesn't exist", "ClusterExternalSecret all makes Secret blue-cert elsewhere"],
        ),
        good("MV202", "the driver of a volume keeps it", |s| {
            s.secret = None;
            let data = json!([{"key": "tls.crt"}, {"key": "tls.key"}]);
            let spec = json!({"secretObjects": [{"secretName": "other"}, {"secretName": "blue-cert", "data": data}]});
            s.others.push(object("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "vault", spec));
        }),
        good("MV202", "a Bundle puts the authorities into every namespace", |s| bundle(s, "/trust/ca.pem")),
        warns(
            "MV202",
            "a key that the Bundle doesn't make",
            |s| bundle(s, "/trust/ca.crt"),
            TRUST,
            &["Bundle roots will make ConfigMap shop/roots without the key ca.crt", "spec.target"],
        ),
        warns(
            "MV303",
            "a Bundle's key store",
            |s| bundle(s, "/trust/ca.jks"),
            TRUST,
            &["Java key store", "Bundle roots"],
        ),
    ]
}

/// Trust in a ConfigMap that trust-manager makes.
fn bundle(scene: &mut Scene, path: &str) {
    scene.client();
    scene.set("/spec/backendDefaults/clientPolicy/tls/validation/trust/file/certificateChain", path.into());
    scene.template("/spec/volumes", json!([{"name": "trust", "configMap": {"name": "roots"}}]));
    scene.annotate_pods("appmesh.k8s.aws/volumeMounts", "trust:/trust");
    let target = json!({"configMap": {"key": "ca.pem"}, "additionalFormats": {"jks": {"key": "ca.jks"}}});
    scene
        .others
        .push(json!({"apiVersion": "trust.cert-manager.io/v1alpha1", "kind": "Bundle", "metadata": {"name": "roots"},
        "spec": {"sources": [{"useDefaultCAs": true}], "target": target}}));
}

pub(crate) fn a_promise_that_is_all_right_is_no_finding() {
    let sound: [fn(&mut Scene); 5] = [
        |s| promised(s, json!({})),
        |s| sealed(s, &["tls.crt", "tls.key"]),
        |s| external(s, json!({"dataFrom": [{"extract": {"key": "blue"}}]})),
        |s| called(s, |_| {}),
        |s| calls(s, json!(["front.apps.local"])),
    ];
    for change in sound {
        for surface in [Surface::Check, Surface::Admission] {
            let mut scene = Scene::sound();
            change(&mut scene);
            scene.surface = surface;
            assert_eq!(scene.judge().told(), Vec::<String>::new());
        }
    }
}

pub(crate) fn a_promise_never_denies_and_says_who_promises() {
    for case in cases() {
        let scene = case.scene();
        if scene.secret.is_some() {
            continue;
        }
        for finding in scene.judge().findings {
            assert_ne!(finding.severity, Severity::Deny, "{finding:?}");
        }
    }
}
