//! Secrets that don't exist yet, and that something will create.

use serde_json::{Value, json};

use crate::case::{Case, Differs, WEB, changed, gateway, https, route};
use crate::secrets;

const MADE: &str = "it is absent as yet, and something makes it: nothing is wrong";

/// A cert-manager Certificate that writes the Secret web.
fn certificate(spec: Value) -> Value {
    let mut given = json!({"secretName": "web", "issuerRef": {"name": "issuer", "kind": "ClusterIssuer"}, "dnsNames": ["*.example.com"]});
    for (key, value) in spec.as_object().expect("an object") {
        given = changed(given, &format!("/{key}"), value.clone());
    }
    json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"namespace": "shop", "name": "web"}, "spec": given})
}

fn of(name: &str) -> Case {
    Case::of(name, &[https("web", "*.example.com")]).with(route("HTTPRoute", &["a.example.com"]))
}

/// A Gateway with an annotation that cert-manager reads.
fn annotated(name: &str, listener: Value) -> Case {
    let annotations =
        json!({"namespace": "shop", "name": "web", "annotations": {"cert-manager.io/cluster-issuer": "issuer"}});
    Case::new(name)
        .with(changed(gateway("web", &[listener]), "/metadata", annotations))
        .with(route("HTTPRoute", &["a.example.com"]))
}

pub(crate) fn cases() -> Vec<Case> {
    let own = || https("web", "*.example.com");
    let elsewhere = changed(certificate(json!({})), "/metadata/namespace", "other".into());
    vec![
        of("promised").with(certificate(json!({}))).differs(WEB, Differs::Silent, MADE),
        of("promised-for-other-names")
            .with(certificate(json!({"dnsNames": ["else.example.org"]})))
            .softer(crate::cases::FOLLOWS),
        of("promised-under-another-name")
            .with(certificate(json!({"secretName": "other"})))
            .softer(crate::cases::FOLLOWS),
        of("promised-in-another-namespace").with(elsewhere).softer(crate::cases::FOLLOWS),
        of("promised-rsa-1024")
            .with(certificate(json!({"privateKey": {"algorithm": "RSA", "size": 1024}})))
            .softer(crate::cases::FOLLOWS),
        of("promised-p-521")
            .with(certificate(json!({"privateKey": {"algorithm": "ECDSA", "size": 521}})))
            .softer(crate::cases::FOLLOWS),
        of("promised-and-there").with(certificate(json!({}))).pair(&secrets::sound()),
        of("promised-and-ended").with(certificate(json!({}))).pair(&secrets::dated(-30, -1)),
        annotated("annotated", own()).differs(WEB, Differs::Silent, MADE),
        annotated("annotated-without-hostname", changed(own(), "/hostname", Value::Null)).softer(crate::cases::FOLLOWS),
        annotated("annotated-and-there", own()).pair(&secrets::sound()),
    ]
}
