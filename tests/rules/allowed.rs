//! MV302: who may have issued a certificate.

use std::sync::LazyLock;

use meshvet::pki::FileFacts;
use serde_json::{Value, json};

use crate::cases::{Case, denies, good};
use crate::pairs::front;
use crate::scene::{AUTHORITY, OTHER, Scene};
use crate::support::mint::Authority;

const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";
/// Another authority of the sound world's name.
static LOOKALIKE: LazyLock<Authority> = LazyLock::new(|| Authority::new("scene root"));

/// The SHA-256 digest of an authority's public key, in hexadecimal.
fn pin(authority: &Authority) -> String {
    let facts = FileFacts::parse(authority.pem().as_bytes());
    let bundle = facts.bundle.expect("a certificate");
    bundle.certificates[0].spki_sha256.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn certificate(authority: &Authority) -> Value {
    json!({"certificate": authority.pem()})
}

/// Allows these alone. JSON is YAML too.
fn allow(scene: &mut Scene, allowed: &[Value]) {
    scene.policy = json!({"issuers": {"allowed": allowed}}).to_string();
}

fn issue(scene: &mut Scene, authority: &Authority) {
    let issued = authority.leaf(&["blue.apps.local"]).issue();
    scene.key("tls.crt", &issued.certificate);
    scene.key("tls.key", &issued.key);
}

pub(crate) fn cases() -> Vec<Case> {
    [refused(), accepted()].into_iter().flatten().collect()
}

fn refused() -> Vec<Case> {
    vec![
        denies(
            "MV302",
            "another authority",
            |s| allow(s, &[certificate(&OTHER), json!({"spkiSha256": pin(&OTHER)})]),
            CHAIN,
            &["CN=scene root", "CN=other root", "not among those that the policy allows"],
        ),
        denies(
            "MV302",
            "another authority of the same name",
            |s| {
                issue(s, &LOOKALIKE);
                allow(s, &[certificate(&AUTHORITY)]);
            },
            CHAIN,
            &["names CN=scene root as its issuer", "whose own certificate isn't known"],
        ),
        denies(
            "MV302",
            "another authority of the same name, which the chain file brings along",
            |s| {
                s.certificate(&LOOKALIKE.leaf(&["blue.apps.local"]).issue());
                allow(s, &[json!({"subject": "CN=scene root"})]);
            },
            CHAIN,
            &["no signature proves that it is the allowed one", "CN=scene root (key "],
        ),
        denies(
            "MV302",
            "another authority of the same name, while a client trusts the right one",
            |s| {
                issue(s, &LOOKALIKE);
                front(s, |_| {});
                allow(s, &[json!({"subject": "CN=scene root"})]);
            },
            CHAIN,
            &["no signature proves that it is the allowed one"],
        ),
        denies(
            "MV302",
            "in the namespaces of a scope",
            |s| {
                let scope = json!({
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}},
                    "issuers": {"allowed": [certificate(&OTHER)]},
                });
                s.policy = json!({"issuers": {"allowed": [certificate(&AUTHORITY)]}, "scopes": [scope]}).to_string();
            },
            CHAIN,
            &["is not among those that the policy allows"],
        ),
        denies(
            "MV302",
            "a client's certificate",
            |s| {
                s.client();
                let issued = OTHER.leaf(&["blue.apps.local"]).issue();
                s.key("client.crt", &issued.chain);
                s.key("client.key", &issued.key);
                allow(s, &[certificate(&AUTHORITY)]);
            },
            "spec.backendDefaults.clientPolicy.tls.certificate.file.certificateChain",
            &["CN=other root"],
        ),
    ]
}

fn accepted() -> Vec<Case> {
    vec![
        good("MV302", "by its certificate, which the chain file lacks", |s| {
            issue(s, &AUTHORITY);
            allow(s, &[certificate(&OTHER), certificate(&AUTHORITY)]);
        }),
        good("MV302", "by its key", |s| allow(s, &[json!({"spkiSha256": pin(&AUTHORITY)})])),
        good("MV302", "by the root's key, over an intermediate of the chain file", |s| {
            let below = AUTHORITY.intermediate("scene intermediate", -1, 300);
            let issued = below.leaf(&["blue.apps.local"]).issue();
            s.key("tls.crt", &format!("{}{}{}", issued.certificate, below.pem(), AUTHORITY.pem()));
            s.key("tls.key", &issued.key);
            allow(s, &[json!({"spkiSha256": pin(&AUTHORITY)})]);
        }),
        good("MV302", "by the intermediate's certificate alone", |s| {
            let below = AUTHORITY.intermediate("scene intermediate", -1, 300);
            issue(s, &below);
            allow(s, &[certificate(&below)]);
        }),
        good("MV302", "by its subject, where a client trusts it", |s| {
            issue(s, &AUTHORITY);
            front(s, |_| {});
            allow(s, &[json!({"subject": "cn = Scene Root"})]);
        }),
        good("MV302", "by a scope for other namespaces", |s| {
            let scope = json!({
                "namespaceSelector": {"matchLabels": {"env": "prod"}},
                "issuers": {"allowed": [certificate(&OTHER)]},
            });
            s.policy = json!({"scopes": [scope]}).to_string();
        }),
        good("MV302", "no list", |s| issue(s, &LOOKALIKE)),
    ]
}
