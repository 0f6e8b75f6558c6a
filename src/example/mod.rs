//! A small mesh to try meshvet on: `examples/mesh`, built into the program, with certificates minted when they are asked for.

pub(crate) mod gateway;
mod mint;

use serde_json::{Value, json};

use crate::finding::Rule;
use crate::finding::catalogue::{CERTIFICATE_EXPIRED, COMMON_NAME_ONLY, FILE_MISSING, HOSTNAME_MISMATCH, KEY_MISMATCH};
use mint::{Authority, Minted};

/// The manifests, each with its path in the repository.
pub(crate) static FILES: [(&str, &str); 10] = [
    ("examples/mesh/mesh.yaml", include_str!("../../examples/mesh/mesh.yaml")),
    ("examples/mesh/catalog.yaml", include_str!("../../examples/mesh/catalog.yaml")),
    ("examples/mesh/front.yaml", include_str!("../../examples/mesh/front.yaml")),
    ("examples/mesh/ingress.yaml", include_str!("../../examples/mesh/ingress.yaml")),
    ("examples/mesh/cart.yaml", include_str!("../../examples/mesh/cart.yaml")),
    ("examples/mesh/payment.yaml", include_str!("../../examples/mesh/payment.yaml")),
    ("examples/mesh/orders.yaml", include_str!("../../examples/mesh/orders.yaml")),
    ("examples/mesh/search.yaml", include_str!("../../examples/mesh/search.yaml")),
    ("examples/mesh/reviews.yaml", include_str!("../../examples/mesh/reviews.yaml")),
    ("examples/mesh/shipping.yaml", include_str!("../../examples/mesh/shipping.yaml")),
];

/// The manifests in the order in which they are applied, the Secrets among them.
pub(crate) fn in_order<'t>(secrets: (&'t str, &'t str)) -> impl Iterator<Item = (&'t str, &'t str)> {
    let (mesh, nodes) = FILES.split_at(1);
    mesh.iter().copied().chain([secrets]).chain(nodes.iter().copied())
}

/// What should become of a node of the example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Created, and nothing said.
    Created,
    /// Created, with a warning of this rule.
    Warned(&'static Rule),
    /// Refused by this rule.
    Refused(&'static Rule),
    /// Created before its pods; what this rule finds is a warning when they come.
    Late(&'static Rule),
}

/// What should become of each node and gateway of the example, by name.
pub(crate) static EXPECTED: [(&str, Expected); 9] = [
    ("catalog", Expected::Created),
    ("front", Expected::Created),
    ("ingress", Expected::Created),
    ("cart", Expected::Refused(HOSTNAME_MISMATCH)),
    ("payment", Expected::Refused(KEY_MISMATCH)),
    ("orders", Expected::Refused(CERTIFICATE_EXPIRED)),
    ("search", Expected::Refused(FILE_MISSING)),
    ("reviews", Expected::Warned(COMMON_NAME_ONLY)),
    ("shipping", Expected::Late(HOSTNAME_MISMATCH)),
];

/// The Secrets that the example's nodes mount, as one manifest in JSON.
///
/// # Errors
/// When no certificate can be minted, as without a source of randomness.
pub(crate) fn secrets() -> Result<String, rcgen::Error> {
    let authority = Authority::new("Example mesh root")?;
    let leaf = |service: &str| authority.leaf(&host(service));
    let old_payment = leaf("payment").mint()?;
    let payment = Minted { key: old_payment.key, ..leaf("payment").mint()? };
    let secrets = [
        tls("catalog", &leaf("catalog").mint()?),
        secret("front", &[("ca.crt", &authority.pem())]),
        tls("ingress", &leaf("ingress").mint()?),
        tls("cart", &leaf("basket").mint()?),
        tls("payment", &payment),
        tls("orders", &leaf("orders").valid(-91, -1).mint()?),
        hand_made("search", &leaf("search").mint()?),
        tls("shipping", &leaf("delivery").mint()?),
        tls("reviews", &leaf("reviews").common_name_only().mint()?),
    ];
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": secrets}).to_string())
}

fn host(service: &str) -> String {
    format!("{service}.shop.svc.cluster.local")
}

fn tls(service: &str, minted: &Minted) -> Value {
    secret(service, &[("tls.crt", &minted.chain), ("tls.key", &minted.key)])
}

fn hand_made(service: &str, minted: &Minted) -> Value {
    secret(service, &[("tls.crt", &minted.chain), ("server.key", &minted.key)])
}

fn secret(service: &str, data: &[(&str, &str)]) -> Value {
    let data: serde_json::Map<String, Value> =
        data.iter().map(|(key, text)| ((*key).to_owned(), Value::from(*text))).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": "shop", "name": format!("{service}-tls")},
        "stringData": data,
    })
}
