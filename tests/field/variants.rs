//! The same repository written another way: its Secrets promised instead of there, its Deployments of another kind, its objects in
//! another order. What was right to say of it still is.

use serde_json::{Map, Value, json};

use crate::change::{SEPARATOR, documents};
use crate::expectation::Recipes;
use crate::folder::Files;

/// A way to write a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Each Secret is a SealedSecret.
    Sealed,
    /// Each Secret is an ExternalSecret that names its keys.
    External,
    /// Each Secret is an ExternalSecret that takes all that there is.
    ExternalWhole,
    /// Each Secret with certificate and key is a Certificate of cert-manager.
    CertManager,
    /// Each Deployment is of this kind.
    Workload(&'static str, &'static str),
    /// Each Deployment is left to a Rollout that refers to it.
    WorkloadRef,
    /// The last object first.
    Reversed,
    /// As `kubectl get -o yaml` prints: one List.
    Listed,
}

use Variant::{CertManager, External, ExternalWhole, Listed, Reversed, Sealed, Workload, WorkloadRef};

/// Those of which a sound repository stays sound.
pub(crate) const ALL: [(&str, Variant); 14] = [
    ("sealed", Sealed),
    ("of external secrets", External),
    ("of whole external secrets", ExternalWhole),
    ("of cert-manager", CertManager),
    ("of Rollouts", Workload("argoproj.io/v1alpha1", "Rollout")),
    ("of Rollouts that refer to Deployments", WorkloadRef),
    ("of DeploymentConfigs", Workload("apps.openshift.io/v1", "DeploymentConfig")),
    ("of CloneSets", Workload("apps.kruise.io/v1alpha1", "CloneSet")),
    ("of Knative Services", Workload("serving.knative.dev/v1", "Service")),
    ("of Deployments of long ago", Workload("extensions/v1beta1", "Deployment")),
    ("of ReplicaSets", Workload("apps/v1", "ReplicaSet")),
    ("of StatefulSets", Workload("apps/v1", "StatefulSet")),
    ("from its end", Reversed),
    ("as one list", Listed),
];

/// Those of which a broken repository stays broken in the same way: by the name of what takes a Deployment's place.
pub(crate) const WORKLOADS: [(&str, Variant); 3] = [
    ("Rollout", Workload("argoproj.io/v1alpha1", "Rollout")),
    ("DeploymentConfig", Workload("apps.openshift.io/v1", "DeploymentConfig")),
    ("CloneSet", Workload("apps.kruise.io/v1alpha1", "CloneSet")),
];

impl Variant {
    pub(crate) fn apply(self, files: &mut Files, recipes: &Recipes) {
        for (path, file) in files {
            // kustomize reads that itself.
            if path.ends_with("kustomization.yaml") {
                continue;
            }
            let read =
                documents(file).iter().map(|text| serde_saphyr::from_str(text)).collect::<Result<Vec<Value>, _>>();
            let Ok(objects) = read else { continue };
            // Neither a key nor a policy is an object.
            if !objects.iter().any(|object| object["kind"].is_string()) {
                continue;
            }
            let objects = objects.into_iter().flat_map(flat).filter(|object| !object.is_null());
            let mut objects: Vec<Value> = objects.flat_map(|object| self.object(object, recipes)).collect();
            match self {
                Reversed => objects.reverse(),
                Listed => objects = vec![json!({"apiVersion": "v1", "kind": "List", "items": objects})],
                _ => {}
            }
            *file = objects.iter().map(|object| format!("{object}\n")).collect::<Vec<_>>().join(SEPARATOR);
        }
    }

