//! MV002, MV003: annotations, and who selects whom.

use serde_json::json;

use meshvet::rules::Surface;

use crate::cases::{Case, denies, good, warns};
use crate::support::manifests;

const MOUNTS: &str = "spec.template.metadata.annotations[appmesh.k8s.aws/secretMounts]";
const SECRET_MOUNTS: &str = "appmesh.k8s.aws/secretMounts";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        denies(
            "MV002",
            "two colons",
            |s| s.annotate_pods(SECRET_MOUNTS, "blue-cert:/certs:ro"),
            MOUNTS,
            &["blue-cert:/certs:ro"],
        ),
        warns(
            "MV002",
            "at admission it warns",
            |s| {
                s.surface = Surface::Admission;
                s.annotate_pods(SECRET_MOUNTS, "blue-cert:/certs:ro");
            },
            MOUNTS,
            &["blue-cert:/certs:ro", "name:/path"],
        ),
        denies(
            "MV002",
            "a Secret twice",
            |s| s.annotate_pods(SECRET_MOUNTS, "blue-cert:/a,blue-cert:/certs"),
            MOUNTS,
            &["twice"],
        ),
        denies(
            "MV002",
            "a placeholder",
            |s| s.annotate_pods(SECRET_MOUNTS, "${SECRET}:/certs"),
            MOUNTS,
            &["the placeholder ${SECRET} in \"${SECRET}:/certs\" is not filled in", "fill it in"],
        ),
        denies(
            "MV002",
            "a placeholder with a default",
            |s| s.annotate_pods(SECRET_MOUNTS, "${SECRET:-blue-cert}:/certs"),
            MOUNTS,
            &["the placeholder ${SECRET:-blue-cert}"],
        ),
        denies("MV002", "a name with dots", |s| s.annotate_pods(SECRET_MOUNTS, "blue.cert:/certs"), MOUNTS, &["dot"]),
        denies(
            "MV002",
            "a volume's name",
            |s| s.template("/spec/volumes", json!([{"name": "blue-cert", "emptyDir": {}}])),
            MOUNTS,
            &["blue-cert"],
        ),
        denies(
            "MV002",
            "a volume that doesn't exist",
            |s| s.annotate_pods("appmesh.k8s.aws/volumeMounts", "tls:/tls"),
            "spec.template.metadata.annotations[appmesh.k8s.aws/volumeMounts]",
            &["tls"],
        ),
        denies(
            "MV002",
            "on a workload that nothing selects",
            |s| {
                s.subject = ("Deployment", "blue");
                s.template("/metadata/labels/app", "nobody".into());
                s.annotate_pods(SECRET_MOUNTS, "blue-cert");
            },
            MOUNTS,
            &["is not of the form name:/path"],
        ),
        warns(
            "MV002",
            "an ignored rule without a reason",
            |s| s.set("/metadata/annotations", json!({"meshvet.dev/ignore": "MV209"})),
            "metadata.annotations[meshvet.dev/ignore]",
            &["reason"],
        ),
        good("MV002", "two Secrets", |s| {
            s.annotate_pods(SECRET_MOUNTS, "blue-cert:/certs, other:/other");
        }),
        good("MV002", "a pod that brings its envoy: nobody reads the annotation", |s| {
            s.annotate_pods(SECRET_MOUNTS, "what:ever:this");
            s.template("/spec/containers", json!([{"name": "envoy"}]));
        }),
        warns(
            "MV003",
            "two virtual nodes",
            |s| {
                let mut other = manifests::virtual_node("shop", "blue-v2", "blue.apps.local");
                other["spec"]["podSelector"] = json!({"matchLabels": {"app": "blue"}});
                s.others.push(other);
            },
            "spec.podSelector",
            &["VirtualNode shop/blue-v2", "refuses every new pod"],
        ),
        warns(
            "MV003",
            "a gateway that selects everything",
            |s| {
                let mut gateway = manifests::virtual_gateway("shop", "edge", json!({}));
                gateway["spec"] = json!({"podSelector": {}});
                s.others.push(gateway);
            },
            "spec.podSelector",
            &["VirtualGateway shop/edge"],
        ),
        good("MV003", "a node of another namespace", |s| {
            s.others.push(manifests::virtual_node("other", "blue", "blue.apps.local"));
        }),
        good("MV003", "selectors that tell apart", |s| {
            s.others.push(manifests::virtual_node("shop", "green", "green.apps.local"));
        }),
    ]
}
