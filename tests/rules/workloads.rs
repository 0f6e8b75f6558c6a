//! Workloads of other kinds than Kubernetes' own: judged through the list.

use serde_json::{Value, json};

use crate::cases::{Case, denies, good, warns};
use crate::scene::{AUTHORITY, Scene};

const KEY: &str = "spec.listeners[0].tls.certificate.file.privateKey";

pub(crate) fn cases() -> Vec<Case> {
    [kinds(), templates(), labels()].concat()
}

/// The template of the sound Deployment.
fn template(scene: &Scene) -> Value {
    scene.deployment["spec"]["template"].clone()
}

/// An object in place of the Deployment.
fn instead(scene: &mut Scene, api_version: &str, kind: &str, spec: Value) {
    scene.deployment = json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"namespace": "shop", "name": "blue"}, "spec": spec});
}

/// The same with a template at the usual place.
fn usual(scene: &mut Scene, api_version: &str, kind: &str) {
    let spec = json!({"replicas": 2, "template": template(scene)});
    instead(scene, api_version, kind, spec);
}

/// The key of another certificate.
fn another_key(scene: &mut Scene) {
    scene.key("tls.key", &AUTHORITY.leaf(&["blue.apps.local"]).issue().key);
}

macro_rules! listed {
    [$($api_version:literal $kind:literal),* $(,)?] => {
        vec![$(
            denies("MV206", concat!($api_version, " ", $kind), |s| {
                usual(s, $api_version, $kind);
                another_key(s);
            }, KEY, &["blue-cert"]),
            good("MV203", concat!($api_version, " ", $kind, " is a workload"), |s| usual(s, $api_version, $kind)),
        )*]
    };
}

fn kinds() -> Vec<Case> {
    listed![
        "argoproj.io/v1alpha1" "Rollout",
        "apps.openshift.io/v1" "DeploymentConfig",
        "serving.knative.dev/v1" "Service",
        "serving.knative.dev/v1" "Configuration",
        "v1" "ReplicationController",
        "apps.kruise.io/v1alpha1" "CloneSet",
        "apps.kruise.io/v1beta1" "StatefulSet",
        "apps.kruise.io/v1alpha1" "StatefulSet",
        "apps.kruise.io/v1alpha1" "DaemonSet",
        "apps.kruise.io/v1alpha1" "BroadcastJob",
        "apps/v1beta2" "Deployment",
        "apps/v1beta1" "Deployment",
        "apps/v1beta2" "StatefulSet",
        "apps/v1beta1" "StatefulSet",
        "apps/v1beta2" "DaemonSet",
        "apps/v1beta2" "ReplicaSet",
        "extensions/v1beta1" "Deployment",
        "extensions/v1beta1" "DaemonSet",
        "extensions/v1beta1" "ReplicaSet",
    ]
}

