//! Listeners with several certificates.

use serde_json::json;

use crate::case::{Case, grant, route, web};
use crate::cases::BESIDE;
use crate::secrets::{self, Pair};
use crate::support::mint::Key;

/// The listener web with the Secrets a and b.
fn of(name: &str, a: Option<&Pair>, b: Option<&Pair>) -> Case {
    let secret = |name: &str, pair: Option<&Pair>| Some(secrets::secret("shop", name, "kubernetes.io/tls", pair?));
    Case::of(name, &[web(json!([{"name": "a"}, {"name": "b"}]))])
        .with(route("HTTPRoute", &["a.example.com"]))
        .and(secret("a", a))
        .and(secret("b", b))
        .ask("a.example.com")
}

pub(crate) fn cases() -> Vec<Case> {
    [beside(), of_one_domain(), more()].into_iter().flatten().collect()
}

const TOGETHER: &str = "Envoy Gateway doesn't look for it, and its Envoy refuses both at the next start, unless it gets the sound one first";

/// A certificate that can't be used, beside one that can.
fn beside() -> Vec<Case> {
    let (own, other) = (secrets::named("a.example.com"), secrets::named("b.example.com"));
    let good = Some(&own);
    let cut = Pair { chain: secrets::corrupt(&other.certificate), ..other.clone() };
    let keyless = Pair { key: String::new(), ..other.clone() };
    vec![
        of("two-certificates", good, Some(&other)),
        of("sound-and-absent", good, None),
        of("absent-and-sound", None, good),
        of("sound-and-mismatched", good, Some(&secrets::mismatched())),
        of("sound-and-ended", good, Some(&secrets::dated(-30, -1))),
        of("ended-and-sound", Some(&secrets::dated(-30, -1)), good),
        of("sound-and-corrupt", good, Some(&cut)),
        of("sound-and-keyless", good, Some(&keyless)),
        of("sound-and-encrypted", good, Some(&secrets::encrypted())),
        of("sound-and-rsa-1024", good, Some(&secrets::of_key("RSA", "rsa_keygen_bits:1024")))
            .stricter(TOGETHER)
            .unasked(),
        of("sound-and-nameless", good, Some(&secrets::nameless())).stricter(TOGETHER).unasked(),
        of("sound-and-p-224", good, Some(&secrets::of_key("EC", "ec_paramgen_curve:P-224")))
            .stricter(TOGETHER)
            .unasked(),
        of("both-absent", None, None).softer(crate::cases::FOLLOWS),
        of("both-ended", Some(&secrets::dated(-30, -1)), Some(&secrets::dated(-30, -2))).softer(BESIDE),
        of("ended-and-absent", Some(&secrets::dated(-30, -1)), None).softer(BESIDE),
        of("both-mismatched", Some(&secrets::mismatched()), Some(&secrets::mismatched_kind())).softer(BESIDE),
    ]
}

fn of_one_domain() -> Vec<Case> {
    let ec = secrets::sound();
    let rsa = secrets::keyed(Key::Rsa(2048));
    let overlapping = secrets::many_named(&["a.example.com", "b.example.com"]);
    vec![
        of("one-domain-two-algorithms", Some(&ec), Some(&rsa)),
        of("one-domain-one-algorithm", Some(&ec), Some(&secrets::named("*.example.com"))),
        of("one-domain-curves", Some(&ec), Some(&secrets::keyed(Key::P384))),
        of("overlapping-names", Some(&secrets::named("a.example.com")), Some(&overlapping)),
        of("star-and-name-certificates", Some(&ec), Some(&secrets::named("a.example.com"))),
        of(
            "one-name-twice-in-one",
            Some(&secrets::many_named(&["a.example.com", "a.example.com"])),
            Some(&secrets::named("b.example.com")),
        ),
        of("neither-covers", Some(&secrets::named("c.example.org")), Some(&secrets::named("d.example.org")))
            .uncovered(),
        of("the-second-covers", Some(&secrets::named("c.example.org")), Some(&secrets::named("a.example.com"))),
    ]
}

fn more() -> Vec<Case> {
    let pair = secrets::sound();
    let tls = |namespace: &str, name: &str| secrets::secret(namespace, name, "kubernetes.io/tls", &pair);
    let of = |name: &str, refs| {
        Case::of(name, &[web(refs)]).with(route("HTTPRoute", &["a.example.com"])).ask("a.example.com")
    };
    let org = secrets::secret("shop", "c", "kubernetes.io/tls", &secrets::named("c.example.org"));
    vec![
        of("one-secret-twice", json!([{"name": "web"}, {"name": "web"}])).pair(&pair),
        of("config-map-and-secret", json!([{"name": "x", "kind": "ConfigMap"}, {"name": "web"}])).pair(&pair),
        of("opaque-and-sound", json!([{"name": "x"}, {"name": "web"}]))
            .with(secrets::secret("shop", "x", "Opaque", &secrets::named("x.example.com")))
            .pair(&pair),
        of("sound-and-not-granted", json!([{"name": "web"}, {"name": "web", "namespace": "certs"}]))
            .pair(&pair)
            .with(tls("certs", "web")),
        of("sound-and-granted", json!([{"name": "c"}, {"name": "web", "namespace": "certs"}]))
            .with(org.clone())
            .with(tls("certs", "web"))
            .with(grant("Gateway")),
        of("three-certificates", json!([{"name": "web"}, {"name": "c"}, {"name": "d"}]))
            .pair(&pair)
            .with(org)
            .with(secrets::secret("shop", "d", "kubernetes.io/tls", &secrets::named("d.example.org"))),
    ]
}
