//! What nobody could list is unknown: no rule claims that it isn't there.

use meshvet::mesh::Sort;
use serde_json::{Value, json};

use crate::acm;
use crate::cases::{Case, denies, good, warns};
use crate::pairs::{front, service};
use crate::scene::{OTHER, Scene};
use crate::support::manifests;

pub(crate) fn cases() -> Vec<Case> {
    [namespaces(), workloads(), stores(), meshes(), suppressions(), issuers(), roles()].concat()
}

fn namespaces() -> Vec<Case> {
    const SELECTOR: &str = "spec.podSelector";
    vec![
        good("MV218", "a namespace that may not be read", |s| {
            s.namespace = Value::Null;
            s.hide("namespaces", Sort::Namespaces, None);
        }),
        warns(
            "MV218",
            "the one namespace that may be read has no label",
            |s| {
                s.namespace["metadata"]["labels"] = json!({});
                s.hide("namespaces", Sort::Namespaces, Some("shop"));
            },
            SELECTOR,
            &["namespace shop isn't labelled"],
        ),
        warns(
            "MV218",
            "a pod that opts out does so whatever its namespace says",
            |s| {
                s.namespace = Value::Null;
                s.hide("namespaces", Sort::Namespaces, None);
                s.annotate_pods("appmesh.k8s.aws/sidecarInjectorWebhook", "disabled");
            },
            "spec.template.metadata.annotations[appmesh.k8s.aws/sidecarInjectorWebhook]",
            &["opt out"],
        ),
    ]
}

fn workloads() -> Vec<Case> {
    const SELECTOR: &str = "spec.podSelector";
    vec![
        warns(
            "MV203",
            "a kind that may not be listed",
            |s| {
                s.deployment = Value::Null;
                s.hide("rollouts.argoproj.io", Sort::Workloads, None);
            },
            SELECTOR,
            &["unknown: meshvet may not list rollouts.argoproj.io", "grant list and watch on rollouts.argoproj.io"],
        ),
        warns(
            "MV203",
            "kinds that may be listed in another namespace alone",
            |s| {
                s.deployment = Value::Null;
                s.hide("deployments.apps", Sort::Workloads, Some("bank"));
                s.hide("rollouts.argoproj.io", Sort::Workloads, Some("shop"));
            },
            SELECTOR,
            &["unknown: meshvet may not list deployments.apps"],
        ),
        warns(
            "MV203",
            "a kind that may be listed here",
            |s| {
                s.deployment = Value::Null;
                s.hide("rollouts.argoproj.io", Sort::Workloads, Some("shop"));
            },
            SELECTOR,
            &["so its certificate files aren't checked", "apply the workload too"],
        ),
        warns(
            "MV203",
            "no selector selects nothing, whatever may be listed",
            |s| {
                s.unset("/spec/podSelector");
                s.hide("rollouts.argoproj.io", Sort::Workloads, None);
            },
            SELECTOR,
            &["no podSelector, which selects nothing"],
        ),
        good("MV203", "a workload that is known", |s| s.hide("rollouts.argoproj.io", Sort::Workloads, None)),
    ]
}

fn stores() -> Vec<Case> {
    const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";
    vec![
        warns(
            "MV202",
            "Secrets that may not be listed",
            |s| {
                s.secret = None;
                s.hide("secrets", Sort::Secrets, None);
            },
            CHAIN,
            &["Secret shop/blue-cert could not be read", "may not list secrets"],
        ),
        warns(
            "MV202",
            "Secrets of this namespace are listed",
            |s| {
                s.secret = None;
                s.hide("secrets", Sort::Secrets, Some("shop"));
            },
            CHAIN,
            &["Secret shop/blue-cert doesn't exist"],
        ),
        warns(
            "MV202",
            "ConfigMaps that may not be listed",
            |s| {
                s.template(
                    "/spec",
                    json!({
                        "containers": [{"name": "envoy", "volumeMounts": [{"name": "tls", "mountPath": "/certs"}]}],
                        "volumes": [{"name": "tls", "configMap": {"name": "bundle"}}],
                    }),
                );
                s.hide("configmaps", Sort::ConfigMaps, Some("bank"));
            },
            CHAIN,
            &["ConfigMap shop/bundle could not be read", "may not list configmaps"],
        ),
    ]
}

/// `front` of namespace `portal` calls `blue`, which speaks plaintext. Both belong to a mesh by the labels of their namespaces.
fn across(scene: &mut Scene) {
    front(scene, |front| {
        front["spec"]["backends"] =
            json!([{"virtualService": {"virtualServiceRef": {"namespace": "shop", "name": "blue"}}}]);
    });
    for other in &mut scene.others {
        if other["metadata"]["name"] == "front" || other["metadata"]["name"] == "front-cert" {
            other["metadata"]["namespace"] = "portal".into();
        }
    }
    scene.unset("/spec/listeners/0/tls");
}

