//! The fields of listeners, and the types of their Secrets.

use serde_json::{Value, json};

use crate::case::{Case, WEB, changed, https, route, route_to};
use crate::cases::FOLLOWS;
use crate::secrets;

fn of(name: &str, listener: Value) -> Case {
    Case::of(name, &[listener]).with(route("HTTPRoute", &["a.example.com"])).ask("a.example.com")
}

fn own() -> Value {
    https("web", "*.example.com")
}

pub(crate) fn cases() -> Vec<Case> {
    [secrets(), shapes(), through(), several()].into_iter().flatten().collect()
}

fn secrets() -> Vec<Case> {
    let pair = secrets::sound();
    let typed = |of_type: &str| secrets::secret("shop", "web", of_type, &pair);
    let filled = |data: &[(&str, &str)]| secrets::filled("shop", "web", "kubernetes.io/tls", data);
    let (chain, key) = (pair.chain.as_str(), pair.key.as_str());
    vec![
        of("opaque", own()).with(typed("Opaque")),
        of("of-no-type", own()).with(changed(typed("Opaque"), "/type", Value::Null)),
        of("of-another-type", own()).with(typed("example.com/tls")),
        of("absent", own()).softer(FOLLOWS),
        of("empty", own()).with(filled(&[])).softer(FOLLOWS),
        of("chain-alone", own()).with(filled(&[("tls.crt", chain)])),
        of("key-alone", own()).with(filled(&[("tls.key", key)])),
        of("other-keys", own()).with(filled(&[("cert", chain), ("key", key)])),
        of("opaque-other-keys", own()).with(secrets::filled("shop", "web", "Opaque", &[("cert", chain), ("key", key)])),
        of("with-authorities", own()).with(filled(&[
            ("tls.crt", chain),
            ("tls.key", key),
            ("ca.crt", &pair.authority),
        ])),
        of("config-map", changed(own(), "/tls/certificateRefs", json!([{"name": "web", "kind": "ConfigMap"}])))
            .pair(&pair),
        of(
            "of-another-group",
            changed(own(), "/tls/certificateRefs", json!([{"name": "web", "group": "example.com"}])),
        )
        .pair(&pair),
        of(
            "group-and-kind-said",
            changed(own(), "/tls/certificateRefs", json!([{"name": "web", "group": "", "kind": "Secret"}])),
        )
        .pair(&pair),
        of("own-namespace-said", changed(own(), "/tls/certificateRefs", json!([{"name": "web", "namespace": "shop"}])))
            .pair(&pair),
    ]
}

fn shapes() -> Vec<Case> {
    let pair = secrets::sound();
    let tls = |tls: Value| changed(own(), "/tls", tls);
    vec![
        of("without-tls", tls(Value::Null)),
        of("options-alone", tls(json!({"options": {"example.com/a": "b"}}))),
        of(
            "options-and-certificate",
            tls(json!({"options": {"example.com/a": "b"}, "certificateRefs": [{"name": "web"}]})),
        )
        .pair(&pair),
        of("no-references", tls(json!({"certificateRefs": []}))).unread(),
        of("mode-said", tls(json!({"mode": "Terminate", "certificateRefs": [{"name": "web"}]}))).pair(&pair),
        of("without-hostname", changed(own(), "/hostname", Value::Null)).pair(&pair),
        Case::of("of-another-port", &[changed(own(), "/port", json!(9443))])
            .with(route("HTTPRoute", &["a.example.com"]))
            .pair(&pair)
            .ask_of(9443, Some("a.example.com"), &[WEB])
            .ask_of(443, Some("a.example.com"), &[]),
        Case::of("plain-http", &[json!({"name": "web", "port": 80, "protocol": "HTTP"})])
            .with(route("HTTPRoute", &["a.example.com"])),
        Case::of(
            "plain-http-with-tls",
            &[json!({"name": "web", "port": 80, "protocol": "HTTP", "tls": {"certificateRefs": [{"name": "web"}]}})],
        )
        .pair(&pair)
        .unread(),
        Case::of("grpc-route", &[own()]).pair(&pair).with(route("GRPCRoute", &["a.example.com"])).ask("a.example.com"),
        Case::of("no-route", &[own()]).pair(&secrets::named("else.example.org")).uncovered().ask_of(
            443,
            Some("a.example.com"),
            &[],
        ),
    ]
}

