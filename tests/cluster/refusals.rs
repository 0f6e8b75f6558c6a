//! What can't work is refused at `kubectl apply`, in words that say what to do.

use rcgen::ExtendedKeyUsagePurpose;
use serde_json::{Value, json};

use crate::support::manifests::{self, file_certificate, secret, tls_secret, virtual_node};
use crate::support::mint::{Authority, Issued, Key, openssl};
use crate::world::World;

tests![
    a_wrong_name,
    an_expired_certificate,
    a_certificate_of_the_future,
    another_certificates_key,
    a_missing_secret_key,
    an_unreadable_certificate,
    an_unreadable_key,
    an_encrypted_key,
    a_nameless_certificate,
    a_wrong_key_usage,
    a_short_rsa_key,
    a_key_that_envoy_does_not_speak,
    a_chain_that_starts_with_the_root,
    no_source_at_all,
    two_sources_at_once,
    an_empty_name_in_a_list,
    a_client_certificate_with_another_key,
    an_unreadable_trust_bundle,
    every_problem_is_told_at_once,
    the_last_of_ten_thousand_listeners,
];

const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";
const KEY: &str = "spec.listeners[0].tls.certificate.file.privateKey";

/// A node `web` whose Secret `web-tls`, mounted at /certs, has these keys; altered by `edit`; and that refuses to be created
/// with all of `says` in the message.
#[track_caller]
fn refused(namespace: &'static str, data: &[(&str, &str)], edit: impl Fn(&mut Value), says: &[&str]) {
    let world = World::new(namespace);
    let mut node = virtual_node(namespace, "web", &world.hostname("web"));
    edit(&mut node);
    world.has([secret(namespace, "web-tls", data), manifests::deployment(namespace, "web", "web-tls:/certs")]);
    world.knows(&node);
    let parts = ["expected: ", "found: ", "at run time: ", "fix: "];
    world.apply(&node).refused(says).refused(&parts);
    let left = world.kubectl.run(&["-n", namespace, "get", "virtualnodes", "-o", "name"], "");
    assert_eq!(left.succeeds().stdout, "", "nothing was created");
}

/// The same with the Secret that `issued` makes.
#[track_caller]
fn certificate_refused(namespace: &'static str, issued: &Issued, says: &[&str]) {
    let data = [("tls.crt", issued.chain.as_str()), ("tls.key", &issued.key)];
    refused(namespace, &data, |_| (), says);
}

fn authority() -> Authority {
    Authority::new("Test root")
}

fn a_wrong_name() {
    let issued = authority().leaf(&["web.elsewhere.local"]).issue();
    certificate_refused(
        "wrong-name",
        &issued,
        &[
            "MV101 hostname-mismatch",
            CHAIN,
            // Expected, and found.
            "web.wrong-name.svc.cluster.local",
            "web.elsewhere.local",
            // What the caller's proxy would log.
            "CERTIFICATE_VERIFY_FAILED",
            "issue the certificate with DNS:web.wrong-name.svc.cluster.local",
        ],
    );
}

fn an_expired_certificate() {
    let hostname = "web.expired.svc.cluster.local";
    let issued = authority().leaf(&[hostname]).valid(-90, -1).issue();
    certificate_refused(
        "expired",
        &issued,
        &["MV207 certificate-expired", CHAIN, "certificate has expired", "renew the certificate"],
    );
}

fn a_certificate_of_the_future() {
    let hostname = "web.future.svc.cluster.local";
    let issued = authority().leaf(&[hostname]).valid(2, 90).issue();
    certificate_refused(
        "future",
        &issued,
        &[
            "MV208 certificate-not-yet-valid",
            CHAIN,
            "certificate is not yet valid",
            "use a certificate that is valid now",
        ],
    );
}

fn another_certificates_key() {
    let hostname = "web.other-key.svc.cluster.local";
    let authority = authority();
    let mut issued = authority.leaf(&[hostname]).issue();
    issued.key = authority.leaf(&[hostname]).issue().key;
    certificate_refused(
        "other-key",
        &issued,
        &["MV206 key-mismatch", KEY, "KEY_VALUES_MISMATCH", "store the certificate and its own key together"],
    );
}

