//! MV001, MV004, MV005, MV007: fields and their limits, and what is to be ignored of them.

use meshvet::rules::Surface;
use serde_json::json;

use crate::cases::{Case, denies, good, warns};
use crate::scene::Scene;
use crate::support::manifests;

pub(crate) fn cases() -> Vec<Case> {
    [fields(), sources(), limits(), routes(), suppressions()].concat()
}

fn fields() -> Vec<Case> {
    vec![
        warns("MV001", "tlss", |s| s.set("/spec/listeners/0/tlss", json!({})), "spec.listeners[0].tlss", &["`tls`"]),
        warns(
            "MV001",
            "certificatechain",
            |s| s.set("/spec/listeners/0/tls/certificate/file/certificatechain", "/x".into()),
            "spec.listeners[0].tls.certificate.file.certificatechain",
            &["`certificateChain`"],
        ),
        warns(
            "MV001",
            "tls under portMapping",
            |s| {
                let tls = s.node["spec"]["listeners"][0]["tls"].take();
                s.unset("/spec/listeners/0/tls");
                s.set("/spec/listeners/0/portMapping/tls", tls);
            },
            "spec.listeners[0].portMapping.tls",
            &["did you mean \"spec.listeners[].tls\"?", "move it to `spec.listeners[].tls`"],
        ),
        warns(
            "MV001",
            "certificateArn beside the sources of a certificate",
            |s| s.set("/spec/listeners/0/tls/certificate/certificateArn", "arn:aws:acm:x:1:certificate/a".into()),
            "spec.listeners[0].tls.certificate.certificateArn",
            &["move it to `spec.listeners[].tls.certificate.acm.certificateARN`"],
        ),
        warns("MV001", "at the root", |s| s.set("/sepc", json!({})), "sepc", &["`spec`"]),
        good("MV001", "what meshvet doesn't read but the API has", |s| {
            s.set("/spec/listeners/0/timeout", json!({"http": {"idle": {"unit": "s", "value": 1}}}));
            s.set("/spec/logging", json!({"accessLog": {"file": {"path": "/dev/stdout"}}}));
            s.set("/status", json!({"anything": 1}));
            s.set("/metadata/anything", json!(1));
        }),
    ]
}

fn sources() -> Vec<Case> {
    const CERTIFICATE: &str = "/spec/listeners/0/tls/certificate";
    const POLICY: &str = "/spec/backendDefaults/clientPolicy/tls";
    vec![
        denies(
            "MV004",
            "no certificate",
            |s| s.set(CERTIFICATE, json!({})),
            "spec.listeners[0].tls.certificate",
            &["none"],
        ),
        denies(
            "MV004",
            "two certificates",
            |s| s.set(&format!("{CERTIFICATE}/sds"), json!({"secretName": "x"})),
            "spec.listeners[0].tls.certificate",
            &["file and sds"],
        ),
        warns(
            "MV004",
            "two certificates under DISABLED",
            |s| {
                s.set(&format!("{CERTIFICATE}/sds"), json!({"secretName": "x"}));
                s.set("/spec/listeners/0/tls/mode", "DISABLED".into());
            },
            "spec.listeners[0].tls.certificate",
            &["gives file and sds at once"],
        ),
        denies(
            "MV004",
            "no trust",
            |s| {
                s.admitted = true;
                s.set(POLICY, json!({"validation": {}}));
            },
            "spec.backendDefaults.clientPolicy.tls.validation.trust",
            &["file, acm, sds"],
        ),
        denies(
            "MV004",
            "two trusts, of one backend",
            |s| {
                let trust = json!({"file": {"certificateChain": "/certs/ca.crt"}, "sds": {"secretName": "x"}});
                let policy = json!({"tls": {"validation": {"trust": trust}}});
                let service = json!({"virtualServiceRef": {"name": "green"}, "clientPolicy": policy});
                s.set("/spec/backends", json!([{"virtualService": service}]));
            },
            "spec.backends[0].virtualService.clientPolicy.tls.validation.trust",
            &["file and sds"],
        ),
        denies(
            "MV004",
            "DNS and Cloud Map",
            |s| s.set("/spec/serviceDiscovery/awsCloudMap", json!({"namespaceName": "a", "serviceName": "b"})),
            "spec.serviceDiscovery",
            &["dns and awsCloudMap"],
        ),
        denies(
            "MV004",
            "ACM trust on a gateway's listener",
            |s| {
                let trust = json!({"acm": {"certificateAuthorityARNs": ["arn"]}});
                gateway(s, json!({"trust": trust}));
            },
            "spec.listeners[0].tls.validation.trust.acm",
            &["drops it"],
        ),
        denies(
            "MV004",
            "a service of both",
            |s| {
                let provider = json!({"virtualNode": {"virtualNodeRef": {"name": "a"}},
                    "virtualRouter": {"virtualRouterRef": {"name": "b"}}});
                s.others.push(object("VirtualService", json!({"provider": provider})));
                s.subject = ("VirtualService", "it");
            },
            "spec.provider",
            &["virtualNode and virtualRouter"],
        ),
        good("MV004", "a node without service discovery", |s| s.unset("/spec/serviceDiscovery")),
        good("MV004", "a gateway that trusts a file", |s| {
            gateway(s, json!({"trust": {"file": {"certificateChain": "/certs/ca.crt"}}}));
        }),
        good("MV004", "a service of neither, which refuses every request", |s| {
            s.others.push(object("VirtualService", json!({})));
            s.subject = ("VirtualService", "it");
        }),
    ]
}