fn mesh(labels: Value) -> Value {
    json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "Mesh", "metadata": {"name": "apps"},
        "spec": {"namespaceSelector": {"matchLabels": labels}}})
}

fn meshes() -> Vec<Case> {
    const LISTENER: &str = "spec.listeners[0]";
    vec![
        denies("MV305", "two namespaces of no mesh, in manifests", across, LISTENER, &["plaintext"]),
        good("MV305", "two namespaces, and no mesh may be listed", |s| {
            across(s);
            s.hide("meshes", Sort::Classes, None);
        }),
        good("MV305", "the labels of the other namespace may not be read", |s| {
            across(s);
            s.namespace["metadata"]["labels"]["mesh"] = "apps".into();
            s.others.push(mesh(json!({"mesh": "apps"})));
            s.hide("namespaces", Sort::Namespaces, Some("shop"));
        }),
        denies(
            "MV305",
            "a mesh that takes all namespaces, whatever their labels",
            |s| {
                across(s);
                s.others.push(mesh(json!({})));
                s.hide("namespaces", Sort::Namespaces, None);
            },
            LISTENER,
            &["plaintext"],
        ),
        denies(
            "MV305",
            "one namespace is of one mesh, whichever that is",
            |s| {
                front(s, |_| {});
                s.unset("/spec/listeners/0/tls");
                s.hide("meshes", Sort::Classes, None);
                s.hide("namespaces", Sort::Namespaces, None);
            },
            LISTENER,
            &["plaintext"],
        ),
        denies(
            "MV305",
            "both name their mesh",
            |s| {
                across(s);
                s.set("/spec/meshRef", json!({"name": "apps"}));
                for other in s.others.iter_mut().filter(|other| other["kind"] == "VirtualNode") {
                    other["spec"]["meshRef"] = json!({"name": "apps"});
                }
                s.hide("meshes", Sort::Classes, None);
            },
            LISTENER,
            &["plaintext"],
        ),
        good("MV305", "a gateway whose route's namespace may not be read", |s| {
            service(s);
            s.unset("/spec/listeners/0/tls");
            let mut edge = manifests::virtual_gateway("shop", "edge", json!({}));
            edge["spec"] = json!({"podSelector": {}, "namespaceSelector": {"matchLabels": {"routes": "edge"}},
                "backendDefaults": {"clientPolicy": {"tls": {"validation": {"trust": {"file": {"certificateChain": "/a"}}}}}}});
            let target = json!({"target": {"virtualService": {"virtualServiceRef": {"name": "blue"}}}});
            s.others.push(edge);
            s.others.push(json!({"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "GatewayRoute",
                "metadata": {"namespace": "shop", "name": "in"},
                "spec": {"httpRoute": {"match": {"prefix": "/"}, "action": target}}}));
            s.namespace = Value::Null;
            s.hide("namespaces", Sort::Namespaces, None);
        }),
    ]
}

fn suppressions() -> Vec<Case> {
    fn ignores(scene: &mut Scene) {
        scene.set("/metadata/annotations", json!({"meshvet.dev/ignore": "MV203=by hand"}));
    }
    vec![
        warns(
            "MV007",
            "nothing is found",
            ignores,
            "metadata.annotations[meshvet.dev/ignore]",
            &["there is no such finding"],
        ),
        good("MV007", "what it is about may be in what nobody could list", |s| {
            ignores(s);
            s.hide("rollouts.argoproj.io", Sort::Workloads, None);
        }),
    ]
}

fn issuers() -> Vec<Case> {
    const CHAIN: &str = "spec.listeners[0].tls.certificate.file.certificateChain";
    fn by_name(scene: &mut Scene) {
        scene.without_key("ca.crt");
        scene.policy = json!({"issuers": {"allowed": [{"subject": "CN=scene root"}]}}).to_string();
    }
    vec![
        denies("MV302", "nobody is known to trust the authority", by_name, CHAIN, &["no signature proves"]),
        good("MV302", "whoever trusts the authority may not be listed", |s| {
            by_name(s);
            s.hide("virtualnodes", Sort::Members, Some("shop"));
        }),
        denies(
            "MV302",
            "another authority is another, whoever may not be listed",
            |s| {
                s.certificate(&OTHER.leaf(&["blue.apps.local"]).issue());
                s.client();
                s.key("ca.crt", &OTHER.pem());
                s.policy = json!({"issuers": {"allowed": [{"subject": "CN=scene root"}]}}).to_string();
                s.hide("virtualnodes", Sort::Members, Some("shop"));
            },
            CHAIN,
            &["not among those"],
        ),
    ]
}

fn roles() -> Vec<Case> {
    acm::hidden_roles()
}