    fn object(self, mut object: Value, recipes: &Recipes) -> Vec<Value> {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        match (self, kind.as_str()) {
            (Sealed | External | ExternalWhole, "Secret") => vec![self.promise(&object)],
            (CertManager, "Secret") => vec![certificate(&object, recipes).unwrap_or(object)],
            (Workload(api, kind), "Deployment") => {
                object["apiVersion"] = api.into();
                object["kind"] = kind.into();
                let labels = object["spec"]["template"]["metadata"]["labels"].clone();
                let spec = object["spec"].as_object_mut().expect("a spec");
                match kind {
                    "DeploymentConfig" => drop(spec.insert("selector".to_owned(), labels)),
                    "Service" => drop(spec.remove("selector")),
                    "StatefulSet" => drop(spec.insert("serviceName".to_owned(), "any".into())),
                    _ => {}
                }
                vec![object]
            }
            (WorkloadRef, "Deployment") => {
                object["spec"]["replicas"] = 0.into();
                let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": object["metadata"]["name"]});
                let rollout = json!({
                    "apiVersion": "argoproj.io/v1alpha1",
                    "kind": "Rollout",
                    "metadata": object["metadata"],
                    "spec": {"replicas": 2, "workloadRef": target, "strategy": {"canary": {}}},
                });
                vec![object, rollout]
            }
            _ => vec![object],
        }
    }

    fn promise(self, secret: &Value) -> Value {
        let metadata = json!({"name": secret["metadata"]["name"], "namespace": secret["metadata"]["namespace"]});
        let keys = || keys(secret).into_iter();
        match self {
            Sealed => {
                let data: Map<String, Value> = keys().map(|key| (key, "AgB3".into())).collect();
                json!({
                    "apiVersion": "bitnami.com/v1alpha1",
                    "kind": "SealedSecret",
                    "metadata": metadata,
                    "spec": {"encryptedData": data, "template": {"metadata": metadata}},
                })
            }
            External => {
                let data: Vec<Value> = keys()
                    .map(|key| json!({"secretKey": key, "remoteRef": {"key": "mesh", "property": key}}))
                    .collect();
                external(&metadata, json!({"target": {"name": metadata["name"]}, "data": data}))
            }
            _ => external(&metadata, json!({"dataFrom": [{"extract": {"key": "mesh"}}]})),
        }
    }
}

fn external(metadata: &Value, mut spec: Value) -> Value {
    spec["secretStoreRef"] = json!({"kind": "ClusterSecretStore", "name": "vault"});
    json!({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": metadata, "spec": spec})
}

fn keys(secret: &Value) -> Vec<String> {
    let of = |part: &str| secret[part].as_object().into_iter().flat_map(|data| data.keys().cloned());
    of("data").chain(of("stringData")).collect()
}

/// The objects of a List, or the object.
fn flat(object: Value) -> Vec<Value> {
    match object["items"].as_array() {
        Some(items) => items.iter().cloned().flat_map(flat).collect(),
        None => vec![object],
    }
}

/// The Certificate that makes this Secret, where it is one that cert-manager makes.
fn certificate(secret: &Value, recipes: &Recipes) -> Option<Value> {
    let name = secret["data"]["tls.crt"].as_str()?.strip_prefix("@chain ")?;
    let recipe = recipes.certificates.get(name)?;
    // A key of another certificate isn't one that cert-manager makes.
    secret["data"]["tls.key"].as_str().filter(|key| key.strip_prefix("@key ") == Some(name))?;
    let usages = recipe.usages.iter().map(|usage| format!("{usage} auth"));
    let usages: Vec<String> = std::iter::once("digital signature".to_owned()).chain(usages).collect();
    let (algorithm, size) = if recipe.key.starts_with("rsa") { ("RSA", 2048) } else { ("ECDSA", 256) };
    Some(json!({
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": name, "namespace": secret["metadata"]["namespace"]},
        "spec": {
            "secretName": secret["metadata"]["name"],
            "dnsNames": recipe.names,
            "usages": usages,
            "privateKey": {"algorithm": algorithm, "size": size},
            "issuerRef": {"kind": "ClusterIssuer", "name": recipe.by},
        },
    }))
}