fn a_missing_secret_key() {
    let issued = authority().leaf(&["web.missing-key.svc.cluster.local"]).issue();
    let data = [("tls.crt", issued.chain.as_str()), ("server.key", &issued.key)];
    // The key that is there is the hint.
    refused("missing-key", &data, |_| (), &["MV202 file-missing", KEY, "/certs/tls.key", "web-tls", "server.key"]);
}

fn an_unreadable_certificate() {
    let mut issued = authority().leaf(&["web.unreadable.svc.cluster.local"]).issue();
    issued.chain = issued.chain.replace('\n', "\\n");
    certificate_refused("unreadable", &issued, &["MV204 certificate-unreadable", CHAIN, "/certs/tls.crt"]);
}

fn an_unreadable_key() {
    let mut issued = authority().leaf(&["web.unreadable-key.svc.cluster.local"]).issue();
    issued.key = "not a key".to_owned();
    certificate_refused("unreadable-key", &issued, &["MV205 key-unreadable", KEY, "/certs/tls.key"]);
}

fn an_encrypted_key() {
    let mut issued = authority().leaf(&["web.encrypted.svc.cluster.local"]).issue();
    issued.key = openssl(&["pkcs8", "-topk8", "-v2", "aes256", "-passout", "pass:secret"], &issued.key);
    certificate_refused("encrypted", &issued, &["MV205 key-unreadable", KEY, "encrypted"]);
}

fn a_nameless_certificate() {
    let issued = authority().leaf(&[]).issue();
    certificate_refused(
        "nameless",
        &issued,
        &[
            "MV217 nameless-certificate",
            CHAIN,
            "Invalid TLS context has neither subject CN nor SAN names",
            "issue the certificate with the node's hostname",
        ],
    );
}

fn a_wrong_key_usage() {
    let issued = authority()
        .leaf(&["web.usage.svc.cluster.local"])
        .extended_usages(&[ExtendedKeyUsagePurpose::ClientAuth])
        .issue();
    certificate_refused(
        "usage",
        &issued,
        &[
            "MV212 wrong-key-usage",
            CHAIN,
            "serverAuth",
            "unsupported certificate purpose",
            "issue the certificate with serverAuth",
        ],
    );
}

fn a_short_rsa_key() {
    let issued = authority().leaf(&["web.short.svc.cluster.local"]).key(Key::Rsa(1024)).issue();
    certificate_refused(
        "short",
        &issued,
        &["MV215 unsupported-key", CHAIN, "1024", "only RSA certificates with 2048-bit or larger keys are supported"],
    );
}

fn a_key_that_envoy_does_not_speak() {
    let issued = authority().leaf(&["web.curve.svc.cluster.local"]).key(Key::Ed25519).issue();
    certificate_refused("curve", &issued, &["MV215 unsupported-key", CHAIN, "Ed25519"]);
}

fn a_chain_that_starts_with_the_root() {
    let authority = authority();
    let mut issued = authority.leaf(&["web.disordered.svc.cluster.local"]).issue();
    issued.chain = format!("{}{}", authority.pem(), issued.certificate);
    // The root's own name and usages are nobody's problem.
    let says = ["would not work: MV211 ", "MV211 chain-disordered", CHAIN, "put the leaf before its issuers"];
    certificate_refused("disordered", &issued, &says);
}

fn no_source_at_all() {
    let issued = authority().leaf(&["web.no-source.svc.cluster.local"]).issue();
    let data = [("tls.crt", issued.chain.as_str()), ("tls.key", &issued.key)];
    let edit = |node: &mut Value| node["spec"]["listeners"][0]["tls"]["certificate"] = json!({});
    refused("no-source", &data, edit, &["MV004 not-exactly-one-source", "spec.listeners[0].tls.certificate", "file"]);
}

fn two_sources_at_once() {
    let issued = authority().leaf(&["web.two-sources.svc.cluster.local"]).issue();
    let data = [("tls.crt", issued.chain.as_str()), ("tls.key", &issued.key)];
    let edit = |node: &mut Value| {
        node["spec"]["listeners"][0]["tls"]["certificate"]["sds"] = json!({"secretName": "web"});
    };
    refused("two-sources", &data, edit, &["MV004 not-exactly-one-source", "spec.listeners[0].tls.certificate", "sds"]);
}