/// Templates that stand elsewhere.
fn templates() -> Vec<Case> {
    vec![
        denies(
            "MV206",
            "a CronJob of a former version",
            |s| {
                let spec = json!({"jobTemplate": {"spec": {"template": template(s)}}});
                instead(s, "batch/v1beta1", "CronJob", spec);
                another_key(s);
            },
            KEY,
            &["blue-cert"],
        ),
        denies(
            "MV206",
            "Kruise's AdvancedCronJob with a Job",
            |s| {
                let spec = json!({"template": {"jobTemplate": {"spec": {"template": template(s)}}}});
                instead(s, "apps.kruise.io/v1alpha1", "AdvancedCronJob", spec);
                another_key(s);
            },
            KEY,
            &["blue-cert"],
        ),
        denies(
            "MV206",
            "Kruise's AdvancedCronJob with a BroadcastJob",
            |s| {
                let spec = json!({"template": {"broadcastJobTemplate": {"spec": {"template": template(s)}}}});
                instead(s, "apps.kruise.io/v1alpha1", "AdvancedCronJob", spec);
                another_key(s);
            },
            KEY,
            &["blue-cert"],
        ),
        denies(
            "MV206",
            "Kruise's UnitedDeployment",
            |s| {
                let spec = json!({"template": {"cloneSetTemplate": {"spec": {"template": template(s)}}}});
                instead(s, "apps.kruise.io/v1alpha1", "UnitedDeployment", spec);
                another_key(s);
            },
            KEY,
            &["blue-cert"],
        ),
        warns(
            "MV203",
            "a Deployment without replicas",
            |s| s.deployment["spec"]["replicas"] = 0.into(),
            "spec.podSelector",
            &["so its certificate files aren't checked"],
        ),
        denies(
            "MV206",
            "a Rollout that takes the template of a Deployment without replicas",
            |s| {
                s.deployment["spec"]["replicas"] = 0.into();
                rolls_out(s, 3);
                another_key(s);
            },
            KEY,
            &["blue-cert"],
        ),
        denies(
            "MV206",
            "a Rollout that takes the template of a Deployment that runs",
            |s| {
                rolls_out(s, 3);
                another_key(s);
            },
            KEY,
            &["blue-cert"],
        ),
        warns(
            "MV203",
            "neither has replicas",
            |s| {
                s.deployment["spec"]["replicas"] = 0.into();
                rolls_out(s, 0);
            },
            "spec.podSelector",
            &["so its certificate files aren't checked"],
        ),
        denies(
            "MV002",
            "what is wrong with a template is told once, at the Deployment that has it",
            |s| {
                s.deployment["spec"]["replicas"] = 0.into();
                s.annotate_pods("appmesh.k8s.aws/secretMounts", "blue-cert:/a,blue-cert:/certs");
                rolls_out(s, 3);
            },
            "spec.template.metadata.annotations[appmesh.k8s.aws/secretMounts]",
            &["twice"],
        ),
    ]
}

/// A Rollout of the Deployment.
fn rolls_out(scene: &mut Scene, replicas: u32) {
    scene.others.push(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"namespace": "shop", "name": "blue-rollout"},
        "spec": {"replicas": replicas, "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "blue"}}}));
}

/// Labels that pods have though their template doesn't say so, and owners that are the workload.
fn labels() -> Vec<Case> {
    fn without_labels(scene: &mut Scene) -> Value {
        let mut template = template(scene);
        template["metadata"]["labels"] = json!({});
        template
    }
    vec![
        good("MV203", "a label that the selector alone has", |s| {
            let template = without_labels(s);
            let spec = json!({"selector": {"matchLabels": {"app": "blue"}}, "template": template});
            instead(s, "argoproj.io/v1alpha1", "Rollout", spec);
        }),
        good("MV203", "a label of a selector in the old form", |s| {
            let template = without_labels(s);
            let spec = json!({"selector": {"app": "blue"}, "template": template});
            instead(s, "apps.openshift.io/v1", "DeploymentConfig", spec);
        }),
        good("MV203", "the label that Knative gives a Service's pods", |s| {
            let template = without_labels(s);
            instead(s, "serving.knative.dev/v1", "Service", json!({"template": template}));
            s.set("/spec/podSelector/matchLabels", json!({"serving.knative.dev/service": "blue"}));
        }),
        // Each of these would have the wrong key; what owns it tells the right one.
        good("MV206", "a Deployment of a Revision says nothing", |s| owned_by(s, "serving.knative.dev/v1", "Revision")),
        good("MV206", "nor does one of a Kruise workload", |s| {
            owned_by(s, "apps.kruise.io/v1alpha1", "UnitedDeployment")
        }),
    ]
}

fn owned_by(scene: &mut Scene, api_version: &str, kind: &str) {
    another_key(scene);
    scene.deployment["metadata"]["ownerReferences"] =
        json!([{"apiVersion": api_version, "kind": kind, "name": "blue-1", "controller": true}]);
}

pub(crate) fn one_object_under_two_versions_is_one_workload() {
    let mut scene = Scene::sound();
    scene.annotate_pods("appmesh.k8s.aws/secretMounts", "blue-cert:/a,blue-cert:/certs");
    let mut former = scene.deployment.clone();
    former["apiVersion"] = "apps/v1beta1".into();
    let mut between = scene.deployment.clone();
    between["metadata"]["name"] = "between".into();
    between["spec"]["template"]["metadata"]["annotations"] = json!({});
    scene.others.extend([former, between]);
    let told = scene.judge().told();
    assert_eq!(told.iter().filter(|line| line.starts_with("MV002")).count(), 1, "{told:?}");
}