fn gateway(scene: &mut Scene, validation: serde_json::Value) {
    let certificate = manifests::file_certificate("tls.crt", "tls.key");
    let mut gateway = manifests::virtual_gateway("shop", "edge", certificate);
    gateway["spec"]["listeners"][0]["tls"]["validation"] = validation;
    scene.others.push(gateway);
    scene.subject = ("VirtualGateway", "edge");
}

fn object(kind: &str, spec: serde_json::Value) -> serde_json::Value {
    json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": kind,
        "metadata": {"namespace": "shop", "name": "it"}, "spec": spec})
}

fn limits() -> Vec<Case> {
    const NAMES: &str = "/spec/listeners/0/tls/validation/subjectAlternativeNames/match/exact";
    vec![
        denies(
            "MV005",
            "port 0",
            |s| {
                s.admitted = true;
                s.set("/spec/listeners/0/portMapping/port", json!(0));
            },
            "spec.listeners[0].portMapping.port",
            &["1 to 65535"],
        ),
        denies(
            "MV005",
            "a health check on another port",
            |s| s.set("/spec/listeners/0/healthCheck", json!({"port": 9090, "protocol": "http"})),
            "spec.listeners[0].healthCheck.port",
            &["9090", "8443"],
        ),
        denies(
            "MV005",
            "an empty name",
            |s| {
                s.set("/spec/listeners/0/tls/validation/trust", json!({"file": {"certificateChain": "/certs/ca.crt"}}));
                s.set(NAMES, json!(["blue", ""]));
            },
            "spec.listeners[0].tls.validation.subjectAlternativeNames.match.exact[1]",
            &["empty"],
        ),
        denies(
            "MV005",
            "a mode that doesn't exist",
            |s| {
                s.admitted = true;
                s.set("/spec/listeners/0/tls/mode", "strict".into());
            },
            "spec.listeners[0].tls.mode",
            &["STRICT"],
        ),
        denies(
            "MV005",
            "awsName over 255",
            |s| s.set("/spec/awsName", "a".repeat(256).into()),
            "spec.awsName",
            &["256"],
        ),
        denies(
            "MV005",
            "name_namespace over 255",
            |s| {
                let name: &'static str = "b".repeat(252).leak();
                s.set("/metadata/name", name.into());
                s.subject = ("VirtualNode", name);
            },
            "metadata.name",
            &["spec.awsName"],
        ),
        denies(
            "MV005",
            "a backend of nothing",
            |s| s.set("/spec/backends", json!([{"virtualService": {}}])),
            "spec.backends[0].virtualService",
            &["virtualServiceRef"],
        ),
        good("MV005", "a health check on the listener's port", |s| {
            s.set("/spec/listeners/0/healthCheck", json!({"port": 8443, "protocol": "http"}));
        }),
        good("MV005", "awsName of 255", |s| s.set("/spec/awsName", "a".repeat(255).into())),
    ]
}

fn routes() -> Vec<Case> {
    fn router(scene: &mut Scene, targets: serde_json::Value) {
        let route =
            json!({"name": "all", "httpRoute": {"match": {"prefix": "/"}, "action": {"weightedTargets": targets}}});
        let listener = json!({"portMapping": {"port": 8443, "protocol": "http"}});
        scene.others.push(object("VirtualRouter", json!({"listeners": [listener], "routes": [route]})));
        scene.subject = ("VirtualRouter", "it");
    }
    const TARGETS: &str = "spec.routes[0].httpRoute.action.weightedTargets";
    vec![
        denies(
            "MV005",
            "weights over 100",
            |s| {
                let target = |name: &str| json!({"virtualNodeRef": {"name": name}, "weight": 60});
                router(s, json!([target("a"), target("b")]));
            },
            TARGETS,
            &["120"],
        ),
        denies(
            "MV005",
            "a target of nothing",
            |s| router(s, json!([{"weight": 1}])),
            "spec.routes[0].httpRoute.action.weightedTargets[0]",
            &["virtualNodeRef"],
        ),
        good("MV005", "weights of 100", |s| {
            let target = |name: &str| json!({"virtualNodeRef": {"name": name}, "weight": 50});
            router(s, json!([target("a"), target("b")]));
        }),
    ]
}

fn suppressions() -> Vec<Case> {
    const FIELD: &str = "metadata.annotations[meshvet.dev/ignore]";
    fn ignoring(scene: &mut Scene, entry: &str) {
        scene.set("/metadata/annotations", json!({"meshvet.dev/ignore": entry}));
        scene.surface = Surface::Check;
    }
    vec![
        warns("MV007", "nothing to ignore", |s| ignoring(s, "MV209=rotation"), FIELD, &["MV209", "remove the entry"]),
        warns(
            "MV007",
            "a denial",
            |s| {
                s.admitted = true;
                ignoring(s, "MV005=known");
                s.set("/spec/listeners/0/portMapping/port", json!(0));
            },
            FIELD,
            &["it denies"],
        ),
        good("MV007", "a finding that is left", |s| {
            ignoring(s, "MV001=until the next release");
            s.set("/spec/listeners/0/tlss", json!({}));
        }),
        good("MV007", "a denial that the policy lets an owner ignore", |s| {
            s.admitted = true;
            ignoring(s, "MV005=known");
            s.policy = "ignore: {denials: true}".to_owned();
            s.set("/spec/listeners/0/portMapping/port", json!(0));
        }),
        good("MV007", "a rule that is off", |s| {
            ignoring(s, "MV209=rotation");
            s.policy = "severities: {MV209: off}".to_owned();
        }),
        good("MV007", "at admission", |s| {
            ignoring(s, "MV209=rotation");
            s.surface = Surface::Admission;
        }),
    ]
}
