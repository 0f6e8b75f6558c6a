//! Two nodes that talk to each other: what would part them is refused, and App Mesh's own ways to change both pass step by step.

use serde_json::{Value, json};

use crate::sandbox::eventually;
use crate::support::manifests::{self, calling_node, client_policy, file_certificate, list, secret, virtual_node};
use crate::support::mint::{Authority, Issued};
use crate::world::World;

tests![
    a_server_that_a_client_cant_trust_is_refused_until_the_clients_bundle_has_its_authority,
    a_ca_is_rotated_with_both_roots_in_the_bundle,
    a_plaintext_server_is_refused_where_a_client_enforces_tls,
    plaintext_becomes_tls_step_by_step,
    tls_becomes_mutual_step_by_step,
    one_release_that_changes_both_ends_is_warned,
    two_releases_that_change_both_ends_are_refused,
];

/// Nodes `front` and `blue` of one namespace, of which `front` calls `blue`, with all that they mount.
struct Shop {
    world: World,
    namespace: &'static str,
    root: Authority,
}

impl Shop {
    /// With the service, the workloads and the Secrets, all of one authority; without the nodes.
    fn new(namespace: &'static str) -> Self {
        let shop = Self { world: World::new(namespace), namespace, root: Authority::new("Shop root") };
        let issued = shop.root.leaf(&[&shop.world.hostname("blue")]).issue();
        shop.world.has([
            manifests::virtual_service(namespace, "blue", "blue"),
            manifests::deployment(namespace, "blue", "blue-tls:/certs"),
            manifests::deployment(namespace, "front", "front-tls:/certs"),
            shop.servers_secret(&issued, &shop.root.pem()),
            shop.clients_secret(&shop.root.pem()),
        ]);
        shop
    }

    fn servers_secret(&self, issued: &Issued, bundle: &str) -> Value {
        let data = [("tls.crt", issued.certificate.as_str()), ("tls.key", &issued.key), ("ca.crt", bundle)];
        secret(self.namespace, "blue-tls", &data)
    }

    fn clients_secret(&self, bundle: &str) -> Value {
        let issued = self.root.leaf(&["front.shop.local"]).issue();
        let data = [("tls.crt", issued.certificate.as_str()), ("tls.key", &issued.key), ("ca.crt", bundle)];
        secret(self.namespace, "front-tls", &data)
    }

    /// `blue`, whose listener speaks TLS in this mode, or plaintext.
    fn server(&self, mode: Option<&str>) -> Value {
        let mut node = virtual_node(self.namespace, "blue", &self.world.hostname("blue"));
        let listener = &mut node["spec"]["listeners"][0];
        match mode {
            Some(mode) => listener["tls"]["mode"] = mode.into(),
            None => drop(listener.as_object_mut().expect("a listener").remove("tls")),
        }
        node
    }

    /// `blue`, STRICT, which demands certificates of its clients.
    fn validating_server(&self) -> Value {
        let mut node = self.server(Some("STRICT"));
        node["spec"]["listeners"][0]["tls"]["validation"] =
            json!({"trust": {"file": {"certificateChain": "/certs/ca.crt"}}});
        node
    }

    /// `front`, which speaks to `blue` as this policy says.
    fn client(&self, policy: Value) -> Value {
        calling_node(self.namespace, "front", "blue", policy)
    }

    /// Applies what has to pass without a word, however short ago the other end was applied.
    #[track_caller]
    fn step(&self, node: &Value) {
        self.world.apply(node).succeeds_silently();
    }

    /// The same for the first step of a node, once meshvet has heard of its workload and Secret.
    #[track_caller]
    fn first_step(&self, node: &Value) {
        self.world.knows(node);
        self.step(node);
    }

    /// Waits until meshvet says this of a node.
    #[track_caller]
    fn hears(&self, node: &Value, code: &str) {
        eventually("meshvet has heard of it", || {
            let outcome = self.world.kubectl.apply(node, &["--dry-run=server"]);
            if outcome.speaks_of(code) { Ok(()) } else { Err(outcome.to_string()) }
        });
    }
}

fn a_server_that_a_client_cant_trust_is_refused_until_the_clients_bundle_has_its_authority() {
    let shop = Shop::new("bundle");
    shop.first_step(&shop.client(client_policy()));
    let other = Authority::new("Another root");
    let issued = other.leaf(&[&shop.world.hostname("blue")]).issue();
    shop.world.has([shop.servers_secret(&issued, "")]);
    let server = shop.server(Some("STRICT"));
    let both = format!("{}{}", shop.root.pem(), other.pem());
    // Several times over: the answer must not depend on who is faster, the watch or the user.
    for _ in 0..3 {
        shop.hears(&server, "MV301");
        shop.world.apply(&server).refused(&[
            "MV301 issuer-untrusted",
            "spec.listeners[0].tls.certificate.file.certificateChain",
            "front → blue",
            "CN=Another root",
            "CN=Shop root",
            "key ca.crt of Secret bundle/front-tls",
            "CERTIFICATE_VERIFY_FAILED",
        ]);
        shop.world.has([shop.clients_secret(&both)]);
        shop.world.apply(&server).succeeds_silently();
        shop.world.kubectl.run(&["-n", "bundle", "delete", "virtualnode", "blue"], "").succeeds_silently();
        shop.world.has([shop.clients_secret(&shop.root.pem())]);
    }
}

