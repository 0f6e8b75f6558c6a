//! MV303, MV306, MV307: trust, and what a listener demands.

use serde_json::json;

use crate::cases::{Case, denies, good, warns};
use crate::scene::{AUTHORITY, OTHER, Scene};

const TRUST: &str = "spec.backendDefaults.clientPolicy.tls.validation.trust.file.certificateChain";

fn probe(scene: &mut Scene, probe: serde_json::Value) {
    let ports = json!([{"name": "web", "containerPort": 8443}]);
    scene.template("/spec/containers", json!([{"name": "app", "ports": ports, "readinessProbe": probe}]));
}

pub(crate) fn cases() -> Vec<Case> {
    const PORT: &str = "spec.template.spec.containers[0].readinessProbe.httpGet.port";
    vec![
        denies(
            "MV303",
            "no PEM",
            |s| {
                s.client();
                s.key("ca.crt", "0\u{82}");
            },
            TRUST,
            &["Failed to load trusted CA certificates from"],
        ),
        denies(
            "MV303",
            "empty",
            |s| {
                s.client();
                s.key("ca.crt", "");
            },
            TRUST,
            &["is empty"],
        ),
        denies(
            "MV303",
            "a key alone, for a listener's clients",
            |s| {
                s.key("ca.crt", &AUTHORITY.leaf(&["a"]).issue().key);
                let trust = json!({"trust": {"file": {"certificateChain": "/certs/ca.crt"}}});
                s.set("/spec/listeners/0/tls/validation", trust);
            },
            "spec.listeners[0].tls.validation.trust.file.certificateChain",
            &[],
        ),
        good("MV303", "two authorities", |s| {
            s.client();
            s.key("ca.crt", &format!("{}{}", AUTHORITY.pem(), OTHER.pem()));
        }),
        warns(
            "MV306",
            "an HTTP probe",
            |s| probe(s, json!({"httpGet": {"port": 8443}})),
            PORT,
            &["8443", "readinessProbe"],
        ),
        warns(
            "MV306",
            "by the port's name",
            |s| probe(s, json!({"httpGet": {"port": "web", "scheme": "HTTP"}})),
            PORT,
            &[],
        ),
        warns(
            "MV306",
            "a gRPC probe",
            |s| probe(s, json!({"grpc": {"port": 8443}})),
            "spec.template.spec.containers[0].readinessProbe.grpc.port",
            &[],
        ),
        good("MV306", "HTTPS", |s| probe(s, json!({"httpGet": {"port": 8443, "scheme": "HTTPS"}}))),
        good("MV306", "TCP", |s| probe(s, json!({"tcpSocket": {"port": 8443}}))),
        good("MV306", "another port", |s| probe(s, json!({"httpGet": {"port": 9000}}))),
        good("MV306", "PERMISSIVE", |s| {
            probe(s, json!({"httpGet": {"port": 8443}}));
            s.set("/spec/listeners/0/tls/mode", "PERMISSIVE".into());
        }),
        good("MV306", "a port that isn't intercepted", |s| {
            probe(s, json!({"httpGet": {"port": 8443}}));
            s.annotate_pods("appmesh.k8s.aws/ports", "9000");
        }),
        denies(
            "MV307",
            "PERMISSIVE where STRICT is demanded",
            |s| {
                s.policy = "severities: {tls-not-required: deny}".to_owned();
                s.set("/spec/listeners/0/tls/mode", "PERMISSIVE".into());
            },
            "spec.listeners[0].tls.mode",
            &["PERMISSIVE"],
        ),
        warns(
            "MV307",
            "plaintext, by scope",
            |s| {
                let labels = "{kubernetes.io/metadata.name: shop}";
                s.policy =
                    format!("scopes: [{{namespaceSelector: {{matchLabels: {labels}}}, severities: {{MV307: warn}}}}]");
                s.unset("/spec/listeners/0/tls");
            },
            "spec.listeners[0]",
            &["no tls"],
        ),
        good("MV307", "off by default", |s| s.unset("/spec/listeners/0/tls")),
    ]
}
