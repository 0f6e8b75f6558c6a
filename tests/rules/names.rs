//! MV101–MV106: names.

use serde_json::json;

use crate::cases::{Case, denies, good, warns};
use crate::scene::{AUTHORITY, Scene};

const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";

fn named(scene: &mut Scene, names: &[&str]) {
    scene.certificate(&AUTHORITY.leaf(names).issue());
}

fn cn_only(scene: &mut Scene, name: &str) {
    scene.certificate(&AUTHORITY.leaf(&[]).common_name(name).issue());
}

fn cloud_map(scene: &mut Scene) {
    let map = json!({"awsCloudMap": {"namespaceName": "apps.local", "serviceName": "azure"}});
    scene.set("/spec/serviceDiscovery", map);
}

pub(crate) fn cases() -> Vec<Case> {
    [hostname(), common_name(), cloud_map_names(), san_lists()].concat()
}

fn hostname() -> Vec<Case> {
    vec![
        denies(
            "MV101",
            "another name",
            |s| named(s, &["green.apps.local"]),
            CHAIN,
            &[
                "blue.apps.local",
                "DNS:green.apps.local",
                "CERTIFICATE_VERIFY_FAILED",
                "SAN matcher, certificate SANs are [green.apps.local]",
                "Secret shop/blue-cert",
            ],
        ),
        denies("MV101", "a wildcard of two labels", |s| named(s, &["*.local"]), CHAIN, &["DNS:*.local"]),
        denies(
            "MV101",
            "a trailing dot",
            |s| named(s, &["blue.apps.local."]),
            CHAIN,
            &["hostname blue.apps.local matches no name"],
        ),
        denies(
            "MV101",
            "in a PERMISSIVE listener",
            |s| {
                named(s, &["green.apps.local"]);
                s.set("/spec/listeners/0/tls/mode", "PERMISSIVE".into());
            },
            CHAIN,
            &["hostname blue.apps.local matches no name"],
        ),
        good("MV101", "the name in capitals", |s| named(s, &["BLUE.apps.local"])),
        good("MV101", "a wildcard", |s| named(s, &["*.apps.local"])),
        good("MV101", "a partial wildcard", |s| named(s, &["b*.apps.local"])),
        good("MV101", "one of several", |s| named(s, &["green.apps.local", "blue.apps.local"])),
        good("MV101", "the common name alone: MV102's", |s| cn_only(s, "blue.apps.local")),
        good("MV101", "under Cloud Map", |s| {
            cloud_map(s);
            named(s, &["green.apps.local"]);
        }),
        good("MV101", "DISABLED", |s| {
            named(s, &["green.apps.local"]);
            s.set("/spec/listeners/0/tls/mode", "DISABLED".into());
        }),
        good("MV101", "without service discovery", |s| {
            named(s, &["green.apps.local"]);
            s.unset("/spec/serviceDiscovery");
        }),
        good("MV101", "a client's certificate", |s| {
            s.client();
            s.key("client.crt", &AUTHORITY.leaf(&["green.apps.local"]).issue().chain);
        }),
    ]
}

fn common_name() -> Vec<Case> {
    vec![
        warns("MV102", "the common name alone", |s| cn_only(s, "blue.apps.local"), CHAIN, &["CN", "SANs are []"]),
        warns(
            "MV102",
            "a wildcard in the common name",
            |s| cn_only(s, "*.apps.local"),
            CHAIN,
            &["matches only the common name"],
        ),
        warns(
            "MV102",
            "beside names that don't match",
            |s| {
                let leaf = AUTHORITY.leaf(&["green.apps.local"]).common_name("blue.apps.local");
                s.certificate(&leaf.issue());
            },
            CHAIN,
            &["green.apps.local"],
        ),
        good("MV102", "both", |s| named(s, &["blue.apps.local"])),
        good("MV102", "another common name: MV101's", |s| cn_only(s, "green.apps.local")),
    ]
}

fn cloud_map_names() -> Vec<Case> {
    vec![
        warns(
            "MV103",
            "a foreign name",
            |s| {
                cloud_map(s);
                named(s, &["internal.example.com"]);
            },
            CHAIN,
            &["azure.apps.local", "blue"],
        ),
        good("MV103", "service.namespace", |s| {
            cloud_map(s);
            named(s, &["azure.apps.local"]);
        }),
        good("MV103", "the node's name", |s| {
            cloud_map(s);
            named(s, &["blue.example.com"]);
        }),
        good("MV103", "a wildcard", |s| {
            cloud_map(s);
            named(s, &["*.apps.local"]);
        }),
        good("MV103", "under DNS", |s| named(s, &["internal.example.com"])),
    ]
}

fn san_lists() -> Vec<Case> {
    const LIST: &str = "/spec/backendDefaults/clientPolicy/tls/validation/subjectAlternativeNames";
    vec![
        warns(
            "MV106",
            "a pattern in a client policy",
            |s| {
                s.client();
                s.set(LIST, json!({"match": {"exact": ["blue.apps.local", "*.apps.local"]}}));
            },
            "spec.backendDefaults.clientPolicy.tls.validation.subjectAlternativeNames.match.exact[1]",
            &["*.apps.local"],
        ),
        warns(
            "MV106",
            "a pattern in a listener",
            |s| {
                let names = json!({"match": {"exact": ["spiffe://apps.local/*"]}});
                let trust = json!({"file": {"certificateChain": "/certs/ca.crt"}});
                s.set("/spec/listeners/0/tls/validation", json!({"trust": trust, "subjectAlternativeNames": names}));
            },
            "spec.listeners[0].tls.validation.subjectAlternativeNames.match.exact[0]",
            &["spiffe://apps.local/* is a pattern", "exact names"],
        ),
        good("MV106", "exact names and URIs", |s| {
            s.client();
            s.set(LIST, json!({"match": {"exact": ["blue.apps.local", "spiffe://apps.local/blue"]}}));
        }),
    ]
}
