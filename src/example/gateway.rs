//! Gateways to try meshvet on: `examples/gateway`, built in likewise.

use serde_json::{Value, json};

use crate::example::Expected;
use crate::example::mint::{Authority, Minted};
use crate::finding::Rule;
use crate::finding::catalogue::{
    CERTIFICATE_EXPIRED, FILE_MISSING, KEY_MISMATCH, LISTENER_WITHOUT_TLS, REFERENCE_UNUSABLE,
    SECRET_BREAKS_NEIGHBOURS, UNCOVERED_HOSTNAME,
};

/// The manifests, each with its path in the repository.
static FILES: [(&str, &str); 5] = [
    ("examples/gateway/edge.yaml", include_str!("../../examples/gateway/edge.yaml")),
    ("examples/gateway/shop.yaml", include_str!("../../examples/gateway/shop.yaml")),
    ("examples/gateway/broken.yaml", include_str!("../../examples/gateway/broken.yaml")),
    ("examples/gateway/api.yaml", include_str!("../../examples/gateway/api.yaml")),
    ("examples/gateway/news.yaml", include_str!("../../examples/gateway/news.yaml")),
];

/// What should become of an object, by its kind and name. Whatever isn't here is created, and nothing said.
static EXPECTED: [(&str, &str, Expected); 7] = [
    ("Gateway", "checkout", Expected::Refused(KEY_MISMATCH)),
    ("Gateway", "orders", Expected::Refused(CERTIFICATE_EXPIRED)),
    ("Gateway", "media", Expected::Refused(LISTENER_WITHOUT_TLS)),
    ("Gateway", "search", Expected::Refused(REFERENCE_UNUSABLE)),
    ("HTTPRoute", "api", Expected::Warned(UNCOVERED_HOSTNAME)),
    ("Gateway", "news", Expected::Warned(FILE_MISSING)),
    ("Secret", "news-tls", Expected::Refused(SECRET_BREAKS_NEIGHBOURS)),
];

/// What the watcher should report in the end: the Gateway, and the rule.
static WATCHED: [(&str, &Rule); 2] = [("api", UNCOVERED_HOSTNAME), ("news", FILE_MISSING)];

/// The manifests in the order in which they are applied, with the Secrets that come first and those that come last.
pub(crate) fn in_order<'t>(first: &'t str, last: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let (edge, others) = FILES.split_at(1);
    let minted = |text| ("certificates minted just now", text);
    edge.iter().copied().chain([minted(first)]).chain(others.iter().copied()).chain([minted(last)])
}

/// What should become of an object.
pub(crate) fn expected(kind: &str, name: &str) -> Expected {
    let found = EXPECTED.iter().find(|(of_kind, called, _)| *of_kind == kind && *called == name);
    found.map_or(Expected::Created, |(_, _, expected)| *expected)
}

/// Whether the watcher should report this.
pub(crate) fn is_watched(name: &str, rule: &Rule) -> bool {
    WATCHED.iter().any(|(called, watched)| *called == name && watched.code == rule.code)
}

/// The Secrets that the listeners name, each set as one manifest in JSON: those that come first, and the one that comes last.
///
/// # Errors
/// When no certificate can be minted, as without a source of randomness.
pub(crate) fn secrets() -> Result<[String; 2], rcgen::Error> {
    let authority = Authority::new("Example edge root")?;
    let leaf = |name: &str| authority.leaf(&format!("{name}.example.com"));
    let old_checkout = leaf("checkout").mint()?;
    let checkout = Minted { key: old_checkout.key, ..leaf("checkout").mint()? };
    let first = [
        secret("shop", TLS, &leaf("shop").mint()?),
        secret("checkout", TLS, &checkout),
        secret("orders", TLS, &leaf("orders").valid(-91, -1).mint()?),
        secret("search", "Opaque", &leaf("search").mint()?),
        secret("api", TLS, &leaf("*").mint()?),
        secret("archive", TLS, &leaf("archive").mint()?),
    ];
    let last = [secret("news", TLS, &leaf("news").nameless().mint()?)];
    let list = |secrets: &[Value]| json!({"apiVersion": "v1", "kind": "List", "items": secrets}).to_string();
    Ok([list(&first), list(&last)])
}

/// The type of Secrets that hold a certificate and its key.
const TLS: &str = "kubernetes.io/tls";

fn secret(service: &str, of_type: &str, minted: &Minted) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": "edge", "name": format!("{service}-tls")},
        "type": of_type,
        "stringData": {"tls.crt": minted.chain, "tls.key": minted.key},
    })
}