fn an_empty_name_in_a_list() {
    let authority = authority();
    let issued = authority.leaf(&["web.empty-name.svc.cluster.local"]).issue();
    let root = authority.pem();
    let data = [("tls.crt", issued.chain.as_str()), ("tls.key", &issued.key), ("ca.crt", &root)];
    let edit = |node: &mut Value| {
        node["spec"]["listeners"][0]["tls"]["validation"] = json!({
            "trust": {"file": {"certificateChain": "/certs/ca.crt"}},
            "subjectAlternativeNames": {"match": {"exact": ["shop.local", ""]}},
        });
    };
    refused(
        "empty-name",
        &data,
        edit,
        &["MV005 refused-by-app-mesh", "spec.listeners[0].tls.validation.subjectAlternativeNames.match.exact[1]"],
    );
}

/// Gives the node a backend, and a client policy with this certificate and a trust bundle at /certs/ca.crt.
fn client_policy(node: &mut Value, certificate: Value) {
    node["spec"]["backends"] = json!([{"virtualService": {"virtualServiceRef": {"name": "elsewhere"}}}]);
    node["spec"]["backendDefaults"]["clientPolicy"]["tls"] = json!({
        "certificate": certificate,
        "validation": {"trust": {"file": {"certificateChain": "/certs/ca.crt"}}},
    });
}

fn a_client_certificate_with_another_key() {
    let authority = authority();
    let issued = authority.leaf(&["web.client.svc.cluster.local"]).issue();
    let other = authority.leaf(&["web.client.svc.cluster.local"]).issue();
    let root = authority.pem();
    let data =
        [("tls.crt", issued.chain.as_str()), ("tls.key", &issued.key), ("other.key", &other.key), ("ca.crt", &root)];
    let edit = |node: &mut Value| client_policy(node, file_certificate("tls.crt", "other.key"));
    refused(
        "client",
        &data,
        edit,
        &["MV206 key-mismatch", "spec.backendDefaults.clientPolicy.tls.certificate.file.privateKey"],
    );
}

fn an_unreadable_trust_bundle() {
    let issued = authority().leaf(&["web.trust.svc.cluster.local"]).issue();
    let data = [("tls.crt", issued.chain.as_str()), ("tls.key", &issued.key), ("ca.crt", "# to be filled in\n")];
    let edit = |node: &mut Value| client_policy(node, file_certificate("tls.crt", "tls.key"));
    refused(
        "trust",
        &data,
        edit,
        &["MV303 trust-unreadable", "spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain"],
    );
}

fn every_problem_is_told_at_once() {
    let authority = authority();
    let mut issued = authority.leaf(&["web.elsewhere.local"]).valid(-90, -1).issue();
    issued.key = authority.leaf(&["web.elsewhere.local"]).issue().key;
    let world = World::new("at-once");
    world.has([tls_secret("at-once", "web-tls", &issued), manifests::deployment("at-once", "web", "web-tls:/certs")]);
    let node = virtual_node("at-once", "web", &world.hostname("web"));
    world.knows(&node);
    world.apply(&node).refused(&["MV101", "MV206", "MV207"]);
}

/// Neither the webhook's conditions nor meshvet give up on an object as large as etcd takes.
fn the_last_of_ten_thousand_listeners() {
    let world = World::new("many");
    let mut node = virtual_node("many", "web", &world.hostname("web"));
    let plain = |port: u16| json!({"portMapping": {"port": port, "protocol": "http"}});
    let mut listeners: Vec<Value> = (10_000..19_999).map(plain).collect();
    let mut last = plain(8443);
    last["tls"] = json!({"mode": "STRICT", "certificate": {}});
    listeners.push(last);
    node["spec"]["listeners"] = listeners.into();
    // Not by apply, which would keep a copy of the manifest in an annotation, for which it is too long.
    let outcome = world.kubectl.create(&node, &[]);
    outcome.refused(&["MV004 not-exactly-one-source", "spec.listeners[9999].tls.certificate"]);
}