/// The node with a harmless edit of its spec: what changes no spec is not judged.
fn edited(mut node: Value, count: u32) -> Value {
    node["spec"]["logging"] = json!({"accessLog": {"file": {"path": format!("/dev/stdout-{count}")}}});
    node
}

fn a_ca_is_rotated_with_both_roots_in_the_bundle() {
    let shop = Shop::new("rotation");
    let (server, client) = (shop.server(Some("STRICT")), shop.client(client_policy()));
    let mut count = 0;
    let mut both_pass = || {
        count += 1;
        shop.step(&edited(server.clone(), count));
        shop.step(&edited(client.clone(), count));
    };
    shop.world.knows(&server);
    shop.world.knows(&client);
    both_pass();
    let new = Authority::new("New root");
    let issued = new.leaf(&[&shop.world.hostname("blue")]).issue();

    shop.world.has([shop.clients_secret(&format!("{}{}", shop.root.pem(), new.pem()))]);
    both_pass();
    shop.world.has([shop.servers_secret(&issued, "")]);
    both_pass();
    shop.world.has([shop.clients_secret(&new.pem())]);
    both_pass();
    // Without the bundle of both: told at either end, and no edit is refused for what it didn't do.
    shop.world.has([shop.clients_secret(&shop.root.pem())]);
    shop.hears(&edited(server.clone(), 90), "MV301");
    shop.world.apply(&edited(server, 91)).warns(&["MV301", "(as before)", "front → blue"]);
    shop.world.apply(&edited(client, 91)).warns(&["MV301", "(as before)", "front → blue"]);
}

fn a_plaintext_server_is_refused_where_a_client_enforces_tls() {
    let shop = Shop::new("plaintext");
    shop.first_step(&shop.client(client_policy()));
    let plaintext = shop.server(None);
    shop.hears(&plaintext, "MV305");
    shop.world.apply(&plaintext).refused(&[
        "MV305 plaintext-server",
        "spec.listeners[0]",
        "front → blue",
        "WRONG_VERSION_NUMBER",
    ]);
    shop.step(&shop.server(Some("STRICT")));
    // Nor may it go back to plaintext.
    shop.world.apply(&plaintext).refused(&["MV305 plaintext-server", "front → blue"]);
}

fn plaintext_becomes_tls_step_by_step() {
    let shop = Shop::new("to-tls");
    shop.first_step(&shop.client(json!({})));
    shop.first_step(&shop.server(None));
    // The client first is the wrong way round.
    shop.hears(&shop.client(client_policy()), "MV305");
    let in_this_order = "in this order: the listener PERMISSIVE, then the client policies, then STRICT";
    shop.world.apply(&shop.client(client_policy())).refused(&["MV305", "front → blue", in_this_order]);

    shop.step(&shop.server(Some("PERMISSIVE")));
    shop.step(&shop.client(client_policy()));
    shop.step(&shop.server(Some("STRICT")));
}

fn tls_becomes_mutual_step_by_step() {
    let shop = Shop::new("to-mutual");
    shop.first_step(&shop.server(Some("STRICT")));
    shop.first_step(&shop.client(client_policy()));
    // The listener first is the wrong way round.
    shop.hears(&shop.validating_server(), "MV304");
    shop.world.apply(&shop.validating_server()).refused(&["MV304", "front → blue", "spec.listeners[0].tls.validation"]);

    let mut policy = client_policy();
    policy["tls"]["certificate"] = file_certificate("tls.crt", "tls.key");
    shop.step(&shop.client(policy));
    shop.step(&shop.validating_server());
}

/// The same object as part of a Helm release of the namespace.
fn released(mut node: Value, release: &str) -> Value {
    let namespace = node["metadata"]["namespace"].clone();
    node["metadata"]["labels"] = json!({"app.kubernetes.io/managed-by": "Helm"});
    node["metadata"]["annotations"] =
        json!({"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace});
    node
}

fn one_release_that_changes_both_ends_is_warned() {
    let shop = Shop::new("one-release");
    shop.first_step(&released(shop.client(json!({})), "shop"));
    shop.first_step(&released(shop.server(None), "shop"));
    let (client, server) =
        (released(shop.client(client_policy()), "shop"), released(shop.server(Some("STRICT")), "shop"));
    shop.hears(&client, "MV305");
    // Helm applies one after the other, and would never come to the second if the first were refused.
    let outcome = shop.world.apply(&list([client, server])).warns(&["MV305", "front → blue"]);
    assert_eq!(outcome.warnings().count(), 1, "{outcome}");
    for node in ["front", "blue"] {
        assert!(outcome.stdout.contains(&format!("{node} configured")), "{outcome}");
    }
}

fn two_releases_that_change_both_ends_are_refused() {
    let shop = Shop::new("two-releases");
    shop.first_step(&released(shop.client(json!({})), "front"));
    shop.first_step(&released(shop.server(None), "blue"));
    let client = released(shop.client(client_policy()), "front");
    shop.hears(&client, "MV305");
    shop.world.apply(&client).refused(&["MV305 plaintext-server", "front → blue"]);
}
