//! The rules on names, dates, keys and issuers, for what ACM and AWS Private CA say.

use super::*;

pub(crate) fn cases() -> Vec<Case> {
    [as_files(), pairs()].concat()
}

/// The rules on files hold for what ACM says.
fn as_files() -> Vec<Case> {
    vec![
        denies(
            "MV101",
            "another name, by ACM",
            |s| described(s, Acm::new(&["green.apps.local"])),
            FIELD,
            &["ACM (certificate/11111111-2222-3333-4444-555555555555)", "DNS:green.apps.local", "blue.apps.local"],
        ),
        good("MV101", "a wildcard, by ACM", |s| described(s, Acm::new(&["*.apps.local"]))),
        good("MV101", "not asked", |s| set_certificate(s, CERTIFICATE)),
        warns(
            "MV103",
            "a foreign name, by ACM",
            |s| {
                described(s, Acm::new(&["internal.example.com"]));
                s.set(
                    "/spec/serviceDiscovery",
                    json!({"awsCloudMap": {"namespaceName": "apps.local", "serviceName": "azure"}}),
                );
            },
            FIELD,
            &["azure.apps.local"],
        ),
        denies(
            "MV207",
            "by ACM",
            |s| described(s, Acm::new(&["blue.apps.local"]).valid(-400, -5)),
            FIELD,
            &["certificate has expired"],
        ),
        denies(
            "MV208",
            "by ACM",
            |s| described(s, Acm::new(&["blue.apps.local"]).valid(5, 400)),
            FIELD,
            &["is not valid yet (ACM"],
        ),
        warns(
            "MV209",
            "by ACM",
            |s| described(s, Acm::new(&["blue.apps.local"]).valid(-385, 10)),
            FIELD,
            &["ACM does so by itself"],
        ),
        denies(
            "MV212",
            "by ACM",
            |s| {
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.description.extended_key_usage =
                    Some(ExtendedKeyUsage { client_auth: true, ..ExtendedKeyUsage::default() });
                described(s, acm);
            },
            FIELD,
            &["serverAuth"],
        ),
        warns(
            "MV213",
            "by ACM",
            |s| {
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.description.signature_algorithm = "SHA1WITHRSA".to_owned();
                acm.description.signature_hash = Some(HashAlgorithm::Sha1);
                described(s, acm);
            },
            FIELD,
            &["SHA-1", "SHA1WITHRSA"],
        ),
        denies(
            "MV215",
            "by ACM",
            |s| described(s, Acm::new(&["blue.apps.local"]).key("RSA_1024")),
            FIELD,
            &["RSA 1024", "<inline>"],
        ),
        denies(
            "MV207",
            "an authority that is trusted by ARN",
            |s| {
                sound(s);
                let old = AUTHORITY.intermediate("old issuing", -300, -5);
                authority(s, ROOT, "EXPIRED", false, &old.pem());
            },
            TRUST,
            &["ACM (certificate-authority/aaaaaaaa-"],
        ),
    ]
}

/// Both ends, each by ACM or by file.
fn pairs() -> Vec<Case> {
    vec![
        good("MV301", "certificate and trust by ARN", pair),
        good("MV301", "a certificate by ARN, trust by file", |s| {
            sound(s);
            called_by(s, json!({"file": {"certificateChain": "/trust/ca.crt"}}));
            bundle(s, &AUTHORITY.pem());
        }),
        good("MV301", "a subordinate's certificate, and trust in its root", |s| {
            pair(s);
            s.others.retain(|other| other["metadata"]["name"] != "front-trust");
            let below = AUTHORITY.intermediate("scene issuing", -10, 300);
            let mut acm = Acm::new(&["blue.apps.local"]);
            acm.facts.authority = Some(STRANGER.to_owned());
            acm.told(s);
            authority(s, STRANGER, "ACTIVE", false, &format!("{}{}", below.pem(), AUTHORITY.pem()));
        }),
        denies(
            "MV301",
            "a certificate by ARN, and trust by a file of another authority",
            |s| {
                sound(s);
                called_by(s, json!({"file": {"certificateChain": "/trust/ca.crt"}}));
                bundle(s, &OTHER.pem());
            },
            FIELD,
            &["front → blue", "CN=other root", "CN=scene root"],
        ),
        denies(
            "MV301",
            "a certificate by file, and trust by the ARN of another authority",
            |s| {
                called_by(s, json!({"acm": {"certificateAuthorityARNs": [ROOT]}}));
                authority(s, ROOT, "ACTIVE", true, &OTHER.pem());
            },
            "spec.listeners[0].tls.certificate.file.certificateChain",
            &["front → blue", "ACM (certificate-authority/", "certificateAuthorityARNs"],
        ),
        denies(
            "MV301",
            "trust in another authority of the same name",
            |s| {
                sound(s);
                called_by(s, json!({"file": {"certificateChain": "/trust/ca.crt"}}));
                bundle(s, &Authority::new("scene root").pem());
            },
            FIELD,
            &["front → blue", "CN=scene root"],
        ),
        denies(
            "MV301",
            "both by ARN, of two authorities",
            |s| {
                pair(s);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.authority = Some(STRANGER.to_owned());
                acm.told(s);
                authority(s, STRANGER, "ACTIVE", true, &OTHER.pem());
            },
            FIELD,
            &["front → blue"],
        ),
        good("MV301", "one of two authorities isn't known", |s| {
            sound(s);
            called_by(s, json!({"acm": {"certificateAuthorityARNs": [STRANGER, ROOT]}}));
            authority(s, ROOT, "ACTIVE", true, &OTHER.pem());
        }),
        good("MV301", "the issuer isn't known", |s| {
            pair(s);
            authority(s, ROOT, "ACTIVE", true, &OTHER.pem());
            let mut acm = Acm::new(&["blue.apps.local"]);
            acm.facts.authority = Some(STRANGER.to_owned());
            acm.told(s);
        }),
        denies(
            "MV207",
            "the authority of a certificate by ARN",
            |s| {
                pair(s);
                let old = AUTHORITY.intermediate("old issuing", -300, -5);
                let mut acm = Acm::new(&["blue.apps.local"]);
                acm.facts.authority = Some(STRANGER.to_owned());
                acm.told(s);
                authority(s, STRANGER, "EXPIRED", false, &format!("{}{}", old.pem(), AUTHORITY.pem()));
            },
            FIELD,
            &["CN=old issuing", "has expired"],
        ),
        denies(
            "MV104",
            "a name that the certificate of ACM lacks",
            |s| {
                pair(s);
                let front = s.others.iter_mut().find(|other| other["metadata"]["name"] == "front");
                let validation =
                    front.and_then(|front| front.pointer_mut("/spec/backendDefaults/clientPolicy/tls/validation"));
                validation.expect("a validation")["subjectAlternativeNames"] =
                    json!({"match": {"exact": ["green.apps.local"]}});
            },
            FIELD,
            &["green.apps.local", "DNS:blue.apps.local"],
        ),
    ]
}