fn through() -> Vec<Case> {
    let pair = secrets::sound();
    let tls = |mode: &str, refs: Value| {
        let tls = changed(json!({"mode": mode}), "/certificateRefs", refs);
        json!({"name": "web", "port": 443, "protocol": "TLS", "hostname": "a.example.com", "tls": tls})
    };
    let own_refs = || json!([{"name": "web"}]);
    let tls_route = || route("TLSRoute", &["a.example.com"]);
    vec![
        Case::of("passthrough", &[tls("Passthrough", Value::Null)]).with(tls_route()),
        Case::of("passthrough-with-certificate", &[tls("Passthrough", own_refs())]).with(tls_route()).pair(&pair),
        Case::of("passthrough-with-absent-certificate", &[tls("Passthrough", own_refs())]).with(tls_route()),
        Case::of("tls-terminated", &[tls("Terminate", own_refs())]).with(tls_route()).pair(&pair),
        Case::of("tls-terminated-misnamed", &[tls("Terminate", own_refs())])
            .with(tls_route())
            .pair(&secrets::named("else.example.org"))
            .uncovered(),
        Case::of("tls-terminated-mismatched", &[tls("Terminate", own_refs())])
            .with(tls_route())
            .pair(&secrets::mismatched()),
        Case::of("tls-terminated-rsa-1024", &[tls("Terminate", own_refs())])
            .with(tls_route())
            .pair(&secrets::of_key("RSA", "rsa_keygen_bits:1024"))
            .stricter(crate::cases::ENVOY),
        Case::of("tls-terminated-without-certificate", &[tls("Terminate", Value::Null)]).with(tls_route()).unread(),
        Case::of(
            "tls-options-alone",
            &[changed(tls("Terminate", Value::Null), "/tls/options", json!({"example.com/a": "b"}))],
        )
        .with(tls_route()),
        Case::of("tls-without-tls", &[changed(tls("Terminate", Value::Null), "/tls", Value::Null)])
            .with(tls_route())
            .unread(),
        Case::of(
            "https-passthrough",
            &[changed(https("web", "*.example.com"), "/tls", json!({"mode": "Passthrough"}))],
        )
        .with(route("HTTPRoute", &["a.example.com"]))
        .unread(),
    ]
}

/// Several listeners, each with a verdict of its own.
fn several() -> Vec<Case> {
    let pair = secrets::sound;
    let named = |name: &str| {
        secrets::secret("shop", name, "kubernetes.io/tls", &secrets::named(&format!("{name}.example.com")))
    };
    let route = || route_to("HTTPRoute", json!([{"name": "web"}]), &["a.example.com", "b.example.com"]);
    let two = || vec![https("a", "a.example.com"), https("b", "b.example.com")];
    let bad = |pair| secrets::secret("shop", "b", "kubernetes.io/tls", &pair);
    let asks = |case: Case| {
        case.ask_of(443, Some("a.example.com"), &["Gateway shop/web a"]).ask_of(
            443,
            Some("b.example.com"),
            &["Gateway shop/web b"],
        )
    };
    let shared =
        |name: &str| changed(https(name, &format!("{name}.example.com")), "/tls/certificateRefs/0/name", json!("web"));
    vec![
        asks(Case::of("two-hosts", &two()).with(route()).with(named("a")).with(named("b"))),
        asks(Case::of("two-hosts-of-one-certificate", &[shared("a"), shared("b")]).with(route()).pair(&pair())),
        asks(Case::of("one-of-two-absent", &two()).with(route()).with(named("a"))).differs(
            "Gateway shop/web b",
            crate::case::Differs::Softer,
            FOLLOWS,
        ),
        asks(Case::of("one-of-two-mismatched", &two()).with(route()).with(named("a")).with(bad(secrets::mismatched()))),
        asks(Case::of("one-of-two-ended", &two()).with(route()).with(named("a")).with(bad(secrets::dated(-30, -1)))),
        // Whether the neighbour survives is a matter of chance: see `starts.rs`.
        Case::of("one-of-two-rsa-1024", &two())
            .with(route())
            .with(named("a"))
            .with(bad(secrets::of_key("RSA", "rsa_keygen_bits:1024")))
            .differs("Gateway shop/web b", crate::case::Differs::Stricter, crate::cases::ENVOY)
            .ask_of(443, Some("b.example.com"), &["Gateway shop/web b"]),
        Case::of(
            "two-ports",
            &[https("a", "a.example.com"), changed(https("b", "b.example.com"), "/port", json!(9443))],
        )
        .with(route())
        .with(named("a"))
        .with(named("b"))
        .ask_of(443, Some("a.example.com"), &["Gateway shop/web a"])
        .ask_of(9443, Some("b.example.com"), &["Gateway shop/web b"]),
        Case::of("star-and-name", &[https("a", "a.example.com"), https("web", "*.example.com")])
            .with(route())
            .with(named("a"))
            .pair(&pair())
            .ask_of(443, Some("a.example.com"), &["Gateway shop/web a"])
            .ask_of(443, Some("b.example.com"), &[WEB])
            .ask_of(443, Some("c.example.com"), &[WEB])
            .ask_of(443, Some("example.org"), &[]),
        Case::of("name-swapped", &two())
            .with(route())
            .with(secrets::secret("shop", "a", "kubernetes.io/tls", &secrets::named("b.example.com")))
            .with(secrets::secret("shop", "b", "kubernetes.io/tls", &secrets::named("a.example.com")))
            .uncovered(),
    ]
}
