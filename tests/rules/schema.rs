//! MV008: what the CustomResourceDefinition refuses, and what other rules leave to it.

use serde_json::json;

use crate::cases::{Case, denies, good};
use crate::scene::Scene;

const TLS: &str = "/spec/listeners/0/tls";

pub(crate) fn cases() -> Vec<Case> {
    [missing(), limits(), misplaced(), left_to_it()].concat()
}

fn missing() -> Vec<Case> {
    vec![
        denies(
            "MV008",
            "no private key",
            |s| s.set("/spec/listeners/0/tls/certificate/file", json!({"certificateChain": "/certs/tls.crt"})),
            "spec.listeners[0].tls.certificate.file.privateKey",
            &["privateKey is required and missing", "privateKey: Required value"],
        ),
        denies(
            "MV008",
            "a null is no value",
            |s| s.set("/spec/listeners/0/tls/mode", json!(null)),
            "spec.listeners[0].tls.mode",
            &["mode is required"],
        ),
        denies(
            "MV008",
            "a listener without a port",
            |s| s.unset("/spec/listeners/0/portMapping"),
            "spec.listeners[0].portMapping",
            &["portMapping is required"],
        ),
        good("MV008", "what isn't required may be null", |s| s.set("/spec/backendDefaults", json!(null))),
        good("MV008", "a sound node", |_| {}),
    ]
}

fn limits() -> Vec<Case> {
    vec![
        denies(
            "MV008",
            "an empty path",
            |s| s.set("/spec/listeners/0/tls/certificate/file/privateKey", "".into()),
            "spec.listeners[0].tls.certificate.file.privateKey",
            &["privateKey is empty", "at least 1 char"],
        ),
        denies(
            "MV008",
            "a long path",
            |s| s.set("/spec/listeners/0/tls/certificate/file/privateKey", "/k".repeat(200).into()),
            "spec.listeners[0].tls.certificate.file.privateKey",
            &["400 characters", "at most 255 characters"],
        ),
        denies(
            "MV008",
            "another mode",
            |s| s.set("/spec/listeners/0/tls/mode", "strict".into()),
            "spec.listeners[0].tls.mode",
            &["mode is \"strict\"", "\"DISABLED\", \"PERMISSIVE\", \"STRICT\""],
        ),
        denies(
            "MV008",
            "port 0",
            |s| s.set("/spec/listeners/0/portMapping/port", 0.into()),
            "spec.listeners[0].portMapping.port",
            &["port is 0, below the minimum of 1"],
        ),
        denies(
            "MV008",
            "a port too high",
            |s| s.set("/spec/listeners/0/portMapping/port", 65536.into()),
            "spec.listeners[0].portMapping.port",
            &["above the maximum of 65535"],
        ),
        denies(
            "MV008",
            "four authorities",
            |s| {
                let arns: Vec<String> = (0..4)
                    .map(|n| format!("arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/{n}"))
                    .collect();
                s.client();
                s.set(
                    "/spec/backendDefaults/clientPolicy/tls/validation/trust",
                    json!({"acm": {"certificateAuthorityARNs": arns}}),
                );
            },
            "spec.backendDefaults.clientPolicy.tls.validation.trust.acm.certificateAuthorityARNs",
            &["4 items, and at most 3 are allowed", "Too many: 4"],
        ),
        denies(
            "MV008",
            "no authority",
            |s| {
                s.client();
                let none = json!({"acm": {"certificateAuthorityARNs": []}});
                s.set("/spec/backendDefaults/clientPolicy/tls/validation/trust", none);
            },
            "spec.backendDefaults.clientPolicy.tls.validation.trust.acm.certificateAuthorityARNs",
            &["0 items", "at least 1 item"],
        ),
        denies(
            "MV008",
            "in a group that meshvet doesn't read",
            |s| s.set("/spec/listeners/0/timeout", json!({"http": {"idle": {"unit": "hours", "value": 1}}})),
            "spec.listeners[0].timeout.http.idle.unit",
            &["unit is \"hours\""],
        ),
        denies(
            "MV008",
            "of another type, in such a group",
            |s| s.set("/spec/listeners/0/timeout", json!({"http": {"idle": {"unit": "s", "value": "1"}}})),
            "spec.listeners[0].timeout.http.idle.value",
            &["value is of type string, and must be integer"],
        ),
        good("MV008", "a path as long as may be", |s| {
            s.set("/spec/listeners/0/tls/certificate/file/privateKey", "é".repeat(255).into());
        }),
        good("MV008", "three authorities", |s| {
            s.client();
            let arns: Vec<String> =
                (0..3).map(|n| format!("arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/{n}")).collect();
            let three = json!({"acm": {"certificateAuthorityARNs": arns}});
            s.set("/spec/backendDefaults/clientPolicy/tls/validation/trust", three);
        }),
    ]
}

/// The place or the cause is named.
fn misplaced() -> Vec<Case> {
    vec![
        denies(
            "MV008",
            "a dash too many",
            |s| {
                let mut listener = s.node.pointer("/spec/listeners/0").cloned().expect("a listener");
                let tls = listener["tls"].take();
                s.set("/spec/listeners", json!([{"portMapping": listener["portMapping"]}, {"tls": tls}]));
            },
            "spec.listeners[1].portMapping",
            &["an extra dash separates this item from spec.listeners[0]", "remove the dash"],
        ),
        denies(
            "MV008",
            "the mode below the certificate",
            |s| {
                s.unset("/spec/listeners/0/tls/mode");
                s.set("/spec/listeners/0/tls/certificate/mode", "STRICT".into());
            },
            "spec.listeners[0].tls.mode",
            &["it is at spec.listeners[0].tls.certificate.mode", "move spec.listeners[0].tls.certificate.mode to"],
        ),
    ]
}

/// Nothing is said of a value that isn't there.
fn left_to_it() -> Vec<Case> {
    let no_port: fn(&mut Scene) = |s| s.set("/spec/listeners/0/portMapping", json!({"protocol": "http"}));
    let no_key: fn(&mut Scene) =
        |s| s.set("/spec/listeners/0/tls/certificate/file", json!({"certificateChain": "/certs/tls.crt"}));
    let no_certificate: fn(&mut Scene) = |s| s.set(TLS, json!({"mode": "STRICT"}));
    vec![
        good("MV005", "a port that is missing is MV008's", no_port),
        good("MV005", "a key that is missing is MV008's", no_key),
        good("MV201", "a key that is missing is mounted nowhere", no_key),
        good("MV202", "a key that is missing is in no volume", no_key),
        good("MV205", "a key that is missing is no unreadable one", no_key),
        good("MV004", "a certificate that is missing is MV008's", no_certificate),
        denies(
            "MV005",
            "where MV008 is off",
            |s| {
                s.policy = "severities: {MV008: off}".to_owned();
                s.set("/spec/listeners/0/tls/certificate/file", json!({"certificateChain": "/certs/tls.crt"}));
            },
            "spec.listeners[0].tls.certificate.file.privateKey",
            &["privateKey is missing"],
        ),
        denies(
            "MV005",
            "what the CRD takes",
            |s| {
                s.set(
                    "/spec/listeners/0/healthCheck",
                    json!({"healthyThreshold": 2, "intervalMillis": 5000, "timeoutMillis": 2000,
                "unhealthyThreshold": 2, "protocol": "http", "path": "/", "port": 9090}),
                )
            },
            "spec.listeners[0].healthCheck.port",
            &["the health check is on port 9090"],
        ),
    ]
}
