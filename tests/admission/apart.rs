//! A call between namespaces: each side learns of the other what the handshake would show, and not where it is kept.

use serde_json::Value;

use crate::bed::{Bed, create};
use crate::support::manifests::{
    calling_node, client_policy, deployment, namespace, secret, tls_secret, virtual_node, virtual_service,
};
use crate::support::mint::Authority;

/// Node `bank/vault`, which `shop/front` calls and doesn't trust. Returns the two nodes, with all that they rest on.
fn world() -> (Bed, [Value; 2]) {
    let host = "vault.bank.svc.cluster.local";
    let issued = Authority::new("Bank root").leaf(&[host]).issue();
    let mut front = calling_node("shop", "front", "vault", client_policy());
    front["spec"]["backends"][0]["virtualService"]["virtualServiceRef"]["namespace"] = "bank".into();
    let vault = virtual_node("bank", "vault", host);
    let bed = Bed::of([
        namespace("shop"),
        namespace("bank"),
        tls_secret("bank", "money-tls", &issued),
        deployment("bank", "vault", "money-tls:/certs"),
        virtual_service("bank", "vault", "vault"),
        secret("shop", "trust-of-shop", &[("ca.crt", &Authority::new("Shop root").pem())]),
        deployment("shop", "front", "trust-of-shop:/certs"),
        vault.clone(),
        front.clone(),
    ]);
    (bed, [front, vault])
}

#[tokio::test]
async fn whoever_calls_another_namespace_is_not_told_which_secret_is_read_there() {
    let (bed, [front, vault]) = world();
    for (node, other, secrets) in [
        (front, "the certificate of VirtualNode bank/vault", "money-tls"),
        (vault, "what VirtualNode shop/front trusts", "trust-of-shop"),
    ] {
        let response = bed.ask(&create(node)).await;
        let told = response.0.to_string();
        assert!(told.contains("MV301") && told.contains(other), "{told}");
        assert!(told.contains("Bank root") && told.contains("Shop root"), "what the handshake shows is told: {told}");
        assert!(!told.contains(secrets), "{told}");
    }
}
