//! Several Gateways and several namespaces in one case.

use serde_json::json;

use crate::case::{Case, Differs, changed, gateway, grant, https, moved, object, route_to, web};
use crate::cases::{ENVOY, FOLLOWS};
use crate::secrets;

pub(crate) fn cases() -> Vec<Case> {
    let own = || https("web", "*.example.com");
    let second = |name: &str, host: &str| gateway(name, &[https(name, host)]);
    let sound = secrets::sound();
    let tls = |namespace: &str, name: &str, pair: &_| secrets::secret(namespace, name, "kubernetes.io/tls", pair);
    let elsewhere = || web(json!([{"name": "web", "namespace": "certs"}]));
    let other = |listener| moved(gateway("web", &[listener]), "other", "web");
    let org = secrets::named("else.example.org");
    let rsa = secrets::of_key("RSA", "rsa_keygen_bits:1024");
    vec![
        Case::of("one-secret-of-two-gateways", &[own()]).with(gateway("second", &[own()])).pair(&sound),
        Case::of("one-ended-secret-of-two-gateways", &[own()])
            .with(gateway("second", &[own()]))
            .pair(&secrets::dated(-30, -1)),
        Case::of("one-refused-secret-of-two-gateways", &[own()])
            .with(gateway("second", &[own()]))
            .pair(&rsa)
            .stricter(ENVOY)
            .differs("Gateway shop/second web", Differs::Stricter, ENVOY),
        Case::of("one-gateway-bad", &[own()]).with(second("second", "*.example.net")).pair(&sound).with(tls(
            "shop",
            "second",
            &secrets::mismatched(),
        )),
        Case::of("one-of-two-granted", &[elsewhere()])
            .with(other(elsewhere()))
            .with(grant("Gateway"))
            .with(tls("certs", "web", &sound))
            .differs("Gateway other/web web", Differs::Softer, FOLLOWS),
        Case::of("both-granted", &[elsewhere()])
            .with(other(elsewhere()))
            .with(grant("Gateway"))
            .with(changed(
                changed(grant("Gateway"), "/metadata/name", "second".into()),
                "/spec/from/0/namespace",
                "other".into(),
            ))
            .with(tls("certs", "web", &sound)),
        Case::of("own-secrets-of-one-name", &[own()]).with(other(own())).pair(&sound).with(tls(
            "other",
            "web",
            &secrets::mismatched(),
        )),
        Case::of("own-secret-of-one-of-two", &[own()]).with(other(own())).pair(&sound).differs(
            "Gateway other/web web",
            Differs::Softer,
            FOLLOWS,
        ),
        Case::of("route-to-one-of-two", &[own()])
            .with(second("second", "*.example.com"))
            .pair(&org)
            .with(tls("shop", "second", &org))
            .with(route_to("HTTPRoute", json!([{"name": "second"}]), &["a.example.com"]))
            .uncovered(),
        Case::of("route-to-both-gateways", &[own()])
            .with(second("second", "*.example.com"))
            .pair(&org)
            .with(tls("shop", "second", &org))
            .with(route_to("HTTPRoute", json!([{"name": "web"}, {"name": "second"}]), &["a.example.com"]))
            .uncovered(),
        Case::of("routes-of-one-name", &[own()])
            .with(other(own()))
            .pair(&org)
            .with(tls("other", "web", &org))
            .with(moved(route_to("HTTPRoute", json!([{"name": "web"}]), &["a.example.com"]), "other", "route"))
            .uncovered(),
        Case::of("gateway-of-another-class", &[own()]).pair(&sound).with(object(
            "Gateway",
            "shop",
            "second",
            json!({"gatewayClassName": "other", "listeners": [own()]}),
        )),
    ]
}
